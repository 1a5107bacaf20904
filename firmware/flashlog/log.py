"""The flash log: records of three streams in one NOR partition, kept until they are acknowledged, found again by scan.

Owns the partition: which sector belongs to which stream, what is erased ahead, what is acknowledged, what goes first
when room runs out. A record whose `append` returned True was read back from flash; no power cut takes it away. `append`
programs and never erases; `work` does the rest, one step a call, and nothing while `hold()` is true. Must never raise
for what it finds in flash, and never destroy a record that was neither acknowledged nor told to `on_drop`.

After a start nothing is appended to a sector of an earlier boot: what a cut left half programmed behind its last entry
may read as blank today and as something tomorrow. How it lies in flash: layout.py; why so: docs/queue.md.
"""

from micropython import const

from firmware.flashlog import layout
from firmware.flashlog.layout import ACK, ENTRY, HEAD, MAX_DATA, SECTOR, STREAMS
from firmware.flashlog.reader import Reader
from firmware.flashlog.scan import Scan
from firmware.flashlog.sectors import BAD, READY, Sectors

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_AHEAD = const(8)  # sectors kept erased: 96 records of an emergency, during which little is erased
_SPARE = const(3)  # so few are left: the oldest of the least important go
_RESERVE = const(48)  # of a sector, for acknowledgements when it is full
_NOTE_EVERY = const(10)  # records acknowledged and not yet written down: so many may come again after a cut
_TRIES = const(3)  # sectors a record may cost
_MOST_ROTTEN = const(64)
_USUAL = const(12)  # records of a sector
_NAMES = ("periodic", "event", "emergency")


def _never() -> bool:
    return False


class FlashLog:
    """partition: esp32.Partition with 4 KB sectors. `hold()`: while true nothing is erased, dropped or noted.

    `on_trouble(text)` is told each trouble once; `on_drop(stream, count, first, last)`, identities as (boot, seq),
    before what it tells of is destroyed. Both may append. at_once: it is open when it is made; else `opening` opens it.
    """

    def __init__(self, partition: "Any", hold: "Callable[[], bool]" = _never,
                 on_trouble: "Callable[[str], Any] | None" = None,
                 on_drop: "Callable[[int, int, tuple, tuple], Any] | None" = None, at_once: bool = True) -> None:
        self.hold = hold
        self.on_trouble = on_trouble
        self.on_drop = on_drop
        self.troubles: list = []
        self._rotten: list = []  # sectors with a record that cannot be read
        self.dropped = 0
        self._entry = bytearray(ENTRY + MAX_DATA)
        self._back = bytearray(ENTRY + MAX_DATA)
        self.sectors = Sectors(partition, self._trouble)
        self._at = [0, 0, 0]  # where the next entry of a stream goes; 0: it has no open sector
        self.chains: tuple = ([], [], [])  # of each stream, its sectors in order of their records
        self._acked = [0, 0, 0]
        self._noted = [0, 0, 0]  # as flash has it
        self._last = [0, 0, 0]  # of each stream: the newest identity there is
        self.highest = (0, 0)  # the newest identity that flash had at the start
        if at_once:
            for _ in self.opening():
                pass

    def opening(self) -> "Iterator[None]":
        """Find what is there; gives back after each bounded piece of work. Before its end nothing else may be asked.

        One that was left in the middle may be begun anew.
        """
        self.sectors.forget()
        scan = Scan(self.sectors, self._back)
        yield from scan.run()
        self.chains = scan.chains
        self._acked = scan.acked
        self._noted = list(scan.acked)
        self._last = scan.last
        best = max(max(self._last), max(self._acked))
        self.highest = (best >> 32, best & 0xFFFFFFFF)

    def _trouble(self, text: str) -> None:
        if text in self.troubles or len(self.troubles) >= 16:
            return
        self.troubles.append(text)
        if self.on_trouble is not None:
            self.on_trouble(text)

    # ------------------------------------------------------------------ writing
    def append(self, stream: int, boot: int, seq: int, data: "Any") -> bool:
        """Keep a record: True when it is in flash. False: too long, or there is no sector ready for it now.

        Identities of a stream only grow.
        """
        if len(data) > MAX_DATA:
            return False
        ident = boot << 32 | seq
        size = layout.size_of(len(data))
        for _ in range(_TRIES):
            if not self._make_room(stream, size, ident):
                return False
            layout.pack_entry(self._entry, stream, ident, data)
            if self._program(stream, size):
                self._last[stream] = ident
                return True
        return False

    def _make_room(self, stream: int, size: int, ident: int) -> bool:
        at = self._at[stream]
        return (at > 0 and at + size <= SECTOR - _RESERVE) or self._open(stream, ident)

    def _open(self, stream: int, ident: int) -> bool:
        """Go on in a sector that was erased ahead."""
        self._at[stream] = 0
        head = layout.pack_open(stream, ident, self._acked)
        sector = self.sectors.take(head, ident)
        if sector < 0:
            return False
        self._noted = list(self._acked)
        self.chains[stream].append(sector)
        self._at[stream] = HEAD
        return True

    def _program(self, stream: int, size: int) -> bool:
        """Write what is in the entry buffer. A sector that does not give it back is not used any further."""
        sector, at = self.chains[stream][-1], self._at[stream]
        self._at[stream] = at + size
        try:
            if self.sectors.program(sector, at, memoryview(self._entry)[:size], self._back):
                return True
            self._trouble("a sector does not keep what is written: storage worn")
        except OSError as error:
            self._trouble("cannot be written: %r" % error)
        self._at[stream] = 0
        return False

    # ------------------------------------------------------------------ acknowledging
    def acknowledge(self, stream: int, boot: int, seq: int) -> None:
        """Everything of the stream up to this identity was delivered. What flash is not told yet may come again."""
        ident = min(boot << 32 | seq, self._last[stream])
        if self._acked[stream] < ident:
            self._acked[stream] = ident

    def acked(self, stream: int) -> int:
        """Identity up to which the stream was delivered."""
        return self._acked[stream]

    def flush_acks(self) -> None:
        """Write down what is acknowledged, now."""
        for stream in range(STREAMS):
            if self._acked[stream] > self._noted[stream]:
                self._note(stream)

    def _note(self, stream: int) -> bool:
        """As an entry in its own open sector, else in another stream's. Without any the next sector's header has it."""
        for place in (stream, layout.EVENT, layout.PERIODIC, layout.EMERGENCY):
            if self._at[place] and self._at[place] + ENTRY <= SECTOR:
                layout.pack_entry(self._entry, ACK + stream, self._acked[stream], b"")
                if self._program(place, ENTRY):
                    self._noted[stream] = self._acked[stream]
                return True
        return False

    # ------------------------------------------------------------------ reading
    def reader(self, stream: int) -> Reader:
        """Reads the stream from its first unacknowledged record on."""
        return Reader(self, stream)

    def rotten(self, sector: int) -> None:
        """A reader found what was a record and is none any more."""
        if sector not in self._rotten and len(self._rotten) < _MOST_ROTTEN:
            self._rotten.append(sector)
            self._trouble("a record cannot be read any more")

    def is_open(self, sector: int) -> bool:
        """More may be written to it."""
        for stream in range(STREAMS):
            if self._at[stream] and self.chains[stream][-1] == sector:
                return True
        return False

    def waiting(self, stream: int) -> bool:
        """The stream has records that were not acknowledged."""
        return self._last[stream] > self._acked[stream]

    # ------------------------------------------------------------------ housekeeping
    def work(self) -> bool:
        """One step of housekeeping, at most one erase. True: there is more to do."""
        if self.hold():
            return False
        for stream in range(STREAMS):
            if self._acked[stream] >= self._noted[stream] + _NOTE_EVERY and self._note(stream):
                return True
        if self._free():
            return True
        ready = self.sectors.count(READY)
        if ready >= _AHEAD:
            return False
        if self.sectors.erase_next():
            return True
        return ready < _SPARE and self._drop()

    def _free(self) -> bool:
        """Give back a sector of which everything is acknowledged: the first record of the next one is.

        Two begin with the same record when it failed in one of them; after a start nobody knows which came first.
        """
        first = self.sectors.first
        for stream in range(STREAMS):
            chain = self.chains[stream]
            place = 1
            while place < len(chain) and first(chain[place]) == first(chain[0]):
                place += 1
            if place < len(chain) and first(chain[place]) <= self._acked[stream]:
                self._give_back(stream)
                return True
        return False

    def _give_back(self, stream: int) -> None:
        self.sectors.kill(self.chains[stream].pop(0))

    def _drop(self) -> bool:
        """Room has run out: the oldest sector of the least important stream that has more than the one it writes."""
        for stream in range(STREAMS):
            chain = self.chains[stream]
            if len(chain) > 1:
                self._tell_drop(stream, chain[0])
                self._give_back(stream)
                return True
        return False

    def _tell_drop(self, stream: int, sector: int) -> None:
        view = self.sectors.load(sector)
        count = first = last = 0
        at = layout.find(view, HEAD)
        while at >= 0:
            kind, ident, length = layout.read_entry(view, at)  # type: ignore[misc]
            if kind == stream and ident > self._acked[stream]:
                count += 1
                first = first or ident
                last = ident
            at = layout.find(view, at + layout.size_of(length))
        if not count:
            return
        self.dropped += count
        self._trouble("room ran out: the oldest %s records go" % _NAMES[stream])
        if self.on_drop is not None:
            self.on_drop(stream, count, (first >> 32, first & 0xFFFFFFFF), (last >> 32, last & 0xFFFFFFFF))

    def works(self) -> bool:
        """There is flash that takes something."""
        return self.sectors.count(BAD) < self.sectors.total

    def depth(self) -> int:
        """Records that wait, roughly: a whole sector counts for what usually fits."""
        sectors = 0
        for stream in range(STREAMS):
            if self.waiting(stream):
                sectors += max(len(self.chains[stream]) - 1, 0)
        return sectors * _USUAL
