"""What the coprocessor's memory holds of the devices it let in: addresses, link keys, install codes.

Owns the entries of these tables. The layouts are those of a CC2652 (32-bit alignment), Z-Stack 3.30 and newer.
"""

from hal_sim.zigbee.keys import seeded_key
from hal_sim.zigbee.mt import le16, put16, put32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.device import EndDevice

SEED = 0x0101
_ZSTACK = 1  # system id of the extended items
_ADDRMGR = 1
_TCLK_TABLE = 4
_CODES = 5
_APS_KEYS = 6
_EMPTY_ADDRESS = b"\xff" * 12
_EMPTY_LINK = bytes(16) + bytes((0xFF, 0, 0, 0))
_NOBODY = bytes(8)
_CHILD = 0x01  # address manager: used by the table of children
_SECURED = 0x02
_FROM_CODE = 0x00  # key attributes of the trust centre's table: an install code's key waits for its device
_VERIFIED = 0x02
_DEFAULT_KEY = 0xFF
TABLE_SIZE = 40


def has_tables(items: dict) -> bool:
    return (_ZSTACK, _ADDRMGR, 0) in items


def empty_tables(items: dict) -> None:
    for place in range(TABLE_SIZE):
        items[(_ZSTACK, _ADDRMGR, place)] = _EMPTY_ADDRESS
        items[(_ZSTACK, _TCLK_TABLE, place)] = _EMPTY_LINK
        items[(_ZSTACK, _APS_KEYS, place)] = bytes(24)
        items.pop((_ZSTACK, _CODES, place), None)


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
