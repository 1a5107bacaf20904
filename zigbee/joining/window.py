"""The window in which a device may join: wanted open until a time, opened and closed at the coprocessor, verified.

Owns the permission to join. Must never be open at a start, after a coprocessor's restart for longer than was left, or
longer than 60 s; must never say closed before the coprocessor confirmed it, and asks until it does.

The coprocessor counts the time as well and closes by itself; it is told all the same. Opening concerns the coordinator
alone, closing every router too (Zigbee specification 2.4.3.3.7).
"""

import asyncio

from micropython import const

from zigbee import frames
from zigbee.guard import wait_limited
from zigbee.joining import zdo
from zigbee.link import Link, LinkError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from zigbee.joining.admission import Codes

LONGEST_S = const(60)
_ANSWER_MS = const(1000)
_AGAIN_MS = const(1000)
_SETTLE_MS = const(100)  # the answer to the closing that is part of every start is past
_NEVER_MS = const(1 << 29)


class Window:
    """open() and close() say what is wanted; settle() makes it so; opened is what the coprocessor confirmed."""

    def __init__(self, link: Link, clock: "Any", log: "Any", codes: "Codes") -> None:
        self._link = link
        self._clock = clock
        self._log = log
        self._codes = codes
        self._answer = asyncio.Event()
        self._status = -1
        self._until_ms = -_NEVER_MS
        self._settled = False  # the coprocessor confirmed what is wanted
        self._fresh = True  # it has just started
        self.opened = False
        self.code_required = False

    @property
    def left_ms(self) -> int:
        """How long it is wanted open yet."""
        return max(self._until_ms - self._clock.ms(), 0)

    @property
    def busy(self) -> bool:
        """There is something to do or to wait for."""
        return not self._settled or self.opened or self.left_ms > 0

    def ended_ms_ago(self) -> int:
        """Since when it is no longer wanted open; 0 or less: it still is."""
        return self._clock.ms() - self._until_ms

    def open(self, for_s: int, code_required: bool) -> None:
        """Wanted open, counted from now."""
        self._until_ms = self._clock.ms() + 1000 * max(1, min(for_s, LONGEST_S))
        self.code_required = code_required
        self._settled = False

    def close(self) -> None:
        """Wanted closed."""
        if self.left_ms:
            self._until_ms = self._clock.ms()
        self._settled = False

    def renew(self) -> None:
        """There is a new install code: it has to be told."""
        if self.left_ms:
            self._settled = False

    def restarted(self) -> None:
        """The coprocessor comes or goes: what it knew of the window and of codes is to be told again."""
        self._fresh = True
        self._settled = False
        self._codes.forgotten()

    def confirmed(self, status: int) -> None:
        """The answer to what was asked of the coordinator."""
        self._status = status
        self._answer.set()

    def permitted(self, for_s: int) -> None:
        """The coprocessor tells that it opened for so long, or closed."""
        if self.opened is not bool(for_s):
            self._settled = False
        self._is(bool(for_s))

    def _is(self, opened: bool) -> None:
        if opened is not self.opened:
            self._log.info("zigbee: joining is %s" % ("open" if opened else "closed"))
        self.opened = opened

    async def nap(self, wake: "asyncio.Event", limit_ms: int) -> None:
        """Wait until something may have to be done: woken, the window's end, or the limit."""
        left_ms = self.left_ms
        await wait_limited(wake, min(left_ms, limit_ms) if left_ms else limit_ms)

    async def settle(self) -> None:
        """Make it as it is wanted, once; what fails is tried again at the next call."""
        left_ms = self.left_ms
        if self._settled and self.opened is bool(left_ms):
            return
        if self._fresh:
            await asyncio.sleep_ms(_SETTLE_MS)
            self._fresh = False
            self._is(False)  # a restart closes; it is verified below
        try:
            if self.left_ms:
                await self._open()
            else:
                await self._close()
        except LinkError as error:
            self._log.warning("zigbee: joining: %s" % error)
        if not self._settled:
            await asyncio.sleep_ms(_AGAIN_MS)

    async def _open(self) -> None:
        if not await self._codes.tell(self.code_required):
            return
        wanted_ms = self._until_ms
        seconds = min((self.left_ms + 999) // 1000, LONGEST_S)
        if seconds and await self._permit(seconds) and wanted_ms == self._until_ms:
            self._is(True)
            self._settled = True

    async def _close(self) -> None:
        if not await self._permit(0) or self.left_ms:
            return
        self._is(False)
        self._settled = True
        await self._link.request(frames.ZDO_MGMT_PERMIT_JOIN_REQ, zdo.permit_nowhere())

    async def _permit(self, for_s: int) -> bool:
        """Whether the coprocessor confirmed it."""
        self._answer.clear()
        self._status = -1
        taken = await self._link.request(frames.ZDO_MGMT_PERMIT_JOIN_REQ, zdo.permit(for_s))
        return taken[0] == 0 and await wait_limited(self._answer, _ANSWER_MS) and self._status == 0
