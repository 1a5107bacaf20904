"""The home around the served board: the simulated chips, in real time while a program runs on the board.

Owns the pace. The world stands still while the REPL waits for a key. A reset starts the home anew; what outlives it
are the board's files, its journal and its RTC memory. The timeline goes to timeline.jsonl beside the board's files.
"""

import json

import board_end
import utime
from board_files import HOME
from micropython import const

from hal_sim.home import Home
from hal_sim.sched import Scheduler
from hal_sim.vtime import Kernel, install

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SLICE_MS = 20  # how late Ctrl-C may be seen
_BEHIND_MS = 1000  # further behind than this (the REPL waited), time goes on from where it is


class RealPace:
    """Holds the world back to real time."""

    def __init__(self, sched: Scheduler) -> None:
        self._sched = sched
        self._virtual0 = sched.now_ms
        self._real0 = utime.ticks_ms()

    def _now(self) -> int:
        return self._virtual0 + utime.ticks_diff(utime.ticks_ms(), self._real0)

    def wait(self, target_ms: int) -> int:
        """Sleep until the world may be at target_ms; returns the time reached."""
        if self._now() - self._sched.now_ms > _BEHIND_MS:
            self._virtual0 = self._sched.now_ms
            self._real0 = utime.ticks_ms()
        while self._now() < target_ms:
            utime.sleep_ms(min(_SLICE_MS, target_ms - self._now()))
        return target_ms


class ServedHome(Home):
    """A home whose board has files of its own."""

    def _write_files(self, scenario: dict) -> None:
        """Settings and sensors are the board's, not the scenario's."""


def open_home(kernel: Kernel, sched: Scheduler) -> Home:
    """The home, powered, with the controller about to run. The board's files are mounted by now."""
    scenario = {"sensors": _sensors()}
    home = ServedHome(sched, kernel, scenario, HOME, _timeline())
    home.root = ""
    home.power_on()
    board: Any = home.boot("power" if board_end.CAUSE == "power" else "reset")
    board.sched = sched
    board.block = kernel.block
    kernel.pace = RealPace(sched)
    return home


def start_time() -> "tuple[Kernel, Scheduler]":
    """Before anything imports `time` or `asyncio`."""
    sched = Scheduler()
    return install(sched), sched


def _sensors() -> list:
    """The sensors of the home are those the board knows; what is no list of sensors is none."""
    try:
        with open("/sensors.json") as file:
            items = json.load(file)
        return [item for item in items if isinstance(item.get("name"), str) and isinstance(item.get("kind"), str)]
    except (OSError, ValueError, AttributeError, TypeError):
        return []


def _timeline() -> "Callable[[str], None]":
    file = board_end.append("timeline.jsonl")

    def write(line: str) -> None:
        file.write(line + "\n")

    return write
