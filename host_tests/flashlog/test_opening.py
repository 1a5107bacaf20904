"""The log opened in pieces: it finds what it finds at once, whatever was cut, and each piece is small."""

import random

import pytest
from flashlog.cutter import SECTORS, SIZES
from flashlog.ledger import SECTOR, Flash, Gateway, Partition, no_wait, read_all

from firmware.flashlog.layout import EVENT, HEAD, PERIODIC
from firmware.flashlog.log import FlashLog
from firmware.flashlog.scan import Scan
from firmware.flashlog.sectors import USED
from hal_sim.ends import PowerCut

QUEUE_SECTORS = 1024
HEADS = 1  # of a piece


def beside(flash, **more):
    return FlashLog(Partition(flash, no_wait), at_once=False, **more)


def found(log):
    """All that a start finds out."""
    sectors = log.sectors
    return (log.chains, log._acked, log._noted, log._last, log.highest, bytes(sectors._states), sectors._next,
            list(sectors._boots), list(sectors._seqs), log.troubles)


def cut_lives(seed, lives):
    """A gateway's flash after each of so many lives that a torn operation ended."""
    dice = random.Random(seed)
    gateway = Gateway(SECTORS, dice, Partition, SIZES)
    gateway.flash.tear = "any"
    gateway.flash.reseed(seed)
    gateway.boot()
    gateway.rest()
    for _ in range(lives):
        gateway.flash.cut_at = dice.randrange(30)
        try:
            if gateway.log is None:
                gateway.boot()
            while True:
                gateway.live(10)
        except PowerCut:
            gateway.was_cut()
            gateway.log = None
        yield gateway
        if any(gateway.ledger.begun):
            gateway.flash.cut_at = None
            gateway.ledger.settle(gateway.boot())


def twin(image, seed):
    """Another flash with the same cells, and the same chance to come."""
    flash = Flash(SECTORS)
    flash.strict = True
    flash.restore(image)
    flash.reseed(seed)
    return flash


@pytest.mark.req("TEL-02")
@pytest.mark.fault(1)
@pytest.mark.parametrize("seed", range(6))
def test_in_pieces_it_finds_what_it_finds_at_once_on_whatever_a_cut_left(seed):
    for number, gateway in enumerate(cut_lives(seed, 60)):
        image = gateway.flash.snapshot()
        whole = FlashLog(Partition(twin(image, number), no_wait))
        flash = twin(image, number)
        log = beside(flash)
        pieces = len(list(log.opening()))
        assert pieces >= SECTORS // HEADS
        assert found(log) == found(whole)
        assert flash.snapshot() == whole.sectors._flash._flash.snapshot(), "the same was programmed"
        gateway.ledger.judge(log)


@pytest.mark.req("TEL-02")
@pytest.mark.fault(1)
def test_one_that_is_left_in_the_middle_costs_nothing_and_the_next_finds_it_all():
    dice, left = random.Random(4), 0
    for number, gateway in enumerate(cut_lives(4, 80)):
        flash = twin(gateway.flash.snapshot(), number)
        log = beside(flash)
        for _ in range(3):
            pieces = log.opening()
            for _ in range(dice.randrange(20)):
                left += next(pieces, 1) is None
        list(log.opening())
        again = beside(flash)
        list(again.opening())
        assert found(log)[:8] == found(again)[:8], "nothing is left of the first ones"
        gateway.ledger.judge(log)
    assert left > 1000


@pytest.mark.req("TEL-02")
@pytest.mark.fault(1)
@pytest.mark.fault(5)
def test_a_cut_at_each_flash_operation_of_the_opening():
    cuts = 0
    for number, gateway in enumerate(cut_lives(9, 40)):
        image = gateway.flash.snapshot()
        for at in range(40):
            flash = twin(image, number * 100 + at)
            flash.tear, flash.cut_at = "any", at
            try:
                list(beside(flash).opening())
                break
            except PowerCut:
                cuts += 1
            log = beside(flash)
            list(log.opening())
            gateway.ledger.judge(log)
        else:
            pytest.fail("the opening programs without end")
    assert cuts > 60


def full():
    """4 MB of records, and some sectors with rotten heads."""
    flash = Flash(QUEUE_SECTORS)
    log = FlashLog(Partition(flash, no_wait))
    seq = 0
    while log.sectors.count(USED) < QUEUE_SECTORS - 8:
        seq += 1
        while not log.append(PERIODIC if seq % 5 else EVENT, 1, seq, b"r" * 900):
            log.work()
    for sector in random.Random(1).sample(range(QUEUE_SECTORS), 12):
        flash.cells[sector * SECTOR + 5] ^= 1
    return flash


@pytest.mark.req("EMG-19")
@pytest.mark.req("TEL-02")
def test_no_piece_of_a_full_partition_is_long(capsys):
    """A head, or a whole sector with what makes its end certain; some sectors put in order. The total as before."""
    flash = full()
    waits = []
    log = FlashLog(Partition(flash, waits.append), at_once=False)
    reads, read_bytes, longest, pieces = flash.reads, flash.read_bytes, 0, 0
    start = (reads, read_bytes)
    for _ in log.opening():
        pieces += 1
        assert flash.reads - reads <= HEADS + 4
        assert flash.read_bytes - read_bytes <= HEADS * HEAD + SECTOR + 2000, "one whole sector"
        assert sum(waits) <= 10
        longest = max(longest, flash.read_bytes - read_bytes)
        reads, read_bytes = flash.reads, flash.read_bytes
        waits.clear()
    whole = (flash.reads - start[0], flash.read_bytes - start[1])
    with capsys.disabled():
        print(f"\nflash log, 4 MB opened in {pieces} pieces of {longest} bytes at most; in all {whole}")
    assert [len(chain) for chain in log.chains] == [len(chain) for chain in FlashLog(Partition(flash, no_wait)).chains]
    assert sum(len(chain) for chain in log.chains) == QUEUE_SECTORS - 8
    assert len(read_all(log, PERIODIC)) > 3000
    assert whole[0] < QUEUE_SECTORS + 40 and whole[1] < QUEUE_SECTORS * HEAD + 20 * SECTOR


@pytest.mark.req("EMG-19")
def test_putting_the_sectors_in_order_gives_way_too():
    log = beside(full())
    scan = Scan(log.sectors, log._back)
    before = steps = 0
    for _ in scan.run():
        now = sum(len(chain) for chain in scan.chains)
        assert now - before <= 64 + 63, "of one stream the rest, of the next a piece"
        steps += now > before
        before = now
    assert steps >= QUEUE_SECTORS // 64 - 1


@pytest.mark.fault(10)
@pytest.mark.parametrize("fault, sick", [("dead", ""), ("", "unreadable")])
def test_a_partition_that_cannot_be_read_opens_too(fault, sick):
    flash = Flash(QUEUE_SECTORS)
    flash.fault = fault
    flash.sick = dict.fromkeys(range(QUEUE_SECTORS), sick) if sick else {}
    told = []
    log = beside(flash, on_trouble=told.append)
    reads = 0
    for _ in log.opening():
        assert flash.reads - reads <= 3 * HEADS
        reads = flash.reads
    assert told and not log.works() and not log.append(EVENT, 1, 1, b"x")
