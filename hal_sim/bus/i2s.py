"""A simulated I2S output: machine.I2S (TX, 16 kHz, 16-bit, mono) on one side, what hears it on the other.

Owns the transmit buffer and how fast it empties. Must never look at the samples. As on the ESP32, write()
blocks until the object was polled once (ports/esp32 machine_i2s.c: a poll puts it into asyncio mode);
nothing can block here, so such a write takes everything and is counted in `blocking_writes`.
"""

import io

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from hal_sim.room_speaker import RoomSpeaker
    from hal_sim.sched import Scheduler

_POLL = 3
_POLL_WR = 4
_BYTES_A_MS = 32
_ENODEV = 19
_EINVAL = 22


class I2S(io.IOBase):
    """`ear.hear(data, tick)` gets the samples when they become audible; tick is the exact time in 1/32 ms.

    `ear.lost()` is called when what is on its way is not played.
    fault: None, "raise" (write raises OSError) or "stuck" (takes nothing, never writable).
    """

    TX = 1
    MONO = 0

    def __init__(self, sched: "Scheduler", ear: "RoomSpeaker | None" = None, ibuf: int = 2048) -> None:
        self._sched = sched
        self._ibuf = ibuf
        self._busy_until = 0  # in 1/32 ms, the time one byte takes
        self._pending: list = []  # (tick, data) not yet audible, at most ibuf bytes
        self._nonblocking = False
        self.ear = ear
        self.fault: str | None = None
        self.blocking_writes = 0
        self.written_bytes = 0

    def init(self, **_options: object) -> None:
        self.deinit()

    def deinit(self) -> None:
        """What was not yet audible is lost, as when the controller restarts."""
        self._pending = []
        self._busy_until = self._sched.now_ms * _BYTES_A_MS
        self._nonblocking = False
        if self.ear is not None:
            self.ear.lost()

    def close(self) -> None:
        """The controller stops: nothing of this output acts on the world any more."""
        self._pending = []
        self.ear = None

    def buffered(self) -> int:
        """Bytes written and not yet played."""
        return max(0, self._busy_until - self._sched.now_ms * _BYTES_A_MS)

    def write(self, buf: bytes) -> int:
        """Take as many whole samples as there is room for; how many bytes."""
        if self.fault == "raise":
            raise OSError(_ENODEV)
        if self.fault == "stuck":
            return 0
        count = len(buf)
        if self._nonblocking:
            count = min(count, self._ibuf - self.buffered()) & ~1
        else:
            self.blocking_writes += 1
        if count <= 0:
            return 0
        start = max(self._busy_until, self._sched.now_ms * _BYTES_A_MS)
        self._busy_until = start + count
        self.written_bytes += count
        self._pending.append((start, bytes(buf[:count])))
        self._sched.at(start // _BYTES_A_MS, self._audible, self._pending)
        return count

    def ioctl(self, request: int, arg: int) -> int:
        if request != _POLL:
            return -_EINVAL
        self._nonblocking = True
        if self.fault == "stuck" or not arg & _POLL_WR:
            return 0
        return _POLL_WR if self.buffered() < self._ibuf else 0

    def _audible(self, pending: list) -> None:
        """The oldest write begins to play. pending: the list it was put on, another one after deinit."""
        if not pending or pending is not self._pending:
            return
        tick, data = pending.pop(0)
        if self.ear is not None:
            self.ear.hear(data, tick)
