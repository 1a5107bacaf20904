"""What came from the broker and waits to be committed: filled by the link's thread, emptied by the relay's.

Must never grow without bound: what does not fit is dropped, unanswered, and so is sent again.
"""

from __future__ import annotations

import queue
import time
from typing import NamedTuple

_MOST = 5000
LINGER_S = 0.003  # after the first message of a group: others that are just arriving are committed with it


class Arrived(NamedTuple):
    """A message as it came, `received` in ms since 1970; `session` and `mid` tell the broker which one it was."""

    session: int
    mid: int
    qos: int
    topic: str
    payload: bytes
    received: int


class Inbox:
    def __init__(self, most: int = _MOST) -> None:
        self._queue: queue.Queue[Arrived] = queue.Queue(most)
        self.dropped = 0

    def put(self, message: Arrived) -> None:
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            self.dropped += 1

    def take(self, most: int, wait_s: float) -> list[Arrived]:
        """The next messages in order: at least one unless none comes within `wait_s`, `most` of them at most."""
        group: list[Arrived] = []
        until = time.monotonic() + wait_s
        while len(group) < most:
            try:
                group.append(self._queue.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
            if len(group) == 1:
                until = time.monotonic() + LINGER_S
        return group
