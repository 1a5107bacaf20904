"""A byte stream between the controller and a program outside it, such as a USB port: bounded, never blocking."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hal_sim.sched import Scheduler

_POLL = 3
_POLL_RD = 1
_POLL_WR = 4


class Stream:
    """The controller's side; `peer.feed(bytes)` is the other end while `up`."""

    def __init__(self, sched: "Scheduler", limit: int = 8192) -> None:
        self._sched = sched
        self._limit = limit
        self._rx = bytearray()
        self.peer: Any = None
        self.up = True

    def readinto(self, buf: "Any") -> "Any":
        if not self._rx:
            return None
        count = min(len(buf), len(self._rx))
        buf[:count] = self._rx[:count]
        self._rx = self._rx[count:]
        return count

    def write(self, buf: "Any") -> "Any":
        """Bytes taken; None when nobody is at the other end."""
        if not self.up or self.peer is None:
            return None
        self._sched.after(1, self._to_peer, bytes(buf))
        return len(buf)

    def ioctl(self, request: int, arg: int) -> int:
        if request != _POLL:
            return 0
        return (arg & _POLL_WR if self.up else 0) | (_POLL_RD if self._rx and arg & _POLL_RD else 0)

    def deliver(self, data: bytes) -> None:
        """The other end sends."""
        if self.up and len(self._rx) + len(data) <= self._limit:
            self._rx.extend(data)

    def _to_peer(self, data: bytes) -> None:
        if self.up:
            self.peer.feed(data)
