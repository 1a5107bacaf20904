"""The Zigbee network as the product sees it: known devices, what they tell, what they are told.

Owns the parts of the link and wires them together. Must never open the network for joining by itself, drop an alarm
because its short address is new, or let anything that goes out delay what comes in.
"""

import asyncio
from binascii import hexlify

from micropython import const

from zigbee import frames, ias, told, zcl
from zigbee.activity import Report
from zigbee.bucket import Flow
from zigbee.devices import NO_SHORT, STRANGER, Device, Devices, is_twice, reverse
from zigbee.guard import forever
from zigbee.incoming import Incoming
from zigbee.joining.interviews import WORKERS
from zigbee.joining.pairing import Pairing
from zigbee.link import Link, LinkError
from zigbee.net.network import Network
from zigbee.net.supervisor import Supervisor
from zigbee.quirks import VALUES, adjust
from zigbee.resolver import Resolver
from zigbee.sender import Outgoing, Sender
from zigbee.tsn import reset

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_TICK_MS = const(10_000)
_FAST_POLL = const(60)  # quarter seconds: an interview from beginning to end
_ROOM = const(8)  # places in the outgoing line that questions to the sensors leave free
_ROOM_MS = const(500)


class Coordinator:
    """The parts of the product set the callbacks; the first three are called in the handling of the frame itself.

    on_status(device, kind, value, tsn, lqi): what a known device tells, kinds of zigbee.told. While device.stale, the
    frame is an old one come again: its alarm calls, but nothing else may follow from it.
    on_activity(device, minute, mask, before, state, lqi): zigbee.activity; before -1: not told.
    on_stranger(device, kind, value): what an unknown device tells, signs of life aside.
    on_tick(now_ms): about every 10 s. on_flood(device or None, on): one device, or the strangers, send too much.
    on_duplicate(device): its IEEE address is used from two places.
    """

    def __init__(self, uart: "Any", reset_pin: "Any", clock: "Any", log: "Any") -> None:
        self._clock = clock
        self._log = log
        self.link = Link(uart, clock, log, self._on_event)
        self.sender = Sender(self.link, clock)
        self.devices = Devices()
        self.incoming = Incoming(self.devices.find, self._heard, self._answer, self._enrol, clock.ms)
        self.incoming.unknown = self.devices.strange
        self.incoming.on_mask = self._active
        self.incoming.fast_poll = self._fast_poll
        self.resolver = Resolver(self.link, clock, log, self._learn)
        self.network = Network(self.link, clock, log)
        self.network.belongs = self._is_home
        self.supervisor = Supervisor(self.link, self.network, reset_pin, clock, log, self._serve, self._greet)
        self.on_status: Callable[[Device, int, int, int, int], None] | None = None
        self.on_stranger: Callable[[Device, int, int], None] | None = None
        self.on_activity: Callable[[Device, int, int, int, int, int], None] | None = None
        self.on_tick: Callable[[int], None] | None = None
        self.on_flood: Callable[[Device | None, bool], None] | None = None
        self.on_duplicate: Callable[[Device], None] | None = None
        self.pairing = Pairing(self.link, self.sender, clock, log, self._next_tsn, self._cie)
        self._tsn = 0
        self._question = asyncio.Event()

    @property
    def ready(self) -> bool:
        """The network is in service."""
        return self.supervisor.ready

    def know(self, ieee: str, index: int, zone: bool = True, facts: "dict | None" = None) -> Device:
        """A device of the home, also while running. ieee: as printed, 16 digits (ValueError otherwise); zone: it has an
        IAS zone; facts: what the interview learnt, which goes before.
        """
        device = self.devices.know(ieee, index, zone, facts)
        self.pairing.known(device)
        return device

    def forget(self, device: Device) -> None:
        """It is no longer of the home."""
        self.devices.forget(device)
        self.pairing.forgotten(device)

    def confirm(self, device: Device) -> None:
        """Let the pendant show that its press arrived (Identify, Trigger Effect okay)."""
        frame = zcl.specific(self._next_tsn(), ias.TRIGGER_EFFECT, ias.CONFIRM)
        self._post(device, ias.IDENTIFY, frame, True)

    def silence(self, device: Device) -> None:
        """Stop the smoke detector's sounder (IAS WD, Start Warning with mode stop); it goes on detecting."""
        self._post(device, ias.WARNING, zcl.specific(self._next_tsn(), ias.START_WARNING, ias.STOP_WARNING), True)

    def send_zcl(self, device: Device, cluster: int, frame: bytes) -> bool:
        """Put a ZCL frame in line for the device. False: it has no short address, or the line is full."""
        return self._post(device, cluster, frame, False)

    async def run(self) -> None:
        """For ever: the link, what goes out, unknown addresses, the coprocessor's health, the tick."""
        steps = (
            (self.link.read, "reading"),
            (self.link.watch_gap, "gap"),
            (self.sender.run, "sending"),
            (self.resolver.run_once, "looking up"),
            (self._question_all, "asking"),
            (self.network.run_once, "backup"),
            (self._tick, "tick"),
            (self.pairing.run_once, "joining"),
        ) + ((self.pairing.interviews.work_once, "interview"),) * WORKERS
        closing = asyncio.Event()
        tasks = [asyncio.create_task(forever(step, name, self._log, closing)) for step, name in steps]
        try:
            await forever(self.supervisor.run_once, "supervision", self._log)
        finally:
            closing.set()
            for task in tasks:
                task.cancel()

    async def _tick(self) -> None:
        await asyncio.sleep_ms(_TICK_MS)
        self._look_for_floods()
        if self.on_tick is not None:
            self.on_tick(self._clock.ms())

    def _on_event(self, buf: bytearray, at: int, size: int, command: int) -> None:
        if command == frames.AF_INCOMING_MSG:
            if self.incoming.take(buf, at, size):
                self._sign_of_life(buf, at, size)
        elif command == frames.AF_DATA_CONFIRM:
            self.sender.confirmed(buf[at], buf[at + 2])
        elif command == frames.SYS_RESET_IND:
            self.supervisor.restarted(buf[at])
        elif command == frames.ZDO_STATE_CHANGE_IND:
            self.supervisor.state_changed(buf[at])
        elif command in frames.SURVEYED:
            self.network.survey.heard(command, buf, at, size)
        elif command == frames.ZDO_END_DEVICE_ANNCE_IND:
            self._announced(buf[at + 2] | buf[at + 3] << 8, bytes(buf[at + 4:at + 12]))
        elif command == frames.ZDO_TC_DEV_IND:
            self.pairing.arrived(self._learn(buf[at] | buf[at + 1] << 8, bytes(buf[at + 2:at + 10])), False)
            self.network.touch()
        elif command == frames.ZDO_IEEE_ADDR_RSP and buf[at] == 0:
            self._learn(buf[at + 9] | buf[at + 10] << 8, bytes(buf[at + 1:at + 9]))
        elif command == frames.ZDO_LEAVE_IND:
            self._left(bytes(buf[at + 2:at + 10]), bool(buf[at + 12]))
        else:
            self.pairing.told(command, bytes(buf[at:at + size]))

    def _sign_of_life(self, buf: bytearray, at: int, size: int) -> None:
        """After all else was done with the message: an answer somebody waits for, a device somebody waits for."""
        self.pairing.asker.take(buf, at, size)
        if size >= 6:
            device = self.devices.find(buf[at + 4] | buf[at + 5] << 8)
            if device is not None:
                self.pairing.alive(device)

    def _left(self, wire: bytes, rejoins: bool) -> None:
        self.pairing.left(wire, hexlify(reverse(wire)).decode(), rejoins)

    def _fast_poll(self, short: int) -> int:
        """For how many quarter seconds a device that checks in shall listen closely."""
        device = self.devices.find(short)
        return _FAST_POLL if device is not None and self.pairing.awaits(device) else 0

    def _cie(self) -> bytes:
        return self.supervisor.info.wire

    def _heard(
        self, device: "Device | None", short: int, endpoint: int, kind: int, value: int, tsn: int, lqi: int
    ) -> None:
        if device is None:
            self.resolver.hold(short, endpoint, kind, value, tsn, lqi)
        else:
            self._give(device, endpoint, kind, value, tsn, lqi)

    def _active(self, device: Device, report: Report, lqi: int) -> None:
        device.lqi = lqi
        device.heard_ms = self._clock.ms()
        if device.index != STRANGER and self.on_activity is not None:
            self.on_activity(device, report.minute, report.mask, report.before, report.state, lqi)

    def _look_for_floods(self) -> None:
        self._look(self.devices.strange, None)
        for device in self.devices.known:
            self._look(device.flow, device)

    def _look(self, flow: Flow, device: "Device | None") -> None:
        news = flow.look()
        if not news:
            return
        if news != 2 and self.on_flood is not None:
            self.on_flood(device, news > 0)
        if news != 1 and device is not None and device.zone:
            self._ask(device)  # what it said last may have been cut off

    def _give(self, device: Device, endpoint: int, kind: int, value: int, tsn: int, lqi: int) -> None:
        if device.traits & VALUES:
            value = adjust(device.traits, kind, value)
            if value < 0 and kind != told.TEMPERATURE:
                kind = told.ALIVE
                value = 0
        device.lqi = lqi
        device.heard_ms = self._clock.ms()
        if device.index == STRANGER:
            if self.on_stranger is not None and kind != told.ALIVE and kind != told.CHECKIN:
                self.on_stranger(device, kind, value)
            return
        if kind == told.NOTIFIED or kind == told.LEVEL:
            device.endpoint = endpoint
        if self.on_status is not None:
            self.on_status(device, kind, value, tsn, lqi)

    def _learn(self, short: int, wire: bytes) -> Device:
        known = self.devices.find(short)
        moved = (known is None or known.wire != wire) and self._goes_to_and_fro(short, wire)
        device = self.devices.learn(short, wire)
        self.resolver.held.take(short, self._give_held)
        if moved:
            self.pairing.twice(device)
            if self.on_duplicate is not None:
                self.on_duplicate(device)
        return device

    def _goes_to_and_fro(self, short: int, wire: bytes) -> bool:
        for device in self.devices.known:
            if device.wire == wire:
                return is_twice(device, short, self._clock.ms())
        return False

    def _give_held(self, event: tuple) -> None:
        device = self.devices.find(event[0])
        if device is not None:
            self._give(device, event[1], event[2], event[3], event[4], event[5])

    def _announced(self, short: int, wire: bytes) -> None:
        device = self._learn(short, wire)
        if not device.flow.spend(self._clock.ms()):
            return
        self.network.touch()
        if device.index != STRANGER:
            reset(device.flow.gate)  # it may have restarted
            device.enrols = 0
        if self.pairing.arrived(device, True):
            return
        if device.index != STRANGER and device.zone:
            self._enrol(short, device.endpoint)  # it may have lost its enrolment (fault 34)

    def _serve(self, on: bool) -> None:
        self.sender.enable(on)
        self.pairing.enable(on)
        self.network.up(on)

    def _is_home(self, ieee: str) -> bool:
        return any(device.ieee == ieee for device in self.devices.known)

    def _next_tsn(self) -> int:
        self._tsn = (self._tsn + 1) & 0xFF
        return self._tsn

    def _post(self, device: Device, cluster: int, frame: bytes, urgent: bool) -> bool:
        if device.short == NO_SHORT:
            return False
        return self.sender.post(Outgoing(device.short, device.endpoint, cluster, frame, urgent))

    def _answer(self, short: int, endpoint: int, cluster: int, frame: bytes) -> None:
        self.sender.post(Outgoing(short, endpoint, cluster, frame, False))

    def _enrol(self, short: int, endpoint: int) -> None:
        """Make the host the zone's CIE, enrol it, then ask what is the case. Only devices of the home are enrolled."""
        device = self.devices.find(short)
        if device is None or device.index == STRANGER or not device.may_enrol(self._clock.ms()):
            return
        device.endpoint = endpoint
        address = zcl.write(self._next_tsn(), ias.CIE_ADDRESS, zcl.EUI64, self.supervisor.info.wire)
        self._answer(short, endpoint, ias.ZONE, address)
        accept = bytes((0, device.index & 0xFF))
        self._answer(short, endpoint, ias.ZONE, zcl.specific(self._next_tsn(), ias.ENROLL_RESPONSE, accept))
        self._ask(device)

    def _ask(self, device: Device) -> None:
        self.send_zcl(device, ias.ZONE, zcl.read(self._next_tsn(), (ias.ZONE_STATE, ias.ZONE_STATUS)))

    async def _greet(self) -> None:
        """After a start: learn the home's short addresses and have every zone asked what is the case now."""
        for device in list(self.devices.known):
            try:
                answer = await self.link.request(frames.UTIL_ADDRMGR_EXT_ADDR_LOOKUP, device.wire)
            except LinkError:
                return  # the supervision sees to it
            short = answer[0] | answer[1] << 8
            if short < 0xFFF8:
                self._learn(short, device.wire)
        self._question.set()

    async def _question_all(self) -> None:
        """Once after each start: ask every zone what is the case, as the outgoing line has room."""
        await self._question.wait()
        self._question.clear()
        for device in list(self.devices.known):
            while self.sender.room < _ROOM:
                await asyncio.sleep_ms(_ROOM_MS)
            if device.zone:
                self._ask(device)
