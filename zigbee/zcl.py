"""ZCL frames: how the host's own are built. Reading is in `zigbee.scan`.

Owns the layout of the ZCL general frame. No I/O, no state. Must never build more than was asked for.
Source: Zigbee Cluster Library specification (07-5123), 2.4 frame formats, 2.5 general commands.
"""

from micropython import const

READ_ATTRIBUTES = const(0x00)
READ_RESPONSE = const(0x01)
WRITE_ATTRIBUTES = const(0x02)
WRITE_RESPONSE = const(0x04)
REPORT = const(0x0A)
DEFAULT_RESPONSE = const(0x0B)

CLUSTER_SPECIFIC = const(0x01)  # frame control: the command is the cluster's own
FROM_SERVER = const(0x08)
NO_DEFAULT_RESPONSE = const(0x10)

INT16 = const(0x29)  # attribute types
EUI64 = const(0xF0)


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
