"""What a message from the air means: an AF_INCOMING_MSG becomes events of the product.

Owns the decoding. Must never wait, never decide what an alarm leads to, never refuse one because of its zone id, its
number, or how many frames its sender sends.
"""

from array import array

from micropython import const

from zigbee import ias, told, tsn, zcl
from zigbee.activity import CLUSTER as ACTIVITY
from zigbee.activity import Report
from zigbee.bucket import Flow
from zigbee.dialect import translate
from zigbee.measured import measured
from zigbee.quirks import FRAMES, UNKNOWN
from zigbee.scan import (
    ANSWER,
    ATTRIBUTES,
    BODY,
    CLUSTER,
    COMMAND,
    CONTROL,
    ENDPOINT,
    ENTRY_SIZE,
    FAMILY,
    FIELDS_SIZE,
    ID,
    LQI,
    NEXT,
    SHORT,
    SIZE,
    SPECIFIC,
    STATUS,
    STATUS_CHANGE,
    TSN,
    VALUE,
    WIDTH,
    attribute,
    decode,
    follows,
)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zigbee.devices import Device

_FLOOD = const(1)  # its sender is over its limit
_STALE = const(2)  # it is older than what its sender has sent already
_ENROLL_SIZE = const(4)  # zone type, manufacturer code


class Incoming:
    """Decodes; whom it tells is handed in.

    find(short) -> Device or None; heard(device, short, endpoint, kind, value, tsn, lqi) gets the events of zigbee.told;
    answer(short, endpoint, cluster, zcl_frame) what the sender expects back; enrol(short, endpoint) when a zone asks to
    be enrolled or says it is not; now() -> ms.
    """

    def __init__(
        self, find: "Callable[[int], Device | None]", heard: "Callable[..., Any]", answer: "Callable[..., Any]",
        enrol: "Callable[..., Any]", now: "Callable[[], int]",
    ) -> None:  # fmt: skip
        self._find = find
        self._heard = heard
        self._answer = answer
        self._enrol = enrol
        self._now = now
        self.on_mask: Callable[[Device, Report, int], Any] | None = None  # a known device's activity report, LQI
        self.fast_poll: Callable[[int], int] | None = None  # short -> for how many quarter seconds; 0: nothing to say
        self.unknown = Flow(False)  # what all unknown short addresses together may send
        self._fields = array("I", [0] * FIELDS_SIZE)
        self._entry = array("I", [0] * ENTRY_SIZE)
        self._device: Device | None = None
        self._flow = self.unknown
        self._doubt = 0
        self._settled = False
        self._teller = self._tell  # made once: naming a method takes memory
        self.report = Report()
        self.broken = 0
        self.stale = 0
        self.failures = 0  # frames of one maker whose handling raised

    def take(self, buf: bytearray, at: int, size: int) -> bool:
        """Handle the AF_INCOMING_MSG with the payload buf[at:at + size]. True: it is worth somebody else's time."""
        fields = self._fields
        if not decode(buf, at, size, fields):
            self.broken += 1
            return False
        device = self._find(fields[SHORT])
        self._device = device
        if device is None:
            flow, traits = self.unknown, UNKNOWN
        else:
            flow, traits = device.flow, device.traits
        state = follows(flow.gate, fields)
        if state > 0:
            self._doubt = 0
            if fields[FAMILY] == STATUS_CHANGE:
                self._heard(
                    device, fields[SHORT], fields[ENDPOINT], told.NOTIFIED, fields[STATUS], fields[TSN], fields[LQI]
                )
                if fields[ANSWER] and flow.calm:
                    self._acknowledge(fields)
                return True
        else:
            self._doubt = self._question(device, flow, fields, state)
        self._flow = flow
        self._settled = False
        answered = False
        if fields[FAMILY] == STATUS_CHANGE:  # whatever its direction bit and zone id: too much depends on it
            self._tell(fields, told.NOTIFIED, fields[STATUS])
        elif traits & FRAMES and self._translated(traits, fields, buf):
            self._settled = True
        else:
            answered = self._other(buf, fields)
        if not self._settled:
            self._tell(fields, told.ALIVE, 0)
        if fields[ANSWER] and not answered and flow.calm:
            self._acknowledge(fields)
        return not self._doubt

    def _question(self, device: "Device | None", flow: Flow, fields: array, state: int) -> int:
        """What makes the frame doubtful; 0: nothing."""
        doubt = 0
        if state < 0:
            if not flow.refill(self._now()):
                doubt = _FLOOD
                flow.gate[tsn.LEFT] = 1
            state = follows(flow.gate, fields)
        if not state and device is not None and tsn.stale(flow.gate, fields[TSN], device.heard_ms, self._now):
            doubt |= _STALE
            self.stale += 1
        return doubt

    def _translated(self, traits: int, fields: array, buf: bytearray) -> bool:
        """Frames that only some makers send. Should that fail, the frame is handled as everybody's."""
        try:
            return translate(traits, fields, buf, self._teller)
        except Exception:  # noqa: BLE001 - an alarm may be in the same frame
            self.failures += 1
            return False

    def _tell(self, fields: array, kind: int, value: int) -> None:
        self._settled = True
        device = self._device
        if not self._doubt:
            self._heard(device, fields[SHORT], fields[ENDPOINT], kind, value, fields[TSN], fields[LQI])
            if kind <= told.BUTTON and fields[COMMAND] != zcl.READ_RESPONSE and told.is_alarm(kind, value):
                self._flow.gate[tsn.ALARM] = fields[TSN]  # what this overtook must not undo it
        elif self._passes(kind, value):
            self._tell_stale(device, fields, kind, value)

    def _passes(self, kind: int, value: int) -> bool:
        """Of a frame in doubt: an alarm passes however old it is, and the first of an incident however many there
        are.
        """
        if self._doubt & _STALE and not told.is_alarm(kind, value):
            if kind <= told.LEVEL:
                self._flow.doubtful = True  # some count one sort of frame and not the other: it is asked
            return False
        if not self._doubt & _FLOOD:
            return True
        if self._device is None:
            return kind <= told.BUTTON  # what is held for unknown senders is bounded
        return self._flow.incident(kind, value, self._now())

    def _tell_stale(self, device: "Device | None", fields: array, kind: int, value: int) -> None:
        if device is None or not self._doubt & _STALE:
            self._heard(device, fields[SHORT], fields[ENDPOINT], kind, value, fields[TSN], fields[LQI])
            return
        device.stale = True
        try:
            self._heard(device, fields[SHORT], fields[ENDPOINT], kind, value, fields[TSN], fields[LQI])
        finally:
            device.stale = False

    def _other(self, buf: bytearray, fields: array) -> bool:
        """Everything but a status change; True when it was answered."""
        family = fields[FAMILY]
        cluster = fields[CLUSTER]
        if self._doubt & _FLOOD and cluster != ias.ZONE and cluster != ias.ACE:
            self._settled = True  # nothing in it can be an alarm
        elif family == ATTRIBUTES:
            if cluster == ACTIVITY and fields[COMMAND] == zcl.REPORT:
                self._mask(buf, fields)
            else:
                self._attributes(buf, fields)
        elif family == SPECIFIC:
            if cluster == ias.ACE:
                return self._ace(buf, fields)
            if fields[CONTROL] & zcl.FROM_SERVER:
                return self._served(fields)
        return False

    def _served(self, fields: array) -> bool:
        """A command of a cluster that the device serves."""
        if fields[CLUSTER] == ias.ZONE and fields[COMMAND] == ias.ENROLL_REQUEST:
            if fields[SIZE] < _ENROLL_SIZE:
                self._refuse()
            elif self._flow.calm:
                self._enrol(fields[SHORT], fields[ENDPOINT])
            return True
        if fields[CLUSTER] == ias.POLL_CONTROL and fields[COMMAND] == ias.CHECK_IN:
            self._tell(fields, told.CHECKIN, 0)
            self._answer_check_in(fields)
            return True
        return False

    def _answer_check_in(self, fields: array) -> None:
        """It listens for a moment: fast polling, when somebody has something to say to it (ZCL 3.16.5.3)."""
        if not self._flow.calm:
            return
        quarters = 0 if self.fast_poll is None else self.fast_poll(fields[SHORT])
        poll = bytes((1 if quarters else 0, quarters & 0xFF, quarters >> 8 & 0xFF))
        frame = zcl.specific(fields[TSN], ias.CHECK_IN_RESPONSE, poll)
        self._answer(fields[SHORT], fields[ENDPOINT], ias.POLL_CONTROL, frame)

    def _ace(self, buf: bytearray, fields: array) -> bool:
        command = fields[COMMAND]
        if fields[CONTROL] & zcl.FROM_SERVER:
            return False
        if command == ias.EMERGENCY or command == ias.PANIC or command == ias.FIRE:
            self._tell(fields, told.BUTTON, command)
        elif command == ias.ARM and not ias.is_arm(buf, fields[BODY], fields[SIZE]):
            self._refuse()
        elif command == ias.ARM and buf[fields[BODY]] == ias.DISARM:
            tsn_, short, endpoint = fields[TSN], fields[SHORT], fields[ENDPOINT]
            self._tell(fields, told.BUTTON, ias.ACE_DISARM)
            if self._flow.calm:
                self._answer(short, endpoint, ias.ACE, zcl.specific(tsn_, ias.ARM_RESPONSE, ias.ALL_DISARMED, True))
            return True
        return False

    def _mask(self, buf: bytearray, fields: array) -> None:
        """A minute of activity of our own sensors; of an unknown sender only that it lives."""
        report = self.report
        found = report.read(buf, fields[BODY], fields[BODY] + fields[SIZE])
        if found < 0:
            self._refuse()
        elif found and self._device is not None and self.on_mask is not None:
            self._settled = True
            if not self._doubt:
                self.on_mask(self._device, report, fields[LQI])

    def _attributes(self, buf: bytearray, fields: array) -> None:
        at = fields[BODY]
        end = at + fields[SIZE]
        answer = 1 if fields[COMMAND] == zcl.READ_RESPONSE else 0
        entry = self._entry
        while True:  # each entry takes three bytes at least
            more = attribute(buf, at, end, answer, entry)
            if more <= 0:
                if more < 0:
                    self._refuse()
                return
            at = entry[NEXT]
            if not entry[WIDTH]:
                continue
            if fields[CLUSTER] != ias.ZONE:
                measured(fields, entry, self._teller)
            elif entry[ID] == ias.ZONE_STATUS:
                self._tell(fields, told.LEVEL, entry[VALUE] & 0xFFFF)
            elif entry[ID] == ias.ZONE_STATE and not entry[VALUE] and self._flow.calm:
                self._enrol(fields[SHORT], fields[ENDPOINT])

    def _refuse(self) -> None:
        """It does not say what it should; what it said before that counts."""
        self.broken += 1
        self._settled = True

    def _acknowledge(self, fields: array) -> None:
        """The default response."""
        frame = zcl.default_response(fields[TSN], bool(fields[CONTROL] & zcl.FROM_SERVER), fields[COMMAND])
        self._answer(fields[SHORT], fields[ENDPOINT], fields[CLUSTER], frame)
