"""The interviews under way: which one is next, which wait for a sign of life, which have taken too long.

Owns their list and their order. Must never run more than a few at once, never let one that waits hold up another, and
never go on with one that was dropped: what it would still learn is nobody's any more.
"""

import asyncio

from micropython import const

from zigbee.devices import Device
from zigbee.joining.interview import IDLE, NAMES, RUNNING, WAITING, Interview
from zigbee.joining.outcome import Away, Refusal

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WORKERS = const(3)  # interviews at once; the sender has four frames under way, so one is always left for others
_KEY_MS = const(20_000)  # bdbTrustCenterNodeJoinTimeout is 15 s: who is silent until then could not read the key
_STRANGER_MS = const(180_000)  # what is not of the home by then is given up
_KNOWN_MS = const(600_000)  # what does not work by then is reported, and goes on
_TRY_MS = const(120_000)  # after its last sign of life it is asked again by and by
_AGAIN_MS = const(5000)


class Interviews:
    """finished(interview) and failed(interview, refusal) tell how one ended; late(interview) that it takes too long."""

    def __init__(
        self, clock: "Any", finished: "Callable[[Interview], Any]", failed: "Callable[[Interview, Refusal], Any]",
        late: "Callable[[Interview], Any]",
    ) -> None:  # fmt: skip
        self._clock = clock
        self._finished = finished
        self._failed = failed
        self._late = late
        self._work = asyncio.Event()
        self._all: list = []
        self._ready = False

    @property
    def busy(self) -> bool:
        """There is one to look after in time."""
        for one in self._all:
            if not one.calm:
                return True
        return False

    @property
    def strangers(self) -> int:
        """How many are of devices that are not of the home yet."""
        return sum([not one.admitted for one in self._all])

    def of(self, wire: bytes) -> "Interview | None":
        """The device's own."""
        for interview in self._all:
            if interview.device.wire == wire:
                return interview
        return None

    def add(self, interview: Interview) -> Interview:
        """One more; it waits for a sign of life."""
        self._all.append(interview)
        return interview

    def drop(self, wire: bytes) -> None:
        """No more of it, even if it is running."""
        interview = self.of(wire)
        if interview is not None:
            self._all.remove(interview)
            interview.dropped = True

    def enable(self, on: bool) -> None:
        """The network is up, or not: then who was lately heard of is asked again."""
        self._ready = on
        for interview in self._all:
            if on and self._clock.ms() - interview.woken_ms < _KNOWN_MS:
                self._line_up(interview)

    def alive(self, device: Device, after_ms: int = -1) -> None:
        """A sign of life of the device. after_ms: and it is asked so much later; -1: as soon as it may be."""
        interview = self.of(device.wire)
        if interview is None:
            return
        interview.woken_ms = self._clock.ms()
        if after_ms >= 0:
            interview.start_ms = interview.woken_ms + after_ms
        self._line_up(interview)

    def look(self) -> None:
        """To be called every second or so while busy."""
        now = self._clock.ms()
        for interview in list(self._all):
            if interview.state == RUNNING:
                continue
            since_ms = now - interview.since_ms
            if not interview.admitted and not interview.heard and interview.facts.get("code") and since_ms >= _KEY_MS:
                self._failed(interview, Refusal("no_code", "it could not read the key under its code"))
            elif not interview.admitted and since_ms >= _STRANGER_MS:
                self._failed(interview, Refusal("failed", "no answer"))
            elif since_ms >= _KNOWN_MS and not interview.warned and not interview.facts.get("ready"):
                self._late(interview)
            elif interview.state == WAITING and now >= interview.start_ms:
                self._work.set()

    async def work_once(self) -> None:
        """One interview, as far as it goes. WORKERS of these run at the same time."""
        interview = self._next()
        if interview is None:
            self._work.clear()
            await self._work.wait()
            return
        interview.state = RUNNING
        try:
            await interview.run()
            if not interview.dropped and len(interview.facts["done"]) == len(NAMES):
                self._finished(interview)
        except Away:
            self._pause(interview)
        except Refusal as refusal:
            if not interview.dropped:
                self._failed(interview, refusal)
        finally:
            if interview.state == RUNNING:
                interview.state = IDLE

    def _pause(self, interview: Interview) -> None:
        """It went away; for a while it is asked again, behind the others, then only when it is heard of."""
        if not interview.dropped:
            self._all.remove(interview)
            self._all.append(interview)
        now = self._clock.ms()
        interview.start_ms = now + _AGAIN_MS
        interview.state = WAITING if now - interview.woken_ms < _TRY_MS else IDLE

    def _next(self) -> "Interview | None":
        now = self._clock.ms()
        for interview in self._all:
            if self._ready and interview.state == WAITING and now >= interview.start_ms:
                return interview
        return None

    def _line_up(self, interview: Interview) -> None:
        if interview.state == IDLE:
            interview.state = WAITING
        self._work.set()
