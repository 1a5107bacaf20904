"""Letting devices in: the window in which one may join, who is admitted, interviews, and having one leave.

Owns the window, the interviews under way and who is to leave. Must never open at a start or longer than 60 s, never
call the network closed before the coprocessor said so, never let an interview hold up an alarm, a confirmation or
another interview, and never grow: each list has its limit.
"""

import asyncio
from binascii import unhexlify

from micropython import const

from zigbee import frames
from zigbee.devices import NO_SHORT, STRANGER, Device, reverse
from zigbee.joining.admission import Codes, Refused
from zigbee.joining.asker import Asker
from zigbee.joining.interview import AGAIN, NAMES, REPORTING, Interview
from zigbee.joining.interviews import Interviews
from zigbee.joining.leaving import Leaving
from zigbee.joining.outcome import Refusal
from zigbee.joining.window import Window

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zigbee.link import Link
    from zigbee.sender import Sender

PERIOD_S = const(14_400)
_GRACE_MS = const(3000)  # who joined in the last moment is told of after it
_ANNOUNCE_MS = const(2500)  # a device that got its key announces itself; this is waited for
_STRANGERS = const(8)  # interviews of devices that are not of the home yet
_WHAT_IT_IS = ("unknown_kind", "neighbour")  # another try in the same window changes nothing
_JOINED = const(16)
_NO_KEY_MS = const(14_000)  # bdbTrustCenterNodeJoinTimeout is 15 s: who asked for no key of its own is struck off
_KEY_MS = const(20_000)
_FAILED_MS = const(600_000)  # what a device refused is not tried again sooner
_LOOK_MS = const(1000)


class Pairing:
    """The interface is in docs/sensors-network.md; every callback is set by the product, any may be missing.

    period_s: how often sensors shall report when nothing else was said of one. expels: False while the home's list may
    be incomplete: a stranger who did not join just now is told of and left alone, it may be one of the home's own.
    """

    def __init__(
        self, link: "Link", sender: "Sender", clock: "Any", log: "Any", next_tsn: "Callable[[], int]",
        cie: "Callable[[], bytes]",
    ) -> None:  # fmt: skip
        self._clock = clock
        self._log = log
        self._cie = cie
        self._codes = Codes(link, log)
        self._window = Window(link, clock, log, self._codes)
        self._refused = Refused(clock)
        self.asker = Asker(sender, next_tsn)
        self._wake = asyncio.Event()
        self.interviews = Interviews(clock, self._finished, self._failed, self._late)
        self._leaving = Leaving(self.asker, clock)
        self._sent_away: list = []  # in this window, for what they are
        self._joined: dict = {}  # where a device joined in the last window
        self._ready = False
        self.period_s = PERIOD_S
        self.expels = True
        self.admit: Callable[[str], str] | None = None
        self.on_step: Callable[[str, int, int, str], Any] | None = None
        self.on_facts: Callable[[str, dict], Device | None] | None = None
        self.on_joined: Callable[[str, dict], Any] | None = None
        self.on_refused: Callable[[str, str], Any] | None = None
        self.on_left: Callable[[str], Any] | None = None
        self.on_gone: Callable[[str], Any] | None = None  # one that was removed has left

    # What the product asks for

    def open(self, for_s: int, code_required: bool) -> None:
        """Let devices join for so long, 1 to 60 s, counted anew; with code_required only those that have one here."""
        self._joined.clear()
        self._sent_away.clear()
        self._window.open(for_s, code_required)
        self._wake.set()

    def close(self) -> None:
        """No more devices; interviews under way go on."""
        self._window.close()
        self._wake.set()

    @property
    def opened(self) -> bool:
        """Whether a device may join, as the coprocessor last said."""
        return self._window.opened

    @property
    def left_ms(self) -> int:
        """How long the window is wanted open yet."""
        return self._window.left_ms

    def code(self, ieee: str, code: str) -> None:
        """The install code printed on a device. ValueError says what is wrong with it, or that there are too many."""
        self._codes.add(ieee, code)
        self._window.renew()
        self._wake.set()

    def remove(self, device: Device) -> None:
        """The device shall leave: asked now and at every sign of life until it is gone. It may be forgotten then."""
        self.interviews.drop(device.wire)
        self._leaving.ask(device)
        self._wake.set()

    def remember_removed(self, ieee: str) -> None:
        """A sensor that was removed before the last start and is not known to have left (ieee as printed)."""
        self._leaving.expect(reverse(unhexlify(ieee)))

    def reconfigure(self, device: Device, period_s: int) -> None:
        """It shall report this often, 60 s to 18 h; told at once if it listens, else at its next sign of life."""
        interview = self.interviews.of(device.wire) or self._add(device, _facts(device, True))
        interview.facts["period_s"] = max(60, min(period_s, 0xFFFE))
        interview.redo(REPORTING)
        interview.keep()
        self.interviews.alive(device)

    def awaits(self, device: Device) -> bool:
        """Something waits for this device: at a check-in it shall stay awake."""
        return self._leaving.has(device.wire) or self.interviews.of(device.wire) is not None

    # What happens, told by the coordinator

    def known(self, device: Device) -> None:
        """A device of the home with its facts: an interview that was broken off goes on at its next sign of life."""
        self._leaving.end(device.wire)
        facts = _facts(device, True)
        if "done" in facts and len(facts["done"]) < len(NAMES) and self.interviews.of(device.wire) is None:
            self._add(device, facts)

    def forgotten(self, device: Device) -> None:
        """It is no longer of the home."""
        self.interviews.drop(device.wire)

    def enable(self, on: bool) -> None:
        """The network is up, or not."""
        self._ready = on
        self._window.restarted()
        self.interviews.enable(on)
        self._wake.set()

    def told(self, command: int, data: bytes) -> None:
        """Any other AREQ of the device profile."""
        if command == frames.ZDO_MGMT_PERMIT_JOIN_RSP:
            if data[:2] == bytes(2):
                self._window.confirmed(data[2])
        elif command == frames.ZDO_PERMIT_JOIN_IND:
            self._window.permitted(data[0])
            self._wake.set()
        else:
            self.asker.profile(command, data)

    def arrived(self, device: Device, announced: bool) -> bool:
        """It joined, or announced itself. True: its enrolment is seen to here."""
        inside = self._window.ended_ms_ago() <= _GRACE_MS
        if inside and not announced and len(self._joined) < _JOINED:
            self._joined[device.wire] = device.short
        interview = self.interviews.of(device.wire)
        if self._leaving.has(device.wire):
            if announced or not inside:
                self._leaving.ask(device)
                return True
            self._leaving.end(device.wire)
        if device.index == STRANGER and interview is None:
            interview = self._new(device, inside)
            if interview is None:
                return True
        elif inside and not announced:
            interview = self._again(device, interview)
        if interview is None:
            return False
        interview.device = device
        interview.heard = announced or interview.heard
        self.interviews.alive(device, 0 if announced else _ANNOUNCE_MS)
        return True

    def alive(self, device: Device) -> None:
        """A sign of life: what waits for the device goes on."""
        if self._leaving.has(device.wire):
            self._leaving.alive(device)
        else:
            interview = self.interviews.of(device.wire)
            if interview is not None:
                interview.heard = True
                self.interviews.alive(device)

    def left(self, wire: bytes, ieee: str, rejoins: bool) -> None:
        """A device says that it leaves the network."""
        if rejoins:
            return
        asked = self._leaving.end(wire)
        interview = self.interviews.of(wire)
        self.interviews.drop(wire)
        self.asker.drop_keys(wire)
        if asked:
            if self.on_gone is not None:
                self.on_gone(ieee)
            return
        if interview is not None and not interview.admitted:
            since_ms = self._clock.ms() - interview.since_ms
            self._refuse_quietly(ieee, "failed" if _NO_KEY_MS <= since_ms < _KEY_MS else "neighbour")
        elif self.on_left is not None:
            self.on_left(ieee)

    def twice(self, device: Device) -> None:
        """Two devices have this address. The one that joined last is asked to leave; alarms of either count."""
        interview = self.interviews.of(device.wire)
        if interview is not None and not interview.admitted:
            self.interviews.drop(device.wire)
        short = self._joined.pop(device.wire, NO_SHORT)
        if short != NO_SHORT:
            self.asker.leave(device, short)
        self._refuse_quietly(device.ieee, "duplicate")

    async def run_once(self) -> None:
        """Keep the window as it is wanted; start and give up interviews in time."""
        if self._window.busy or self._leaving.busy or self.interviews.busy:
            await self._window.nap(self._wake, _LOOK_MS)
        else:
            await self._wake.wait()
        self._wake.clear()
        if self._ready:
            await self._window.settle()
        self._leaving.again()
        self.interviews.look()

    # Interviews

    def _new(self, device: Device, inside: bool) -> "Interview | None":
        """An unknown device: the interview that begins, or None, and it was refused."""
        reason = ""
        if not inside:
            reason = "closed"
        elif self._window.code_required and not self._codes.has(device.wire):
            reason = "no_code"
        elif self.interviews.strangers >= _STRANGERS:
            reason = "full"
        elif device.wire in self._sent_away:
            self._leaving.ask(device)
            return None
        elif self.admit is not None:
            reason = self.admit(device.ieee)
        if reason:
            self._refuse(device, reason)
            return None
        self._log.info("zigbee: %s has joined" % device.ieee)
        return self._add(device, {"code": self._codes.has(device.wire)})

    def _again(self, device: Device, interview: "Interview | None") -> Interview:
        """It was reset and joined once more: what it forgot is done again; of a stranger everything."""
        if interview is None:
            interview = self._add(device, _facts(device, False))
        interview.redo(AGAIN if interview.admitted else NAMES)
        interview.facts["ready"] = False
        return interview

    def _add(self, device: Device, facts: dict) -> Interview:
        interview = Interview(device, facts, self.asker, self._cie, self.period_s, self._clock.ms())
        interview.on_step = self.on_step
        interview.on_facts = self.on_facts
        self._wake.set()
        return self.interviews.add(interview)

    def _finished(self, interview: Interview) -> None:
        facts = interview.facts
        first = not facts.get("ready")
        facts["ready"] = True
        facts.pop("failed", None)
        interview.keep()
        self.interviews.drop(interview.device.wire)
        self._codes.used(interview.device.wire)
        self._log.info("zigbee: %s works: %s" % (interview.device.ieee, facts["kind"]))
        if first and self.on_joined is not None:
            self.on_joined(interview.device.ieee, facts)

    def _failed(self, interview: Interview, refusal: Refusal) -> None:
        """It is sent away, unless it is of the home already and only does not work yet."""
        device = interview.device
        self._log.warning("zigbee: %s, %s: %s %s" % (device.ieee, interview.step, refusal.reason, refusal.why))
        if interview.admitted:
            interview.start_ms = self._clock.ms() + _FAILED_MS
            self._late(interview, refusal.reason)
            return
        self.interviews.drop(device.wire)
        if refusal.reason in _WHAT_IT_IS and len(self._sent_away) < _JOINED:
            self._sent_away.append(device.wire)
        self._refuse(device, refusal.reason)

    def _late(self, interview: Interview, reason: str = "failed") -> None:
        interview.warned = True
        interview.facts["failed"] = interview.step
        interview.keep()
        self._refuse_quietly(interview.device.ieee, reason)

    # Leaving

    def _refuse(self, device: Device, reason: str) -> None:
        if self.expels or device.wire in self._joined:
            self._leaving.ask(device)
        self._refuse_quietly(device.ieee, reason)

    def _refuse_quietly(self, ieee: str, reason: str) -> None:
        """Told once for each address, reason and time."""
        if self._refused.is_new(ieee, reason):
            self._log.warning("zigbee: %s refused: %s" % (ieee, reason))
            if self.on_refused is not None:
                self.on_refused(ieee, reason)


def _facts(device: Device, ready: bool) -> dict:
    """What is known of a sensor of the home; one that was entered by hand was never interviewed and is from the start.
    """
    facts = device.facts
    return facts if isinstance(facts, dict) and isinstance(facts.get("done"), list) else {"ready": ready}
