"""What the EG25-G's lines mean, whatever arrives."""

import os
import random

import pytest

from drivers import at, eg25

FUZZ_COUNT = int(os.environ.get("FUZZ_COUNT", "3000"))


def test_a_voice_call_in_every_state():
    for state in range(6):
        assert eg25.parse_call(b'+CLCC: 2,0,%d,0,0,"119",129' % state) == (2, False, state, "119")
    assert eg25.parse_call(b'+CLCC: 1,1,4,0,0,"+821012345678",145,"Kim, Lee"') == (1, True, 4, "+821012345678")
    assert eg25.parse_call(b"+CLCC: 1,0,0,0,0") == (1, False, 0, "")


def test_the_packet_session_of_lte_is_no_call():
    assert eg25.parse_call(b'+CLCC: 1,0,0,1,0,"",128') is None


@pytest.mark.parametrize("line", [
    b"+CLCC:", b"+CLCC: ", b"+CLCC: 1,0,9,0,0", b"+CLCC: 0,0,0,0,0", b"+CLCC: a,b,c,d,e", b"+CLCC: 1,2,0,0,0",
    b'+CLCC: 1,0,0,0"119', b"+CLCC: 99999999999999999999,0,0,0,0", b"+CLCC: -1,0,0,0,0",
])
def test_a_broken_line_is_no_call(line):
    assert eg25.parse_call(line) is None


def test_fuzzed_lines_never_raise():
    rng = random.Random(7)
    good = b'+CLCC: 1,0,0,0,0,"119",129'
    for _ in range(FUZZ_COUNT):
        line = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            place = rng.randrange(len(line))
            if rng.random() < 0.5:
                line[place] = rng.randrange(256)
            else:
                del line[place]
        call = eg25.parse_call(bytes(line))
        assert call is None or (call[0] >= 1 and call[2] in range(6))


@pytest.mark.req("TEL-07")
def test_the_networks_time_is_read_as_it_comes():
    assert eg25.parse_time(b"2017/01/13,03:40:48+32,0") == (2017, 1, 13, 3, 40, 48)
    assert eg25.parse_time(b"2099/12/31,23:59:59") == (2099, 12, 31, 23, 59, 59)


@pytest.mark.parametrize("text", [
    b"", b"2017/01/13,03:40:4", b"2017-01-13,03:40:48", b"17/01/13,03:40:48+32",
    b"2017/00/13,03:40:48", b"2017/13/13,03:40:48",
    b"2017/01/00,03:40:48", b"2017/01/32,03:40:48", b"2017/01/13,24:40:48", b"2017/01/13,03:60:48",
    b"2017/01/13,03:40:60",
    b"2017/01/13 03:40:48", b"+017/01/13,03:40:48", b"2017/ 1/13,03:40:48", b"a" * 40, bytes(range(40)),
])
def test_what_is_no_time_is_none(text):
    assert eg25.parse_time(text) is None


def test_every_cut_of_a_time_is_none_and_fuzz_never_raises():
    good = b"2017/01/13,03:40:48"
    assert all(eg25.parse_time(good[:end]) is None for end in range(len(good)))
    rng = random.Random(8)
    for _ in range(FUZZ_COUNT):
        text = bytearray(good + b"+32,0")
        for _ in range(rng.randrange(1, 4)):
            text[rng.randrange(len(text))] = rng.randrange(256)
        date = eg25.parse_time(bytes(text))
        assert date is None or (date[1] in range(1, 13) and date[2] in range(1, 32) and date[3] < 24)


def test_state_of_signal_network_and_sim():
    good = at.Result(at.OK, -1, [b"+CSQ: 22,99", b"+CREG: 1,1", b'+CEREG: 2,5,"D509","80D413D",7', b"+CPIN: READY"])
    assert eg25.signal_dbm(good) == -113 + 2 * 22
    assert eg25.registration(good, b"+CREG:") == 1 and eg25.registration(good, b"+CEREG:") == 5
    assert eg25.sim_state(good) == "ready"


@pytest.mark.fault(43)
@pytest.mark.parametrize(("result", "state"), [
    (at.Result(at.ERROR, 10, [b"+CSQ: 99,99"]), "missing"), (at.Result(at.ERROR, 13), "missing"),
    (at.Result(at.OK, -1, [b"+CPIN: NOT INSERTED"]), "missing"), (at.Result(at.ERROR, 14), "unknown"),
    (at.Result(at.TIMEOUT), "unknown"), (at.Result(at.OK), "unknown"),
])
def test_sim_states(result, state):
    assert eg25.sim_state(result) == state
    assert eg25.signal_dbm(result) is None and eg25.registration(result, b"+CREG:") == 4


@pytest.mark.fault(44)
@pytest.mark.parametrize("line", [b"+CPIN: SIM PIN", b"+CPIN: SIM PUK"])
def test_a_locked_sim_is_told(line):
    assert eg25.sim_state(at.Result(at.OK, -1, [line])) == "pin"
