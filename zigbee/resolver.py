"""Finding out who is behind an unknown short address, while what it told is held.

Owns the held events and the look-ups. Must never drop an alarm before the device had time to answer (fault 33), nor let
one that never answers hold up another's look-up.
"""

import asyncio

from micropython import const

from zigbee.frames import UTIL_ADDRMGR_NWK_ADDR_LOOKUP, ZDO_IEEE_ADDR_REQ
from zigbee.guard import wait_limited
from zigbee.held import Held
from zigbee.link import Link, LinkError
from zigbee.told import is_alarm

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_FIRST_MS = const(500)  # a device that has just sent listens for a moment
_AGAIN_MS = const(5000)  # a sleeping device answers when it polls
_LOOKUPS = const(6)
_NOBODY = (bytes(8), b"\xff" * 8)


class Resolver:
    """hold() an event of an unknown address; learn(short, wire) is called with what is found; run_once() for ever."""

    def __init__(self, link: Link, clock: "Any", log: "Any", learn: "Callable[[int, bytes], Any]") -> None:
        self._link = link
        self._clock = clock
        self._log = log
        self._learn = learn
        self.held = Held()
        self._asked: dict = {}  # short -> [look-ups, when the last one was]; only of those that are held
        self._wake = asyncio.Event()

    def hold(self, short: int, endpoint: int, kind: int, value: int, tsn: int, lqi: int) -> None:
        """Keep an event until its sender is known. An alarm has it asked soon, and as often as it takes, again."""
        if not self.held.put(short, endpoint, kind, value, tsn, lqi):
            return
        asked = self._asked.get(short)
        if asked is None:
            self._wake.set()
        elif asked[0] > 1 and is_alarm(kind, value):
            asked[0] = 1
            self._wake.set()

    async def run_once(self) -> None:
        """Look up who is due, each at its own time; what nobody knows after all tries is given up, loudly."""
        self._wake.clear()
        shorts = self.held.shorts()
        self._asked = {short: self._asked[short] for short in shorts if short in self._asked}
        if not shorts:
            await self._wake.wait()
            return
        wait_ms = _AGAIN_MS
        for short in shorts:
            left_ms = self._left_ms(short)
            if left_ms <= 0:
                left_ms = _FIRST_MS
                await self._next(short)
            wait_ms = min(wait_ms, left_ms)
        await wait_limited(self._wake, wait_ms)

    def _left_ms(self, short: int) -> int:
        """Until it is to be looked up again."""
        asked = self._asked.get(short)
        if asked is None:
            return 0
        return asked[1] + (_AGAIN_MS if asked[0] > 1 else _FIRST_MS) - self._clock.ms()

    async def _next(self, short: int) -> None:
        asked = self._asked.get(short)
        if asked is None:
            asked = self._asked[short] = [0, 0]
        if asked[0] >= _LOOKUPS:
            self._log.error("zigbee: %d messages from %04x, whose address could not be found" % (
                self.held.drop(short), short))
            return
        asked[0] += 1
        asked[1] = self._clock.ms()
        await self._look_up(short)

    async def _look_up(self, short: int) -> None:
        where = bytes((short & 0xFF, short >> 8))
        try:
            wire = await self._link.request(UTIL_ADDRMGR_NWK_ADDR_LOOKUP, where)
            if wire not in _NOBODY:
                self._learn(short, wire)
                return
            await self._link.request(ZDO_IEEE_ADDR_REQ, where + b"\x00\x00")
        except LinkError as error:
            self._asked[short][0] = min(self._asked[short][0], _LOOKUPS - 1)  # the chip's fault, not the device's
            self._log.warning("zigbee: looking %04x up: %s" % (short, error))
