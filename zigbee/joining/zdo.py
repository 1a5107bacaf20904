"""Device profile requests (ZDO) as the coprocessor takes them, and strict parsers of the answers that are used.

Owns their layout. No I/O, no state. Must never trust an answer's own counts: what does not add up to the last byte is
refused (None), and the caller counts it.

Requests go in the payload of an MT command of their own; the answers come as AREQs without a sequence number, so they
are matched by command and sender. Source: TI "Z-Stack Monitor and Test API", ZDO interface; Zigbee specification 2.4.3,
2.4.4 (the descriptors: 2.3.2).
"""

from micropython import const

_CLUSTERS = const(32)  # of one list; real sensors have under 20
_ENDPOINTS = const(16)  # of one device
_SHORT = const(0x02)  # address mode
_BROADCAST = const(0x0F)
_ROUTERS = const(0xFFFC)  # broadcast address: all routers and the coordinator
_TO_ENDPOINT = const(0x03)  # binding to an IEEE address and an endpoint
_LEAVE = const(0x00)  # neither remove the children nor rejoin
OK = const(0x00)
NOT_SUPPORTED = const(0x84)  # ZDP status
MAINS = const(0x04)  # MAC capability: mains powered
LISTENS = const(0x08)  # MAC capability: receiver on when idle


def le16(data: bytes, at: int) -> int:
    """Two bytes, the low one first."""
    return data[at] | data[at + 1] << 8


def put16(value: int) -> bytes:
    """Two bytes, the low one first."""
    return bytes((value & 0xFF, value >> 8 & 0xFF))


def of_interest(short: int) -> bytes:
    """Payload of ZDO_NODE_DESC_REQ and ZDO_ACTIVE_EP_REQ: to the device, about itself."""
    return put16(short) + put16(short)


def simple_desc(short: int, endpoint: int) -> bytes:
    """Payload of ZDO_SIMPLE_DESC_REQ."""
    return put16(short) + put16(short) + bytes((endpoint,))


def bind(short: int, wire: bytes, endpoint: int, cluster: int, to_wire: bytes, to_endpoint: int) -> bytes:
    """Payload of ZDO_BIND_REQ: what the device's endpoint has to say of the cluster goes to to_wire."""
    return put16(short) + wire + bytes((endpoint,)) + put16(cluster) + bytes((_TO_ENDPOINT,)) + to_wire + bytes(
        (to_endpoint,)
    )


def leave(short: int, wire: bytes) -> bytes:
    """Payload of ZDO_MGMT_LEAVE_REQ: leave and stay away."""
    return put16(short) + wire + bytes((_LEAVE,))


def permit(for_s: int) -> bytes:
    """Payload of ZDO_MGMT_PERMIT_JOIN_REQ to the coordinator itself; 0 closes it."""
    return bytes((_SHORT, 0, 0, for_s, 0))


def permit_nowhere() -> bytes:
    """The same to every router: closed."""
    return bytes((_BROADCAST,)) + put16(_ROUTERS) + bytes(2)


def status(data: bytes) -> "tuple | None":
    """(sender, status) of any answer; None: too short."""
    return (le16(data, 0), data[2]) if len(data) >= 3 else None


def node(data: bytes) -> "int | None":
    """The MAC capability bits of a ZDO_NODE_DESC_RSP; None: refused, broken, or not of its sender."""
    if len(data) != 18 or data[2] != OK or le16(data, 0) != le16(data, 3):
        return None
    return data[7]


def endpoints(data: bytes) -> "list | None":
    """The endpoints of a ZDO_ACTIVE_EP_RSP, lowest first and each once; None: refused or broken."""
    if len(data) < 6 or data[2] != OK or len(data) != 6 + data[5] or data[5] > _ENDPOINTS:
        return None
    return sorted({one for one in data[6:] if 1 <= one <= 240})


def simple(data: bytes) -> "tuple | None":
    """(endpoint, profile, device id, servers, clients) of a ZDO_SIMPLE_DESC_RSP; None: refused or broken."""
    if len(data) < 14 or data[2] != OK or len(data) != 6 + data[5]:
        return None
    servers, at = _clusters(data, 12)
    if servers is None:
        return None
    clients, at = _clusters(data, at)
    if clients is None or at != len(data):
        return None
    return data[6], le16(data, 7), le16(data, 9), servers, clients


def _clusters(data: bytes, at: int) -> tuple:
    """(list, where it ends), or (None, 0): longer than the data or than any sensor's."""
    if at >= len(data) or data[at] > _CLUSTERS or at + 1 + 2 * data[at] > len(data):
        return None, 0
    end = at + 1 + 2 * data[at]
    return [le16(data, place) for place in range(at + 1, end, 2)], end
