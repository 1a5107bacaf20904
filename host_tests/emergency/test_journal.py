"""The emergency's memory: what is read back, torn, worn or made up, and that it never holds anything up."""

import random

import pytest

from firmware.emergency import machine as m
from firmware.emergency.journal import Journal
from hal_sim.bus.partition import SECTOR, Flash, Partition
from hal_sim.bus.rtc import RTC
from hal_sim.ends import PowerCut


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, text):
        self.lines.append(text)


class Home:
    """Flash and RTC memory that outlive a boot; `waited` is what the flash took of the controller's time, in ms."""

    def __init__(self, sectors=4):
        self.flash = Flash(sectors)
        self.cells = [b""]
        self.waited = 0

    def boot(self, rtc=True, flash=True):
        def block(ms):
            self.waited += ms

        journal = Journal(RTC(self.cells) if rtc else None, Partition(self.flash, block) if flash else None, Log())
        machine = m.Machine()
        found = journal.load(machine)
        return journal, machine, found


def some(state=m.DIALLING, incident=5):
    machine = m.Machine()
    machine.state, machine.incident, machine.causes, machine.prompt_cause = state, incident, 5, 1
    machine.sources, machine.attempt = (1 << 31) | 1, 3
    return machine


@pytest.mark.req("EMG-17")
@pytest.mark.parametrize(("rtc", "flash"), [(True, True), (True, False), (False, True)])
def test_what_was_saved_is_read_back_from_either_place(rtc, flash):
    home = Home()
    journal, _, _ = home.boot()
    journal.prepare()
    journal.save(some(), 1772323200, 1772323100)
    _, machine, found = home.boot(rtc, flash)
    assert found == (1772323200, 1772323100)
    assert (machine.state, machine.incident, machine.causes, machine.prompt_cause) == (m.DIALLING, 5, 5, 1)
    assert (machine.sources, machine.attempt) == ((1 << 31) | 1, 3)


@pytest.mark.req("EMG-17")
def test_the_last_word_counts_through_many_sectors():
    home = Home()
    for incident in range(1, 400):
        journal, machine, _ = home.boot(rtc=False)
        assert machine.incident == incident - 1
        journal.prepare()
        journal.save(some(incident=incident), 0, 0)


@pytest.mark.fault(2)
@pytest.mark.fault(3)
def test_a_torn_write_leaves_the_word_before_or_the_new_one():
    for seed in range(200):
        home = Home()
        home.flash._noise = seed
        journal, _, _ = home.boot()
        journal.prepare()
        journal.save(some(incident=1), 0, 0)
        home.flash.cut_at = 0
        with pytest.raises(PowerCut):
            journal.save(some(incident=2), 0, 0)
        home.cells[0] = b""
        journal, machine, _ = home.boot()
        assert machine.incident in (1, 2)
        journal.prepare()
        journal.save(some(incident=3), 0, 0)  # goes behind the torn one, not over it
        assert home.boot(rtc=False)[1].incident == 3


@pytest.mark.fault(4)
def test_a_torn_erase_is_noticed_and_the_word_stays():
    for seed in range(50):
        home = Home()
        home.flash._noise = seed
        for incident in range(1, 70):  # into the second half of a sector: the next one is to be erased
            journal, _, _ = home.boot(rtc=False)
            journal.prepare()
            journal.save(some(incident=incident), 0, 0)
        for _ in range(40):
            journal.save(some(incident=69), 0, 0)
        home.flash.cut_at = 0
        with pytest.raises(PowerCut):
            for _ in range(200):
                journal.prepare()
                journal.save(some(incident=69), 0, 0)
        assert home.boot(rtc=False)[1].incident == 69


@pytest.mark.fault(10)
@pytest.mark.req("EMG-19")
def test_dead_or_silent_flash_and_no_rtc_hold_nothing_up():
    for fault in ("dead", "silent"):
        home = Home()
        home.flash.fault = fault
        journal, machine, found = home.boot()
        assert found is None and machine.state == m.IDLE
        for _ in range(300):
            journal.prepare()
            journal.save(some(), 0, 0)
        assert home.boot(flash=False)[1].state == m.DIALLING
    journal, _, found = Home().boot(rtc=False, flash=False)
    journal.save(some(), 0, 0)
    assert found is None


@pytest.mark.req("EMG-17")
def test_a_save_takes_less_than_50_ms_and_never_erases():
    home = Home()
    journal, _, _ = home.boot()
    journal.prepare()
    erased = home.flash.erases
    for _ in range(500):
        home.waited = 0
        journal.save(some(), 0, 0)
        assert home.waited <= 50
    assert home.flash.erases == erased


def test_every_single_bit_flip_is_refused_or_harmless():
    home = Home()
    journal, _, _ = home.boot()
    journal.save(some(), 1, 2)
    good = home.cells[0]
    for bit in range(len(good) * 8):
        image = bytearray(good)
        image[bit // 8] ^= 1 << bit % 8
        home.cells[0] = bytes(image)
        _, machine, found = home.boot(flash=False)
        assert found in (None, (1, 2))
        assert machine.state == (m.IDLE if found is None else m.DIALLING)


def test_noise_in_both_places_is_the_safe_start():
    rng = random.Random(3)
    for _ in range(300):
        home = Home(1)
        home.flash.cells[:] = rng.randbytes(SECTOR)
        home.cells[0] = rng.randbytes(rng.choice([0, 1, 63, 64, 128, 2048]))
        journal, machine, found = home.boot()
        assert found is None and machine.state == m.IDLE


def test_what_others_keep_in_rtc_memory_stays():
    home = Home()
    home.cells[0] = bytes(128) + b"mine"
    journal, _, _ = home.boot()
    journal.save(some(), 0, 0)
    assert home.cells[0][128:] == b"mine"
