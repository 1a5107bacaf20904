"""The simulated world's event list: what happens at which millisecond, in which order.

Owns the world's time. Runs under MicroPython (virtual time) and CPython (real time on a pty).
Must never know what the events are, and never read a real clock.
"""

import heapq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Scheduler:
    """Callbacks in order of time; equal times run in the order they were asked for.

    now_ms is the time since the world began, in ms, and never wraps.
    """

    def __init__(self) -> None:
        self.now_ms = 0
        self._heap: list = []
        self._order = 0

    def at(self, when_ms: int, fn: "Callable[..., Any]", *args: "Any") -> list:
        """Call fn(*args) at when_ms (not before now). Returns a handle for cancel()."""
        self._order += 1
        entry = [max(when_ms, self.now_ms), self._order, fn, args]
        heapq.heappush(self._heap, entry)
        return entry

    def after(self, delay_ms: int, fn: "Callable[..., Any]", *args: "Any") -> list:
        """Call fn(*args) in delay_ms. Returns a handle for cancel()."""
        return self.at(self.now_ms + delay_ms, fn, *args)

    def cancel(self, handle: "Any") -> None:
        """Forget a callback; harmless when it already ran or handle is None."""
        if handle is not None:
            handle[2] = None
            handle[3] = ()

    def next_ms(self) -> "int | None":
        """Time of the next callback in ms, or None."""
        heap = self._heap
        while heap and heap[0][2] is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def run_until(self, when_ms: int) -> int:
        """Advance to when_ms, running everything due on the way. Returns how many ran."""
        ran = 0
        heap = self._heap
        while heap and heap[0][0] <= when_ms:
            entry = heapq.heappop(heap)
            fn = entry[2]
            if fn is None:
                continue
            if entry[0] > self.now_ms:
                self.now_ms = entry[0]
            args = entry[3]
            entry[2] = None
            fn(*args)
            ran += 1
        if when_ms > self.now_ms:
            self.now_ms = when_ms
        return ran
