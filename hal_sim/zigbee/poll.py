"""When a sleepy device listens: the Poll Control cluster and what follows from it.

Owns the intervals and the check-in. Must never take a timer per poll: when the next one is, is computed.
Source: Zigbee Cluster Library (07-5123), 3.16 Poll Control. All its times are quarter seconds.
"""

from hal_sim.zigbee.mt import le16, put16, put32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.device import EndDevice

_CLUSTER = 0x0020
_QUARTER_MS = 250
_EAGER_MS = 100  # polls after it sent or received something
_EAGER_FOR_MS = 3000
_NEW_FOR_MS = 20_000  # after joining
_ANSWER_MS = 7680  # a check-in is answered within this or not at all
_CHECKIN_MIN = 240  # 1 min
_LONG_MIN = 4
_FAST_MAX = 2400  # 10 min
_LONG_MAX = 30  # 7.5 s: a parent keeps a frame for 7.68 s
_UNSUPPORTED = 0x81
_INVALID = 0x87
_DENIED = 0x01
_TIMEOUT = 0x94


class Poll:
    """The poll control of one device; the intervals as attributes, in quarter seconds."""

    def __init__(self, device: "EndDevice") -> None:
        self._device = device
        self._sched = device.sched
        self._timer: list | None = None
        self.reset()

    def reset(self) -> None:
        """As it left the factory, asleep."""
        self.checkin = 14_400
        self.long = 20
        self.short = 1
        self.fast_timeout = 40
        self.eager_until_ms = -1
        self.fast_until_ms = -1
        self._asked_ms = -_ANSWER_MS
        self._sched.cancel(self._timer)
        self._timer = None

    def start(self) -> None:
        """Check-ins from now on."""
        self._plan(1 + self._device.phase * self.checkin * _QUARTER_MS // 0x10000)

    def hurry(self) -> None:
        """It is new here: listen closely."""
        self.fast_until_ms = self._sched.now_ms + _NEW_FOR_MS

    def sent(self) -> None:
        """It sent something and expects an answer."""
        self.eager_until_ms = self._sched.now_ms + _EAGER_FOR_MS

    heard = sent  # there may be more

    def in_ms(self) -> int:
        """When it polls next, ms from now."""
        now = self._sched.now_ms
        if now <= self.eager_until_ms:
            return _EAGER_MS - now % _EAGER_MS
        if now < self.fast_until_ms:
            return self.short * _QUARTER_MS - now % (self.short * _QUARTER_MS)
        every_ms = self.long * _QUARTER_MS
        return every_ms - (now + self._device.phase) % every_ms

    def attributes(self) -> dict:
        """number -> type and value as they travel."""
        return {
            0x0000: b"\x23" + put32(self.checkin), 0x0001: b"\x23" + put32(self.long),
            0x0002: b"\x21" + put16(self.short), 0x0003: b"\x21" + put16(self.fast_timeout),
            0x0004: b"\x23" + put32(_CHECKIN_MIN), 0x0005: b"\x23" + put32(_LONG_MIN),
            0x0006: b"\x21" + put16(_FAST_MAX),
        }  # fmt: skip

    def write(self, number: int, value: bytes) -> int:
        """The check-in interval (0 = none) or the fast poll timeout is written. Returns a ZCL status."""
        if number == 0x0003:
            asked = le16(value, 0)
            if not 1 <= asked <= _FAST_MAX:
                return _INVALID
            self.fast_timeout = asked
            return 0
        asked = le16(value, 0) | le16(value, 2) << 16
        if asked and not _CHECKIN_MIN <= asked <= 0x6E0000:
            return _INVALID
        self.checkin = asked
        self._plan(asked * _QUARTER_MS)
        return 0

    def obey(self, command: int, payload: bytes) -> int:
        """Check-in response, fast poll stop, set long and short poll interval. Returns a ZCL status."""
        now = self._sched.now_ms
        if command == 0x00 and len(payload) >= 3:
            if now - self._asked_ms > _ANSWER_MS:
                return _TIMEOUT
            wanted = le16(payload, 1) or self.fast_timeout
            if wanted > _FAST_MAX:
                return _INVALID
            self.fast_until_ms = now + wanted * _QUARTER_MS if payload[0] else -1
            return 0
        if command == 0x01:
            denied = now >= self.fast_until_ms
            self.fast_until_ms = -1
            return _DENIED if denied else 0
        if command == 0x02 and len(payload) >= 4:
            asked = le16(payload, 0) | le16(payload, 2) << 16
            if not max(_LONG_MIN, self.short) <= asked <= _LONG_MAX:
                return _INVALID
            self.long = asked
            return 0
        if command == 0x03 and len(payload) >= 2:
            asked = le16(payload, 0)
            if not 1 <= asked <= self.long:
                return _INVALID
            self.short = asked
            return 0
        return _UNSUPPORTED

    def _plan(self, in_ms: int) -> None:
        self._sched.cancel(self._timer)
        self._timer = self._sched.after(in_ms, self._check_in) if self.checkin else None

    def _check_in(self) -> None:
        self._plan(self.checkin * _QUARTER_MS)
        if _CLUSTER in self._device.servers and self._device.bound_home(_CLUSTER, False):
            self._asked_ms = self._sched.now_ms
            self._device.command(_CLUSTER, 0x00, b"")
            self.eager_until_ms = self._sched.now_ms + _ANSWER_MS
