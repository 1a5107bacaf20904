"""Finding out who is behind an unknown short address, while what it told is held.

Owns the held events and the look-ups. Must never drop an alarm before the device had time to answer (fault 33).
"""

import asyncio

from micropython import const

from zigbee.frames import UTIL_ADDRMGR_NWK_ADDR_LOOKUP, ZDO_IEEE_ADDR_REQ
from zigbee.guard import wait_limited
from zigbee.held import Held
from zigbee.link import Link, LinkError

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

    def __init__(self, link: Link, log: "Any", learn: "Callable[[int, bytes], Any]") -> None:
        self._link = link
        self._log = log
        self._learn = learn
        self.held = Held()
        self._unknown = asyncio.Event()
        self._news = asyncio.Event()

    def hold(self, short: int, endpoint: int, kind: int, value: int, tsn: int, lqi: int) -> None:
        """Keep an event until its sender is known."""
        self.held.put(short, endpoint, kind, value, tsn, lqi)
        self._unknown.set()

    def found(self) -> None:
        """Some address was learnt."""
        self._news.set()

    async def run_once(self) -> None:
        """Wait for unknown addresses and look them up; what nobody knows after all tries is given up, loudly."""
        if not self.held.shorts():  # a round that was broken off leaves its messages: they are taken up again
            await self._unknown.wait()
        self._unknown.clear()
        for attempt in range(_LOOKUPS):
            self._news.clear()
            for short in self.held.shorts():
                await self._look_up(short)
            if not self.held.shorts():
                return
            await wait_limited(self._news, _AGAIN_MS if attempt else _FIRST_MS)
        for short in self.held.shorts():
            lost = self.held.drop(short)
            self._log.error("zigbee: %d messages from %04x, whose address could not be found" % (lost, short))

    async def _look_up(self, short: int) -> None:
        where = bytes((short & 0xFF, short >> 8))
        try:
            wire = await self._link.request(UTIL_ADDRMGR_NWK_ADDR_LOOKUP, where)
            if wire not in _NOBODY:
                self._learn(short, wire)
                return
            await self._link.request(ZDO_IEEE_ADDR_REQ, where + b"\x00\x00")
        except LinkError as error:
            self._log.warning("zigbee: looking %04x up: %s" % (short, error))
