"""A simulated UART: the interface of machine.UART on one side, a chip on the other.

Owns the bytes on the wire and how long they take. Must never look inside them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hal_sim.sched import Scheduler

_POLL = 3  # MP_STREAM_POLL, the request asyncio's queue makes of a stream
_POLL_RD = 1
_POLL_WR = 4
_BITS_A_BYTE = 10  # start, eight data, stop


class UART:
    """machine.UART as the firmware sees it; `peer.feed(bytes)` and `deliver` are the far end.

    A byte that finds the receive ring full is lost and counted in `overruns`, as on the board.
    """

    def __init__(self, sched: "Scheduler", baudrate: int = 115200, rxbuf: int = 4096) -> None:
        self._sched = sched
        self._rate = baudrate
        self._limit = rxbuf
        self._rx = bytearray()
        self._tx_free_ms = 0
        self._rx_free_ms = 0
        self.peer: Any = None
        self.overruns = 0
        self.tx_bytes = 0
        self.rx_bytes = 0

    def init(self, baudrate: int = 115200, **_options: "Any") -> None:
        self._rate = baudrate

    def deinit(self) -> None:
        self._rx = bytearray()

    def any(self) -> int:
        return len(self._rx)

    def read(self, nbytes: int = -1) -> "Any":
        """Up to nbytes received bytes, or None when there are none."""
        if not self._rx:
            return None
        count = len(self._rx) if nbytes < 0 else min(nbytes, len(self._rx))
        data = bytes(self._rx[:count])
        self._rx = self._rx[count:]
        return data

    def readinto(self, buf: "Any", nbytes: int = -1) -> "Any":
        """Received bytes into buf; returns their count, or None when there are none."""
        if not self._rx:
            return None
        count = min(len(buf) if nbytes < 0 else min(nbytes, len(buf)), len(self._rx))
        buf[:count] = self._rx[:count]
        self._rx = self._rx[count:]
        return count

    def write(self, buf: "Any") -> int:
        """Send buf; the far end gets it when the last bit would have left the wire."""
        data = bytes(buf)
        self.tx_bytes += len(data)
        start = max(self._tx_free_ms, self._sched.now_ms)
        self._tx_free_ms = start + self._line_ms(len(data))
        self._sched.at(self._tx_free_ms, self._to_peer, data)
        return len(data)

    def txdone(self) -> bool:
        return self._tx_free_ms <= self._sched.now_ms

    def flush(self) -> None:
        """Nothing to wait for: the wire takes what it is given."""

    def ioctl(self, request: int, arg: int) -> int:
        if request != _POLL:
            return 0
        ready = arg & _POLL_WR
        return ready | _POLL_RD if self._rx and arg & _POLL_RD else ready

    def deliver(self, data: bytes) -> None:
        """The far end sends: bytes reach the receive ring after their time on the wire."""
        start = max(self._rx_free_ms, self._sched.now_ms)
        self._rx_free_ms = start + self._line_ms(len(data))
        self._sched.at(self._rx_free_ms, self._receive, bytes(data))

    def _line_ms(self, count: int) -> int:
        return (count * _BITS_A_BYTE * 1000 + self._rate - 1) // self._rate

    def _to_peer(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.feed(data)

    def _receive(self, data: bytes) -> None:
        room = self._limit - len(self._rx)
        if len(data) > room:
            self.overruns += len(data) - max(room, 0)
            data = data[:max(room, 0)]
        self.rx_bytes += len(data)
        self._rx.extend(data)
