"""A lane of the queue: the records of one stream in order of identity, what flash has of it and then what memory has.

Owns a place in its stream. Must never give a record twice between two rewinds, nor out of order: so none before it is
known what flash has.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.flashlog.log import FlashLog
    from firmware.queue import Queue


class Lane:
    """stream: of firmware.flashlog.layout. `acked`: identity up to which the relay has everything."""

    def __init__(self, queue: "Queue", stream: int) -> None:
        self._queue = queue
        self._stream = stream
        self._reader: Any = None
        self._last = 0
        self._next: Any = None
        self.acked = 0
        self.taken = 0  # records given out since the last rewind and not acknowledged

    def attach(self, flash: "FlashLog | None") -> None:
        """It is known what flash has: older records come from there, before those in memory."""
        self._reader = flash.reader(self._stream) if flash is not None else None

    def peek(self) -> "tuple | None":
        """(identity, bytes) of the next record; None: there is none now."""
        if not self._queue.opened.is_set():
            return None
        if self._next is None or self._next[0] <= self.acked:
            self._last = max(self._last, self.acked)
            self._next = self._from_flash() or self._from_memory()
        return self._next

    def _from_flash(self) -> "tuple | None":
        while self._reader is not None:
            found = self._reader.next()
            if found is None:
                return None
            ident = found[0] << 32 | found[1]
            if ident > self._last:  # what was given out of memory may be in flash by now
                return ident, found[2]
        return None

    def _from_memory(self) -> "tuple | None":
        item = self._queue.kept(self._stream, self._last)
        return None if item is None else (item[0], item[1])

    def take(self) -> None:
        """The record that peek gave is under way."""
        self._last = self._next[0]
        self._next = None
        self.taken += 1

    def rewind(self) -> None:
        """Once more from the first that is not acknowledged."""
        self._last = self.taken = 0
        self._next = None
        if self._reader is not None:
            self._reader.rewind()

    def acknowledge(self, ident: int, count: int) -> None:
        """The relay has everything up to this identity, count records more than before."""
        self.acked = max(self.acked, ident)
        self.taken = max(self.taken - count, 0)
        self._queue.acknowledge(self._stream, ident)
