"""When somebody moved, by the minute: 30 bits a minute of one activity sensor, 150 bits every 5 min (ZB-07, SNS-03).

Owns the last minutes of one sensor, and what is known of them. Pure: time comes in with each call. Must never take a
minute nobody reported for a quiet one, and never lose one because two reports came within one minute of the gateway's.

A minute is the gateway's, counted from its start. Our own sensors send a mask a minute (docs/zigbee-profile.md): it is
dated by its arrival, and by its number as long as the two differ by a minute at most. Bought movement sensors tell when
movement begins and, most of them, when it ends; their mask is made from that.
"""

from array import array

from micropython import const

MINUTES = const(5)  # of a record
_RING = const(16)  # minutes kept: a record's, those it waits for, and what may come late
_WAIT = const(3)  # minutes until a record is made: the last report, and the next that repeats it
_MINUTE_MS = const(60_000)
_SAMPLE_MS = const(2000)
_SAMPLES = const(30)
_HOLD_MS = const(600_000)  # movement without an end counts so long, unless the device is known better
_NONE = const(-1 << 30)


class Mask:
    """hold_ms: how long movement counts that is told without an end; 0: until it is told, 10 min at most."""

    def __init__(self, now_ms: int, hold_ms: int = 0) -> None:
        self._hold_ms = hold_ms or _HOLD_MS
        self._masks = array("I", [0] * _RING)
        self._known = 0  # bit per place in the ring
        self._top = now_ms // _MINUTE_MS
        self._next = self._top // MINUTES  # the window that is recorded next
        self.own = False  # it sends masks
        self.last = 0  # the last mask, as a value
        self._number = _NONE  # of the last report, as the sensor counts
        self._minute = 0  # the gateway's minute of it
        self._on_ms = _NONE  # movement since; _NONE: none
        self._marked = 0  # up to this sample, in 2 s of the gateway

    # ------------------------------------------------------------------ our own sensors
    def report(self, now_ms: int, number: int, mask: int, before: int, valid: bool) -> None:
        """A sensor's minute `number`, ended now. before: the one before it, -1: not told. valid: the masks mean it."""
        self.own = True
        step = number - self._number
        if not valid:
            mask = before = 0
        if step == 0 and mask == self.last and number:
            return
        if step == -1 and number:  # came late
            self._put(self._minute - 1, mask, valid)
            return
        minute = (now_ms - _MINUTE_MS // 2) // _MINUTE_MS
        if 0 < step < _RING and abs(self._minute + step - minute) <= 1:
            minute = self._minute + step
        self._number, self._minute, self.last = number, minute, mask
        self._put(minute, mask, valid)
        if number and before >= 0:
            self._put(minute - 1, before, valid)

    # ------------------------------------------------------------------ bought sensors
    def moved(self, now_ms: int, on: bool) -> None:
        """Movement begins (or goes on), or has ended."""
        self.fill(now_ms)
        if not on:
            self._on_ms = _NONE
            return
        if self._on_ms == _NONE:
            self._marked = now_ms // _SAMPLE_MS - 1
        self._on_ms = now_ms
        self.fill(now_ms)

    @property
    def moving(self) -> bool:
        """Movement was told and has not ended, as of the last fill()."""
        return self._on_ms != _NONE

    def fill(self, now_ms: int) -> None:
        """Mark the movement up to now. Call at least once a minute."""
        if self._on_ms == _NONE:
            return
        end = min(now_ms, self._on_ms + self._hold_ms - 1) // _SAMPLE_MS
        start = max(self._marked + 1, end - _SAMPLES * _RING // 2)
        for sample in range(start, end + 1):
            self._put(sample // _SAMPLES, 1 << sample % _SAMPLES, False)
        self._marked = max(end, self._marked)
        if now_ms - self._on_ms >= self._hold_ms:
            self._on_ms = _NONE

    def watched(self, minute: int) -> None:
        """The gateway heard well in this minute, and the sensor is there: no movement told means none."""
        if not self.own:
            self._put(minute, 0, True)

    # ------------------------------------------------------------------ the ring
    def _put(self, minute: int, mask: int, known: bool) -> None:
        while self._top < minute:
            self._top += 1
            self._masks[self._top % _RING] = 0
            self._known &= ~(1 << self._top % _RING)
            if minute - self._top > _RING:
                self._top = minute - _RING
        if minute <= self._top - _RING or minute < 0:
            return
        self._masks[minute % _RING] |= mask & 0x3FFFFFFF
        if known:
            self._known |= 1 << minute % _RING

    def due(self, now_ms: int) -> bool:
        """A window is complete, and what may still come of it has had its time."""
        return now_ms // _MINUTE_MS >= (self._next + 1) * MINUTES + _WAIT

    def take(self, now_ms: int) -> tuple:
        """(begin in ms, 38 hex digits, known) of the next window. Bit 0, the last digit's lowest, is its first 2 s;
        known has a bit a minute, bit 0 the first."""
        begin = self._next * MINUTES
        if now_ms // _MINUTE_MS - begin >= _RING:  # nobody took any for long
            self._next = (now_ms // _MINUTE_MS - _WAIT) // MINUTES - 1
            begin = self._next * MINUTES
        self._next += 1
        bits = known = 0
        for place in range(MINUTES):
            minute = begin + place
            if minute > self._top or minute <= self._top - _RING:
                continue
            bits |= self._masks[minute % _RING] << _SAMPLES * place
            known |= (self._known >> minute % _RING & 1) << place
        return begin * _MINUTE_MS, "%038x" % bits, known
