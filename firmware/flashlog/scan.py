"""What a start finds in the log's partition, by reading the head of every sector and the newest sectors whole.

Owns the recovery. It writes nothing but what makes certain what a cut may have left uncertain, and may be cut itself at
any point: it finds the same again. Must never give up a sector that still has a whole record in it.
"""

from micropython import const

from firmware.flashlog import layout
from firmware.flashlog.layout import ACK, ENTRY, HEAD, SECTOR, STREAMS
from firmware.flashlog.sectors import READY

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from firmware.flashlog.sectors import Sectors


class Scan:
    """Fills `sectors`. chains: of each stream its sectors in order; acked, last: identities of each stream."""

    def __init__(self, sectors: "Sectors") -> None:
        self._sectors = sectors
        self.chains: tuple = ([], [], [])
        self.acked = [0, 0, 0]
        self.last = [0, 0, 0]
        head = memoryview(bytearray(HEAD))
        for sector in range(sectors.total):
            try:
                sectors.head(sector, head)
                self._look(sector, head)
            except OSError as error:
                sectors.unreadable(sector, error)
        newest = -1
        for stream in range(STREAMS):
            chain = self.chains[stream]
            chain.sort(key=sectors.first)
            if chain:
                self._finish(stream, chain)
                if newest < 0 or sectors.first(chain[-1]) > sectors.first(newest):
                    newest = chain[-1]
        if newest >= 0:
            sectors.go_on_after(newest)

    def _look(self, sector: int, head: memoryview) -> None:
        erases = layout.read_mark(head)
        self._sectors.wear(sector, erases)
        opened = layout.read_open(head)
        if opened is not None:
            stream, first, acked = opened
            for which in range(STREAMS):
                self.acked[which] = max(self.acked[which], acked[which])
            self._keep(sector, stream, first)
        elif erases >= 0 and layout.is_blank(head, 0, layout.OPEN_BYTES):
            self._sectors.put(sector, READY)
        elif not layout.is_killed(head) and not layout.is_blank(head, 0, HEAD):
            self._search(sector)

    def _search(self, sector: int) -> None:
        """The header is rotten, or the sector was being erased: records that are whole are kept."""
        view = self._sectors.load(sector)
        at = layout.find(view, HEAD)
        while at >= 0:
            kind, ident, length = layout.read_entry(view, at)  # type: ignore[misc]
            if kind < STREAMS:
                self._keep(sector, kind, ident)
                return
            at = layout.find(view, at + layout.size_of(length))

    def _keep(self, sector: int, stream: int, first: int) -> None:
        self._sectors.use(sector, first)
        self.chains[stream].append(sector)

    def _finish(self, stream: int, chain: list) -> None:
        """The newest identity of a stream; the end of its newest sector, where a cut may have struck, made certain."""
        place = len(chain) - 1
        while place >= 0:
            start, end = self._read(chain[place])
            self._settle(chain[place], start, end)
            if self.last[stream]:
                return
            place -= 1  # it was opened for a record that never got there

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
        back = bytearray(SECTOR)
        view = self._sectors.load(sector)
        try:
            if start >= 0:
                self._sectors.program(sector, start, memoryview(bytes(view[start:end])), back)
            if end + ENTRY <= SECTOR:
                self._sectors.program(sector, end, memoryview(bytes(ENTRY)), back)
        except OSError:
            return  # it is as good as it was
