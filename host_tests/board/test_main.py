"""What main.py does when the firmware ends in any way, on a served board with a firmware of three lines."""

import os
import time

import pytest
from served import ROOT, ServedBoard

BOARD_FILE = """
import machine
class B:
    wdt = None
    def start_wdt(self, timeout_ms):
        open('/wdt', 'w').write(str(timeout_ms))
        self.wdt = machine.WDT(timeout=timeout_ms)
        return self.wdt
    def reset(self):
        machine.reset()
def open_board():
    return B()
"""
COUNT = "import machine\nopen('/boots', 'a').write('%d ' % machine.reset_cause())\n"


@pytest.fixture
def board(tmp_path):
    """Starts with the real main.py; the test writes the firmware."""
    served = ServedBoard(tmp_path)
    (served.files / "firmware" / "boards").mkdir(parents=True)
    (served.files / "firmware" / "boards" / "esp32s3.py").write_text(BOARD_FILE)
    source = (ROOT / "firmware" / "main.py").read_text()
    assert "_PAUSE_MS = const(3000)" in source
    (served.files / "main.py").write_text(source.replace("_PAUSE_MS = const(3000)", "_PAUSE_MS = const(100)"))
    yield served
    served.power_off()


@pytest.mark.fault(88)
@pytest.mark.parametrize(
    "app",
    [
        "def run(board):\n    raise ValueError('broken')\n",
        "def run(board):\n    pass\n",
        "def run(board):\n    b'x' * (1 << 40)\n",
        "import nothing_of_that_name\n",
        "def run(board:\n",
        "",
    ],
    ids=["raises", "returns", "memory", "import", "syntax", "no run"],
)
def test_a_firmware_that_ends_is_started_again(board, app):
    (board.files / "firmware" / "app.py").write_text(COUNT + app)
    if app.endswith("board:\n"):
        (board.files / "firmware" / "app.py").write_text(app)
        (board.files / "boot.py").write_text(COUNT)
    board.start()
    assert board.wait_for("boots", "1 2 2 ").startswith("1 2 2 ")


def test_without_even_a_board_file_it_tries_again(board):
    (board.files / "firmware" / "boards" / "esp32s3.py").write_text("import nothing_of_that_name\n")
    (board.files / "boot.py").write_text(COUNT)
    board.start()
    assert board.wait_for("boots", "1 5 5 ").startswith("1 5 5 ")


def test_control_c_gives_the_repl_and_the_watchdog_guards_it(board):
    (board.files / "firmware" / "app.py").write_text(
        COUNT + "import time\ndef run(board):\n    while True:\n        time.sleep_ms(20)\n"
    )
    board.start()
    board.wait_for("boots", "1 ")
    assert board.exec("print('free')").strip().endswith("free")
    assert board.wait_for("wdt") == "60000"
    assert board.wait_for("boots") == "1 "
    board.mpremote("resume", "exec", "--no-follow", "import machine, time\nmachine.WDT(timeout=300)\ntime.sleep(2)")
    assert board.wait_for("boots", "1 3 ")


def test_the_reason_is_printed(board):
    (board.files / "firmware" / "app.py").write_text("def run(board):\n    raise ValueError('broken')\n")
    board.start()
    port = os.open(board.link, os.O_RDWR | os.O_NOCTTY)
    said, deadline = b"", time.monotonic() + 10
    while b"ValueError: broken" not in said:
        assert time.monotonic() < deadline, said
        said += os.read(port, 4096)
    os.close(port)
    assert b"error main: the firmware stopped" in said and b'File "firmware/app.py", line 2' in said
