"""The coprocessor's non-volatile memory: items of the old numbering and of the new, and how a CC2652 lays them out.

Owns reading and writing whole items, in pieces, with what was read checked for its length. Must never know what a
network is, and never take a failure for an absent item: absence is what has the length 0, everything else is a
LinkError.
Source: TI "Z-Stack Monitor and Test API", SYS_OSAL_NV_* and SYS_NV_*. Layouts: Z-Stack 3.30 and newer on 32-bit parts,
fields aligned to their size, little endian.
"""

from micropython import const

from zigbee import frames
from zigbee.link import Link, LinkError

# Items of the old numbering
EXTADDR = const(0x0001)
STARTUP_OPTION = const(0x0003)
NIB = const(0x0021)
EXTENDED_PAN_ID = const(0x002D)
ACTIVE_KEY = const(0x003A)  # sequence number, key
ALTERNATE_KEY = const(0x003B)
APS_USE_EXT_PANID = const(0x0047)
APS_LINK_KEYS = const(0x004C)
ON_A_NETWORK = const(0x0055)  # bdbNodeIsOnANetwork
CONFIGURED = const(0x0060)  # 0x55: whoever formed or restored the network came to the end (as all hosts use it)
PRECFGKEY = const(0x0062)
PRECFGKEYS_ENABLE = const(0x0063)
PANID = const(0x0083)
CHANLIST = const(0x0084)
LOGICAL_TYPE = const(0x0087)
ZDO_DIRECT_CB = const(0x008F)
TCLK_SEED = const(0x0101)

# Tables of the new numbering (system 1) and the size of a row in bytes
ADDRMGR = const(0x0001)
TCLK_TABLE = const(0x0004)
APS_KEY_DATA = const(0x0006)
SECURITY_MATERIAL = const(0x0007)
ADDRESS_SIZE = const(12)  # type, -, short address, IEEE address
TCLK_SIZE = const(20)  # out counter, in counter, IEEE address, attributes, type, shift, -
APS_KEY_SIZE = const(24)  # key, out counter, in counter
MATERIAL_SIZE = const(12)  # counter, extended PAN

# Places in the network information base
NIB_SIZE = const(116)
NIB_SECURITY = const(12)
NIB_SHORT = const(22)
NIB_CHANNEL = const(24)
NIB_PARENT = const(26)
NIB_PAN = const(36)
NIB_CHANNELS = const(40)
NIB_EXT_PAN = const(57)
NIB_KEY_LOADED = const(65)
NIB_MANAGER = const(110)
NIB_UPDATE_ID = const(114)

_ZSTACK = const(1)
_PIECE = const(240)  # bytes of a value in one frame; 250 less the longest head
_LARGEST = const(4096)  # bytes; no item of the stack is near
_CREATED = const(0x09)  # NV_ITEM_UNINIT: it was not there and is now
_ROWS = const(1024)  # of a table; more is a memory that repeats itself


def get16(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def get32(data: bytes, at: int) -> int:
    return get16(data, at) | get16(data, at + 2) << 16


def put16(value: int) -> bytes:
    return bytes((value & 0xFF, value >> 8 & 0xFF))


def put32(value: int) -> bytes:
    return put16(value) + put16(value >> 16)


def _checked(status: int, what: str, item: int) -> None:
    if status != 0:
        raise LinkError("memory item %04x: %s failed with %02x" % (item, what, status))


class Nvram:
    """Every call asks the coprocessor; LinkError when it does not answer or refuses."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def length(self, item: int) -> int:
        """Bytes of an old-style item; 0: there is none."""
        return get16(await self._link.request(frames.SYS_OSAL_NV_LENGTH, put16(item)), 0)

    async def read(self, item: int) -> bytes:
        """The whole value; empty: there is no such item."""
        size = await self.length(item)
        if size > _LARGEST:
            raise LinkError("memory item %04x of %d bytes" % (item, size))
        value = b""
        while len(value) < size:
            answer = await self._link.request(frames.SYS_OSAL_NV_READ_EXT, put16(item) + put16(len(value)))
            _checked(answer[0], "reading", item)
            if answer[1] == 0:
                raise LinkError("memory item %04x ends early" % item)
            value += answer[2:]
        return value[:size]

    async def write(self, item: int, value: bytes) -> None:
        """Write the whole value; the item is made anew when its size was another."""
        size = await self.length(item)
        if size != len(value):
            if size:
                await self.delete(item)
            head = put16(item) + put16(len(value)) + bytes((min(len(value), _PIECE),))
            status = (await self._link.request(frames.SYS_OSAL_NV_ITEM_INIT, head + value[:_PIECE]))[0]
            _checked(0 if status == _CREATED else status, "creating", item)
        for at in range(0, len(value), _PIECE):
            piece = value[at:at + _PIECE]
            head = put16(item) + put16(at) + put16(len(piece))
            _checked((await self._link.request(frames.SYS_OSAL_NV_WRITE_EXT, head + piece))[0], "writing", item)

    async def delete(self, item: int) -> None:
        """Nothing happens when it is not there."""
        size = await self.length(item)
        if size:
            await self._link.request(frames.SYS_OSAL_NV_DELETE, put16(item) + put16(size))

    async def row(self, table: int, row: int, size: int) -> bytes:
        """A table's row of `size` bytes; empty: the table ends before it."""
        key = bytes((_ZSTACK,)) + put16(table) + put16(row)
        answer = await self._link.request(frames.SYS_NV_READ, key + put16(0) + bytes((size,)))
        if answer[0] == 0 and len(answer) == size + 2:
            return answer[2:]
        if get32(await self._link.request(frames.SYS_NV_LENGTH, key), 0):
            raise LinkError("memory table %d row %d: reading failed with %02x" % (table, row, answer[0]))
        return b""

    async def write_row(self, table: int, row: int, value: bytes, create: bool = False) -> bool:
        """Write a table's row. False: the table ends before it (and create was not asked for)."""
        key = bytes((_ZSTACK,)) + put16(table) + put16(row)
        size = get32(await self._link.request(frames.SYS_NV_LENGTH, key), 0)
        if size == 0:
            if not create:
                return False
            status = (await self._link.request(frames.SYS_NV_CREATE, key + put32(len(value))))[0]
            _checked(0 if status == _CREATED else status, "creating a row", table)
        elif size != len(value):
            raise LinkError("memory table %d has rows of %d bytes" % (table, size))
        answer = await self._link.request(frames.SYS_NV_WRITE, key + put16(0) + bytes((len(value),)) + value)
        _checked(answer[0], "writing a row", table)
        return True

    async def write_table(self, table: int, rows: list, empty: bytes) -> None:
        """Write the rows and empty the rest of the table; it grows when it has too few."""
        for row in range(_ROWS):
            if not await self.write_row(table, row, rows[row] if row < len(rows) else empty, row < len(rows)):
                return
