"""What the coordinator answers about itself: descriptors, its neighbours, its tables.

Owns nothing. Source: Zigbee specification 2.4.4 (device profile responses).
"""

from hal_sim.zigbee import tables
from hal_sim.zigbee.mt import SUCCESS, le16, put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.chip import NcpChip

_OK = bytes((SUCCESS,))
_NOT_SUPPORTED = 0x84
_NOT_ACTIVE = 0x82
_NOT_FOUND = 0x81
_MINE = bytes(2)
_NEIGHBOURS = 3  # of one answer
_SLEEPING_CHILD = 0x12  # end device, does not listen when idle, relationship child


def answer_of(chip: "NcpChip", cluster: int, p: bytes) -> "bytes | None":
    """The answer to a request of the device profile, status first; None: there is none."""
    if cluster in (0x0002, 0x0003, 0x0004, 0x0005, 0x0006):
        if len(p) < 2 or le16(p, 0) != 0:
            return bytes((_NOT_FOUND,)) + p[:2] + (b"\x00" if cluster > 0x0003 else b"")
        return _descriptor(chip, cluster, p[2:])
    if cluster in (0x0021, 0x0022):
        return _OK
    if cluster == 0x0031:
        return _neighbours(chip, p[0] if p else 0)
    if cluster in (0x0032, 0x0033):
        return _OK + bytes((0, p[0] if p else 0, 0))
    if cluster in (0x0007, 0x0008):
        return bytes((_NOT_SUPPORTED,)) + _MINE + b"\x00"
    return bytes((_NOT_SUPPORTED,)) if 0x0030 <= cluster <= 0x0038 else None


def _descriptor(chip: "NcpChip", cluster: int, p: bytes) -> bytes:
    endpoints = chip.af.endpoints
    if cluster == 0x0002:
        buffers = bytes((80,)) + put16(160) + b"\x01\x2c" + put16(160) + b"\x00"
        return _OK + _MINE + bytes((0, 0x40, 0x8F)) + _MINE + buffers
    if cluster == 0x0003:
        return _OK + _MINE + bytes((0x10, 0xC1))  # mains, full; always on
    if cluster == 0x0005:
        return _OK + _MINE + bytes((len(endpoints),)) + bytes(sorted(endpoints))
    if cluster == 0x0006:
        matching = bytes(number for number in sorted(endpoints) if _matches(endpoints[number], p))
        return _OK + _MINE + bytes((len(matching),)) + matching
    found = endpoints.get(p[0]) if p else None
    if found is None:
        return bytes((_NOT_ACTIVE,)) + _MINE + b"\x00"
    body = bytes((p[0],)) + found
    return _OK + _MINE + bytes((len(body),)) + body


def _matches(endpoint: bytes, p: bytes) -> bool:
    """The endpoint has the profile and at least one of the clusters asked for."""
    if len(p) < 3 or endpoint[:2] != p[:2]:
        return False
    servers, rest = _clusters(endpoint[5:])
    clients, _ = _clusters(rest)
    asked, rest = _clusters(p[2:])
    offered, _ = _clusters(rest)
    return any(one in servers for one in asked) or any(one in clients for one in offered)


def _clusters(data: bytes) -> tuple:
    """A counted list of clusters and what follows it."""
    count = data[0] if data else 0
    end = 1 + 2 * count
    return [data[at:at + 2] for at in range(1, end, 2)], data[end:]


def _neighbours(chip: "NcpChip", start: int) -> bytes:
    """Mgmt_Lqi_rsp: the children."""
    children = tables.children(chip.nv.items)
    running = chip.air.running
    some = children[start:start + _NEIGHBOURS]
    body = _OK + bytes((len(children), start, len(some)))
    for short, wire in some:
        device = chip.air.find(short)
        lqi = 0 if device is None else device.lqi
        body += (running.identity[2] if running else bytes(8)) + wire + put16(short)
        body += bytes((_SLEEPING_CHILD, 2, 1, lqi))
    return body
