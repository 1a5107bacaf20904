"""The link to the relay: kept up for ever, and what is said about it when it was not.

Owns when to connect again (1 s to 5 min, spread by jitter; within 5 s in an emergency), the heartbeat, and why the
gateway was silent. Nothing in the emergency path waits for it. Must never connect more often than that, nor stay down
by itself.
"""

import asyncio
import binascii
import json

from micropython import const

from drivers.mqtt import Room
from firmware.emergency.machine import ATTEMPT_GUARD_MS, DIALLING, PROMPT
from firmware.uplink.courier import Courier
from firmware.uplink.kept import Kept
from firmware.uplink.orders import Orders
from firmware.uplink.secure import Refused, Secure
from firmware.uplink.session import Session

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_FIRST_MS = const(1000)
_LEAST_MS = const(250)
_DAY_S = const(86_400)
_MOST_MS = const(300_000)
_URGENT_MS = const(5000)  # between attempts in an emergency
_KICKED_MS = const(10_000)  # fault 70: no ping-pong with another one of our name
_SHORT_MS = const(60_000)  # a connection that ends sooner was none
_KICKS = const(3)
_NETWORK_MS = const(1000)
_SILENT_MS = const(180_000)  # so long without the relay is a fault
_IDLE_MS = const(10_000)
_DIAL_MS = const(1000)  # from the order to dial until ATD is with the modem


class Link:
    """parts: the gateway. `up`: there is a connection, and records flow."""

    def __init__(self, parts: "Any") -> None:
        self.parts = parts
        self.net = parts.board.net
        self.kept = Kept(parts.store)
        self.orders = Orders(parts, self.kept, lambda at_s: self.secure.fits(at_s))
        self.courier = Courier(parts.queue, parts.clock, lambda: parts.recorder.boot)
        self.secure: Any = None
        self.news = asyncio.Event()
        self.up = False
        self._room = Room()
        self._down_ms = 0  # since when it is down
        self._why = "reboot"
        self._told: list = []  # kinds of faults that were recorded and are not over
        self._attempts = 0
        self._kicks = 0
        self._beat_ms = 0
        self._warned_day = 0
        self._hurry = asyncio.Event()
        parts.queue.on_record = self._recorded

    # ------------------------------------------------------------------ asked by the session
    def setting(self, name: str) -> "Any":
        return self.parts.settings.get(name)

    def number(self) -> str:
        """The gateway's, as its certificate says: client id, and part of every topic."""
        return self.secure.number

    def name(self) -> str:
        """What the server's certificate must say."""
        return self.setting("relay_name") or self.setting("relay_host")

    def hold(self) -> bool:
        """While somebody is asked whether it is real, and while the modem is told to dial, no time goes to a handshake.

        It held back for 14 s and would go on in the very moment in which 119 is dialled.
        """
        machine = self.parts.machine
        dialled_ms = self.parts.clock.ms() - (machine.deadline_ms - ATTEMPT_GUARD_MS)
        return machine.state == PROMPT or (machine.state == DIALLING and machine.attempting and dialled_ms < _DIAL_MS)

    def greeting(self) -> dict:
        return dict(self._moment(), link="up", version=self.parts.version, counter=self.kept.counter)

    def beat(self) -> dict:
        """The heartbeat; the next one is due from now on."""
        now = self.parts.clock.ms()
        self._beat_ms = now
        return dict(self._moment(), every=self._every_s(), mains=self._mains(), waiting=self.parts.queue.waiting(),
                    test=bool(self.parts.is_test()))

    def _moment(self) -> dict:
        clock = self.parts.clock
        up = clock.ms()
        at = clock.wall_ms(up)
        return {"boot": self.parts.recorder.boot, "up": up, "at": at, "clock": clock.quality()}

    def _mains(self) -> bool:
        return bool(self.parts.board.mains.value())

    def _every_s(self) -> int:
        return self.setting("beat_s" if self._mains() else "beat_battery_s")

    def beat_due(self) -> bool:
        return self.parts.clock.ms() - self._beat_ms >= self._every_s() * 1000

    def idle_ms(self) -> int:
        """How long nothing has to be done unless there is news."""
        now = self.parts.clock.ms()
        self._warn_of_renewal()
        self._judge_relay()
        self.kept.passed(self.parts.clock.sure_s())
        left = self._beat_ms + self._every_s() * 1000 - now
        return min(max(left, 1), _IDLE_MS if self.courier.oldest_ms() >= 0 else _SILENT_MS)

    def acknowledged(self, payload: "memoryview") -> None:
        """The relay's answer to a batch."""
        try:
            message = json.loads(bytes(payload))
            known = self.courier.acknowledged(message["boot"], message["batch"])
        except (ValueError, KeyError, TypeError):
            self.courier.strange += 1
            return
        if known:
            self._over("relay")

    # ------------------------------------------------------------------ the task
    async def run(self) -> None:
        """For ever."""
        self._lost("relay")  # when the task before this one died
        if self.net is None or not self.setting("relay_host"):
            self.parts.log.info("link: no network, or no relay is set")
            await asyncio.Event().wait()
        await self.parts.queue.opened.wait()  # before that this boot has no number
        while True:
            if self.secure is None and not self._load():
                await asyncio.sleep_ms(_MOST_MS)
            elif not self.net.ready():
                self._lost("network")
                await asyncio.sleep_ms(_NETWORK_MS)
            else:
                await self._attempt()
                await self._pause()

    def _load(self) -> bool:
        """Our certificates, once they are there."""
        try:
            self.secure = Secure(self.parts.board.root + "/tls", self.parts.clock, self.kept, self.parts.board.set_time)
        except Exception as error:  # noqa: BLE001 - without them there is no link, and nothing else is wrong
            self._fault("certificates", "the certificates cannot be read: %r" % error)
            return False
        if self.number() != self.setting("gateway"):
            self.parts.log.warning("link: the setting 'gateway' is not the certificate's number, which counts")
        return True

    def _warn_of_renewal(self) -> None:
        """Our own certificate ends within a month: said once a day (fault 72)."""
        today = self.secure.now_s() // _DAY_S
        days = self.secure.days_left()
        if days is not None and today != self._warned_day:
            self._warned_day = today
            self.parts.recorder.event("gateway.fault", fault="link", what="our certificate ends in %d days" % days)

    async def _attempt(self) -> None:
        """One connection, until it ends."""
        started_ms = self.parts.clock.ms()
        self._warn_of_renewal()
        session = Session(self, self._room)
        self._attempts += 1
        error: BaseException | None = None
        try:
            await session.run()
        except Exception as caught:  # noqa: BLE001 - however it ended, the next one follows
            error = caught
        self.parts.log.info("link: %s: %r" % (session.stage, error))
        if session.stage == "open":
            self._ended(error, self.parts.clock.ms() - started_ms)
        else:
            self._failed(session.stage, error)

    def _ended(self, error: "BaseException | None", lived_ms: int) -> None:
        if lived_ms >= _SHORT_MS:
            self._kicks = self._attempts = 0
            self._over("duplicate")
        else:
            self._kicks += 1
        if self._kicks >= _KICKS:
            self._fault("duplicate", "cut off at once, again and again: is another one using this number?")
        silent = "heard" in str(error) or "blocked" in str(error)
        self._lost("network" if not self.net.ready() else "silent" if silent else "relay")

    def _failed(self, stage: str, error: "BaseException | None") -> None:
        self._lost("refused" if isinstance(error, Refused) else "relay" if self.net.ready() else "network")
        if isinstance(error, Refused):
            self._fault("refused", error.args[0])
        elif self.parts.clock.ms() - self._down_ms >= _SILENT_MS:
            self._fault("down", "no connection to the relay: %s: %r" % (stage, error))

    async def _pause(self) -> None:
        """Until the next attempt: longer each time, differently for each gateway, short in an emergency."""
        delay_ms = min(_FIRST_MS << min(self._attempts, 9), _MOST_MS)
        dice = binascii.crc32(b"%s %d %d" % (self.number().encode(), self.parts.recorder.boot, self._attempts))
        delay_ms = max(delay_ms * (dice & 0xFFFF) >> 16, _LEAST_MS)  # any time up to it: a fleet comes back spread
        if self._kicks:
            delay_ms = max(delay_ms, _KICKED_MS)
        self._hurry.clear()
        urgent_ms = max(_KICKED_MS if self._kicks else _URGENT_MS, 1)
        if self._urgent() or delay_ms <= urgent_ms:
            await asyncio.sleep_ms(min(delay_ms, urgent_ms))
            return
        await asyncio.sleep_ms(urgent_ms)
        try:
            await asyncio.wait_for_ms(self._hurry.wait(), delay_ms - urgent_ms)
        except asyncio.TimeoutError:
            pass

    def _urgent(self) -> bool:
        """An emergency is going on, or was just now."""
        return self.parts.machine.open() or self.parts.machine.light()

    def _recorded(self) -> None:
        self.news.set()
        if self._urgent():
            self.courier.urgent = True
            self._hurry.set()

    # ------------------------------------------------------------------ what is said of it
    def opened(self) -> None:
        """The connection is there: what is under way is sent again, and why there was none is told."""
        now = self.parts.clock.ms()
        self.courier.begin()
        self._beat_ms = now - self._every_s() * 1000  # the first beat goes out at once
        down_ms = now - self._down_ms
        if self._why == "reboot" or down_ms > self._every_s() * 1000:
            self.parts.recorder.event("gateway.recovered", fault="link", why=self._why, down_ms=down_ms)
        for what in ("down", "refused", "certificates"):
            self._over(what)
        self._set_up(True)

    def _lost(self, why: str) -> None:
        """There is no connection: why, unless that is known already."""
        if self.up:
            self._down_ms = self.parts.clock.ms()
            self._why = why
            self._set_up(False)

    def _set_up(self, up: bool) -> None:
        self.up = up
        self.parts.changed()

    def down_for_ms(self) -> int:
        """How long the relay has not been reached; 0 while it is, and where none is set."""
        return 0 if self.up or not self.setting("relay_host") else self.parts.clock.ms() - self._down_ms

    def _judge_relay(self) -> None:
        """We are connected and the relay does not answer: that is no link either."""
        if self.courier.unanswered_ms() >= _SILENT_MS:
            self._fault("relay", "the relay does not answer")

    def _fault(self, kind: str, what: str) -> None:
        """Recorded once until it is over."""
        if kind not in self._told:
            self._told.append(kind)
            self.parts.recorder.event("gateway.fault", fault="link", what=what[:120])

    def _over(self, kind: str) -> None:
        if kind in self._told:
            self._told.remove(kind)
