"""Time: monotonic milliseconds that never wrap, and wall time with how far it can be trusted.

Owns both. The relay's word and the clock chip's are *sure*; the mobile network's is good for the dates of records, but
no certificate is judged by it: anybody's transmitter can be a network. Must never let wall time decide a delay:
everything that waits uses ms().
"""

import time

from drivers.pcf8563 import Pcf8563
from firmware.calendar import civil_from_days, seconds_of

_EARLIEST_MS = 1_767_225_600_000  # 2026-01-01: nobody's present time is before this
_LATEST_MS = 4_102_444_800_000  # 2100-01-01: what the clock chip can hold
_CLOSE_MS = 2000  # no reason to set the clock


class Clock:
    """ms() extends ticks_ms, which wraps every 2^30 ms on the board; it must be read once in 6 days."""

    def __init__(self, rtc_chip: Pcf8563) -> None:
        self._chip = rtc_chip
        self._last = time.ticks_ms()
        self._ms = 0
        self._offset_ms: int | None = None  # wall time (ms since 1970, UTC) minus ms()
        self._sure = False
        self.read_chip()

    def ms(self) -> int:
        """Milliseconds since boot."""
        now = time.ticks_ms()
        self._ms += time.ticks_diff(now, self._last)
        self._last = now
        return self._ms

    def read_chip(self) -> bool:
        """Take the wall time from the clock chip; False when it does not know it."""
        try:
            date = self._chip.read()
        except Exception:  # noqa: BLE001 - a chip that fails is a clock that is not set
            date = None
        if not date:
            return False
        self._offset_ms = seconds_of(date) * 1000 - self.ms()
        self._sure = True
        return True

    def quality(self) -> str:
        """How far wall time can be trusted, as records say it: unset, network, set."""
        if self._offset_ms is None:
            return "unset"
        return "set" if self._sure else "network"

    def wall_ms(self, at_ms: int) -> "int | None":
        """Wall time in ms since 1970, UTC, of a monotonic time; None while the clock is not set."""
        return None if self._offset_ms is None else at_ms + self._offset_ms

    def wall_s(self) -> int:
        """Seconds since 1970, UTC; 0 while the clock is not set."""
        return 0 if self._offset_ms is None else (self.ms() + self._offset_ms) // 1000

    def sure_s(self) -> int:
        """As wall_s; 0 too while only the mobile network told it."""
        return self.wall_s() if self._sure else 0

    def hear_network(self, at_ms: int) -> bool:
        """It is at_ms now (ms since 1970, UTC), says the mobile network. False: that cannot be, or is known better."""
        if self._sure or not _EARLIEST_MS <= at_ms < _LATEST_MS:
            return False
        self._offset_ms = at_ms - self.ms()
        return True

    def set_wall(self, at_ms: int) -> bool:
        """It is at_ms now (ms since 1970, UTC), says somebody who can be trusted. False: that cannot be.

        A clock that is right within 2 s is left alone. Delays know nothing of it: they count ms().
        """
        if not _EARLIEST_MS <= at_ms < _LATEST_MS:
            return False
        now = self.ms()
        if self._offset_ms is None or not self._sure or abs(now + self._offset_ms - at_ms) > _CLOSE_MS:
            self._offset_ms = at_ms - now
            self._sure = True
            self._write_chip(at_ms // 1000)
        return True

    def _write_chip(self, wall_s: int) -> None:
        days, rest = divmod(wall_s, 86400)
        date = civil_from_days(days) + (rest // 3600, rest // 60 % 60, rest % 60)
        try:
            self._chip.write(date, (days + 4) % 7)
        except Exception:  # noqa: BLE001 - the time is known all the same, until the next start
            return
