"""Reads one stream of the flash log in order, from its first unacknowledged record on.

Owns a place in the log, by identity: sectors may be given back or dropped while it stands in them. Must never give a
record twice between two rewinds, nor one that is acknowledged.
"""

from micropython import const

from firmware.flashlog import layout
from firmware.flashlog.layout import HEAD, SECTOR

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from firmware.flashlog.log import FlashLog


class Reader:
    """stream: PERIODIC, EVENT or EMERGENCY."""

    def __init__(self, log: "FlashLog", stream: int) -> None:
        self._log = log
        self._stream = stream
        self.rewind()

    def rewind(self) -> None:
        """Once more from the first unacknowledged record."""
        self._last = self._log.acked(self._stream)
        self._sector = -1
        self._first = 0  # of the sector, to know it again
        self._at = HEAD

    def next(self) -> "tuple | None":
        """(boot, seq, data) of the next record; None: there is no more now."""
        self._last = max(self._last, self._log.acked(self._stream))
        while self._stands() or self._enter():
            found = self._entry()
            if found is None:
                if not self._follow():
                    return None
                continue
            kind, ident, at, length = found
            if kind == self._stream and ident > self._last:
                self._last = ident
                view = self._log.sectors.load(self._sector)
                return ident >> 32, ident & 0xFFFFFFFF, bytes(view[at : at + length])
        return None

    def _entry(self) -> "tuple | None":
        """(kind, identity, where its data are, length) of the next entry in this sector; None: it has no more."""
        view = self._log.sectors.load(self._sector)
        at = layout.find(view, self._at)
        if at != self._at and not layout.is_end(view, self._at) and view[self._at]:  # zero: struck out after a cut
            self._log.rotten(self._sector)
        if at < 0:
            if not self._log.is_open(self._sector):
                self._at = SECTOR
            return None
        kind, ident, length = layout.read_entry(view, at)  # type: ignore[misc]
        self._at = at + layout.size_of(length)
        return kind, ident, at + layout.ENTRY, length

    def _stands(self) -> bool:
        """The sector is still the one it was."""
        return self._sector >= 0 and self._log.sectors.holds(self._sector, self._first)

    def _enter(self) -> bool:
        """Stand at the beginning of the first sector that may have something new."""
        chain = self._log.chains[self._stream]
        first = self._log.sectors.first
        place = 0
        while place + 1 < len(chain) and first(chain[place + 1]) <= self._last:
            place += 1
        while place and first(chain[place - 1]) == first(chain[place]):
            place -= 1  # a record failed in one of them: FlashLog._free
        return place < len(chain) and self._stand_in(chain[place])

    def _follow(self) -> bool:
        chain = self._log.chains[self._stream]
        place = chain.index(self._sector) + 1
        return place < len(chain) and self._stand_in(chain[place])

    def _stand_in(self, sector: int) -> bool:
        self._sector = sector
        self._first = self._log.sectors.first(sector)
        self._at = HEAD
        return True
