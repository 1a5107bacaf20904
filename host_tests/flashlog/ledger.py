"""What the flash log owes: a plain model of three streams, and the judge that compares a log with it.

A record is (boot, seq, data). One that was accepted must be read until it is acknowledged or told as dropped; after
that it may be read again. One whose append was cut is whole or absent, and stays what the first whole recovery found.
"""

from firmware.flashlog.log import FlashLog
from hal_sim.bus.partition import SECTOR, Flash, Partition

STREAMS = (0, 1, 2)
ROOM = "room ran out"


def no_wait(ms):
    pass


def read_all(log, stream):
    reader, found = log.reader(stream), []
    while True:
        record = reader.next()
        if record is None:
            return found
        found.append(record)


class Broken(AssertionError):
    """The log does not keep what it promised."""


class Ledger:
    def __init__(self):
        self.must = ([], [], [])
        self.may = ({}, {}, {})  # identity: data; acknowledged or dropped
        self.begun = ([], [], [])  # appends that were cut or refused by a sick flash
        self.rotten = set()  # identities of records in which a bit has flipped
        self.told_dropped = 0

    def fork(self, pending=None):
        """For another future, in which `pending` was cut."""
        other = Ledger()
        other.must = tuple(list(each) for each in self.must)
        other.begun = tuple(list(each) for each in self.begun)
        other.may = tuple(dict(each) for each in self.may)
        if pending is not None:
            other.begun[pending[0]].append(pending[1])
        return other

    def accept(self, stream, record):
        self.must[stream].append(record)

    def acknowledge(self, stream, boot, seq):
        self._release(stream, lambda record: record[:2] <= (boot, seq))

    def drop(self, stream, count, first, last):
        """What on_drop says: so many of what must be there, from first to last."""
        gone = self._release(stream, lambda record: first <= record[:2] <= last)
        self.told_dropped += count
        if gone > count + len(self.rotten):
            raise Broken(f"{gone} records of stream {stream} were dropped and {count} told")

    def _release(self, stream, which):
        kept = [record for record in self.must[stream] if not which(record)]
        for record in self.must[stream]:
            if which(record):
                self.may[stream][record[:2]] = record[2]
        gone = len(self.must[stream]) - len(kept)
        self.must[stream][:] = kept
        return gone

    # ------------------------------------------------------------------ judging
    def judge(self, log, spare=(), repeats=None, fresh=True):
        """The log has all it owes, nothing else, in order. spare: identities that rot may have taken. repeats: so many
        records that were acknowledged may come again. fresh: nothing was appended since it started.
        """
        spare = self.rotten | set(spare)
        for stream in STREAMS:
            found = read_all(log, stream)
            if found != self.must[stream]:
                self._compare(stream, found, spare, repeats)
        newest = max([must[-1][:2] for must in self.must if must], default=(0, 0))
        if fresh and not spare and log.highest < newest:
            raise Broken(f"the newest identity is {newest}, not {log.highest}")

    def _compare(self, stream, found, spare, repeats):
        idents = [record[:2] for record in found]
        if idents != sorted(set(idents)):
            raise Broken(f"stream {stream} is out of order: {idents}")
        owed = {record[:2]: record[2] for record in self.must[stream]}
        begun = {record[:2]: record[2] for record in self.begun[stream]}
        known = {**self.may[stream], **begun, **owed}
        for ident, data in zip(idents, (record[2] for record in found), strict=True):
            if known.get(ident) != data:
                what = "with other bytes" if ident in known else "that nobody wrote"
                raise Broken(f"stream {stream} gives {ident} {what}")
        lost = [ident for ident in owed if ident not in set(idents) and ident not in spare]
        if lost:
            raise Broken(f"stream {stream} lost {lost}; it has {idents}")
        again = len([ident for ident in idents if ident in self.may[stream] and ident not in owed])
        if repeats is not None and again > repeats:
            raise Broken(f"stream {stream} gives {again} acknowledged records again")

    def settle(self, log):
        """A recovery came to its end: what it found of the appends that were cut is there for good, the rest never."""
        for stream in STREAMS:
            if self.begun[stream]:
                there = read_all(log, stream)
                self.must[stream].extend(record for record in self.begun[stream] if record in there)
                self.begun[stream].clear()


class Gateway:
    """One log on one flash, boot after boot, with the ledger of what went in. rng decides what happens."""

    def __init__(self, sectors, rng, partition=Partition, sizes=(0, 20, 20, 100, 300, 300, 700, 1500)):
        self.flash = Flash(sectors)
        self.flash.strict = True
        self.ledger = Ledger()
        self.rng = rng
        self.make = partition
        self.sizes = sizes
        self.boots = 0
        self.seq = 0
        self.pending = None  # (stream, record) that is being appended
        self.troubles = set()
        self.tell_drops = True
        self.log = None

    def boot(self):
        """Start on what is in flash. A cut in it comes out of here, the log is the old one then."""
        self.boots += 1
        self.seq = 0
        self.log = None
        self.log = FlashLog(self.make(self.flash, no_wait), on_trouble=self.troubles.add, on_drop=self._dropped)
        return self.log

    def _dropped(self, stream, count, first, last):
        self.ledger.drop(stream, count, first, last)
        if self.tell_drops and self.log is not None:
            self.append(1, b"dropped %d" % count)

    def data(self):
        size = self.rng.choice(self.sizes)
        return self.rng.randbytes(size) if self.rng.random() < 0.3 else (b"%d " % self.seq * 400)[:size]

    def append(self, stream, data=None):
        """One record; False: it was not taken. A cut leaves it pending."""
        self.seq += 1
        record = (self.boots, self.seq, self.data() if data is None else data)
        before = self.pending
        self.pending = (stream, record)
        taken = self.log.append(stream, *record)
        self.pending = before
        if taken:
            self.ledger.accept(stream, record)
        elif self.flash.sick or self.flash.fault:  # it may have got there unseen
            self.ledger.begun[stream].append(record)
        return taken

    def acknowledge(self, stream, share):
        """As a relay would: a first part of what waits."""
        waits = self.ledger.must[stream]
        count = int(len(waits) * share)
        if count:
            boot, seq = waits[count - 1][:2]
            self.log.acknowledge(stream, boot, seq)
            self.ledger.acknowledge(stream, boot, seq)

    def was_cut(self):
        """After a PowerCut: what was being appended is whole or absent."""
        if self.pending is not None:
            stream, record = self.pending
            self.ledger.begun[stream].append(record)
            self.pending = None

    def live(self, steps):
        """Some of everything; at most `steps` things."""
        rng = self.rng
        for _ in range(steps):
            what = rng.random()
            if what < 0.55:
                self.append(rng.choice((0, 0, 0, 0, 1, 1, 2)))
            elif what < 0.65:
                self.acknowledge(rng.choice(STREAMS), rng.choice((0.2, 0.5, 1)))
            elif what < 0.68:
                self.log.flush_acks()
            else:
                self.log.work()

    def rest(self):
        """Housekeeping until there is none."""
        for _ in range(5 * self.flash.sectors + 20):
            if not self.log.work():
                return
        raise Broken("housekeeping has no end")


def false_alarms(troubles):
    return {text for text in troubles if not text.startswith(ROOM)}


__all__ = ["SECTOR", "STREAMS", "Broken", "Flash", "Gateway", "Ledger", "Partition", "false_alarms", "no_wait",
           "read_all"]
