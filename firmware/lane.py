"""A lane of the queue: the records of one or two streams, merged in order of identity, from flash and then from memory.

Owns a place in each of its streams. Must never give a record twice between two rewinds, nor out of order.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.queue import Queue


class _Source:
    """One stream: what flash has of it, then what memory has."""

    def __init__(self, queue: "Queue", stream: int) -> None:
        self._queue = queue
        self._stream = stream
        self._reader = queue.flash.reader(stream) if queue.flash is not None else None
        self._last = 0
        self._next: Any = None

    def rewind(self) -> None:
        self._last = 0
        self._next = None
        if self._reader is not None:
            self._reader.rewind()

    def peek(self, acked: int) -> "tuple | None":
        """(identity, bytes) of the next record behind this identity; None: there is none now."""
        if self._next is not None and self._next[0] > acked:
            return self._next
        self._last = max(self._last, acked)
        self._next = self._from_flash() or self._from_memory()
        return self._next

    def take(self) -> None:
        self._last = self._next[0]
        self._next = None

    def _from_flash(self) -> "tuple | None":
        while self._reader is not None:
            found = self._reader.next()
            if found is None:
                return None
            ident = found[0] << 32 | found[1]
            if ident > self._last:
                return ident, found[2]
        return None

    def _from_memory(self) -> "tuple | None":
        item = self._queue.kept(self._stream, self._last)
        return None if item is None else (item[0], item[1])


class Lane:
    """streams: of firmware.flashlog.layout. `acked`: identity up to which the relay has everything."""

    def __init__(self, queue: "Queue", streams: tuple) -> None:
        self._queue = queue
        self._streams = streams
        self._sources = [_Source(queue, stream) for stream in streams]
        self._chosen: _Source | None = None
        self.acked = 0
        self.taken = 0  # records given out since the last rewind and not acknowledged

    def peek(self) -> "tuple | None":
        """(identity, bytes) of the next record; None: there is none now."""
        best = self._chosen = None
        for source in self._sources:
            found = source.peek(self.acked)
            if found is not None and (best is None or found[0] < best[0]):
                best, self._chosen = found, source
        return best

    def take(self) -> None:
        """The record that peek gave is under way."""
        if self._chosen is not None:
            self._chosen.take()
            self._chosen = None
            self.taken += 1

    def rewind(self) -> None:
        """Once more from the first that is not acknowledged."""
        self.taken = 0
        for source in self._sources:
            source.rewind()

    def acknowledge(self, ident: int, count: int) -> None:
        """The relay has everything up to this identity, count records more than before."""
        self.acked = max(self.acked, ident)
        self.taken = max(self.taken - count, 0)
        self._queue.acknowledge(self._streams, ident)

    def under_way(self) -> int:
        return self.taken
