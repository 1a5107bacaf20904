"""Room, wear and time of the flash log: what goes first, what is held back, what a start reads, what ten years cost."""

import os
import random

import pytest
from flashlog.ledger import STREAMS, Flash, Gateway, Partition, no_wait, read_all

from firmware.flashlog import layout
from firmware.flashlog.layout import EMERGENCY, EVENT, PERIODIC
from firmware.flashlog.log import FlashLog
from hal_sim.bus.partition import SECTOR
from hal_sim.ends import PowerCut

SOAK = bool(os.environ.get("SOAK"))
DESIGN_RATE = 1000  # records a day
YEARS = 10
CYCLES = 100_000  # erases a sector stands (W25Q128, data sheet 1)
QUEUE_SECTORS = 1024
READ_BYTES_S = 2_000_000  # what MicroPython's readblocks gives on the board
CALL_S = 0.0003


class Drops:
    """What on_drop told."""

    def __init__(self):
        self.told = []
        self.log = None
        self.before = []  # for each, the sectors of the less important streams

    def __call__(self, stream, count, first, last):
        self.told.append((stream, count, first, last))
        self.before += [len(chain) for chain in self.log.chains[:stream]]

    def count(self, stream):
        return sum(told[1] for told in self.told if told[0] == stream)


def log_on(flash, **more):
    return FlashLog(Partition(flash, no_wait), **more)


def rest(log):
    while log.work():
        pass


# ---------------------------------------------------------------------------------- room
@pytest.mark.req("TEL-03")
@pytest.mark.fault(11)
def test_when_room_runs_out_the_oldest_of_the_least_important_go_and_are_counted():
    flash, drops = Flash(32), Drops()
    log = drops.log = log_on(flash, on_drop=drops)
    rest(log)
    written = ([], [], [])
    for seq in range(1, 2500):
        stream = EMERGENCY if seq % 40 == 0 else EVENT if seq % 4 == 0 else PERIODIC
        while not log.append(stream, 1, seq, b"%d" % seq * 60):
            assert log.work(), "there is always something that can go"
        written[stream].append((1, seq))
    kept = [[record[:2] for record in read_all(log, stream)] for stream in STREAMS]
    for stream in STREAMS:
        assert kept[stream] == written[stream][-len(kept[stream]):], "the oldest go"
        assert len(kept[stream]) + drops.count(stream) == len(written[stream]), "each that went is told"
    assert kept[EMERGENCY] == written[EMERGENCY], "these never while there are others"
    assert drops.before and set(drops.before) == {1}, "periodic first, to the last sector that is not in use"
    assert drops.count(PERIODIC) > 500 and drops.count(EVENT) > 10


@pytest.mark.req("TEL-03")
@pytest.mark.fault(11)
def test_emergency_records_go_when_there_is_nothing_else_left():
    flash, drops = Flash(16), Drops()
    log = drops.log = log_on(flash, on_drop=drops)
    rest(log)
    for seq in range(1, 400):
        while not log.append(EMERGENCY, 1, seq, bytes(300)):
            assert log.work()
    told = [(first[1], last[1]) for stream, _, first, last in drops.told if stream == EMERGENCY]
    assert told[0][0] == 1 and all(before[1] + 1 == after[0] for before, after in zip(told, told[1:], strict=False))
    assert [record[1] for record in read_all(log, EMERGENCY)] == list(range(told[-1][1] + 1, 400))


@pytest.mark.fault(11)
def test_what_is_dropped_is_told_before_it_goes():
    """A cut in the instant after the telling finds it all there."""
    gateway = Gateway(12, random.Random(3))
    gateway.boot()
    gateway.rest()
    seen, other = [], Flash(12)

    def told(stream, count, first, last):
        other.restore(gateway.flash.snapshot())
        seen.append((count, sum(first <= record[:2] <= last for record in read_all(log_on(other), stream))))

    gateway.log.on_drop = told
    for number in range(400):
        gateway.append(0, b"%d" % number * 100)
        gateway.log.work()
    assert len(seen) > 3 and all(count == there for count, there in seen)


@pytest.mark.fault(12)
def test_a_record_longer_than_what_is_left_goes_into_the_next_sector_whole():
    for left in range(0, 400, 4):
        flash = Flash(12)
        log = log_on(flash)
        rest(log)
        first = layout.MAX_DATA
        rest_bytes = SECTOR - layout.HEAD - layout.size_of(first) - left
        assert log.append(0, 1, 1, b"a" * first) and log.append(0, 1, 2, b"b" * (rest_bytes - layout.ENTRY))
        assert log.append(0, 1, 3, b"c" * 300)
        for each in (log, log_on(flash)):
            assert [record[1] for record in read_all(each, 0)] == [1, 2, 3]


def test_lengths_from_nothing_to_the_longest():
    flash = Flash(64)
    log = log_on(flash)
    for seq, size in enumerate([*range(70), 255, 256, 257, 1023, 2047, layout.MAX_DATA - 1, layout.MAX_DATA], 1):
        rest(log)
        assert log.append(1, 7, seq, bytes([seq % 256]) * size)
    assert not log.append(1, 7, 1000, bytes(layout.MAX_DATA + 1))
    found = read_all(log_on(flash), 1)
    assert [record[1] for record in found] == list(range(1, 78))
    assert all(set(record[2]) <= {record[1] % 256} for record in found)


# ---------------------------------------------------------------------------------- acknowledgements
@pytest.mark.fault(13)
def test_after_a_cut_only_what_was_acknowledged_last_comes_again():
    """At most ten of a stream, with the same identities, when housekeeping runs."""
    for cut in range(2, 260, 3):
        gateway = Gateway(16, random.Random(cut), sizes=(100,))
        gateway.flash.tear = "any"
        gateway.boot()
        gateway.rest()
        gateway.flash.cut_at = cut
        try:
            while True:
                gateway.append(1)
                gateway.acknowledge(1, 1)
                gateway.rest()
        except PowerCut:
            gateway.was_cut()
        gateway.ledger.settle(gateway.boot())
        gateway.ledger.judge(gateway.log, repeats=10)


@pytest.mark.fault(13)
def test_acknowledgements_that_were_flushed_are_remembered():
    gateway = Gateway(16, random.Random(1))
    gateway.boot()
    gateway.rest()
    for number in range(9):
        gateway.append(number % 3)
    for stream in STREAMS:
        gateway.acknowledge(stream, 0.7)
    gateway.log.flush_acks()
    programs = gateway.flash.programs
    gateway.log.flush_acks()
    assert gateway.flash.programs == programs, "once is enough"
    gateway.ledger.judge(gateway.boot(), repeats=0)


@pytest.mark.fault(14)
def test_an_acknowledgement_of_the_unknown_or_the_past_changes_nothing():
    flash = Flash(12)
    log = log_on(flash)
    rest(log)
    for seq in range(1, 21):
        assert log.append(1, 2, seq, b"x")
    log.acknowledge(1, 2, 10)
    for boot, seq in ((2, 10), (2, 3), (1, 99), (0, 0)):
        log.acknowledge(1, boot, seq)
        assert [record[1] for record in read_all(log, 1)] == list(range(11, 21))
    log.acknowledge(0, 2, 15)
    assert len(read_all(log, 1)) == 10, "another stream"
    log.acknowledge(1, 3, 0)
    assert log.append(1, 3, 1, b"new") and read_all(log, 1) == [(3, 1, b"new")], "what comes later is not acknowledged"
    log.flush_acks()
    assert read_all(log_on(flash), 1) == [(3, 1, b"new")]


# ---------------------------------------------------------------------------------- reading while it changes
@pytest.mark.req("TEL-02")
def test_a_reader_follows_what_is_written_acknowledged_and_dropped_under_it():
    for seed in range(30):
        dice = random.Random(seed)
        gateway = Gateway(14, dice)
        log = gateway.boot()
        gateway.rest()
        readers, seen = [log.reader(stream) for stream in STREAMS], [(0, 0)] * 3
        for _ in range(400):
            gateway.live(3)
            stream = dice.randrange(3)
            if dice.random() < 0.1:
                readers[stream].rewind()
                seen[stream] = (0, 0)
            expected = [record for record in gateway.ledger.must[stream] if record[:2] > seen[stream]]
            record = readers[stream].next()
            assert record == (expected[0] if expected else None)
            seen[stream] = record[:2] if record else seen[stream]


# ---------------------------------------------------------------------------------- held back
@pytest.mark.req("EMG-19")
@pytest.mark.fault(16)
@pytest.mark.fault(17)
def test_while_held_nothing_is_erased_or_dropped_and_an_emergency_is_still_recorded():
    held = [False]
    flash = Flash(16)
    log = log_on(flash, hold=lambda: held[0])
    rest(log)
    for seq in range(1, 120):
        while not log.append(PERIODIC, 1, seq, bytes(300)):
            log.work()
    rest(log)
    held[0] = True
    erases, before = flash.erases, len(read_all(log, PERIODIC))
    taken = 0
    while log.append(EMERGENCY, 1, 200 + taken, bytes(300)):
        taken += 1
        assert not log.work()
    assert taken >= 30 and (flash.erases, len(read_all(log, PERIODIC))) == (erases, before)
    held[0] = False
    rest(log)
    assert log.append(EMERGENCY, 1, 200 + taken, bytes(300)) and len(read_all(log, EMERGENCY)) == taken + 1


@pytest.mark.fault(16)
def test_appending_never_erases_and_a_step_of_housekeeping_erases_once():
    waits = []
    flash = Flash(14)
    log = FlashLog(Partition(flash, waits.append))
    rest(log)
    dice = random.Random(1)
    for seq in range(1, 600):
        waits.clear()
        log.append(dice.choice((0, 0, 1, 2)), 1, seq, bytes(dice.choice((20, 300, 1500))))
        assert 45 not in waits and sum(waits) <= 10
        waits.clear()
        log.work()
        assert waits.count(45) <= 1 and sum(waits) <= 50


# ---------------------------------------------------------------------------------- time and wear
def seconds(flash, act):
    reads, count = flash.read_bytes, flash.reads
    act()
    return (flash.read_bytes - reads) / READ_BYTES_S + (flash.reads - count) * CALL_S


@pytest.mark.req("TEL-02")
@pytest.mark.fault(8)
def test_a_start_on_a_full_partition_takes_two_seconds_at_most(capsys):
    flash = Flash(QUEUE_SECTORS)
    log = log_on(flash)
    seq, data = 0, b"r" * 300
    while log.sectors.count(2) < QUEUE_SECTORS - 8:
        seq += 1
        while not log.append(PERIODIC if seq % 5 else EVENT, 1, seq, data):
            log.work()
    figures = {"full": seconds(flash, lambda: log_on(flash))}
    for sector in random.Random(1).sample(range(QUEUE_SECTORS), 16):
        flash.cells[sector * SECTOR + 5] ^= 1
    figures["full, 16 heads rotten"] = seconds(flash, lambda: log_on(flash))
    found = []
    figures["reading it all"] = seconds(flash, lambda: found.extend(read_all(log_on(flash), PERIODIC)))
    with capsys.disabled():
        print("\nflash log, 4 MB, s on the board:", {what: round(figure, 2) for what, figure in figures.items()})
    assert figures["full"] <= 2 and figures["full, 16 heads rotten"] <= 2
    assert len(found) > 9000 and figures["reading it all"] > 1


def years(sectors, days):
    """Erases by sector after so many days at the design rate: a delivery every few minutes, a restart a day."""
    flash = Flash(sectors)
    seq = 0
    for day in range(1, days + 1):
        log = log_on(flash)
        for number in range(1, DESIGN_RATE + 1):
            seq += 1
            stream = EVENT if number % 10 == 0 else PERIODIC
            while not log.append(stream, day, number, b"r" * 300):
                log.work()
            if number % 10 == 0:
                log.acknowledge(PERIODIC, day, number)
                log.acknowledge(EVENT, day, number)
            log.work()
        rest(log)
    return [flash.wear.get(sector, 0) * YEARS * 365 / days for sector in range(sectors)]


@pytest.mark.fault(15)
@pytest.mark.parametrize(("sectors", "days"), [(QUEUE_SECTORS, 3650 if SOAK else 40), (64, 20)])
def test_ten_years_at_the_design_rate(sectors, days, capsys):
    wear = years(sectors, days)
    busiest, mean = max(wear), sum(wear) / sectors
    with capsys.disabled():
        print(f"\nflash log, {sectors} sectors, ten years: {mean:.0f} erases a sector, busiest {busiest:.0f}")
    assert busiest < CYCLES
    one_round = YEARS * 365 / days
    assert max(wear) - min(wear) <= 2 * one_round, "all wear alike"
