"""The emergency's inbox: a preallocated ring that anybody may put into, from a task or a pin's interrupt.

Must never allocate or block. An event like the one put just before it, still waiting, is not put twice: a flood
of one sensor takes one place.
"""

import asyncio

_SIZE = 64
_FIRST_OF_PHONE = 16  # firmware.phone.events


class Inbox:
    """put() from anywhere; peek() and pop() from the one service; wait() until something is there."""

    def __init__(self) -> None:
        self._events = bytearray(_SIZE)
        self._args = bytearray(_SIZE)
        self._head = 0
        self._count = 0
        self.dropped = 0
        self.event = 0  # of the last peek()
        self.arg = 0
        self.flag = asyncio.ThreadSafeFlag()

    def put(self, event: int, arg: int = 0) -> None:
        last = (self._head + self._count - 1) % _SIZE
        if self._count and self._events[last] == event and self._args[last] == arg:
            self.flag.set()
            return
        if self._count >= _SIZE:
            self.dropped += 1
            return
        index = (self._head + self._count) % _SIZE
        self._events[index] = event
        self._args[index] = arg
        self._count += 1
        self.flag.set()

    def peek(self) -> bool:
        """Put the oldest event into .event and .arg; False when there is none."""
        if not self._count:
            return False
        self.event = self._events[self._head]
        self.arg = self._args[self._head]
        return True

    def forget_phone(self) -> None:
        """What the phone said of the call before is void: a waiting event of its becomes none."""
        for count in range(self._count):
            index = (self._head + count) % _SIZE
            if self._events[index] >= _FIRST_OF_PHONE:
                self._events[index] = 0

    def pop(self) -> None:
        """The oldest event was handled."""
        self._head = (self._head + 1) % _SIZE
        self._count -= 1
