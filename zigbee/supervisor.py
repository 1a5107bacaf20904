"""Keeping the coprocessor in service: bringing it up, noticing when it is not, and bringing it up again.

Owns the reset pin, the ladder of resets and `ready`. Must never give up, and never form a network.

Faults 21 and 22: after QUIET_MS without a byte the coprocessor is asked for its state; two misses, a restart it reports
or a state that is not "started", and it is brought up again: as it is, then after a soft reset, then by the reset pin.
"""

import asyncio

from micropython import const

from zigbee.frames import SYS_RESET_REQ
from zigbee.guard import wait_limited
from zigbee.link import Link, LinkError
from zigbee.startup import STARTED, NetworkInfo, NoNetwork, device_state, printed, start

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

QUIET_MS = const(9000)  # silence after which the coprocessor is asked; with the start, events flow again within 10 s
_STATE_MS = const(2000)
_MISSES = const(2)
_RESET_MS = const(50)  # the reset pin is held low; the CC2652 asks for 1 us
_BOOT_MS = const(3000)
_AGAIN_MS = const(2000)  # between attempts to bring the coprocessor up
_LATER_MS = const(8000)  # the same when many have failed
_PATIENCE = const(5)
_NO_NETWORK_MS = const(30_000)  # only people can help
_LOG_EVERY = const(60)  # of the failed attempts that are all alike


class Supervisor:
    """run_once() for ever; on_ready(bool) tells every change; greet() is awaited after each start."""

    def __init__(
        self, link: Link, reset_pin: "Any", clock: "Any", log: "Any",
        on_ready: "Callable[[bool], None]", greet: "Callable[[], Awaitable[None]]",
    ) -> None:  # fmt: skip
        self._link = link
        self._reset_pin = reset_pin
        self._clock = clock
        self._log = log
        self._on_ready = on_ready
        self._greet = greet
        self._wake = asyncio.Event()
        self._restarted = asyncio.Event()
        self._started = asyncio.Event()
        self._misses = 0
        self._rung = 0
        self._attempts = 0
        self.info = NetworkInfo()
        self.ready = False
        self.starts = 0

    def restarted(self, reason: int) -> None:
        """The coprocessor says that it has just started."""
        if self.ready:
            self._log.warning("zigbee: the coprocessor restarted by itself, reason %d" % reason)
        self._down()
        self._restarted.set()
        self._link.abandon()

    def state_changed(self, state: int) -> None:
        """The coprocessor tells its device state."""
        if state == STARTED:
            self._started.set()

    async def run_once(self) -> None:
        """One step of the supervision; returns within QUIET_MS when all is well."""
        if self.ready:
            await self._watch()
        else:
            await self._bring_up()

    async def _watch(self) -> None:
        left = QUIET_MS - (self._clock.ms() - self._link.heard_ms)
        if left > 0 and not self._misses:
            self._wake.clear()
            await wait_limited(self._wake, left)
            return
        try:
            state = await device_state(self._link, self.info, _STATE_MS)
        except LinkError:
            self._missed()
            return
        self._misses = 0
        if state != STARTED and self.ready:
            self._log.error("zigbee: the coprocessor is out of service, state %d" % state)
            self._down()

    def _missed(self) -> None:
        if not self.ready:
            return  # it restarted meanwhile, which is being seen to
        self._misses += 1
        if self._misses >= _MISSES:
            self._log.error("zigbee: the coprocessor does not answer")
            self._down()
            self._rung = 1

    def _down(self) -> None:
        self._misses = 0
        self._wake.set()
        if self.ready:
            self.ready = False
            self._on_ready(False)

    async def _bring_up(self) -> None:
        """One attempt, each failed one harder than the one before."""
        self._restarted.clear()
        if self._rung:
            await self._reset(self._rung > 1)
        self._started.clear()
        try:
            self.info = await start(self._link, self._wait_started)
        except (LinkError, NoNetwork) as error:
            await self._failed(error)
            return
        self._rung = self._attempts = 0
        self.starts += 1
        self.ready = True
        self._on_ready(True)
        self._log.info("zigbee: %s" % printed(self.info))
        await self._greet()

    async def _failed(self, error: Exception) -> None:
        if self._attempts % _LOG_EVERY == 0:
            self._log.error("zigbee: %s" % error)
        self._attempts += 1
        pause_ms = _AGAIN_MS if self._attempts <= _PATIENCE else _LATER_MS
        if isinstance(error, NoNetwork):
            pause_ms = _NO_NETWORK_MS
        elif not self._restarted.is_set():
            self._rung += 1
        await wait_limited(self._restarted, pause_ms)

    async def _wait_started(self, limit_ms: int) -> bool:
        return await wait_limited(self._started, limit_ms)

    async def _reset(self, by_pin: bool) -> None:
        if self._attempts % _LOG_EVERY < 3:
            self._log.warning("zigbee: resetting the coprocessor by its %s" % ("pin" if by_pin else "command"))
        if by_pin:
            self._reset_pin.value(0)
            await asyncio.sleep_ms(_RESET_MS)
            self._reset_pin.value(1)
        else:
            self._link.send(SYS_RESET_REQ, b"\x01")
        await wait_limited(self._restarted, _BOOT_MS)
        self._restarted.clear()
