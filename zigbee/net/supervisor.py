"""Keeping the coprocessor in service: bringing it up, noticing when it is not, and bringing it up again.

Owns the reset pin, the ladder of resets and `ready`. Must never give up, and never decide which network it is
(zigbee.net.network does).

Faults 21 and 22: after QUIET_MS without a frame the coprocessor is asked for its state; two misses, a restart it
reports or a state that is not "started", and it is brought up again: as it is, then after a soft reset, then by the
reset pin. Whoever listens (network.on_trouble, network.on_recovered) is told once for each reason, and when it is over.
"""

import asyncio

from micropython import const

from zigbee.frames import SYS_RESET_REQ
from zigbee.guard import tell, wait_limited
from zigbee.link import Link, LinkError
from zigbee.net.identity import NoNetwork
from zigbee.net.network import Network
from zigbee.net.startup import STARTED, NetworkInfo, device_state, printed, start

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

QUIET_MS = const(9000)  # silence after which the coprocessor is asked; with the start, events flow again within 10 s
_STATE_MS = const(2000)
_MISSES = const(2)
_RESET_MS = const(50)  # the reset pin is held low; the CC2652 asks for 1 us
_BOOT_MS = const(3000)
_CLEARED_MS = const(10_000)  # the same when it has to clear its memory
_AGAIN_MS = const(2000)  # between attempts to bring the coprocessor up
_LATER_MS = const(8000)  # the same when many have failed
_PATIENCE = const(5)
_NO_NETWORK_MS = const(30_000)  # only people can help
_LOG_EVERY = const(60)  # of the failed attempts that are all alike


class Supervisor:
    """run_once() for ever; on_ready(bool) tells every change; greet() is awaited after each start."""

    def __init__(
        self, link: Link, network: Network, reset_pin: "Any", clock: "Any", log: "Any",
        on_ready: "Callable[[bool], None]", greet: "Callable[[], Awaitable[None]]",
    ) -> None:  # fmt: skip
        self._link = link
        self._network = network
        self._reset_pin = reset_pin
        self._clock = clock
        self._log = log
        self._on_ready = on_ready
        self._greet = greet
        self._wake = asyncio.Event()
        self._restarted = asyncio.Event()
        self._started = asyncio.Event()
        self._running = False  # what the state change said that set _started
        self._suspect = False  # it told a state that is not "started"
        self._misses = 0
        self._rung = 0
        self._attempts = 0
        self._since_ms = clock.ms()  # when it was last known to serve
        self.info = NetworkInfo()
        self.ready = False
        self.starts = 0

    # ------------------------------------------------------------------ what the coprocessor says unasked

    def restarted(self, reason: int) -> None:
        """The coprocessor says that it has just started."""
        if self.ready:
            self._log.warning("zigbee: the coprocessor restarted by itself, reason %d" % reason)
        self._down("reset", self._clock.ms())
        self._restarted.set()
        self._running = False
        self._started.set()
        self._link.abandon()

    def state_changed(self, state: int) -> None:
        """The coprocessor tells its device state."""
        if state == STARTED:
            self._running = True
            self._started.set()
        elif self.ready:
            self._suspect = True
            self._wake.set()

    # ------------------------------------------------------------------ for whoever brings it up

    def expect_start(self) -> None:
        """What comes from now on counts for wait_started()."""
        self._running = False
        self._started.clear()

    async def wait_started(self, limit_ms: int) -> bool:
        """Wait until the coprocessor says that its network is up, at most limit_ms. False: it is not."""
        await wait_limited(self._started, limit_ms)
        return self._running

    async def reset(self) -> None:
        """Reset the coprocessor by command. LinkError: it did not come back."""
        self._restarted.clear()
        self._link.send(SYS_RESET_REQ, b"\x01")
        if not await wait_limited(self._restarted, _CLEARED_MS):
            raise LinkError("the coprocessor did not come back from its reset")
        self._restarted.clear()

    # ------------------------------------------------------------------ watching

    async def run_once(self) -> None:
        """One step of the supervision; returns within QUIET_MS when all is well."""
        if self.ready:
            await self._watch()
        else:
            await self._bring_up()

    async def _watch(self) -> None:
        left = QUIET_MS - (self._clock.ms() - self._link.heard_ms)
        if left > 0 and not self._misses and not self._suspect:
            self._wake.clear()
            await wait_limited(self._wake, left)
            return
        self._suspect = False
        try:
            state = await device_state(self._link, self.info, _STATE_MS)
        except LinkError:
            self._missed()
            return
        self._misses = 0
        if state != STARTED and self.ready:
            self._log.error("zigbee: the coprocessor is out of service, state %d" % state)
            self._down("stopped", self._clock.ms())

    def _missed(self) -> None:
        if not self.ready:
            return  # it restarted meanwhile, which is being seen to
        self._misses += 1
        if self._misses >= _MISSES:
            self._log.error("zigbee: the coprocessor does not answer")
            self._down("silent", self._link.heard_ms)
            self._rung = 1

    def _down(self, reason: str, since_ms: int) -> None:
        self._misses = 0
        self._suspect = False
        self._wake.set()
        if self.ready:
            self.ready = False
            self._since_ms = since_ms
            self._on_ready(False)
            self._tell_trouble(reason)

    def _tell_trouble(self, reason: str) -> None:
        if reason != self._network.reason:
            self._network.reason = reason
            self._call(self._network.on_trouble, reason)

    def _call(self, callback: "Callable[..., None] | None", *args: "Any") -> None:
        if callback is not None:
            try:
                callback(*args)
            except Exception as error:  # noqa: BLE001 - who listens must not keep the radio from coming back
                tell(self._log, "radio", error)

    # ------------------------------------------------------------------ bringing it up

    async def _bring_up(self) -> None:
        """One attempt, each failed one harder than the one before."""
        self._restarted.clear()
        if self._rung:
            await self._reset(self._rung > 1)
        try:
            self.info = await start(self._link, self._network, self)
        except (LinkError, NoNetwork) as error:
            await self._failed(error)
            return
        self._rung = self._attempts = 0
        self.starts += 1
        self.ready = True
        self._on_ready(True)
        self._log.info("zigbee: %s" % printed(self.info))
        reason = self._network.reason
        self._network.reason = self._network.trouble = ""
        if reason:
            self._call(self._network.on_recovered, reason, self._clock.ms() - self._since_ms)
        await self._greet()

    async def _failed(self, error: Exception) -> None:
        if self._attempts % _LOG_EVERY == 0:
            what = "there is no network: %s" if isinstance(error, NoNetwork) else "%s"
            self._log.error("zigbee: " + what % error)
        self._attempts += 1
        pause_ms = _AGAIN_MS if self._attempts <= _PATIENCE else _LATER_MS
        if isinstance(error, NoNetwork):
            pause_ms = _NO_NETWORK_MS
            self._network.trouble = str(error)
        elif not self._restarted.is_set():
            self._rung += 1
        if self._network.trouble:
            self._tell_trouble(self._network.trouble)
        elif self._attempts >= _PATIENCE and not self._network.reason:
            self._tell_trouble("failed")
        if await wait_limited(self._restarted, pause_ms):
            self._rung = 0  # it was plugged in again, or came to itself

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
