"""Strict parsers of the ZCL answers that the interview waits for.

Owns their layout. No I/O, no state. Must never read beyond the data, whatever it says of itself: what is broken ends
the list there, and what came before it counts. Source: Zigbee Cluster Library specification, 2.5 general commands.
"""

from array import array

from micropython import const

from zigbee import scan
from zigbee.joining import zdo

_LIMIT = const(16)  # entries looked at in one answer


def ids(attributes: tuple) -> bytes:
    """The payload of Read Attributes."""
    return b"".join(zdo.put16(one) for one in attributes)


def read(data: bytes) -> dict:
    """attribute -> (type, value as it travels) of a Read Attributes Response; the ones that failed are left out."""
    entry = array("I", [0] * scan.ENTRY_SIZE)
    found: dict = {}
    at = 0
    for _ in range(_LIMIT):
        if scan.attribute(data, at, len(data), 1, entry) <= 0:
            break
        if entry[scan.TYPE]:
            found[entry[scan.ID]] = (entry[scan.TYPE], bytes(data[at + 4:entry[scan.NEXT]]))
        at = entry[scan.NEXT]
    return found


def written(data: bytes) -> int:
    """The status of a Write Attributes Response to one attribute; -1: broken."""
    return data[0] if len(data) in (1, 3) else -1


def default(data: bytes) -> int:
    """The status of a Default Response; -1: broken."""
    return data[1] if len(data) == 2 else -1


def configured(data: bytes, wanted: tuple) -> tuple:
    """The attributes among `wanted` that a Configure Reporting Response takes. One byte speaks for all of them."""
    if len(data) == 1:
        return wanted if data[0] == 0 else ()
    if not data or len(data) % 4:
        return ()
    failed = [zdo.le16(data, at + 2) for at in range(0, len(data), 4) if data[at]]
    return tuple(one for one in wanted if one not in failed)


def configuration(data: bytes) -> dict:
    """attribute -> (min s, max s) of a Read Reporting Configuration Response, as far as it can be read."""
    found: dict = {}
    at = 0
    for _ in range(_LIMIT):
        if len(data) - at < 4:
            break
        attribute = zdo.le16(data, at + 2)
        if data[at] or data[at + 1]:  # refused, or of what it receives
            at += 4
            continue
        if len(data) - at < 9:
            break
        kind = data[at + 4]
        found[attribute] = (zdo.le16(data, at + 5), zdo.le16(data, at + 7))
        at += 9 + change_size(kind)
    return found


def change_size(kind: int) -> int:
    """How many bytes the reportable change of this type takes: analog types only (ZCL 2.5.7.1.7, table 2-10)."""
    if 0x20 <= kind <= 0x2F:
        return (kind & 7) + 1
    return {0x38: 2, 0x39: 4, 0x3A: 8, 0xE0: 4, 0xE1: 4, 0xE2: 4}.get(kind, 0)
