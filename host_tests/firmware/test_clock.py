"""Wall time from the care system: kept in the chip, never trusted blindly, and no delay ever hears of it."""

import datetime
import random
import time

import pytest

from drivers.pcf8563 import Pcf8563
from firmware import calendar, clock
from hal_sim.bus.i2c import I2C
from hal_sim.pcf8563 import ADDRESS
from hal_sim.pcf8563 import Pcf8563 as Chip

UTC = datetime.timezone.utc
NOW_S = 1_800_000_000


class Sched:
    now_ms = 0


@pytest.fixture
def bench(monkeypatch):
    """A clock over a simulated chip; `sched.now_ms` is the world's time, for both."""
    sched = Sched()
    monkeypatch.setattr(time, "ticks_ms", lambda: sched.now_ms & 0x3FFFFFFF, raising=False)
    monkeypatch.setattr(time, "ticks_diff", lambda end, start: ((end - start + 0x20000000) & 0x3FFFFFFF) - 0x20000000,
                        raising=False)
    chip = Chip(sched, NOW_S)
    return sched, chip, lambda: clock.Clock(Pcf8563(I2C({ADDRESS: chip})))


@pytest.mark.fault(80)
@pytest.mark.req("TEL-07")
def test_a_time_that_is_told_is_kept_in_the_chip_for_the_next_start(bench):
    sched, chip, start = bench
    chip.lose()
    mine = start()
    assert mine.wall_s() == 0 and mine.wall_ms(0) is None
    sched.now_ms += 5000
    assert mine.set_wall((NOW_S + 5) * 1000 + 400)
    assert mine.wall_ms(mine.ms()) == (NOW_S + 5) * 1000 + 400
    sched.now_ms += 60_000
    assert not chip.lost and abs(start().wall_s() - NOW_S - 65) <= 1


@pytest.mark.fault(79)
@pytest.mark.parametrize("jump_s", [-86_400 * 200, -3600, -3, 3, 3600, 86_400 * 400])
def test_a_jump_moves_the_wall_time_and_no_delay(bench, jump_s):
    sched, _, start = bench
    mine = start()
    sched.now_ms += 1000
    before = mine.ms()
    assert mine.set_wall((NOW_S + 1 + jump_s) * 1000)
    assert mine.ms() == before
    assert mine.wall_s() == NOW_S + 1 + jump_s


def test_a_clock_that_is_right_is_left_alone(bench):
    sched, chip, start = bench
    mine = start()
    written = []
    chip.write = lambda register, data: written.append(data)
    assert mine.set_wall(NOW_S * 1000 + 1999) and mine.set_wall(NOW_S * 1000 - 1999)
    assert mine.wall_s() == NOW_S and written == []
    assert mine.set_wall(NOW_S * 1000 + 2001) and len(written) == 1


@pytest.mark.fault(79)
@pytest.mark.req("SEC-03")
def test_times_that_cannot_be_are_refused(bench):
    mine = bench[2]()
    for at_ms in (0, -1, 1_767_225_599_999, 4_102_444_800_000, 1 << 60):
        assert not mine.set_wall(at_ms)
    assert mine.wall_s() == NOW_S


@pytest.mark.req("TEL-07")
@pytest.mark.fault(80)
def test_the_networks_time_dates_records_and_is_sure_of_nothing(bench):
    sched, chip, start = bench
    chip.lose()
    mine = start()
    assert mine.quality() == "unset" and not mine.hear_network(315_964_810_000), "1980: a module that was told nothing"
    assert mine.hear_network(NOW_S * 1000) and mine.quality() == "network"
    assert (mine.wall_s(), mine.sure_s()) == (NOW_S, 0)
    assert chip.lost, "the next start asks again"
    sched.now_ms += 1000
    assert mine.set_wall((NOW_S + 1) * 1000), "the relay says the same"
    assert (mine.quality(), mine.sure_s(), chip.lost) == ("set", NOW_S + 1, False)


@pytest.mark.req("SEC-01")
def test_the_network_never_moves_a_clock_that_is_sure(bench):
    mine = bench[2]()
    assert mine.quality() == "set" and not mine.hear_network((NOW_S + 86_400) * 1000)
    assert mine.wall_s() == mine.sure_s() == NOW_S


def test_a_chip_that_does_not_answer_costs_nothing_but_the_next_start(bench):
    mine = bench[2]()
    mine._chip.write = lambda *_: 1 / 0
    assert mine.set_wall((NOW_S + 999) * 1000) and mine.wall_s() == NOW_S + 999


def test_the_calendar_is_the_worlds():
    """Both ways, against the standard library: each day of leap years and centuries, then at random."""
    days = [*range(20_000, 24_000), *(random.Random(1).randrange(0, 60_000) for _ in range(5000))]
    for day in days:
        date = datetime.datetime.fromtimestamp(day * 86_400, UTC).date()
        assert calendar.civil_from_days(day) == (date.year, date.month, date.day)
        assert calendar.days_from_civil(date.year, date.month, date.day) == day
