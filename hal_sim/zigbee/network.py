"""What the coprocessor's memory holds once it has formed the home's network.

Owns the contents of the NV items. The layouts are those of a CC2652 (32-bit alignment), Z-Stack 3.30 and newer.
"""

from binascii import crc32

from hal_sim.zigbee.ieee import ieee_of, wire_of
from hal_sim.zigbee.mt import put16, put32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.device import EndDevice

CHANNEL = 20
PAN_ID = 0x3C91
CHANNELS = 1 << CHANNEL
_ZSTACK = 1  # system id of the extended items
_ADDRMGR = 1
_TCLK_TABLE = 4
_APS_KEYS = 6
_SECURITY_MATERIAL = 7
_EMPTY_ADDRESS = b"\xff" * 12
_TABLE_SIZE = 40


def _secret(what: str) -> bytes:
    return b"".join(put32(crc32((what + str(part)).encode()) & 0xFFFFFFFF) for part in range(4))


def _nib(wire: bytes, extended_pan: bytes) -> bytes:
    """The network information base, 116 bytes."""
    head = bytes((0, 5, 2, 50, 15, 50, 0, 30, 1, 0, 0, 1, 5, 0, 0xC4, 0)) + put16(7) + bytes((2, 5, 30, 0))
    place = put16(0) + bytes((CHANNEL, 0)) + put16(0) + wire + put16(PAN_ID) + bytes((8, 0)) + put32(CHANNELS)
    beacon = bytes((15, 15, 4, 0)) + put32(0) + put32(0) + bytes((0,)) + extended_pan + bytes((1,))
    tail = bytes(34) + bytes((0, 0, 60, 3, 0, 1, 120, 10, 0, 0)) + put16(0) + put16(0) + bytes((0, 0))
    return head + place + beacon + tail


def blank_items(name: str) -> dict:
    """A chip that never had a network; it has its address all the same."""
    return {
        0x0001: wire_of(ieee_of(name)), 0x0003: bytes(1), 0x0021: bytes(116), 0x002D: bytes(8), 0x0030: bytes((30,)),
        0x0032: bytes(1), 0x0033: bytes(1), 0x0036: bytes(1), 0x0038: bytes((255,)), 0x003A: bytes(17),
        0x003B: bytes(17), 0x003E: bytes(1), 0x0047: bytes(8), 0x004C: bytes(62), 0x0055: bytes(1), 0x0062: bytes(16),
        0x0063: bytes(1), 0x0082: bytes(24), 0x0083: b"\xff\xff", 0x0084: put32(CHANNELS), 0x0087: bytes(1),
        0x008F: bytes(1), 0x0101: bytes(16),
    }  # fmt: skip


def formed_items(name: str, devices: list) -> dict:
    """The memory of the coordinator `name` with these devices joined; each has `wire` and `short`."""
    items = blank_items(name)
    wire = items[0x0001]
    extended_pan = wire_of(ieee_of(name + " network"))
    key = _secret(name + " key")
    items[0x0021] = _nib(wire, extended_pan)
    items[0x002D] = items[0x0047] = extended_pan
    items[0x003A] = items[0x003B] = bytes(1) + key
    items[0x0055] = b"\x01"
    items[0x0060] = b"\x55"
    items[0x0062] = key
    items[0x0082] = bytes(1) + key + bytes(3) + put32(10_000)
    items[0x0083] = put16(PAN_ID)
    items[0x0101] = _secret(name + " seed")
    items[(_ZSTACK, _SECURITY_MATERIAL, 0)] = put32(10_000) + extended_pan
    for place in range(_TABLE_SIZE):
        items[(_ZSTACK, _ADDRMGR, place)] = _EMPTY_ADDRESS
        items[(_ZSTACK, _TCLK_TABLE, place)] = bytes(16) + bytes((0xFF, 0, 0, 0))
        items[(_ZSTACK, _APS_KEYS, place)] = bytes(24)
    for place, device in enumerate(devices):
        remember(items, place, device)
    return items


def remember(items: dict, place: int, device: "EndDevice") -> None:
    """The address manager's and the trust centre's entry of a joined end device."""
    items[(_ZSTACK, _ADDRMGR, place)] = bytes((3, 0)) + put16(device.short) + device.wire
    items[(_ZSTACK, _TCLK_TABLE, place)] = put32(1) + put32(1) + device.wire + bytes((2, 0, place & 15, 0))
