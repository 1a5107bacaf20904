"""The home's time as the server knows it: the moment it heard of last, run on at the pace the home really has.

Owns that pace. It is below the speed that was asked for when the computer is busy, or when a real socket holds the
home to real time (hal_sim/play.py).
"""

from __future__ import annotations

import datetime
import time

KST = datetime.timezone(datetime.timedelta(hours=9))  # the home is in Korea; a relay tells its gateway the true time
_MEASURED_S = 0.2  # real time over which the pace is measured


class HomeClock:
    """`now_ms`: ms since the home began; `epoch_ms`: when that was, ms since 1970."""

    def __init__(self, start: str) -> None:
        self.epoch_ms = datetime.datetime.fromisoformat(start).replace(tzinfo=KST).timestamp() * 1000
        self.speed = 1  # as asked for
        self.pace = 1.0
        self._t_ms, self._at_s = 0.0, time.monotonic()
        self._paced = (self._t_ms, self._at_s)

    def now_ms(self) -> float:
        """The best guess: in fast time it may be ahead, the world is held while something passes on a socket."""
        return self._t_ms + self._since_ms() * self.pace

    def reached_ms(self) -> float:
        """What the home has reached at least: no line that comes later has a time before it."""
        return self._t_ms + self._since_ms() * min(self.pace, 1.0)

    def wall_ms(self) -> float:
        """ms since 1970 of what it has reached; the relay runs its own clock on in the same way."""
        return self.epoch_ms + self.reached_ms()

    def _since_ms(self) -> float:
        return (time.monotonic() - self._at_s) * 1000

    def hear(self, t_ms: object) -> None:
        """It is so late, says a line of the home."""
        if isinstance(t_ms, (int, float)):
            self._t_ms, self._at_s = float(t_ms), time.monotonic()

    def measure(self) -> bool:
        """Take the pace from two moments that are not too near to each other; False: not yet."""
        t_ms, at_s = self._paced
        if self._at_s - at_s < _MEASURED_S:
            return False
        self.pace = max((self._t_ms - t_ms) / (self._at_s - at_s) / 1000, 0)
        self._paced = (self._t_ms, self._at_s)
        return True

    def run_at(self, speed: int) -> None:
        """From now on."""
        self._t_ms, self._at_s = self.reached_ms(), time.monotonic()
        self._paced = (self._t_ms, self._at_s)
        self.speed, self.pace = speed, float(speed)

    def told(self) -> dict:
        """As the pages get it."""
        return {"x": self.speed, "pace": self.pace, "now": self.now_ms()}
