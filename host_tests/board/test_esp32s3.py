"""The board file: its pins against the document and the module's limits, and what it opens in the simulated board."""

import json
import re

import pytest
from served import ROOT, ServedBoard

SOURCE = (ROOT / "firmware" / "boards" / "esp32s3.py").read_text()
NOT_TO_BE_HAD = {*range(26, 38), 19, 20, *range(22, 26), 0, 43, 44}
STRAPPING = {3, 45, 46}


def pins() -> dict:
    """GPIO by name, from the constants of the board file."""
    constants = re.findall(r"^_([A-Z0-9_]+) = const\((\d{1,2})\)", SOURCE, re.M)
    found = {name: int(number) for name, number in constants if name != "TYPE_CHECKING"}
    assert len(found) == 27, found
    return found


def test_pins_are_distinct_and_to_be_had():
    numbers = list(pins().values())
    assert len(set(numbers)) == len(numbers)
    assert not NOT_TO_BE_HAD & set(numbers)
    assert all(number <= 48 for number in numbers)


def test_strapping_pins_carry_lamps_only():
    strapped = {name for name, number in pins().items() if number in STRAPPING}
    assert strapped == {"LAMP_CENTRE", "LAMP_CALL", "LAMP_CANCEL"}


def test_the_document_has_the_same_pins():
    text = (ROOT / "docs" / "hardware.md").read_text()
    table = {name: int(number) for number, name in re.findall(r"^\| (\d+) \| `([A-Z0-9_]+)` \|", text, re.M)}
    assert table == pins()


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """A served board with the board file's source and nothing that starts."""
    served = ServedBoard(tmp_path_factory.mktemp("esp32s3"))
    for name in ("__init__.py", "calendar.py", "boards/__init__.py", "boards/board.py", "boards/console.py",
                 "boards/net.py", "boards/esp32s3.py"):
        target = served.files / "firmware" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / "firmware" / name).read_bytes())
    served.start()
    yield served
    served.power_off()


def ask(board, expression: str, before: str = ""):
    program = "import json, machine, esp32\n" + before
    program += "\nfrom firmware.boards import esp32s3\nb = esp32s3.open_board()\n"
    program += f"print()\nprint(json.dumps({expression}))"
    return json.loads(board.exec(program).strip().splitlines()[-1])


def test_every_bus_leads_to_its_part(board):
    names = [
        "ncp_uart", "ncp_reset", "modem_uart", "modem_reset", "modem_pwrkey", "modem_vbat", "button_119",
        "button_centre", "button_call", "button_cancel", "lamp_119", "lamp_centre", "lamp_call",
        "lamp_cancel", "beacon", "siren", "amp_enable", "speaker", "mains", "i2c"
    ]
    wired = ask(board, "[n for n in %r if getattr(b, n) is getattr(machine.parts, n)]" % (names,))
    assert wired == names


def test_levels_at_the_start_keep_modem_and_coprocessor_as_they_are(board):
    levels = ask(board, "{n: getattr(b, n).value() for n in dir(b) if hasattr(getattr(b, n), 'drive')}")
    ones = {name for name, level in levels.items() if level}
    buttons = {"button_119", "button_centre", "button_call", "button_cancel"}
    assert ones == {"modem_vbat", "ncp_reset", "mains"} | buttons


def test_what_the_board_says_of_itself(board):
    said = ask(board, "[b.reset_cause, b.root + '/settings.json', machine.freq(), b.wdt, b.net, b.monitor]")
    assert said == ["power", "/settings.json", 240000000, None, None, None]


def test_the_watchdog_is_opened_when_asked(board):
    assert ask(board, "[b.wdt is None, b.start_wdt(60000) is b.wdt, hasattr(b.wdt, 'feed')]") == [True, True, True]


def test_journal_store_and_queue_are_partitions_of_4_kb_sectors(board):
    assert ask(board, "[b.queue.ioctl(4, 0), b.queue.ioctl(5, 0)]") == [1024, 4096]
    assert ask(board, "[b.journal.ioctl(4, 0), b.journal.ioctl(5, 0)]") == [16, 4096]
    assert ask(board, "[b.store.ioctl(4, 0), b.store.ioctl(5, 0)]") == [48, 4096]


@pytest.mark.parametrize(
    "name, fault",
    [
        ("journal", "esp32.Partition.find = staticmethod(lambda *a, **k: [])"),
        ("store", "esp32.Partition.find = staticmethod(lambda *a, **k: [])"),
        ("queue", "esp32.Partition.find = staticmethod(lambda *a, **k: [])"),
        ("speaker", "def bad(*a, **k): raise OSError(-1)\nmachine.I2S.__class__.__call__ = bad"),
        ("i2c", "def bad(*a, **k): raise OSError(19)\nmachine.I2C = bad"),
        ("monitor", ""),
    ],
)
def test_without_an_optional_part_the_board_still_opens(board, name, fault):
    """Each in a fresh interpreter: a soft reset comes before."""
    program = "import json, machine, esp32\n" + fault
    program += "\nfrom firmware.boards.esp32s3 import open_board\nb = open_board()\n"
    program += f"print(b.{name}, b.modem_uart.txdone())"
    lines = board.mpremote("exec", program).strip().splitlines()
    assert lines[-1] == "None True"
    assert any(line.startswith(f"warning board: no {name}: ") for line in lines)


def test_causes_of_a_reset(board):
    before = "machine.reset_cause = lambda: %d\n"
    for number, text in ((1, "power"), (2, "reset"), (3, "watchdog"), (4, "deepsleep"), (5, "soft"), (0, "unknown")):
        assert ask(board, "b.reset_cause", before % number) == text


def test_a_wireless_network_is_joined_where_a_file_names_one(board):
    (board.files / "wifi.json").write_text('{"ssid": "lab", "key": "secret"}')
    try:
        said = ask(board, "[network.WLAN.last, b.net.ready(), network.WLAN.last.joined, network.WLAN.last.on]",
                   "import network\n")
        assert said == [None, False, ["lab", "secret"], True], "the radio is on when it is first asked for"
        (board.files / "wifi.json").write_text('{"ssid": "lab"}')
        assert ask(board, "[b.net]") == [None], "a file that lacks something: no network, and everything else"
        for text in ("[]", '"lab"', "7", "null", '{"ssid": 5, "key": ["x"]}', "{", "\x00\xff"):
            (board.files / "wifi.json").write_bytes(text.encode("latin-1"))
            assert ask(board, "[b.modem_uart.txdone()]") == [True], text
    finally:
        (board.files / "wifi.json").unlink()


@pytest.mark.fault(80)
def test_the_systems_time_can_be_set_for_tls(board):
    program = "b.set_time(1_800_000_000) or machine.RTC().datetime()[:7]"
    assert ask(board, f"list({program})") == [2027, 1, 15, 0, 8, 0, 0]
