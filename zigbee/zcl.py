"""ZCL frames: how the host's own are built, and how attribute lists are read.

Owns the layout of the ZCL general frame and its data types. No I/O, no state. Must never read beyond the end it is
given. Source: Zigbee Cluster Library specification (07-5123), 2.4 frame formats, 2.5 general commands, 2.6.2 data
types.
"""

from micropython import const

READ_ATTRIBUTES = const(0x00)
READ_RESPONSE = const(0x01)
WRITE_ATTRIBUTES = const(0x02)
REPORT = const(0x0A)
DEFAULT_RESPONSE = const(0x0B)

CLUSTER_SPECIFIC = const(0x01)  # frame control: the command is the cluster's own
FROM_SERVER = const(0x08)
NO_DEFAULT_RESPONSE = const(0x10)

EUI64 = const(0xF0)

# Places in what attribute() finds
ID = const(0)
TYPE = const(1)
VALUE = const(2)  # the first four bytes as a number, little endian
NEXT = const(3)  # where the following entry begins

_SIZES = {
    0x00: 0, 0x10: 1, 0x30: 1, 0x31: 2, 0x38: 2, 0x39: 4, 0x3A: 8,
    0xE0: 4, 0xE1: 4, 0xE2: 4, 0xE8: 2, 0xE9: 2, 0xEA: 4, 0xF0: 8, 0xF1: 16,
}  # fmt: skip


def general(tsn: int, command: int, payload: bytes) -> bytes:
    """A general (profile-wide) command to the cluster's server."""
    return bytes((NO_DEFAULT_RESPONSE, tsn, command)) + payload


def specific(tsn: int, command: int, payload: bytes, from_server: bool = False) -> bytes:
    """A command of the cluster; from_server when the host is the cluster's server."""
    control = CLUSTER_SPECIFIC | NO_DEFAULT_RESPONSE | (FROM_SERVER if from_server else 0)
    return bytes((control, tsn, command)) + payload


def default_response(tsn: int, to_server: bool, command: int, status: int = 0) -> bytes:
    """The acknowledgement of `command`, which came with this tsn; to_server: the other side is the server."""
    return bytes((NO_DEFAULT_RESPONSE | (0 if to_server else FROM_SERVER), tsn, DEFAULT_RESPONSE, command, status))


def read(tsn: int, attributes: tuple) -> bytes:
    """Ask for attributes by id."""
    return general(tsn, READ_ATTRIBUTES, b"".join(bytes((one & 0xFF, one >> 8)) for one in attributes))


def write(tsn: int, attribute: int, kind: int, value: bytes) -> bytes:
    """Write one attribute; value is already little endian."""
    return general(tsn, WRITE_ATTRIBUTES, bytes((attribute & 0xFF, attribute >> 8, kind)) + value)


def attribute(buf: bytearray, at: int, end: int, with_status: bool, out: list) -> int:
    """Read the entry at buf[at] of a report (or of a read response, with_status) into out.

    1: out holds it. 0: the list ends here. -1: it is broken or of a type whose size is not known; nothing can follow.
    An entry of a read response that failed has type 0 and no value.
    """
    if at >= end:
        return 0
    head = 4 if with_status else 3
    if with_status and end - at >= 3 and buf[at + 2] != 0:
        out[ID], out[TYPE], out[VALUE], out[NEXT] = buf[at] | buf[at + 1] << 8, 0, 0, at + 3
        return 1
    if end - at < head:
        return -1
    kind = buf[at + head - 1]
    size = _size(buf, at + head, end, kind)
    if size < 0 or at + head + size > end:
        return -1
    value = 0
    for place in range(min(size, 4)):
        value |= buf[at + head + place] << 8 * place
    out[ID], out[TYPE], out[VALUE], out[NEXT] = buf[at] | buf[at + 1] << 8, kind, value, at + head + size
    return 1


def _size(buf: bytearray, at: int, end: int, kind: int) -> int:
    """Bytes of a value of this type at buf[at], -1 when not known."""
    if 0x08 <= kind <= 0x0F or 0x18 <= kind <= 0x1F or 0x20 <= kind <= 0x2F:
        return (kind & 7) + 1
    if kind in (0x41, 0x42):
        if at >= end:
            return -1
        return 1 + (buf[at] if buf[at] != 0xFF else 0)
    if kind in (0x43, 0x44):
        if end - at < 2:
            return -1
        size = buf[at] | buf[at + 1] << 8
        return 2 + (size if size != 0xFFFF else 0)
    return _SIZES.get(kind, -1)
