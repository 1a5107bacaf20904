"""Every bit of a 32 KB image flipped, one at a time: it costs the record it is in, and nothing else, ever."""

import random

import pytest
from flashlog.ledger import STREAMS, Gateway, Partition, no_wait

from firmware.flashlog import layout
from firmware.flashlog.log import FlashLog
from hal_sim.bus.partition import SECTOR, Flash

SECTORS = 8
ROTTEN = "a record cannot be read any more"


class Watched(Partition):
    """Remembers which bytes were read."""

    def __init__(self, flash):
        super().__init__(flash, no_wait)
        self.seen = set()

    def readblocks(self, block, buf, offset=0):
        self.seen.update(range(block * SECTOR + offset, block * SECTOR + offset + len(buf)))
        super().readblocks(block, buf, offset)


class Image:
    """8 sectors with everything a log has in flash: full, half full, killed and erased ones, acknowledgements."""

    def __init__(self):
        self.gateway = gateway = Gateway(SECTORS, random.Random(7))
        gateway.boot()
        gateway.rest()
        self._fill([(0, 1900), (0, 1900), (1, 1900), (0, 1900), (1, 1900), (1, 700), (2, 1200)])
        gateway.acknowledge(0, 1)
        gateway.acknowledge(1, 0.4)
        gateway.log.flush_acks()
        assert gateway.log.work() and len(gateway.log.chains[0]) == 1, "its first sector was given back"
        self._fill([(0, 1900), (1, 20), (0, 1900), (0, 300), (1, 0), (1, 3), (0, 1700), (0, 40), (2, 0)])
        self.image = gateway.flash.snapshot()
        self.ledger = gateway.ledger
        self.flash = Flash(SECTORS)
        self.flash.strict = False  # what rot set to 1 is programmed to what it was
        self.flash.restore(self.image)
        self.extents = self._extents()
        watched = Watched(self.flash)
        self.base = FlashLog(watched)
        self.read_at_start = watched.seen

    def _fill(self, records):
        for stream, size in records:
            assert self.gateway.append(stream, self.gateway.rng.randbytes(size))

    def _extents(self):
        """{byte: (kind, ident)} of every entry."""
        found = {}
        for sector in (sector for chain in self.gateway.log.chains for sector in chain):
            view, at = memoryview(self.image[0])[sector * SECTOR : (sector + 1) * SECTOR], layout.HEAD
            while (entry := layout.read_entry(view, at)) is not None:
                end = at + layout.size_of(entry[2])
                found.update((sector * SECTOR + byte, entry) for byte in range(at, end))
                at = end
        return found

    def spare(self, address):
        """The identity that a flip there may cost."""
        kind, ident, _ = self.extents.get(address, (layout.ACK, 0, 0))
        return {(ident >> 32, ident & 0xFFFFFFFF)} if kind < layout.ACK else set()

    def flipped(self, address, bit):
        self.flash.restore(self.image)
        self.flash.cells[address] ^= 1 << bit

    def judge_start(self, address, bit):
        """Flip it and start."""
        self.flipped(address, bit)
        spare, troubles = self.spare(address), []
        log = FlashLog(Partition(self.flash, no_wait), on_trouble=troubles.append)
        self.ledger.judge(log, spare)
        assert set(troubles) <= {ROTTEN}
        return log


@pytest.fixture(scope="module")
def image():
    return Image()


def test_the_image_has_everything(image):
    states = {bytes(image.image[0][sector * SECTOR : sector * SECTOR + 2]) for sector in range(SECTORS)}
    assert len(states) >= 4 and b"\xff\xff" in states
    kinds = {entry[0] for entry in image.extents.values()}
    assert kinds >= {0, 1, 2, layout.ACK, layout.ACK + 1}
    assert sum(map(len, image.ledger.must)) > 10 and all(image.ledger.must)
    assert any(layout.is_killed(image.image[0][sector * SECTOR :]) for sector in range(SECTORS))
    assert 0.3 < len(image.read_at_start) / (SECTORS * SECTOR) < 0.6


@pytest.mark.req("TEL-02")
@pytest.mark.fault(7)
@pytest.mark.fault(8)
@pytest.mark.parametrize("half", [0, 1])
def test_each_bit_that_a_start_reads(image, half, capsys):
    """Heads, and the newest sector of each stream: a start for each."""
    addresses = sorted(image.read_at_start)[half::2]
    for address in addresses:
        for bit in range(8):
            image.judge_start(address, bit)
    with capsys.disabled():
        print(f"\nflash log, bits flipped before a start: {len(addresses) * 8}")


@pytest.mark.req("TEL-02")
@pytest.mark.fault(7)
def test_each_bit_that_only_a_reader_reads(image, capsys):
    """A start is the same whatever they are, so one serves for all. The log is read from the sector of each bit on."""
    image.flash.restore(image.image)
    partition = Watched(image.flash)
    image.ledger.judge(FlashLog(partition))
    log = FlashLog(Partition(image.flash, no_wait))
    flips, left = 0, partition.seen - image.read_at_start
    for stream in STREAMS:
        for sector, following in zip(log.chains[stream], log.chains[stream][1:], strict=False):
            flips += flip_through(image, log, stream, sector, following)
            left -= set(range(sector * SECTOR, (sector + 1) * SECTOR))
    assert not left and flips > 90_000
    nobody = SECTORS * SECTOR * 8 - flips - len(image.read_at_start) * 8
    with capsys.disabled():
        print(f"\nflash log, bits flipped under a reader: {flips}; in what is killed or erased, never read: {nobody}")


def flip_through(image, log, stream, sector, following):
    """Flip each bit of a sector behind its head and read it, up to the first record of the following one."""
    start, end = log.sectors.first(sector), log.sectors.first(following)
    owed = image.ledger.must[stream]
    before = [record for record in owed if record[0] << 32 | record[1] < start]
    if before:
        log.acknowledge(stream, *before[-1][:2])  # in memory only: a reader begins here
    expected = [record for record in owed if start <= (record[0] << 32 | record[1]) < end]
    assert expected
    flips = 0
    for address in range(sector * SECTOR + layout.HEAD, (sector + 1) * SECTOR):
        without = [record for record in expected if record[:2] not in image.spare(address)]
        for bit in range(8):
            image.flash.cells[address] ^= 1 << bit
            found = read_until(log, stream, end)
            image.flash.cells[address] ^= 1 << bit
            flips += 1
            assert found in (expected, without), (address, bit)
    return flips


def read_until(log, stream, end):
    reader, found = log.reader(stream), []
    while True:
        record = reader.next()
        if record is None or record[0] << 32 | record[1] >= end:
            return found
        found.append(record)


@pytest.mark.fault(7)
def test_rot_in_what_is_erased_costs_nothing_that_is_written_there(image):
    """It is read back, and goes into another sector."""
    dice = random.Random(3)
    for _ in range(300):
        image.flash.restore(image.image)
        ledger = image.ledger.fork()
        log = FlashLog(Partition(image.flash, no_wait), on_drop=ledger.drop)
        ready = [sector for sector in range(SECTORS) if log.sectors.state(sector) == 1]
        for _ in range(4):
            image.flash.cells[dice.choice(ready) * SECTOR + dice.randrange(SECTOR)] &= ~(1 << dice.randrange(8))
        for seq in range(1, 9):
            record = (2, seq, dice.randbytes(dice.choice((20, 400))))
            if log.append(seq % 2, *record):
                ledger.accept(seq % 2, record)
            log.work()
        ledger.judge(log, fresh=False)
        ledger.judge(FlashLog(Partition(image.flash, no_wait)))


@pytest.mark.req("TEL-02")
@pytest.mark.fault(7)
@pytest.mark.fault(8)
def test_a_log_with_a_rotten_bit_goes_on(image):
    """Told once; what is written afterwards is kept, and the next start finds the same."""
    dice = random.Random(4)
    told = 0
    for address in dice.sample(sorted(image.extents), 200):
        spare = image.spare(address)
        log = image.judge_start(address, dice.randrange(8))
        told += ROTTEN in log.troubles
        ledger = image.ledger.fork()
        record = (2, 1, b"afterwards")
        assert log.append(1, *record)
        ledger.accept(1, record)
        ledger.judge(log, spare)
        ledger.judge(FlashLog(Partition(image.flash, no_wait)), spare)
    assert told > 50
