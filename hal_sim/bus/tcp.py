"""One end of a simulated TCP connection: bounded, in order, late, and perhaps half-open.

Owns the bytes that arrived and were not read yet. Must never know what they mean.
"""

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.bus.net import SimNet

_POLL = 3
_CLOSE = 4
_RD = 1
_WR = 4
_ERR = 8
_HUP = 16
_EBADF = 9
ECONNRESET = 104
ECONNREFUSED = 111
_BUFFER = 32768  # bytes each way that are under way or not read yet


class Socket(io.IOBase):
    """One end of a connection, a MicroPython stream. `on_event()` is called when it may be read, written or is over."""

    def __init__(self, net: "SimNet", is_up: bool) -> None:
        self._net = net
        self._is_up = is_up  # the gateway's end: what it writes goes up
        self.other: Socket | None = None
        self.on_event: Callable[[], Any] | None = None
        self.connected = False
        self.shut = False
        self.lost = False  # half-open: nothing passes any more, and nobody is told
        self._error = 0
        self._ended = False  # the other end closed
        self._chunks: list = []
        self._at = 0  # in the first chunk
        self._room = _BUFFER
        self._read = 0  # bytes of which the other end does not know yet that they were read
        self._arrives_ms = 0  # nothing overtakes what was sent before

    # ------------------------------------------------------------------ what its owner does
    def readinto(self, buf: "Any") -> "Any":
        """Bytes read; None: it would have to wait; 0: the other end closed. Raises OSError."""
        self._check()
        done = 0
        while self._chunks and done < len(buf):
            chunk = self._chunks[0]
            count = min(len(buf) - done, len(chunk) - self._at)
            buf[done : done + count] = chunk[self._at : self._at + count]
            done += count
            self._at += count
            if self._at == len(chunk):
                self._chunks.pop(0)
                self._at = 0
        if done:
            self._tell_read(done)
            return done
        return 0 if self._ended else None

    def write(self, buf: "Any") -> "Any":
        """Bytes taken, perhaps not all; None: it would have to wait. Raises OSError."""
        self._check()
        count = min(len(buf), self._room)
        if not self.connected or not count:
            return None
        self._pass(self._get, bytes(memoryview(buf)[:count]))
        self._room -= count
        self._net.count(self._is_up, count)
        return count

    def ioctl(self, request: int, arg: int) -> int:
        if request == _CLOSE:
            try:
                self.close()
            except MemoryError:  # TLS above it is thrown away as garbage: nobody says goodbye
                self.shut = True
        if request != _POLL:
            return 0
        if self._error or self.shut:
            return _ERR | _HUP
        readable = arg & _RD if self._chunks or self._ended else 0
        return readable | (arg & _WR if self.connected and self._room else 0)

    def close(self) -> None:
        """The other end reads what is on its way, then 0."""
        if not self.shut:
            self.shut = True
            self._chunks = []
            self._net.leave(self)
            if self.connected and not self._error:
                self._net.count(self._is_up, 0)
                self._pass(self._end)

    def reset(self) -> None:
        """Break the connection; the other end learns it when the packet is there."""
        if self.other is not None:
            self._net.sched.after(self._net.latency_ms, self.other.fail, ECONNRESET)
        self.fail(ECONNRESET)

    def _check(self) -> None:
        if self.shut:
            raise OSError(_EBADF)
        if self._error:
            raise OSError(self._error)

    # ------------------------------------------------------------------ what comes from the other end
    def _pass(self, what: "Callable[..., Any]", *args: "Any") -> None:
        """Have it happen to the other end, after what was sent before."""
        self._arrives_ms = max(self._arrives_ms, self._net.sched.now_ms + self._net.latency_ms)
        self._net.sched.at(self._arrives_ms, what, *args)

    def _get(self, data: bytes) -> None:
        other = self.other
        if self.lost or other is None:
            return
        if other.shut:
            self._net.sched.after(self._net.latency_ms, self.fail, ECONNRESET)
            return
        other._chunks.append(data)
        other.notify()

    def _end(self) -> None:
        other = self.other
        if not self.lost and other is not None:
            other._ended = True
            other.notify()

    def _tell_read(self, count: int) -> None:
        if not self._read and not self.lost:
            self._net.sched.after(self._net.latency_ms, self._make_room)
        self._read += count

    def _make_room(self) -> None:
        count, self._read = self._read, 0
        if not self.lost and self.other is not None:
            self.other._room += count
            self.other.notify()

    def connect(self) -> None:
        """The other end has answered."""
        if self.shut and self.other is not None:  # too late
            self._net.sched.after(self._net.latency_ms, self.other.fail, ECONNRESET)
        elif not self.lost:
            self.connected = True
            self.notify()

    def fail(self, error: int) -> None:
        """The connection is over, unless its packets get lost."""
        if not self.lost and not self.shut and not self._error:
            self._error = error
            self._net.leave(self)
            self.notify()

    def notify(self) -> None:
        """Something changed."""
        if self.on_event is not None:
            self.on_event()
