"""Taking a gateway over: everything or nothing, and nothing because of a file or code that is no good."""

import asyncio
import json
import pathlib
import random
import types

import cryptolib
import pytest
from doubled_gateway import Gateway, Machine
from flashed import Chip, PowerCut, live, patch

from firmware import handover, sealed
from firmware.takeover import Takeover

ROOT = pathlib.Path(__file__).parents[2]
CODE = bytes(range(16))
BLOCKS = {"sensors": b"s" * 5000, "network": b"n" * 3333, "settings": b"{}", "gateway": b'{"boot": 7}'}
HOME = [{"name": "부엌 감지기", "kind": "smoke", "place": "부엌", "ieee": "00124b0000000001"}]
NETWORK = {
    "metadata": {"format": "zigpy/open-coordinator-backup", "version": 1, "source": "test", "internal": {}},
    "coordinator_ieee": "00124b0000000099", "pan_id": "1a2b", "extended_pan_id": "dddddddddddddddd", "nwk_update_id": 0,
    "security_level": 5, "channel": 15, "channel_mask": [15],
    "network_key": {"key": "000102030405060708090a0b0c0d0e0f", "sequence_number": 0, "frame_counter": 1000},
    "devices": [],
}


def aes(key, iv):
    return cryptolib.aes(key, 2, iv)


def sealed_file(blocks=BLOCKS, code=CODE):
    return b"".join(sealed.seal(blocks, code, b"S" * 16, b"I" * 16, aes))


# ---------------------------------------------------------------------------------- the file
@pytest.mark.req("ZB-19")
def test_what_is_sealed_comes_out_with_the_code_and_shows_nothing_without():
    data = sealed_file()
    assert sealed.unseal(data, CODE, aes) == BLOCKS
    assert b"ssss" not in data and b"boot" not in data
    assert len(data) < sum(map(len, BLOCKS.values())) + 200


@pytest.mark.req("ZB-19")
def test_it_is_the_format_that_is_written_down():
    """With a library that is not ours, from the description alone."""
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    data = sealed_file()
    salt, iv, length = data[8:24], data[24:40], int.from_bytes(data[40:44], "little")
    keys = [hmac.new(CODE, what + salt, hashlib.sha256).digest() for what in (b"encrypt", b"authenticate")]
    assert hmac.new(keys[1], data[:-32], hashlib.sha256).digest() == data[-32:]
    plain = Cipher(algorithms.AES(keys[0]), modes.CBC(iv)).decryptor().update(data[44:-32])
    pad = len(plain) - length
    assert 1 <= pad <= 16 and plain[length:] == bytes([pad]) * pad
    assert plain.startswith(b"\x07gateway\x0b\x00\x00\x00" + BLOCKS["gateway"])


@pytest.mark.req("ZB-19")
def test_every_changed_bit_every_length_and_every_other_code_is_refused():
    data = sealed_file({**BLOCKS, "sensors": b"s", "network": b"n"})
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(sealed.Refused):
            sealed.unseal(bytes(changed), CODE, aes)
        with pytest.raises(sealed.Refused):
            sealed.unseal(data[:at], CODE, aes)
    for bit in range(128):
        other = (int.from_bytes(CODE, "big") ^ 1 << bit).to_bytes(16, "big")
        with pytest.raises(sealed.Refused, match="another file's"):
            sealed.unseal(data, other, aes)
    with pytest.raises(sealed.Refused, match="version 2"):
        sealed.unseal(data[:4] + b"\x02" + data[5:], CODE, aes)


@pytest.mark.req("SEC-03")
def test_what_is_authentic_but_makes_no_sense_is_refused():
    """As a firmware with a mistake would have written it."""
    rng = random.Random(3)
    for plain in [b"\x05abc", b"\x01a\xff\xff\xff\xff", b"\xff", b"\x01a\x05\x00\x00\x00xx", *(
            rng.randbytes(rng.randrange(1, 60)) for _ in range(300))]:
        try:
            sealed._blocks(plain, len(plain))
        except (sealed.Refused, UnicodeError):
            pass


def test_the_code_is_read_as_people_type_it_and_a_slip_is_found():
    text = sealed.code_text(CODE)
    assert len(text.split("-")) == 9 and all(len(group) == 4 for group in text.split("-"))
    for typed in (text, text.lower(), text.replace("-", ""), text.replace("-", " ") + "\n"):
        assert sealed.code_of(typed) == CODE
    digits = [index for index, char in enumerate(text) if char != "-"]
    for index in digits:
        for other in "0123456789ABCDEFX":
            if other != text[index]:
                with pytest.raises(sealed.Refused, match="mistyped"):
                    sealed.code_of(text[:index] + other + text[index + 1 :])
    for bad in ("", "-", "가나다", text[:-1], text + "0", "zz" * 18):
        with pytest.raises(sealed.Refused):
            sealed.code_of(bad)


# ---------------------------------------------------------------------------------- gateways
class Journal:
    boot = 3

    def save(self, *_args):
        pass


class Restarted(BaseException):
    pass


class Box(Gateway):
    """A gateway with a flash and a folder."""

    def __init__(self, chip, folder, sensors=()):
        self.restarts = 0
        super().__init__()
        self.store, self.clock = chip.boot(), chip.clock
        from firmware.sensing.registry import Registry
        from firmware.settings import Settings

        self.registry = Registry(self.store, list(sensors), self.log)
        self.settings = Settings({"gateway": "GW-000123", "volume": 3} if sensors else {}, self.log, self.store)
        self.machine, self.journal, self.recorder.boot = Machine(), Journal(), 41
        self.board = types.SimpleNamespace(root=str(folder), reset=self._reset)
        self.notices = []
        self.screen = types.SimpleNamespace(notice=self.notices.append)
        self.takeover = Takeover(self)

    def _reset(self):
        self.restarts += 1
        raise Restarted

    def live(self, ms=120_000):
        """Run store and takeover until nothing is to be done; a restart or a power cut ends it."""
        async def main(store):
            task = asyncio.ensure_future(self.takeover.run())
            try:
                until = self.clock.now + ms
                await asyncio.sleep_ms(1)
                while self.takeover._job and self.clock.now < until and not task.done():
                    await asyncio.sleep_ms(20)
                if task.done():
                    task.result()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        try:
            live(self.store, main)
        except Restarted:
            return True
        return False


@pytest.fixture
def chip(monkeypatch):
    chip = Chip()
    patch(monkeypatch, chip.clock)
    return chip


@pytest.fixture
def made(chip, tmp_path, monkeypatch):
    """(file, code) of an old gateway with a sensor."""
    old = Box(chip, tmp_path, HOME)
    old.registry.rename(0, "주방")
    assert old.takeover.make() == "there is no network to hand over"
    old.store.save("network", json.dumps(NETWORK).encode())
    assert old.takeover.make() == ""
    old.live()
    line = old.takeover.line()
    assert line.startswith("인수 코드: ")
    return (tmp_path / "takeover.bin").read_bytes(), line[len("인수 코드: "):]


def fresh(monkeypatch, folder, made, code_file=False):
    chip = Chip(9)
    patch(monkeypatch, chip.clock)
    folder.mkdir(exist_ok=True)
    (folder / "takeover.bin").write_bytes(made[0])
    if code_file:
        (folder / "takeover.code").write_text(made[1] + "\n")
    return chip


@pytest.mark.req("ZB-19")
@pytest.mark.parametrize("code_file", [False, True])
def test_a_new_gateway_takes_everything_over_in_one_step(made, tmp_path, monkeypatch, code_file):
    folder = tmp_path / "new"
    chip = fresh(monkeypatch, folder, made, code_file)
    new = Box(chip, folder)
    assert new.takeover.waiting and "인수 코드" in new.takeover.line() or code_file
    if not code_file:
        assert not Box(chip, folder).live(), "without the code it waits"
        assert new.takeover.take(made[1].lower()) == ""
    new.store.save("link", b'{"counter": 77}')
    assert new.live(), "it restarts"
    assert new.journal.boot == 1041
    again = Box(chip, folder)
    assert again.names() == ["주방"] and again.registry.entries[0]["place"] == "부엌"
    assert again.settings.get("gateway") == "GW-000123" and again.settings.get("volume") == 3
    assert json.loads(again.store.load("network")) == NETWORK
    assert again.store.load("link") == b'{"counter": 77}', "its own commands count on"
    assert not again.takeover.waiting and again.takeover.line() == ""
    assert list(folder.iterdir()) == []
    again.live()
    (folder / "takeover.bin").write_bytes(b"made by itself later")
    assert not Box(chip, folder).takeover.waiting and list(folder.iterdir()), "that one is not deleted"


@pytest.mark.req("ZB-19")
def test_a_cut_at_any_moment_leaves_all_or_nothing(made, tmp_path, monkeypatch):
    at, seen = 0, []
    while True:
        folder = tmp_path / f"new{at}"
        chip = fresh(monkeypatch, folder, made, True)
        chip.flash.cut_at = at
        try:
            assert Box(chip, folder).live()
            break
        except PowerCut:
            chip.flash.cut_at = None
        again = Box(chip, folder)
        seen.append(again.names())
        assert again.names() in ([], ["주방"])
        assert (again.store.load("network") is not None) == (again.names() == ["주방"])
        if not again.names():
            assert again.live(), "the file is still there: taken over now"
            last = Box(chip, folder)
            assert last.names() == ["주방"] and last.settings.get("gateway") == "GW-000123"
        at += 1 if at < 25 else 4
    assert [] in seen and ["주방"] in seen


@pytest.mark.req("ZB-19")
@pytest.mark.parametrize("spoil", ["code", "bit", "cut", "version", "empty", "long", "content"])
def test_what_is_no_good_is_refused_and_changes_nothing(made, tmp_path, monkeypatch, spoil):
    folder = tmp_path / "new"
    data, code = made
    if spoil == "bit":
        data = data[:-40] + bytes([data[-40] ^ 1]) + data[-39:]
    elif spoil == "code":
        code = sealed.code_text(CODE)
    elif spoil == "content":
        data, code = sealed_file(), sealed.code_text(CODE)
    else:
        data = {"cut": data[:-5], "version": data[:4] + b"\x07" + data[5:], "empty": b"",
                "long": data + bytes(70000)}[spoil]
    chip = fresh(monkeypatch, folder, (data, code))
    new = Box(chip, folder)
    before = bytes(chip.flash.cells)
    assert new.takeover.take(code) == ""
    assert not new.live() and new.restarts == 0
    assert bytes(chip.flash.cells) == before and (folder / "takeover.bin").exists()
    assert new.named("gateway.fault")[0]["fault"] == "takeover"
    assert "넘겨받지 못했습니다" in new.takeover.line() and "refused" in new.log.lines[-1]
    assert new.journal.boot == 3


@pytest.mark.req("ZB-19")
def test_who_has_sensors_takes_nothing_over_and_nobody_works_in_an_emergency(made, tmp_path, monkeypatch):
    folder = tmp_path / "new"
    chip = fresh(monkeypatch, folder, made, True)
    other = Box(chip, folder, [{**HOME[0], "name": "mine"}])
    assert not other.takeover.waiting and not other.live() and other.names() == ["mine"]
    assert other.takeover.take(made[1]) == "no file waits"
    (folder / "takeover.code").unlink()
    new = Box(fresh(monkeypatch, folder, made), folder)
    new.machine.emergency = True
    assert new.takeover.take(made[1]) == "an emergency is open" == new.takeover.make()
    new.machine.emergency = False
    assert new.takeover.take("0000") == "the code is mistyped"
    assert new.takeover.make() == "not now"


def test_the_waiting_file_can_be_dropped(made, tmp_path, monkeypatch):
    folder = tmp_path / "new"
    new = Box(fresh(monkeypatch, folder, made), folder)
    with pytest.raises(Restarted):
        new.takeover.drop()
    assert list(folder.iterdir()) == []
    assert new.takeover.drop() == "no file waits"


def test_the_code_is_shown_for_a_while_only_and_never_logged(chip, tmp_path):
    old = Box(chip, tmp_path, HOME)
    old.store.save("network", json.dumps(NETWORK).encode())
    old.takeover.make()
    old.live()
    code = old.takeover.line()[-44:]
    assert not any(code in line for line in old.log.lines)
    old.clock.now += 600_001
    assert old.takeover.line() == "" and old.takeover._code == ""


@pytest.mark.parametrize(("name", "value"), [
    ("sensors", b"{"), ("sensors", b'{"format": 9, "sensors": []}'), ("network", b"{}"), ("network", b"[]"),
    ("settings", b'{"tester": "119"}'), ("settings", b'{"other": 1}'), ("settings", b"[5]"), ("gateway", b"{}"),
    ("gateway", b'{"boot": -1}'), ("gateway", b'{"boot": "x"}'), ("network", None), ("gateway", None)])
def test_what_is_not_a_whole_gateway_is_refused(name, value):
    good = {"sensors": b'{"format": 1, "sensors": []}', "network": json.dumps(NETWORK).encode(),
            "settings": b'{"volume": 2}', "gateway": b'{"boot": 7}'}
    assert handover.check_blocks(good) == ""
    bad = {key: item for key, item in {**good, name: value}.items() if item is not None}
    assert handover.check_blocks(bad) != ""


def test_it_runs_on_the_board_s_python(micropython, tmp_path):
    """The board's own cipher: made there, opened here; made here, opened there."""
    program = (
        "import sys, cryptolib\nsys.path[:0] = ['.']\nfrom firmware import sealed\n"
        "aes = lambda key, iv: cryptolib.aes(key, 2, iv)\n"
        "blocks = {'sensors': b'x' * 5000, 'network': b'y' * 15}\n"
        f"with open('{tmp_path}/a', 'wb') as f:\n"
        " for piece in sealed.seal(blocks, bytes(range(16)), b'S' * 16, b'I' * 16, aes): f.write(piece)\n"
        f"data = open('{tmp_path}/b', 'rb').read()\n"
        "print(sealed.unseal(data, bytes(range(16)), aes) == blocks)\n"
        "print(sealed.code_of(sealed.code_text(bytes(16))) == bytes(16))\n"
        "try:\n sealed.unseal(data, bytes(16), aes)\nexcept sealed.Refused as e:\n print('refused')\n")
    blocks = {"sensors": b"x" * 5000, "network": b"y" * 15}
    (tmp_path / "b").write_bytes(sealed_file(blocks))
    assert micropython(["-c", program]).split() == ["True", "True", "refused"]
    assert sealed.unseal((tmp_path / "a").read_bytes(), CODE, aes) == blocks


# ---------------------------------------------------------------------------------- once wrong

@pytest.fixture
def replacement(made, monkeypatch, tmp_path):
    """(chip, folder) of a new gateway with a takeover file and its code beside it."""
    return fresh(monkeypatch, tmp_path / "new", made, True), tmp_path / "new"


@pytest.mark.req("ZB-19")
@pytest.mark.req("EMG-19")
@pytest.mark.parametrize("at", [0, 3, 40])
def test_an_emergency_in_the_middle_of_taking_over_only_delays_it(replacement, at):
    """Longer than the minute that the flash is given: the gateway was empty after it, and the file was put away."""
    chip, folder = replacement
    new = Box(chip, folder)
    looks = []

    def hold():
        looks.append(chip.clock.now)
        new.machine.emergency = len(looks) > at and chip.clock.now - looks[at] < 300_000
        return new.machine.emergency

    new.store.hold = hold
    assert new.live(600_000)
    assert chip.clock.now > 300_000
    assert Box(chip, folder).names() == ["주방"]


@pytest.mark.req("ZB-19")
@pytest.mark.parametrize("code", [b"\xff\xfe\x00", b"", b"\xed\xa0\x80" * 50])
def test_a_code_file_of_rubbish_does_not_hide_the_file_that_waits(replacement, code):
    chip, folder = replacement
    (folder / "takeover.code").write_bytes(code)
    new = Box(chip, folder)
    assert new.takeover.waiting and not new.live()
    assert new.names() == [] and "넘겨받지 못했습니다" in new.takeover.line()
