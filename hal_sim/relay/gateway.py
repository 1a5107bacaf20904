"""One gateway as the relay knows it: what was committed of it, whether it is heard, what it was commanded.

Owns the watch for silence: three times the interval of its heartbeat without a word.
"""

from hal_sim.relay.commands import Commands
from hal_sim.relay.committed import Committed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler

_EVERY_S = 60
_MOST_EVERY_S = 86400
_MISSED = 3


class Gateway:
    """emit(what): a line about it."""

    def __init__(self, sched: "Scheduler", emit: "Callable[[str], Any]", commands: Commands) -> None:
        self._sched = sched
        self._emit = emit
        self.commands = commands
        self.committed = Committed()
        self.is_up = False  # its link, as it said last
        self.is_silent = False
        self.beats = 0
        self.every_s = _EVERY_S
        self._heard_ms = -1
        self._watched = False

    def heard(self) -> None:
        """It said something."""
        self._heard_ms = self._sched.now_ms
        if self.is_silent:
            self.is_silent = False
            self._emit("heard")
        self._watch()

    def beat(self, every_s: "Any") -> None:
        """Its heartbeat, which says how long until the next."""
        self.beats += 1
        if isinstance(every_s, int) and 1 <= every_s <= _MOST_EVERY_S:
            self.every_s = every_s

    def _watch(self) -> None:
        if not self._watched:
            self._watched = True
            self._sched.at(self._silent_ms(), self._look)

    def _silent_ms(self) -> int:
        return self._heard_ms + _MISSED * self.every_s * 1000

    def _look(self) -> None:
        self._watched = False
        if self._sched.now_ms < self._silent_ms():
            self._watch()
        elif not self.is_silent:
            self.is_silent = True
            self._emit("silent")
