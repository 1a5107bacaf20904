"""The simulator's process: `micropython -m hal_sim.play run|play APP ROOT`, scenario on the first line of stdin.

run: virtual time to the scenario's end. play: real time, steps as JSON lines on stdin, {"do": "speed", "x": n} to go
faster; with "internet": "host" in the scenario the gateway has the computer's own network, and time does not run fast
while something passes on it. The timeline goes to stdout, a JSON object a line. APP is the module whose run(board) is
the firmware.
"""

import json
import sys

from hal_sim.sched import Scheduler
from hal_sim.steps import ScenarioError
from hal_sim.vtime import install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_SPEED = 600
_TELL_MS = 250  # real time between two lines that say how far the world is
_BEHIND_MS = 500  # real time: so much the world may catch up; what is more is given up


class Pace:
    """Holds the world back to real time times `speed`; takes steps that come in, wakes who waits for a socket."""

    def __init__(self, sched: "Scheduler", clock: "Any", poller: "Any") -> None:
        self._sched = sched
        self._clock = clock  # the real time module
        self._poller = poller
        self.home: Any = None
        self._speed = 1
        self._rate = 1  # of time now: the speed, or 1 while a socket holds it
        self._held_ms = clock.ticks_ms()  # real time until which it does
        self._watched: list = []
        self._line = False
        self._told = clock.ticks_ms()
        self._rebase()

    def _rebase(self) -> None:
        self._virtual0 = self._sched.now_ms
        self._real0 = self._clock.ticks_ms()

    def _now(self) -> int:
        return self._virtual0 + self._clock.ticks_diff(self._clock.ticks_ms(), self._real0) * self._rate

    # ------------------------------------------------------------------ real sockets and fast time
    def hold(self, for_ms: int) -> None:
        """Something passes on a socket: for so much real time more the world keeps to it."""
        until = self._clock.ticks_ms() + for_ms
        if self._speed == 1 or (self._rate == 1 and self._clock.ticks_diff(until, self._held_ms) <= 0):
            return
        self._held_ms = until
        if self._rate != 1:
            self._set_rate(1)
            self._say()  # whoever is at the far end of the socket may want to know the time

    def shorten(self, for_ms: int) -> None:
        """What was waited for is there: the world is held so long from now on, no longer."""
        if self._rate != self._speed:
            self._held_ms = self._clock.ticks_ms() + for_ms

    def _set_rate(self, rate: int) -> None:
        self._rebase()
        self._rate = rate

    def _held(self) -> int:
        """Real ms for which the world is held still; 0: it is not, any more."""
        if self._rate == self._speed:
            return 0
        left = self._clock.ticks_diff(self._held_ms, self._clock.ticks_ms())
        if left <= 0:
            self._set_rate(self._speed)
        return max(left, 0)

    # ------------------------------------------------------------------ waiting
    def wait(self, target_ms: int) -> int:
        """Sleep until the world may be at target_ms, or a step came in; returns the time reached."""
        self._tell()
        while True:
            held = self._held() or 1000
            now = self._now()
            if now >= target_ms:
                return self._behind(now, target_ms)
            if self._poll(min(held, 1000, max(1, (target_ms - now) // self._rate))):
                self._sched.run_until(min(max(self._now(), self._sched.now_ms), target_ms))
                self._take_line()
                return self._sched.now_ms

    def _behind(self, now_ms: int, target_ms: int) -> int:
        """The world is late: people are heard all the same, and a world that cannot go so fast goes slower."""
        if now_ms - target_ms > _BEHIND_MS * self._rate:
            self._rebase()
        self._poll(0)
        if not self._line:
            return target_ms
        self._take_line()
        return self._sched.now_ms

    # ------------------------------------------------------------------ sockets of the host's network
    def watch(self, socket: "Any", events: int) -> None:
        """Whoever waits is woken once one of the events is there."""
        for one in self._watched:
            if one[0] is socket:
                one[1] |= events
                self._poller.modify(socket, one[1])
                return
        self._watched.append([socket, events])
        self._poller.register(socket, events)

    def forget(self, socket: "Any") -> None:
        """That socket is to be closed."""
        for one in self._watched:
            if one[0] is socket:
                self._watched.remove(one)
                self._poller.unregister(socket)
                return

    def _poll(self, limit_ms: int) -> bool:
        """Something came within the limit; `_line`: on stdin."""
        self._line = False
        found = self._poller.poll(limit_ms)
        for one in found:
            if one[0] is sys.stdin:
                self._line = True
            else:
                self.forget(one[0])
        return bool(found)

    def _tell(self) -> None:
        """When time runs fast only the world itself knows how far it is."""
        now = self._clock.ticks_ms()
        if self._speed > 1 and self._clock.ticks_diff(now, self._told) >= _TELL_MS:
            self._say()

    def _say(self) -> None:
        self._told = self._clock.ticks_ms()
        print('{"t": %d, "what": "now"}' % self._sched.now_ms)

    def _take_line(self) -> None:
        """A step from stdin, if one is there."""
        if not self._line:
            return
        line = sys.stdin.readline()
        if not line:
            raise SystemExit
        try:
            step = json.loads(line)
        except ValueError:
            step = None
        if isinstance(step, dict) and step.get("do") == "speed":
            speed = step.get("x")
            self._speed = min(max(speed, 1), _MAX_SPEED) if isinstance(speed, int) else 1
            held = self._clock.ticks_diff(self._held_ms, self._clock.ticks_ms()) > 0
            self._set_rate(1 if held else self._speed)
        else:
            self.home.try_step(step)


def main(mode: str, app: str, root: str) -> None:
    """See the module's text."""
    scenario = json.loads(sys.stdin.readline())
    sched = Scheduler()
    kernel = install(sched)
    from hal_sim.home import Home
    from hal_sim.run import run

    net = None
    if mode == "play":
        kernel.pace = _pace(sched)
        if scenario.get("internet") == "host":
            from hal_sim.bus.hostnet import HostNet

            net = HostNet(kernel.pace.watch, kernel.pace.forget, kernel.pace.hold, kernel.pace.shorten)
    try:
        home = Home(sched, kernel, scenario, root, print, net)
    except ScenarioError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
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
