"""Named tasks that must not die, and the watchdog that is fed only while the vital ones live.

Owns the watchdog. A task that ends or raises is started again after a back-off; the emergency never waits for it.
A vital task says `beat(name)` at least every BEAT_LIMIT_MS; one that does not is a reset by the watchdog.
"""

import asyncio
import gc

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from machine import WDT

    from firmware.clock import Clock
    from firmware.log import Log

WATCHDOG_MS = 8000  # fault 86: reset within 8 to 10 s of a hang
BEAT_LIMIT_MS = 15000  # a vital task may wait this long for its chip before it must say that it lives
_FEED_MS = 3000
_SPARE_BYTES = 4096  # what a call needs in one piece, several times over
_STARVED = 2  # looks in a row: one failure may be chance
_ANY = (Exception, asyncio.CancelledError)  # made here: written in the handler it would take memory there
_BACK_OFF_MS = (100, 500, 2000, 10000, 30000)


class Supervisor:
    """clock, log: the gateway's; on_death(name, error): told of each task that had to be started again."""

    def __init__(self, clock: "Clock", log: "Log", on_death: "Callable[[str, BaseException | None], None]") -> None:
        self._clock = clock
        self._log = log
        self._on_death = on_death
        self._tasks: list = []  # every task is referenced here, or asyncio may lose it
        self._beats: dict = {}
        self._vital: list = []
        self._starved = 0
        self.deaths: dict = {}

    def start(self, name: str, run: "Callable[[], Any]", vital: bool = False, urgent: bool = False) -> None:
        """Run the coroutine function `run` for ever. A vital one must beat; an urgent one is restarted at once."""
        if vital:
            self._vital.append(name)
            self._beats[name] = self._clock.ms()
        self._tasks.append(asyncio.create_task(self._keep(name, run, vital or urgent)))

    def beat(self, name: str) -> None:
        """The task `name` is alive and getting on."""
        self._beats[name] = self._clock.ms()

    async def _keep(self, name: str, run: "Callable[[], Any]", urgent: bool) -> None:
        failures = 0
        while True:
            started = self._clock.ms()
            error: BaseException | None = None
            try:
                await run()
            except _ANY as caught:  # noqa: BLE001 - a dead task is a dead alarm
                # wait_for_ms turns want of memory into CancelledError; nobody cancels a task kept here
                error = caught
                gc.collect()
            if self._clock.ms() - started > 60000:
                failures = 0
            delay = _BACK_OFF_MS[0 if urgent else min(failures, len(_BACK_OFF_MS) - 1)]
            failures += 1
            self._report(name, error)
            await asyncio.sleep_ms(delay)

    def _report(self, name: str, error: "BaseException | None") -> None:
        try:
            self.deaths[name] = self.deaths.get(name, 0) + 1
            self._log.error("task %s ended: %r" % (name, error))
            self._on_death(name, error)
        except Exception:  # noqa: BLE001 - telling of it must not keep it dead
            gc.collect()

    def stale(self) -> "str | None":
        """The first vital task that has not said for too long that it lives."""
        now = self._clock.ms()
        for name in self._vital:
            if now - self._beats[name] > BEAT_LIMIT_MS:
                return name
        return None

    def starving(self) -> bool:
        """Somebody keeps the memory: a reset gives it back, and the journal goes on with what was under way."""
        try:
            bytearray(_SPARE_BYTES)
            self._starved = 0
        except MemoryError:
            self._starved += 1
        return self._starved >= _STARVED

    async def feed(self, wdt: "WDT | None") -> None:
        """Feed the watchdog while every vital task is fresh; wdt None: only tell."""
        while True:
            stale = self.stale()
            if stale is not None:
                self._log.error("task %s hangs: leaving the watchdog to it" % stale)
            elif self.starving():
                self._log.error("no memory is left: leaving the watchdog to it")
            elif wdt is not None:
                wdt.feed()
            await asyncio.sleep_ms(_FEED_MS)
