"""What the coprocessor's memory holds of a network: its identity, its key, its frame counter.

Owns the contents of the NV items. The layouts are those of a CC2652 (32-bit alignment), Z-Stack 3.30 and newer.
"""

from binascii import crc32

from hal_sim.zigbee.ieee import ieee_of, wire_of
from hal_sim.zigbee.mt import le16, le32, put16, put32
from hal_sim.zigbee.tables import (  # noqa: F401  # who looks at the memory from outside finds all of it here
    SEED,
    children,
    empty_tables,
    forget,
    has_tables,
    keep_address,
    link_key,
    place_of,
    remember,
)  # fmt: skip

CHANNEL = 20
PAN_ID = 0x3C91
ALL_CHANNELS = 0x07FFF800
EXTENDED_ADDRESS = 0x0001
STARTUP_OPTION = 0x0003
NIB = 0x0021
EXTENDED_PAN = 0x002D
ACTIVE_KEY = 0x003A
ALTERNATE_KEY = 0x003B
USED_EXTENDED_PAN = 0x0047
ON_A_NETWORK = 0x0055
PRESET_KEY = 0x0062
NETWORK_KEY = 0x0082
PRESET_PAN = 0x0083
CHANNEL_LIST = 0x0084
LOGICAL_TYPE = 0x0087
_ZSTACK = 1  # system id of the extended items
_SECURITY_MATERIAL = 7
_NOBODY = bytes(8)
_COUNTERS = 4  # networks whose frame counter is remembered


def _secret(what: str) -> bytes:
    return b"".join(put32(crc32((what + str(part)).encode()) & 0xFFFFFFFF) for part in range(4))


def nib(wire: bytes, channel: int, pan: int, channels: int, extended_pan: bytes) -> bytes:
    """The network information base, 116 bytes."""
    head = bytes((0, 5, 2, 50, 15, 50, 0, 30, 1, 0, 0, 1, 5, 0, 0xC4, 0)) + put16(7) + bytes((2, 5, 30, 0))
    place = put16(0) + bytes((channel, 0)) + put16(0) + wire + put16(pan) + bytes((8, 0)) + put32(channels)
    beacon = bytes((15, 15, 4, 0)) + put32(0) + put32(0) + bytes((0,)) + extended_pan + bytes((1,))
    tail = bytes(34) + bytes((0, 0, 60, 3, 0, 1, 120, 10, 0, 0)) + put16(0) + put16(0) + bytes((0, 0))
    return head + place + beacon + tail


def identity(items: dict) -> "tuple | None":
    """(channel, PAN, extended PAN, key, its sequence number) as the memory says, or None: that is no network."""
    base, key = items.get(NIB, b""), items.get(ACTIVE_KEY, b"")
    if len(base) < 115 or len(key) != 17 or not 11 <= base[24] <= 26 or not base[65]:
        return None
    return base[24], le16(base, 36), base[57:65], key[1:], key[0]


def moved(items: dict, channel: int) -> None:
    """The network goes to another channel: with a new update number."""
    base = bytearray(items[NIB])
    base[24] = channel
    base[114] = (base[114] + 1) & 0xFF
    items[NIB] = bytes(base)


def blank_items(name: str) -> dict:
    """A chip that never had a network; it has its address all the same."""
    return {
        0x0001: wire_of(ieee_of(name)), 0x0003: bytes(1), 0x0021: bytes(116), 0x002D: bytes(8), 0x0030: bytes((30,)),
        0x0032: bytes(1), 0x0033: bytes(1), 0x0036: bytes(1), 0x0038: bytes((255,)), 0x003A: bytes(17),
        0x003B: bytes(17), 0x003E: bytes(1), 0x0047: bytes(8), 0x004C: bytes(62), 0x0055: bytes(1), 0x0062: bytes(16),
        0x0063: bytes(1), 0x0082: bytes(24), 0x0083: b"\xff\xff", 0x0084: put32(1 << CHANNEL), 0x0087: bytes(1),
        0x008F: bytes(1), 0x0101: bytes(16),
    }  # fmt: skip


def clear(items: dict, config: bool, state: bool) -> None:
    """What STARTUP_OPTION asks for at a start. The frame counters stay, as the Base Device Behavior wants it."""
    fresh = blank_items("")
    if config:
        for key in (EXTENDED_PAN, USED_EXTENDED_PAN, PRESET_KEY, 0x0063, PRESET_PAN, CHANNEL_LIST, LOGICAL_TYPE):
            items[key] = fresh[key]
    if state:
        for key in (NIB, ACTIVE_KEY, ALTERNATE_KEY, NETWORK_KEY, ON_A_NETWORK, SEED, 0x004C):
            items[key] = fresh[key]
        if has_tables(items):
            empty_tables(items)
    items[STARTUP_OPTION] = bytes(1)


def write(items: dict, network: tuple, channels: int, seed: bytes) -> None:
    """Keep a newly formed network; its tables are empty."""
    channel, pan, extended_pan, key, number = network
    items[NIB] = nib(items[EXTENDED_ADDRESS], channel, pan, channels, extended_pan)
    items[EXTENDED_PAN] = items[USED_EXTENDED_PAN] = extended_pan
    items[ACTIVE_KEY] = items[ALTERNATE_KEY] = bytes((number,)) + key
    items[NETWORK_KEY] = bytes((number,)) + key + bytes(7)
    items[PRESET_KEY] = key
    items[PRESET_PAN] = put16(pan)
    items[ON_A_NETWORK] = b"\x01"
    items[SEED] = seed
    empty_tables(items)


def formed_items(name: str, devices: list) -> dict:
    """The memory of the coordinator `name` with these devices joined; each has `wire` and `short`."""
    items = blank_items(name)
    network = (CHANNEL, PAN_ID, wire_of(ieee_of(name + " network")), _secret(name + " key"), 0)
    write(items, network, 1 << CHANNEL, _secret(name + " seed"))
    items[0x0060] = b"\x55"
    save_counter(items, network[2], 10_000)
    for place, device in enumerate(devices):
        remember(items, place, device)
    return items


# ---------------------------------------------------------------------- frame counters


def counter(items: dict, extended_pan: bytes) -> int:
    """The outgoing frame counter last saved for this network; 0 when it is a new one."""
    for place in range(_COUNTERS):
        entry = items.get((_ZSTACK, _SECURITY_MATERIAL, place), b"")
        if len(entry) == 12 and (entry[4:] == extended_pan or entry[4:] == b"\xff" * 8):
            return le32(entry, 0)
    return 0


def save_counter(items: dict, extended_pan: bytes, value: int) -> None:
    """Keep the counter in this network's entry, or else in a free one, or else in the last."""
    found = _COUNTERS - 1
    for place in range(_COUNTERS - 1, -1, -1):
        entry = items.setdefault((_ZSTACK, _SECURITY_MATERIAL, place), bytes(12))
        if entry[4:] == extended_pan:
            found = place
            break
        if entry[4:] == _NOBODY:
            found = place
    items[(_ZSTACK, _SECURITY_MATERIAL, found)] = put32(value) + extended_pan
