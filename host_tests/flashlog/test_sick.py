"""Worn, silent, unreadable and dead flash: nothing accepted is lost, it is told, and the other sectors serve."""

import random

import pytest
from flashlog.ledger import STREAMS, Gateway, Partition, false_alarms, no_wait, read_all

from firmware.flashlog.log import FlashLog
from hal_sim.bus.flash import SICK
from hal_sim.bus.partition import SECTOR
from hal_sim.ends import PowerCut

WORN = ("silent", "no_program", "no_erase", "raises", "stuck")


def started(sectors=16, seed=1):
    gateway = Gateway(sectors, random.Random(seed))
    gateway.boot()
    gateway.rest()
    return gateway


def fill(gateway, count):
    """Append, acknowledge most, tidy up: the log goes round. Returns how many were taken."""
    taken = 0
    for _ in range(count):
        taken += gateway.append(gateway.rng.choice((0, 0, 1, 2)))
        if gateway.rng.random() < 0.2:
            for stream in STREAMS:
                gateway.acknowledge(stream, 0.8)
        gateway.log.work()
        gateway.log.work()
    return taken


@pytest.mark.fault(9)
@pytest.mark.req("TEL-02")
@pytest.mark.parametrize("how", WORN)
@pytest.mark.parametrize("seed", range(4))
def test_a_sector_that_wears_out_is_told_and_passed_over(how, seed):
    gateway = started(seed=seed)
    for sector in (3, 7):
        gateway.flash.wear_out(sector, 2, how)
    assert fill(gateway, 1200) > 1100
    assert set(gateway.flash.sick) == {3, 7}
    gateway.ledger.judge(gateway.log, fresh=False)
    assert false_alarms(gateway.troubles)
    worn = {sector: gateway.flash.wear[sector] for sector in (3, 7)}
    fill(gateway, 600)
    assert {sector: gateway.flash.wear[sector] for sector in (3, 7)} == worn, "it is let alone for this boot"
    gateway.boot()
    gateway.ledger.settle(gateway.log)
    gateway.ledger.judge(gateway.log)
    assert fill(gateway, 300) > 270
    gateway.ledger.judge(gateway.log, fresh=False)


@pytest.mark.fault(9)
@pytest.mark.parametrize("how", WORN)
def test_a_sector_that_fails_while_it_is_written_loses_nothing(how):
    """Any record, any sector: what was accepted before stays, the next goes elsewhere."""
    for nth in range(40):
        gateway = started(seed=nth)
        for _ in range(nth):
            gateway.append(nth % 3)
        gateway.flash.sick[gateway.log.chains[nth % 3][-1] if nth else 0] = how
        assert all([gateway.append(nth % 3, b"%d" % number * 200) for number in range(6)])
        gateway.ledger.judge(gateway.log, fresh=False)
        gateway.boot()
        gateway.ledger.settle(gateway.log)
        gateway.ledger.judge(gateway.log)


@pytest.mark.fault(9)
def test_worn_sectors_and_power_cuts_together():
    for seed in range(60):
        gateway = started(seed=seed)
        flash, dice = gateway.flash, random.Random(seed)
        flash.tear = "any"
        for sector in dice.sample(range(16), 3):
            flash.wear_out(sector, dice.randrange(3), dice.choice(WORN))
        for _ in range(12):
            flash.cut_at = dice.randrange(1, 120)
            try:
                if gateway.log is None:
                    gateway.boot()
                    gateway.ledger.settle(gateway.log)
                fill(gateway, 100)
            except PowerCut:
                gateway.was_cut()
                gateway.log = None
            flash.cut_at = None
            gateway.boot()
            gateway.ledger.settle(gateway.log)
            gateway.ledger.judge(gateway.log)


@pytest.mark.fault(9)
def test_an_unreadable_sector_is_told_and_what_is_in_the_others_is_read():
    gateway = started()
    for number in range(60):
        gateway.append(0, b"%d" % number * 150)
    sector = gateway.log.chains[0][1]
    gateway.flash.sick[sector] = "unreadable"
    gateway.boot()
    found = read_all(gateway.log, 0)
    owed = gateway.ledger.must[0]
    assert set(found) < set(owed) and len(found) > len(owed) * 0.7
    assert false_alarms(gateway.troubles)
    gateway.flash.sick.clear()
    gateway.boot()
    gateway.ledger.judge(gateway.log)


@pytest.mark.fault(9)
@pytest.mark.req("TEL-02")
def test_a_read_that_fails_once_loses_nothing():
    """Each read in turn, of a start and of reading all of it, acknowledging as it goes."""
    for at in range(200):
        gateway = started(seed=1)
        for number in range(90):
            assert gateway.append(number % 3, b"%02d" % number * 170)
            gateway.log.work()
        assert all(len(chain) >= 3 for chain in gateway.log.chains)
        gateway.flash.read_error_at = at
        log = gateway.boot()
        owed = {record for each in gateway.ledger.must for record in each}
        for _ in range(3):
            for stream in STREAMS:
                reader = log.reader(stream)
                while (record := reader.next()) is not None:
                    owed.discard(record)
                    log.acknowledge(stream, *record[:2])
        assert log.append(1, 99, 1, b"a place for the acknowledgements")
        log.flush_acks()
        if gateway.flash.read_error_at is not None:
            assert not owed and at > 20
            return
        log = gateway.boot()
        for stream in STREAMS:
            owed.difference_update(read_all(log, stream))
        assert not owed, (at, owed)
    raise AssertionError("200 reads were not enough to come to the end")


@pytest.mark.fault(10)
@pytest.mark.parametrize("fault", ["dead", "silent"])
def test_a_dead_chip_takes_nothing_says_so_and_raises_nothing(fault):
    gateway = started()
    for _ in range(20):
        gateway.append(1)
    gateway.flash.fault = fault
    for _ in (1, 2):
        for _ in range(50):
            assert not gateway.append(1)
            gateway.log.work()
        gateway.log.flush_acks()
        for stream in STREAMS:
            assert len(read_all(gateway.log, stream)) <= len(gateway.ledger.must[stream]) + 100
        assert false_alarms(gateway.troubles) and len(gateway.log.troubles) <= 16
        gateway.boot()
    gateway.flash.fault = ""
    gateway.boot()
    gateway.ledger.settle(gateway.log)
    gateway.ledger.judge(gateway.log)
    gateway.rest()
    assert gateway.append(1)


@pytest.mark.fault(10)
def test_a_chip_that_is_dead_at_the_first_start_says_so():
    for fault in ("dead", "silent"):
        gateway = Gateway(16, random.Random(1))
        gateway.flash.fault = fault
        gateway.boot()
        gateway.rest()
        assert not gateway.append(0) and false_alarms(gateway.troubles)
        assert not gateway.log.works()


@pytest.mark.fault(9)
def test_each_trouble_is_told_once():
    gateway = started()
    told = []
    gateway.flash.sick.update(dict.fromkeys(range(0, 16, 2), "no_erase"))
    log = FlashLog(Partition(gateway.flash, no_wait), on_trouble=told.append)
    for number in range(400):
        log.append(0, 9, number + 1, bytes(300))
        log.acknowledge(0, 9, number + 1)
        log.work()
    assert told and len(told) == len(set(told)) == len(log.troubles)


@pytest.mark.fault(9)
@pytest.mark.parametrize("how", SICK)
def test_a_partition_of_sick_sectors_only_is_survived(how):
    gateway = Gateway(12, random.Random(2))
    gateway.flash.cells[:] = random.Random(2).randbytes(12 * SECTOR)
    gateway.flash.sick.update(dict.fromkeys(range(12), how))
    gateway.boot()
    gateway.rest()
    for _ in range(20):
        gateway.append(1)
        gateway.log.work()
    assert not gateway.log.append(0, 1, 10_000, b"x") and false_alarms(gateway.troubles)


def test_noise_in_the_whole_partition_is_survived():
    for seed in range(20):
        gateway = Gateway(12, random.Random(seed))
        gateway.flash.cells[:] = random.Random(seed).randbytes(12 * SECTOR)
        gateway.boot()
        gateway.ledger.judge(gateway.log)
        gateway.rest()
        assert gateway.append(1) and gateway.append(0)
        gateway.ledger.judge(gateway.log, fresh=False)
        gateway.boot()
        gateway.ledger.judge(gateway.log)
