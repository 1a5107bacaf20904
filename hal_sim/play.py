"""The simulator's process: `micropython -m hal_sim.play run|play APP ROOT`, scenario on the first line of stdin.

run: virtual time to the scenario's end. play: real time, steps as JSON lines on stdin, {"do": "speed", "x": n} to go
faster. The timeline goes to stdout, a JSON object a line. APP is the module whose run(board) is the firmware.
"""

import json
import sys

from hal_sim.sched import Scheduler
from hal_sim.vtime import install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_SPEED = 600
_TELL_MS = 250  # real time between two lines that say how far the world is
_BEHIND_MS = 500  # real time: so much the world may catch up; what is more is given up


class Pace:
    """Holds the world back to real time times `speed`, and takes the steps that come in meanwhile."""

    def __init__(self, sched: "Scheduler", clock: "Any", poller: "Any") -> None:
        self._sched = sched
        self._clock = clock  # the real time module
        self._poller = poller
        self.home: Any = None
        self._speed = 1
        self._told = clock.ticks_ms()
        self._rebase()

    def _rebase(self) -> None:
        self._virtual0 = self._sched.now_ms
        self._real0 = self._clock.ticks_ms()

    def _now(self) -> int:
        return self._virtual0 + self._clock.ticks_diff(self._clock.ticks_ms(), self._real0) * self._speed

    def wait(self, target_ms: int) -> int:
        """Sleep until the world may be at target_ms, or a step came in; returns the time reached."""
        self._tell()
        while True:
            now = self._now()
            if now >= target_ms:
                return self._behind(now, target_ms)
            if self._poller.poll(min(1000, max(1, (target_ms - now) // self._speed))):
                self._sched.run_until(min(max(self._now(), self._sched.now_ms), target_ms))
                self._take(sys.stdin.readline())
                return self._sched.now_ms

    def _behind(self, now_ms: int, target_ms: int) -> int:
        """The world is late: people are heard all the same, and a world that cannot go so fast goes slower."""
        if now_ms - target_ms > _BEHIND_MS * self._speed:
            self._rebase()
        if not self._poller.poll(0):
            return target_ms
        self._take(sys.stdin.readline())
        return self._sched.now_ms

    def _tell(self) -> None:
        """When time runs fast only the world itself knows how far it is."""
        now = self._clock.ticks_ms()
        if self._speed > 1 and self._clock.ticks_diff(now, self._told) >= _TELL_MS:
            self._told = now
            print('{"t": %d, "what": "now"}' % self._sched.now_ms)

    def _take(self, line: str) -> None:
        if not line:
            raise SystemExit
        try:
            step = json.loads(line)
        except ValueError:
            step = None
        if isinstance(step, dict) and step.get("do") == "speed":
            speed = step.get("x")
            self._speed = min(max(speed, 1), _MAX_SPEED) if isinstance(speed, int) else 1
            self._rebase()
        else:
            self.home.try_step(step)


def main(mode: str, app: str, root: str) -> None:
    """See the module's text."""
    scenario = json.loads(sys.stdin.readline())
    sched = Scheduler()
    kernel = install(sched)
    from hal_sim.home import Home
    from hal_sim.run import run

    if mode == "play":
        kernel.pace = _pace(sched)
    home = Home(sched, kernel, scenario, root, print)
    if kernel.pace is not None:
        kernel.pace.home = home
    run(home, __import__(app, None, None, ("run",)).run)


def _pace(sched: "Scheduler") -> Pace:
    import select

    import utime

    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    return Pace(sched, utime, poller)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
