"""What a message from the air means: an AF_INCOMING_MSG becomes events of the product.

Owns the decoding. Must never wait, never decide what an alarm leads to, never refuse one because of its zone id.
"""

from array import array

from micropython import const

from zigbee import ias, told, zcl
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
    TYPE,
    VALUE,
    attribute,
    decode,
)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ATTRIBUTES_LIMIT = const(16)  # entries looked at in one report


class Incoming:
    """heard(short, endpoint, kind, value, tsn, lqi) gets events of zigbee.told; answer(...) what the sender expects
    back.

    answer(short, endpoint, cluster, zcl_frame); enrol(short, endpoint) when a zone asks to be enrolled or says it is
    not.
    """

    def __init__(self, heard: "Callable[..., Any]", answer: "Callable[..., Any]", enrol: "Callable[..., Any]") -> None:
        self._heard = heard
        self._answer = answer
        self._enrol = enrol
        self._fields = array("I", [0] * FIELDS_SIZE)
        self._entry = array("I", [0] * ENTRY_SIZE)
        self.messages = 0
        self.broken = 0

    def take(self, buf: bytearray, at: int, size: int) -> None:
        """Handle the AF_INCOMING_MSG with the payload buf[at:at + size]."""
        fields = self._fields
        if not decode(buf, at, size, fields):
            self.broken += 1
            return
        self.messages += 1
        family = fields[FAMILY]
        if family == STATUS_CHANGE:  # whatever its direction bit and zone id: too much depends on it
            self._heard(fields[SHORT], fields[ENDPOINT], told.NOTIFIED, fields[STATUS], fields[TSN], fields[LQI])
        elif family == ATTRIBUTES:
            self._attributes(buf, fields)
        elif family == SPECIFIC and self._specific(buf, fields):
            return
        if fields[ANSWER]:
            self._acknowledge(fields)

    def _tell(self, fields: array, kind: int, value: int) -> None:
        self._heard(fields[SHORT], fields[ENDPOINT], kind, value, fields[TSN], fields[LQI])

    def _specific(self, buf: bytearray, fields: array) -> bool:
        """A cluster's own command; True when it was answered."""
        if fields[CLUSTER] == ias.ZONE:
            if fields[COMMAND] == ias.ENROLL_REQUEST and fields[CONTROL] & zcl.FROM_SERVER:
                self._enrol(fields[SHORT], fields[ENDPOINT])
                return True
        elif fields[CLUSTER] == ias.ACE:
            return self._ace(buf, fields)
        return False

    def _ace(self, buf: bytearray, fields: array) -> bool:
        command = fields[COMMAND]
        if command in (ias.EMERGENCY, ias.PANIC, ias.FIRE):
            self._tell(fields, told.BUTTON, command)
        elif command == ias.ARM and fields[SIZE] >= 1 and buf[fields[BODY]] == ias.DISARM:
            tsn, short, endpoint = fields[TSN], fields[SHORT], fields[ENDPOINT]
            self._tell(fields, told.BUTTON, ias.ACE_DISARM)
            self._answer(short, endpoint, ias.ACE, zcl.specific(tsn, ias.ARM_RESPONSE, ias.ALL_DISARMED, True))
            return True
        return False

    def _attributes(self, buf: bytearray, fields: array) -> None:
        at = fields[BODY]
        end = at + fields[SIZE]
        answer = 1 if fields[COMMAND] == zcl.READ_RESPONSE else 0
        entry = self._entry
        for _ in range(_ATTRIBUTES_LIMIT):
            more = attribute(buf, at, end, answer, entry)
            if more <= 0:
                if more < 0:
                    self.broken += 1
                return
            if entry[TYPE]:
                self._attribute(fields, entry[ID], entry[VALUE])
            at = entry[NEXT]

    def _attribute(self, fields: array, number: int, value: int) -> None:
        cluster = fields[CLUSTER]
        if cluster == ias.ZONE and number == ias.ZONE_STATUS:
            self._tell(fields, told.LEVEL, value)
        elif cluster == ias.ZONE and number == ias.ZONE_STATE and value == 0:
            self._enrol(fields[SHORT], fields[ENDPOINT])
        elif cluster == ias.OCCUPANCY and number == ias.OCCUPIED:
            self._tell(fields, told.PRESENCE, value)
        elif cluster == ias.POWER and number == ias.BATTERY_PERCENT:
            self._tell(fields, told.PERCENT, value)

    def _acknowledge(self, fields: array) -> None:
        """The default response."""
        frame = zcl.default_response(fields[TSN], bool(fields[CONTROL] & zcl.FROM_SERVER), fields[COMMAND])
        self._answer(fields[SHORT], fields[ENDPOINT], fields[CLUSTER], frame)
