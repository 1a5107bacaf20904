"""The dialler refuses 119 and 112 in test mode by itself, in every writing, and nothing but digits passes."""

import pytest

from firmware.numbers import EMERGENCY_NUMBER, is_emergency
from firmware.phone.dialler import Dialler, NumberRefused


class Mode:
    def __init__(self, active):
        self.active = active


def test_the_command():
    dialler = Dialler(Mode(False))
    assert dialler.command(EMERGENCY_NUMBER) == b"ATD119;"
    assert dialler.command("01012345678") == b"ATD01012345678;"
    assert dialler.command("+821012345678") == b"ATD+821012345678;"
    assert dialler.refused == 0


@pytest.mark.req("TST-02")
@pytest.mark.fault(107)
@pytest.mark.parametrize("number", [
    "119", "112", "+82119", "+82112", "0119", "0082119", "02119", "031119", "+822119", "0112", "911", "110", "118",
    "00119", "08", "00", "999", "1339", "000119",
])
def test_no_emergency_number_in_test_mode(number):
    dialler = Dialler(Mode(True))
    with pytest.raises(NumberRefused):
        dialler.command(number)
    assert dialler.refused == 1


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("number", [
    "", "+", "*23#119", "119;", "119,", "1 19", "119\r", "11\u0669", "ATD119", "1-1-9", "119W",
    "++82119", "1" * 21, "\uff11\uff119",
])
def test_only_digits_and_a_leading_plus(number, active):
    with pytest.raises(NumberRefused):
        Dialler(Mode(active)).command(number)


@pytest.mark.req("TST-02")
def test_the_tester_is_dialled_in_test_mode():
    dialler = Dialler(Mode(True))
    assert dialler.command("01012345119") == b"ATD01012345119;"  # ends like 119 and is somebody's telephone
    assert dialler.command("021234567") == b"ATD021234567;"


def test_the_mode_counts_at_the_moment_of_dialling():
    mode = Mode(False)
    dialler = Dialler(mode)
    assert dialler.command("119") == b"ATD119;"
    mode.active = True
    with pytest.raises(NumberRefused):
        dialler.command("119")
    mode.active = False
    assert dialler.command("119") == b"ATD119;"


def test_is_emergency():
    assert is_emergency("119") and is_emergency("112") and is_emergency("02-119")
    assert not is_emergency("01012345119") and not is_emergency("") and not is_emergency("1192")
