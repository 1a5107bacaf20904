"""Frames that only some makers' sensors send, told in the words of `zigbee.told`.

Owns the decoding of what `zigbee.quirks` calls frames of its own. A device without such traits never reaches this code,
and an alarm in a standard frame is understood without it. Must never take memory, keep state, or read beyond a frame.
"""

from array import array

from micropython import const

from zigbee import ias, told
from zigbee.quirks import CONTACT_ON_OFF, LUMI_SMOKE, LUMI_STRUCT, ON_OFF_MOTION
from zigbee.scan import BODY, CLUSTER, COMMAND, CONTROL, ENTRY_SIZE, ID, NEXT, SIZE, TYPE, VALUE, attribute
from zigbee.zcl import CLUSTER_SPECIFIC, READ_RESPONSE, REPORT

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BASIC = const(0x0000)
_ON_OFF = const(0x0006)
_ON = const(0x01)
_ON_WITH_TIMED_OFF = const(0x42)
_LUMI_CLUSTER = const(0xFCC0)
_SMOKE = const(0x013A)
_SELF_TEST = const(0x0127)
_STRUCT = const(0xFF01)  # of Basic
_OLD_STRUCT = const(0xFF02)  # of Basic
_NEW_STRUCT = const(0x00F7)  # of 0xFCC0
_TAG_VOLTS = const(1)  # in the structure: millivolts, uint16
_TAG_STATE = const(100)  # ... a contact: 1 = open
_TAG_SMOKE = const(160)  # ... 1 = smoke
_ENTRIES = const(16)

_entry = array("I", [0] * ENTRY_SIZE)


def translate(traits: int, fields: array, buf: bytearray, tell: "Callable[[array, int, int], Any]") -> bool:
    """Tell in the words of zigbee.told what a frame of this device means. fields: as scan.decode() left them.

    True: something of it was told and nothing else is in it; a default response may still be owed. False: it is to be
    handled as everybody's.
    """
    cluster = fields[CLUSTER]
    if fields[CONTROL] & 3 == CLUSTER_SPECIFIC:
        if traits & ON_OFF_MOTION and cluster == _ON_OFF and fields[COMMAND] in (_ON, _ON_WITH_TIMED_OFF):
            tell(fields, told.PRESENCE, 1)
            return True
        return False
    if fields[COMMAND] != REPORT and fields[COMMAND] != READ_RESPONSE:
        return False
    if cluster == _ON_OFF and not traits & CONTACT_ON_OFF:
        return False
    if cluster not in (_ON_OFF, _LUMI_CLUSTER, _BASIC):
        return False
    return _attributes(traits, fields, buf, tell)


def _attributes(traits: int, fields: array, buf: bytearray, tell: "Callable[[array, int, int], Any]") -> bool:
    at = fields[BODY]
    end = at + fields[SIZE]
    answer = 1 if fields[COMMAND] == READ_RESPONSE else 0
    change = told.LEVEL if answer else told.NOTIFIED
    understood = False
    for _ in range(_ENTRIES):
        place = at + 4 + answer  # behind the type, where a string has its length
        if traits & LUMI_STRUCT and fields[CLUSTER] != _ON_OFF and place < end:
            number = buf[at] | buf[at + 1] << 8
            form = buf[place - 2]
            if number in (_STRUCT, _NEW_STRUCT) and form in (0x41, 0x42):
                return _structure(traits, fields, buf, place, end, tell)  # to the frame's end: its length may be wrong
            if number == _OLD_STRUCT and form == 0x4C:
                return _old_structure(traits, fields, buf, place + 1, end, tell)
        if attribute(buf, at, end, answer, _entry) <= 0:
            return understood
        value = _meaning(traits, fields[CLUSTER], _entry[ID], _entry[VALUE]) if _entry[TYPE] else -1
        if value >= 0:
            tell(fields, change, value)
            understood = True
        at = _entry[NEXT]
    return understood


def _meaning(traits: int, cluster: int, number: int, value: int) -> int:
    """The zone status that an attribute stands for, or -1."""
    if cluster == _ON_OFF:
        return (ias.ALARM_1 if value else 0) if number == 0x0000 else -1
    if cluster == _LUMI_CLUSTER and traits & LUMI_SMOKE:
        if number == _SMOKE:
            return ias.ALARM_1 if value else 0
        if number == _SELF_TEST:
            return ias.TEST if value else 0
    return -1


def _structure(
    traits: int, fields: array, buf: bytearray, at: int, end: int, tell: "Callable[[array, int, int], Any]"
) -> bool:
    """Entries of tag, type, value. Each is read as an attribute whose number has the tag in its upper byte."""
    found = False
    for _ in range(_ENTRIES):
        if attribute(buf, at - 1, end, 0, _entry) <= 0:
            break
        tag, value = _entry[ID] >> 8, _entry[VALUE]
        if tag == _TAG_VOLTS:
            tell(fields, told.VOLTS, value)
            found = True
        elif tag == _TAG_STATE and traits & CONTACT_ON_OFF or tag == _TAG_SMOKE and traits & LUMI_SMOKE:
            tell(fields, told.LEVEL, ias.ALARM_1 if value else 0)
            found = True
        at = _entry[NEXT]
    return found


def _old_structure(
    traits: int, fields: array, buf: bytearray, at: int, end: int, tell: "Callable[[array, int, int], Any]"
) -> bool:
    """A structure of the standard: a count, then type and value; the first is the contact, the second the battery."""
    found = False
    for place in range(2):
        if attribute(buf, at - 2, end, 0, _entry) <= 0:
            break
        if place == 1:
            tell(fields, told.VOLTS, _entry[VALUE])
            found = True
        elif traits & CONTACT_ON_OFF:
            tell(fields, told.LEVEL, ias.ALARM_1 if _entry[VALUE] else 0)
            found = True
        at = _entry[NEXT]
    return found
