"""The AT channel on MicroPython in virtual time, against a scripted far end (at_world.py)."""

import json

import pytest

OK, ERROR, TIMEOUT, PREEMPTED, REFUSED, CONNECT, STUCK = range(7)


@pytest.fixture(scope="module")
def seen(micropython):
    return json.loads(micropython(["host_tests/drivers/at_world.py"]))


def test_answers_in_all_their_forms(seen):
    assert seen["clcc"] == [OK, -1, ['+CLCC: 1,0,3,0,0,"119",129']]
    assert seen["imei"] == [OK, -1, ["866834040000019"]]
    assert seen["cme"] == [ERROR, 10, []]
    assert seen["error"] == [ERROR, -1, []]
    assert seen["refused"] == [REFUSED, -1, []]


@pytest.mark.fault(63)
def test_a_urc_inside_an_answer_goes_to_its_handler(seen):
    assert seen["urcs"] == ["RING"]


def test_silence_ends_at_the_limit(seen):
    assert seen["silence"] == [TIMEOUT, -1, []]
    assert 600 <= seen["silence_ms"] <= 610


@pytest.mark.fault(58)
def test_a_late_ok_is_not_the_next_answer(seen):
    """Taken for the answer to AT+CLCC it would say that there is no call."""
    assert seen["dirty"] is True
    status, settled, strays, lines = seen["late"]
    assert status == TIMEOUT and settled and strays >= 1 and lines == 1


@pytest.mark.fault(58)
def test_the_late_ok_of_a_cancelled_command_is_not_the_next_answer(seen):
    assert seen["cancelled"] == [False, True, True, 1]


@pytest.mark.fault(61)
def test_an_urgent_command_goes_out_within_500_ms(seen):
    status, after_ms, slow, queued = seen["preempt"]
    assert status == OK and after_ms <= 310 and slow == PREEMPTED and queued == TIMEOUT
    status, after_ms, quick, queued = seen["grace"]
    assert status == OK and after_ms <= 110 and quick == OK
    assert seen["hurry"] == [PREEMPTED, 0]


@pytest.mark.fault(63)
def test_in_step_within_3_s_of_garbage_and_a_failing_listener(seen):
    ready_ms, faults, overruns = seen["garbage"]
    assert ready_ms <= 3000 and faults >= 1 and overruns == 0


def test_data_both_ways(seen):
    assert seen["read"] == [OK, -1, [], "OK\r\nab"]
    assert seen["write"] == [OK, -1, ["+QFWRITE: 6,6"]]
    assert seen["prompt"] == [OK, -1, ["+CMGS: 7"]]
    assert seen["online"][0] == CONNECT


def test_a_modem_that_takes_no_bytes_does_not_block_us(seen):
    status, after_ms = seen["stuck"]
    assert status == STUCK and after_ms <= 310
