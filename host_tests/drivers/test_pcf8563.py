"""The clock chip's registers, read and written through the simulated chip and through nonsense."""

import datetime

import pytest

from drivers.pcf8563 import ADDRESS, Pcf8563
from firmware.calendar import clock_text, days_from_civil
from hal_sim.bus.i2c import I2C
from hal_sim.pcf8563 import Pcf8563 as Chip
from hal_sim.sched import Scheduler


def wired(epoch_s):
    sched = Scheduler()
    chip = Chip(sched, epoch_s)
    return sched, chip, Pcf8563(I2C({ADDRESS: chip}))


def test_the_date_is_read_as_the_chip_keeps_it():
    for day in range(0, 36500, 97):
        when = datetime.datetime(2000, 1, 1, 13, 14, 15) + datetime.timedelta(days=day)
        epoch = int(when.replace(tzinfo=datetime.timezone.utc).timestamp())
        assert wired(epoch)[2].read() == when.timetuple()[:6]
        assert days_from_civil(when.year, when.month, when.day) == epoch // 86400


def test_what_is_written_is_read_back_and_clears_the_lost_flag():
    sched, chip, driver = wired(0)
    chip.lose()
    assert driver.read() is None
    assert driver.write((2026, 11, 22, 23, 59, 58), 0)
    assert driver.read() == (2026, 11, 22, 23, 59, 58)
    sched.run_until(2000)
    assert driver.read() == (2026, 11, 23, 0, 0, 0)


def test_a_missing_chip_is_a_clock_that_is_not_set():
    driver = Pcf8563(I2C({}))
    assert driver.read() is None and not driver.write((2026, 1, 1, 0, 0, 0), 4)


@pytest.mark.parametrize("raw", [bytes([0, 0, 0, 0, 0, 0, 0]), bytes([0x79, 0, 0, 1, 0, 1, 0]), bytes([0xFF] * 7),
                                 bytes([0, 0x75, 0, 1, 0, 1, 0]), bytes([0, 0, 0x3F, 1, 0, 1, 0])])
def test_registers_out_of_range_are_no_time(raw):
    class Bus:
        def readfrom_mem(self, *_):
            return raw

    assert Pcf8563(Bus()).read() is None


def test_the_screen_shows_korean_time():
    assert clock_text(0) == "09:00" and clock_text(15 * 3600 + 59) == "00:00"
