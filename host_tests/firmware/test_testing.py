"""In test mode, and in an emergency that began in it, no emergency number is dialled (I14)."""

import pytest

from firmware import test_mode
from firmware.emergency import events as ev
from firmware.emergency import machine as m
from firmware.phone.dialler import Dialler, NumberRefused


class Settings:
    def get(self, _name):
        return "01012345678"


class Clock:
    now = 0

    def ms(self):
        return self.now


def parts():
    mode = test_mode.TestMode(Settings(), Clock(), lambda *_a, **_f: None, lambda _name: None)
    machine = m.Machine()
    return mode, machine, Dialler(test_mode.Testing(mode, machine))


@pytest.mark.req("TST-02")
@pytest.mark.fault(107)
def test_the_dialler_refuses_119_for_as_long_as_a_test_emergency_is_open():
    mode, machine, dialler = parts()
    assert dialler.command("119") == b"ATD119;"
    assert mode.enter(False)
    machine.test_mode = True
    machine.handle(ev.BUTTON, 0, 1000)
    mode.leave("time")
    for number in ("119", "112", "02119", "1588"):
        with pytest.raises(NumberRefused):
            dialler.command(number)
    machine.test_mode = False
    machine.handle(ev.REAL, 0, 2000)
    assert dialler.command("119") == b"ATD119;"


@pytest.mark.req("TST-05")
def test_ten_minutes_and_ten_more():
    mode, _, _ = parts()
    assert not mode.extend() and not mode.leave("gateway")
    mode.enter(False)
    mode._clock.now = 599_999
    mode.tick()
    assert mode.active and mode.extend()
    mode._clock.now = 1_199_999
    mode.tick()
    assert mode.active
    mode._clock.now = 1_200_000
    mode.tick()
    assert not mode.active


def test_an_open_emergency_is_not_turned_into_a_test():
    mode, _, _ = parts()
    assert not mode.enter(True) and not mode.active
