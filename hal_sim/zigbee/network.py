"""What the coprocessor's memory holds of a network: identity, keys, and a table of the devices it let in.

Owns the contents of the NV items. The layouts are those of a CC2652 (32-bit alignment), Z-Stack 3.30 and newer.
"""

from binascii import crc32

from hal_sim.zigbee.ieee import ieee_of, wire_of
from hal_sim.zigbee.keys import seeded_key
from hal_sim.zigbee.mt import le16, le32, put16, put32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.device import EndDevice

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
SEED = 0x0101
_ZSTACK = 1  # system id of the extended items
_ADDRMGR = 1
_TCLK_TABLE = 4
_CODES = 5
_APS_KEYS = 6
_SECURITY_MATERIAL = 7
_TABLES = (_ADDRMGR, _TCLK_TABLE, _CODES, _APS_KEYS)
_EMPTY_ADDRESS = b"\xff" * 12
_EMPTY_LINK = bytes(16) + bytes((0xFF, 0, 0, 0))
_NOBODY = bytes(8)
_CHILD = 0x01  # address manager: used by the table of children
_SECURED = 0x02
_FROM_CODE = 0x00  # key attributes of the trust centre's table: an install code's key waits for its device
_VERIFIED = 0x02
_DEFAULT_KEY = 0xFF
TABLE_SIZE = 40
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
        if (_ZSTACK, _ADDRMGR, 0) in items:
            empty_tables(items)
    items[STARTUP_OPTION] = bytes(1)


def empty_tables(items: dict) -> None:
    for place in range(TABLE_SIZE):
        items[(_ZSTACK, _ADDRMGR, place)] = _EMPTY_ADDRESS
        items[(_ZSTACK, _TCLK_TABLE, place)] = _EMPTY_LINK
        items[(_ZSTACK, _APS_KEYS, place)] = bytes(24)
        items.pop((_ZSTACK, _CODES, place), None)


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


# ---------------------------------------------------------------------- who is in


def place_of(items: dict, wire: bytes) -> "int | None":
    """Where the address manager keeps this device."""
    for place in range(TABLE_SIZE):
        entry = items.get((_ZSTACK, _ADDRMGR, place))
        if entry and entry[0] != 0xFF and entry[4:] == wire:
            return place
    return None


def children(items: dict) -> list:
    """(short address, IEEE address as it travels) of every device in the address manager's table of children."""
    found = []
    for place in range(TABLE_SIZE):
        entry = items.get((_ZSTACK, _ADDRMGR, place))
        if entry and entry[0] != 0xFF and entry[0] & _CHILD:
            found.append((le16(entry, 2), entry[4:]))
    return found


def free_place(items: dict) -> "int | None":
    for place in range(TABLE_SIZE):
        entry = items.get((_ZSTACK, _ADDRMGR, place))
        if entry and (entry[0] == 0xFF or entry[4:] in (_NOBODY, b"\xff" * 8)):
            return place
    return None


def keep_address(items: dict, place: int, short: int, wire: bytes) -> None:
    items[(_ZSTACK, _ADDRMGR, place)] = bytes((_CHILD | _SECURED, 0)) + put16(short) + wire


def drop_address(items: dict, place: int) -> None:
    items[(_ZSTACK, _ADDRMGR, place)] = _EMPTY_ADDRESS


def remember(items: dict, place: int, device: "EndDevice") -> None:
    """The address manager's and the trust centre's entry of a joined end device."""
    keep_address(items, place, device.short, device.wire)
    if link_place(items, device.wire) is None:
        verify(items, device.wire, place & 15)


def forget(items: dict, wire: bytes) -> None:
    """A device is no longer in: its entries are free."""
    place = place_of(items, wire)
    if place is not None:
        drop_address(items, place)
    forget_key(items, wire)


# ---------------------------------------------------------------------- the trust centre's keys


def link_place(items: dict, wire: bytes) -> "int | None":
    for place in range(TABLE_SIZE):
        if items.get((_ZSTACK, _TCLK_TABLE, place), b"")[8:16] == wire:
            return place
    return None


def _free_link(items: dict) -> "int | None":
    return link_place(items, _NOBODY)


def forget_key(items: dict, wire: bytes) -> None:
    place = link_place(items, wire)
    if place is not None:
        entry = items[(_ZSTACK, _TCLK_TABLE, place)]
        if entry[16] == _FROM_CODE:
            items.pop((_ZSTACK, _CODES, entry[18]), None)
        items[(_ZSTACK, _TCLK_TABLE, place)] = _EMPTY_LINK


def _put_link(items: dict, wire: bytes, counters: int, attributes: int, shift: int) -> bool:
    place = link_place(items, wire)
    place = _free_link(items) if place is None else place
    if place is None:
        return False
    link = put32(counters) + put32(counters) + wire + bytes((attributes, 0, shift, 0))
    items[(_ZSTACK, _TCLK_TABLE, place)] = link
    return True


def verify(items: dict, wire: bytes, shift: int) -> bool:
    """From now on the device and the trust centre share a key of their own. False: no room."""
    forget_key(items, wire)
    return _put_link(items, wire, 1, _VERIFIED, shift)


def join_anew(items: dict, wire: bytes) -> int:
    """The device begins again: its old key does not count any more. Returns the shift of its next one."""
    place = link_place(items, wire)
    shift = 0
    if place is not None:
        entry = items[(_ZSTACK, _TCLK_TABLE, place)]
        if entry[16] == _FROM_CODE:
            return 0
        shift = (entry[18] + 1) & 15
    _put_link(items, wire, 0, _DEFAULT_KEY, shift)
    return shift


def add_code(items: dict, wire: bytes, key: bytes) -> bool:
    """Keep an install code's key for a device that is to come. False: no room."""
    forget_key(items, wire)
    for number in range(TABLE_SIZE):
        if (_ZSTACK, _CODES, number) not in items:
            if not _put_link(items, wire, 0, _FROM_CODE, number):
                return False
            items[(_ZSTACK, _CODES, number)] = key
            return True
    return False


def code_key(items: dict, wire: bytes) -> "bytes | None":
    """The install code's key that waits for this device."""
    place = link_place(items, wire)
    if place is not None:
        entry = items[(_ZSTACK, _TCLK_TABLE, place)]
        if entry[16] == _FROM_CODE:
            return items.get((_ZSTACK, _CODES, entry[18]))
    return None


def verified(items: dict, wire: bytes) -> bool:
    """The device has a link key of its own."""
    place = link_place(items, wire)
    return place is not None and items[(_ZSTACK, _TCLK_TABLE, place)][16] == _VERIFIED


def verify_waiting(items: dict, wire: bytes) -> bytes:
    """The device asked for a key of its own and proved that it has it: that key, derived from the seed."""
    place = link_place(items, wire)
    entry = items[(_ZSTACK, _TCLK_TABLE, place)]
    shift = 0 if entry[16] == _FROM_CODE else entry[18]
    verify(items, wire, shift)
    return seeded_key(items[SEED], wire, shift)


def link_key(items: dict, wire: bytes) -> "bytes | None":
    """The key that the trust centre shares with this device alone."""
    place = link_place(items, wire)
    if place is None or not verified(items, wire):
        return None
    return seeded_key(items[SEED], wire, items[(_ZSTACK, _TCLK_TABLE, place)][18])
