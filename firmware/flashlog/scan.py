"""What a start finds in the log's partition, by reading the head of every sector and the newest sectors whole.

Owns the recovery, in pieces between which others may run: one head, or one whole sector. It writes nothing but what
makes certain what a cut may have left uncertain, and may be cut or left itself at any point: it finds the same again.
Must never give up a sector that still has a whole record in it, unless the flash is full of what was never ours.
"""

import heapq

from micropython import const

from firmware.flashlog import layout
from firmware.flashlog.layout import ACK, ENTRY, HEAD, SECTOR, STREAMS
from firmware.flashlog.sectors import READY

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Iterator

    from firmware.flashlog.sectors import Sectors

_UNUSED = b"\xff" * HEAD
_SORTED = const(64)  # put in order in one piece
_FOREIGN = const(16)  # sectors of rubbish: the rest is rubbish too, and the watchdog does not wait for a search of it


class Scan:
    """Fills `sectors`. chains: of each stream its sectors in order; acked, last: identities of each stream.

    back: bytes for the longest entry, to read in what was programmed.
    """

    def __init__(self, sectors: "Sectors", back: bytearray) -> None:
        self._sectors = sectors
        self._back = back
        self.chains: tuple = ([], [], [])
        self._heaps: tuple = ([], [], [])  # of each stream (first identity, sector) as found
        self.acked = [0, 0, 0]
        self.last = [0, 0, 0]
        self._foreign = 0
        self._head = memoryview(bytearray(HEAD))
        self._two = self._head[: layout.OPEN_BYTES - 4]

    def run(self) -> "Iterator[None]":
        """All of it; gives back after each piece."""
        yield from self._heads()
        newest = -1
        for stream in range(STREAMS):
            yield from self._order(stream)
            chain = self.chains[stream]
            if chain:
                yield from self._finish(stream, chain)
                if newest < 0 or self._sectors.first(chain[-1]) > self._sectors.first(newest):
                    newest = chain[-1]
        if newest >= 0:
            self._sectors.go_on_after(newest)

    def _heads(self) -> "Iterator[None]":
        """One by one, some 3 ms each on the board."""
        sectors = self._sectors
        for sector in range(sectors.total):
            yield
            try:
                sectors.head(sector, self._head)
                if self._head != _UNUSED:
                    self._look(sector)
            except OSError as error:
                sectors.unreadable(sector, error)

    def _order(self, stream: int) -> "Iterator[None]":
        """Its sectors in order of their first records; by a heap: MicroPython's sort takes n * n steps for what is in
        order already.
        """
        heap, chain = self._heaps[stream], self.chains[stream]
        while heap:
            if len(heap) % _SORTED == 0:
                yield
            chain.append(heapq.heappop(heap)[1])

    def _look(self, sector: int) -> None:
        """What a head that is not blank says. This is done for each of a thousand sectors."""
        head = self._head
        opened = layout.read_open(head, self._two)
        if opened is not None:
            self._keep(sector, opened[0], opened[1] << 32 | opened[2])
        elif layout.is_killed(head):
            return
        elif layout.is_marked(head) and layout.is_blank(head, 0, layout.OPEN_BYTES):
            self._sectors.put(sector, READY)
        else:
            self._search(sector)

    def _search(self, sector: int) -> None:
        """The header is rotten, or the sector was being erased: records that are whole are kept."""
        if self._foreign >= _FOREIGN:
            return
        view = self._sectors.load(sector)
        at = layout.find(view, HEAD)
        while at >= 0:
            kind, ident, length = layout.read_entry(view, at)  # type: ignore[misc]
            if kind < STREAMS:
                self._keep(sector, kind, ident)
                return
            at = layout.find(view, at + layout.size_of(length))
        self._foreign += 1

    def _keep(self, sector: int, stream: int, first: int) -> None:
        self._sectors.use(sector, first)
        heapq.heappush(self._heaps[stream], (first, sector))

    def _finish(self, stream: int, chain: list) -> "Iterator[None]":
        """The newest identity of a stream; the end of its newest sector, where a cut may have struck, made certain."""
        yield
        self._take_acks(chain[-1])
        place = len(chain) - 1
        while place >= 0:
            yield
            start, end = self._read(chain[place])
            self._settle(chain[place], start, end)
            first = self._sectors.first(chain[place])
            place -= 1
            if self.last[stream] and not (place >= 0 and self._sectors.first(chain[place]) == first):
                return  # else it was opened for a record that never got there, or failed there

    def _take_acks(self, sector: int) -> None:
        """What was acknowledged when it was opened: of all streams, and never less than in an older sector."""
        view = self._sectors.load(sector)
        if layout.read_open(view, view[: layout.OPEN_BYTES - 4]) is not None:
            for stream in range(STREAMS):
                self.acked[stream] = max(self.acked[stream], layout.read_acked(view, stream))

    def _read(self, sector: int) -> tuple:
        """Take identities and acknowledgements from a sector; (start, end) of its last entry, start -1: it has none."""
        view = self._sectors.load(sector)
        at = layout.find(view, HEAD)
        end, start = HEAD, -1
        while at >= 0:
            kind, ident, length = layout.read_entry(view, at)  # type: ignore[misc]
            if kind < STREAMS:
                self.last[kind] = max(self.last[kind], ident)
            else:
                self.acked[kind - ACK] = max(self.acked[kind - ACK], ident)
            start, end = at, at + layout.size_of(length)
            at = layout.find(view, end)
        return start, end

    def _settle(self, sector: int, start: int, end: int) -> None:
        """The last entry is programmed once more, what may be torn behind it is struck out, also where it looks blank:
        half programmed bits read as they like (faults 2 and 3).
        """
        back = self._back
        view = self._sectors.load(sector)
        try:
            if start >= 0:
                self._sectors.program(sector, start, view[start:end], back)
            if end + ENTRY <= SECTOR:
                self._sectors.program(sector, end, memoryview(bytes(ENTRY)), back)
        except OSError:
            return  # it is as good as it was
