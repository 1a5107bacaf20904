"""Records in memory while nothing better takes them: in order, within a limit; the least important go first.

Owns the list, its bytes, and what was dropped from it and not told yet. Must never grow beyond its limit, nor drop
anything without counting it.
"""

from micropython import const

from firmware.flashlog.layout import EMERGENCY, PERIODIC, STREAMS

MAX_RECORDS = const(250)
MAX_BYTES = const(64 * 1024)


class Stage:
    """An item is [identity, bytes, stream], as of firmware.flashlog.layout. `dropped`: how many, since the start."""

    def __init__(self) -> None:
        self._items: list = []
        self._bytes = 0
        self.dropped = 0
        self._lost: list = [None] * STREAMS  # of each stream: [count, first, last] dropped and not told yet

    def __len__(self) -> int:
        return len(self._items)

    # ------------------------------------------------------------------ in
    def put(self, ident: int, data: bytes, stream: int) -> None:
        """Behind all others; the oldest of the least important make room for it."""
        self._items.append([ident, data, stream])
        self._bytes += len(data)
        while len(self._items) > MAX_RECORDS or self._bytes > MAX_BYTES:
            self._drop()

    def put_back(self, item: list) -> None:
        """It was popped, and nobody took it."""
        self._items.insert(0, item)
        self._bytes += len(item[1])

    def _drop(self) -> None:
        victim = 0
        lowest = EMERGENCY
        for index, item in enumerate(self._items):
            if item[2] < lowest:
                victim, lowest = index, item[2]
                if lowest == PERIODIC:
                    break
        ident, _, stream = self.pop(victim)
        self.lose(stream, 1, ident, ident)

    # ------------------------------------------------------------------ what went
    def lose(self, stream: int, count: int, first: int, last: int) -> None:
        """So many of a stream are gone, from identity `first` to `last`; later ones than all before."""
        self.dropped += count
        lost = self._lost[stream]
        if lost is None:
            self._lost[stream] = [count, first, last]
        else:
            lost[0] += count
            lost[2] = last

    def take_lost(self, stream: int) -> "list | None":
        """[count, first, last] of what is gone since this was asked last."""
        lost, self._lost[stream] = self._lost[stream], None
        return lost

    # ------------------------------------------------------------------ out
    def first(self) -> "list | None":
        """The oldest item."""
        return self._items[0] if self._items else None

    def pop(self, place: int = 0) -> list:
        """Take an item out, the oldest unless said otherwise."""
        item = self._items.pop(place)
        self._bytes -= len(item[1])
        return item

    def has(self, stream: int) -> bool:
        """There is something of this stream."""
        for item in self._items:
            if item[2] == stream:
                return True
        return False

    def after(self, stream: int, ident: int) -> "list | None":
        """The next item of the stream behind this identity."""
        for item in self._items:
            if item[2] == stream and item[0] > ident:
                return item
        return None

    def forget(self, stream: int, ident: int) -> None:
        """What the stream has up to this identity is delivered."""
        index = 0
        while index < len(self._items):
            item = self._items[index]
            if item[2] == stream and item[0] <= ident:
                self.pop(index)
            else:
                index += 1
