"""`make takeover` with the real mpremote onto a served board: fetched, checked, put on another one."""

import json
import pathlib

import cryptolib
import pytest
from served import ServedBoard

from firmware import sealed
from tools import takeover

CODE = bytes(range(16))
TEXT = sealed.code_text(CODE)
NETWORK = {
    "metadata": {"format": "zigpy/open-coordinator-backup", "version": 1, "source": "test", "internal": {}},
    "coordinator_ieee": "00124b0000000099", "pan_id": "1a2b", "extended_pan_id": "dddddddddddddddd", "nwk_update_id": 0,
    "security_level": 5, "channel": 15, "channel_mask": [15],
    "network_key": {"key": "000102030405060708090a0b0c0d0e0f", "sequence_number": 0, "frame_counter": 1000},
    "devices": [],
}
SENSORS = {"format": 1, "sensors": [
    None, {"name": "부엌", "kind": "smoke", "place": "", "ieee": "00124b0000000001", "facts": {}}]}


def made(network=NETWORK):
    blocks = {"network": json.dumps(network).encode(), "sensors": json.dumps(SENSORS).encode(),
              "settings": b'{"gateway": "GW-000042"}', "gateway": b'{"boot": 12}'}
    return b"".join(sealed.seal(blocks, CODE, b"S" * 16, b"I" * 16, lambda key, iv: cryptolib.aes(key, 2, iv)))


@pytest.fixture
def board(tmp_path):
    served = ServedBoard(tmp_path)
    served.start()
    yield served
    served.power_off()


@pytest.mark.req("ZB-19")
def test_it_says_what_a_gateway_would_take_over(tmp_path, capsys):
    path = tmp_path / "takeover.bin"
    path.write_bytes(made())
    assert takeover.main(["--check", str(path), "--code", TEXT]) == 0
    said = capsys.readouterr().out
    assert "GW-000042" in said and "channel 15" in said and "부엌 (smoke" in said and "1 sensors" in said
    assert NETWORK["network_key"]["key"] not in said


@pytest.mark.req("ZB-19")
@pytest.mark.parametrize(("data", "code", "words"), [
    (made(), TEXT[:-1] + "0", "mistyped"), (made(), sealed.code_text(b"x" * 16), "another file's"),
    (made()[:-1], TEXT, "damaged"), (b"x" * 100, TEXT, "no takeover file"), (made({}), TEXT, "no gateway would take")])
def test_what_no_gateway_would_take_is_one_line_and_status_2(tmp_path, capsys, data, code, words):
    path = tmp_path / "takeover.bin"
    path.write_bytes(data)
    assert takeover.main(["--check", str(path), "--code", code]) == 2
    said = capsys.readouterr()
    assert not said.out and len(said.err.splitlines()) == 1 and words in said.err
    assert takeover.main(["--put", str(path), "--port", "", "--code", code]) == 2


@pytest.mark.req("ZB-19")
def test_from_one_board_to_another(board, tmp_path, capsys):
    path = tmp_path / "fetched.bin"
    assert takeover.main(["--port", str(board.link), "--get", str(path)]) == 2
    assert "takeover.make" in capsys.readouterr().err and not path.exists()
    (board.files / "takeover.bin").write_bytes(made())
    assert takeover.main(["--port", str(board.link), "--get", str(path)]) == 0
    assert path.read_bytes() == made()
    (board.files / "takeover.bin").unlink()
    assert takeover.main(["--port", str(board.link), "--put", str(path), "--code", TEXT]) == 0
    assert pathlib.Path(board.files / "takeover.bin").read_bytes() == made()
    assert (board.files / "takeover.code").read_text() == TEXT
