"""The emergency's memory: what is read back, torn, worn or made up, and that it never holds anything up."""

import copy
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
    for seed in range(400):
        home = Home()
        home.flash._noise = seed
        home.flash.tear = "any"
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
        for _ in range(20):  # two that differ: a redial spends no slot
            journal.save(some(m.PROMPT, 69), 0, 0)
            journal.save(some(incident=69), 0, 0)
        home.flash.cut_at = 0
        with pytest.raises(PowerCut):
            for _ in range(200):
                journal.prepare()
                journal.save(some(m.PROMPT, 69), 0, 0)
                journal.save(some(incident=69), 0, 0)
        assert home.boot(rtc=False)[1].incident == 69


@pytest.mark.req("EMG-17")
def test_hours_of_busy_spend_one_slot():
    home = Home()
    journal, _, _ = home.boot()
    journal.prepare()
    journal.save(some(m.PROMPT), 0, 0)
    machine = some()
    for machine.attempt in range(1, 5000):
        journal.save(machine, 0, 1772323200 + machine.attempt)
    assert home.flash.programs == 2
    assert home.boot(flash=False)[1].attempt == 4999  # RTC memory has each
    assert home.boot(rtc=False)[1].state == m.DIALLING
    machine.causes |= 2  # another cause is no redial
    journal.save(machine, 0, 0)
    assert home.boot(rtc=False)[1].causes == 7
    for state in (m.REPORTING, m.DIALLING):  # answered, then dropped: each is written
        journal.save(some(state), 0, 0)
        assert home.boot(rtc=False)[1].state == state


@pytest.mark.req("TEL-07")
@pytest.mark.fault(80)
def test_the_number_of_the_boot_is_written_to_flash_in_the_middle_of_redialling_too():
    """It is known some seconds after the start; without it the next boot could take the same."""
    home = Home()
    journal, _, _ = home.boot()
    journal.prepare()
    for boot in (0, 0, 12, 12):
        journal.boot = boot
        journal.save(some(), 0, 0)
    assert home.flash.programs == 2
    assert home.boot(rtc=False)[0].boot == 12


@pytest.mark.req("EMG-17")
def test_the_end_flash_had_no_room_for_is_written_once_there_is():
    home = Home()
    journal, _, _ = home.boot()
    journal.prepare()
    for attempt in range(100):  # calls that drop before they are reported
        journal.save(some(m.REPORTING if attempt & 1 else m.DIALLING), 0, 0)
    ended = some(m.IDLE)
    journal.save(ended, 0, 0)
    assert home.boot(rtc=False)[1].state != m.IDLE
    journal.prepare(5)
    assert home.boot(rtc=False)[1].state == m.IDLE
    programs = home.flash.programs
    journal.prepare(10**7)
    assert home.flash.programs == programs


class Worn(Partition):
    """Sectors in `bad` keep what they have: erasing does nothing, or says so; `slots` cannot be programmed."""

    def __init__(self, home, bad, loud, slots=()):
        super().__init__(home.flash, lambda ms: None)
        self.bad, self.loud, self.slots, self.erased = bad, loud, slots, []
        for sector in bad:
            home.flash.cells[sector * SECTOR + 7] = 0

    def ioctl(self, op, arg):
        if op != 6:
            return super().ioctl(op, arg)
        self.erased.append(arg)
        if arg not in self.bad:
            return super().ioctl(op, arg)
        if self.loud:
            raise OSError(5)
        return 0

    def readblocks(self, block, buf, offset=0):
        if self.loud and block in self.bad:
            raise OSError(5)
        super().readblocks(block, buf, offset)

    def writeblocks(self, block, buf, offset=None):
        if offset // 64 not in self.slots:
            super().writeblocks(block, buf, offset)


@pytest.mark.fault(9)
@pytest.mark.req("EMG-17")
@pytest.mark.parametrize("loud", [False, True])
@pytest.mark.parametrize("bad", [(1,), (2,), (0, 2), (3, 0)])
def test_bad_sectors_are_passed_over(bad, loud):
    home = Home()
    part = Worn(home, bad, loud)
    journal = Journal(None, part, Log())
    for incident in range(1, 400):
        for now_ms in range(3):
            journal.prepare(now_ms)
        journal.save(some(incident=incident), 0, 0)
        again = m.Machine()
        if incident % 20 == 0:
            Journal(None, part, Log()).load(again)
            assert again.incident == incident
    assert all(part.erased.count(sector) == (sector in bad) for sector in bad)  # once a boot
    assert len(part.erased) < 20


@pytest.mark.fault(9)
def test_when_all_other_sectors_are_bad_the_last_word_stays_and_they_are_tried_hourly():
    home = Home()
    part = Worn(home, (2, 3, 0), False)
    journal = Journal(None, part, Log())
    journal.prepare()
    for incident in range(1, 100):
        journal.save(some(incident=incident), 0, 0)
        journal.prepare(incident)
    assert part.erased == [1, 2, 3, 0]
    again = m.Machine()
    Journal(None, part, Log()).load(again)
    assert again.incident == 64
    for now_ms in range(0, 3 * 3600000, 5000):
        journal.prepare(now_ms)
    assert 2 * 3 <= len(part.erased) - 4 <= 3 * 3
    part.bad = ()
    for now_ms in range(4 * 3600000, 4 * 3600000 + 20000, 5000):
        journal.prepare(now_ms)
    Journal(None, part, Log()).load(again)
    assert again.incident == 99


def test_the_only_sector_is_never_erased():
    home = Home(1)
    part = Worn(home, (), False)
    journal = Journal(None, part, Log())
    for incident in range(200):
        journal.prepare(incident * 3600000)
        journal.save(some(incident=incident), 0, 0)
    assert part.erased == []


@pytest.mark.fault(10)
def test_a_slot_that_takes_nothing_costs_no_word_and_dead_flash_is_not_worn():
    home = Home()
    part = Worn(home, (), False, slots=(0, 5))
    journal = Journal(None, part, Log())
    journal.prepare()
    for incident in range(1, 40):
        journal.save(some(incident=incident), 0, 0)
        again = m.Machine()
        Journal(None, Partition(copy.deepcopy(home.flash), lambda ms: None), Log()).load(again)
        assert again.incident == incident
    part.slots = range(64)
    before = journal.failures
    journal.save(some(m.IDLE), 0, 0)
    for now_ms in range(0, 300000, 100):
        journal.prepare(now_ms)
    assert journal.failures - before <= 2 * 6


class Flips(Partition):
    """Gives back the first two words with a wrong CRC."""

    left = 2

    def writeblocks(self, block, buf, offset=None):
        self.left -= 1
        super().writeblocks(block, bytes(buf[:40]) + bytes(24) if self.left >= 0 else buf, offset)


@pytest.mark.fault(10)
def test_a_word_that_only_looks_written_is_written_again_by_the_redial():
    home = Home()
    part = Flips(home.flash, lambda ms: None)
    journal = Journal(None, part, Log())
    journal.prepare()
    again = m.Machine()
    for state in (m.IDLE, m.DIALLING):
        journal.save(some(), 0, 0)
        Journal(None, part, Log()).load(again)
        assert again.state == state


def test_the_same_on_micropython(micropython):
    program = """
from firmware.emergency import machine as m
from firmware.emergency.journal import Journal
from hal_sim.bus.partition import Flash, Partition
class Log:
    def warning(self, text): raise SystemExit(text)
flash = Flash(4)
part = Partition(flash, lambda ms: None)
journal, machine = Journal(None, part, Log()), m.Machine()
journal.prepare()
machine.state = m.DIALLING
for machine.attempt in range(100): journal.save(machine, 0, 0)
print(flash.programs)
for machine.incident in range(100): journal.save(machine, 0, 0)
machine.state = m.IDLE
journal.save(machine, 0, 0)
again = m.Machine()
Journal(None, part, Log()).load(again)
print(again.state, again.incident)
journal.prepare(1)
Journal(None, part, Log()).load(again)
print(again.state, again.incident)
"""
    assert micropython(["-c", program]).split() == ["1", "2", "63", "0", "99"]


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
    for incident in range(500):
        home.waited = 0
        journal.save(some(incident=incident), 0, 0)
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
