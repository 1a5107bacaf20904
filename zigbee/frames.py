"""ZNP (Monitor and Test) frames: command numbers, how a frame is built, and what every received frame must look like.

Owns the numbers of the wire. No I/O, no state, no waiting. Must never grow a command nobody sends or expects:
a received frame that has no entry in EXPECTED is treated as noise.

Frame: SOF 0xFE, length of the payload, cmd0 (type << 5 | subsystem), cmd1, payload, FCS (XOR of length to payload's
end). Source: TI "Z-Stack Monitor and Test API", general serial packet and the tables of SYS, AF, ZDO, UTIL. A command
is written here as cmd0 << 8 | cmd1.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Iterable

SOF = const(0xFE)
MAX_PAYLOAD = const(250)  # bytes; MT's own limit, a larger length byte is a broken frame
OVERHEAD = const(5)  # SOF, length, cmd0, cmd1, FCS

# Asked by the host: SREQ (0x2x), answered by the SRSP (0x6x) of the same number; the reset is an AREQ without answer
SYS_RESET_REQ = const(0x4100)
SYS_PING = const(0x2101)
SYS_VERSION = const(0x2102)
SYS_OSAL_NV_ITEM_INIT = const(0x2107)
SYS_OSAL_NV_READ = const(0x2108)
SYS_OSAL_NV_DELETE = const(0x2112)
SYS_OSAL_NV_LENGTH = const(0x2113)
SYS_OSAL_NV_READ_EXT = const(0x211C)
SYS_OSAL_NV_WRITE_EXT = const(0x211D)
SYS_NV_CREATE = const(0x2130)
SYS_NV_LENGTH = const(0x2132)
SYS_NV_READ = const(0x2133)
SYS_NV_WRITE = const(0x2134)
AF_REGISTER = const(0x2400)
AF_DATA_REQUEST = const(0x2401)
ZDO_IEEE_ADDR_REQ = const(0x2501)
ZDO_NODE_DESC_REQ = const(0x2502)
ZDO_SIMPLE_DESC_REQ = const(0x2504)
ZDO_ACTIVE_EP_REQ = const(0x2505)
ZDO_BIND_REQ = const(0x2521)
ZDO_NETWORK_DISCOVERY_REQ = const(0x2526)
ZDO_MGMT_LEAVE_REQ = const(0x2534)
ZDO_MGMT_PERMIT_JOIN_REQ = const(0x2536)
ZDO_MGMT_NWK_UPDATE_REQ = const(0x2537)
ZDO_STARTUP_FROM_APP = const(0x2540)
ZDO_SEC_DEVICE_REMOVE = const(0x2544)
ZDO_EXT_NWK_INFO = const(0x2550)
UTIL_GET_DEVICE_INFO = const(0x2700)
UTIL_ADDRMGR_EXT_ADDR_LOOKUP = const(0x2740)
UTIL_ADDRMGR_NWK_ADDR_LOOKUP = const(0x2741)
APP_CNF_BDB_START_COMMISSIONING = const(0x2F05)
APP_CNF_BDB_SET_CHANNEL = const(0x2F08)
APP_CNF_BDB_ADD_INSTALLCODE = const(0x2F04)
APP_CNF_BDB_SET_JOINUSESINSTALLCODEKEY = const(0x2F06)
APP_CNF_BDB_SET_TC_REQUIRE_KEY_EXCHANGE = const(0x2F09)

# Told by the NCP: AREQ
SYS_RESET_IND = const(0x4180)
AF_DATA_CONFIRM = const(0x4480)
AF_INCOMING_MSG = const(0x4481)
ZDO_IEEE_ADDR_RSP = const(0x4581)
ZDO_NODE_DESC_RSP = const(0x4582)
ZDO_SIMPLE_DESC_RSP = const(0x4584)
ZDO_ACTIVE_EP_RSP = const(0x4585)
ZDO_BIND_RSP = const(0x45A1)
ZDO_MGMT_LEAVE_RSP = const(0x45B4)
ZDO_MGMT_PERMIT_JOIN_RSP = const(0x45B6)
ZDO_MGMT_NWK_UPDATE_NOTIFY = const(0x45B8)
ZDO_STATE_CHANGE_IND = const(0x45C0)
ZDO_END_DEVICE_ANNCE_IND = const(0x45C1)
ZDO_SRC_RTG_IND = const(0x45C4)
ZDO_BEACON_NOTIFY_IND = const(0x45C5)
ZDO_NWK_DISCOVERY_CNF = const(0x45C7)
ZDO_LEAVE_IND = const(0x45C9)
ZDO_TC_DEV_IND = const(0x45CA)
ZDO_PERMIT_JOIN_IND = const(0x45CB)
SURVEYED = (ZDO_MGMT_NWK_UPDATE_NOTIFY, ZDO_BEACON_NOTIFY_IND, ZDO_NWK_DISCOVERY_CNF)  # answers to a scan
RPC_ERROR = const(0x6000)  # the SRSP to a command the NCP does not know: error code, cmd0, cmd1

_EXACT = const(0xFF)

# cmd0, cmd1, base, position, factor: the payload is base + factor * payload[position] bytes long;
# position _EXACT: base bytes. A command may have several lines. The busiest is first.
# This is what makes a corrupted length byte harmless: the frame is refused at once instead of swallowing its
# successors.
_EXPECTED = (
    (0x44, 0x81, 20, 16, 1),  # AF_INCOMING_MSG of Z-Stack 3: data, then MAC source and radius
    (0x44, 0x81, 17, 16, 1),  # the same as the document has it
    (0x44, 0x80, 3, _EXACT, 0),
    (0x64, 0x00, 1, _EXACT, 0),
    (0x64, 0x01, 1, _EXACT, 0),
    (0x61, 0x01, 2, _EXACT, 0),
    (0x67, 0x00, 14, 13, 2),  # UTIL_GET_DEVICE_INFO: the children's short addresses follow
    (0x67, 0x40, 2, _EXACT, 0),
    (0x67, 0x41, 8, _EXACT, 0),
    (0x61, 0x02, 5, _EXACT, 0),
    (0x61, 0x02, 9, _EXACT, 0),
    (0x61, 0x02, 14, _EXACT, 0),
    (0x61, 0x08, 2, 1, 1),
    (0x61, 0x07, 1, _EXACT, 0),
    (0x61, 0x12, 1, _EXACT, 0),
    (0x61, 0x13, 2, _EXACT, 0),
    (0x61, 0x1C, 2, 1, 1),
    (0x61, 0x1D, 1, _EXACT, 0),
    (0x61, 0x30, 1, _EXACT, 0),
    (0x61, 0x32, 4, _EXACT, 0),
    (0x61, 0x33, 2, 1, 1),
    (0x61, 0x34, 1, _EXACT, 0),
    (0x65, 0x26, 1, _EXACT, 0),
    (0x65, 0x37, 1, _EXACT, 0),
    (0x6F, 0x05, 1, _EXACT, 0),
    (0x6F, 0x08, 1, _EXACT, 0),
    (0x65, 0x01, 1, _EXACT, 0),
    (0x65, 0x36, 1, _EXACT, 0),
    (0x65, 0x40, 1, _EXACT, 0),
    (0x65, 0x50, 24, _EXACT, 0),
    (0x60, 0x00, 3, _EXACT, 0),
    (0x41, 0x80, 6, _EXACT, 0),
    (0x45, 0x81, 13, 12, 2),
    (0x45, 0x81, 11, _EXACT, 0),
    (0x45, 0xB6, 3, _EXACT, 0),
    (0x45, 0xB8, 12, 11, 1),  # MGMT_NWK_UPDATE_NOTIFY: one energy value a channel
    (0x45, 0xC0, 1, _EXACT, 0),
    (0x45, 0xC1, 13, _EXACT, 0),
    (0x45, 0xC4, 3, 2, 2),
    (0x45, 0xC5, 1, 0, 21),  # BEACON_NOTIFY_IND: count, then the beacons
    (0x45, 0xC7, 1, _EXACT, 0),
    (0x45, 0xC9, 13, _EXACT, 0),
    (0x45, 0xCA, 12, _EXACT, 0),
    (0x45, 0xCB, 1, _EXACT, 0),
    (0x65, 0x02, 1, _EXACT, 0),
    (0x65, 0x04, 1, _EXACT, 0),
    (0x65, 0x05, 1, _EXACT, 0),
    (0x65, 0x21, 1, _EXACT, 0),
    (0x65, 0x34, 1, _EXACT, 0),
    (0x65, 0x44, 1, _EXACT, 0),
    (0x6F, 0x04, 1, _EXACT, 0),
    (0x6F, 0x06, 1, _EXACT, 0),
    (0x6F, 0x09, 1, _EXACT, 0),
    (0x45, 0x82, 18, _EXACT, 0),
    (0x45, 0x82, 5, _EXACT, 0),  # a device that refuses
    (0x45, 0x84, 6, 5, 1),
    (0x45, 0x85, 6, 5, 1),
    (0x45, 0xA1, 3, _EXACT, 0),
    (0x45, 0xB4, 3, _EXACT, 0),
)


def _table(rows: "Iterable[tuple]") -> bytes:
    return b"".join(bytes(row) for row in rows) + b"\x00"


EXPECTED = _table(_EXPECTED)


def encode(command: int, payload: bytes = b"") -> bytearray:
    """The bytes of one frame. ValueError when the payload is longer than MAX_PAYLOAD."""
    size = len(payload)
    if size > MAX_PAYLOAD:
        raise ValueError("ZNP payload of %d bytes" % size)
    frame = bytearray(size + 5)
    frame[0] = SOF
    frame[1] = size
    frame[2] = command >> 8
    frame[3] = command & 0xFF
    frame[4:4 + size] = payload
    check = 0
    for position in range(1, size + 4):
        check ^= frame[position]
    frame[size + 4] = check
    return frame


def answer_of(command: int) -> int:
    """Number of the SRSP that answers the SREQ `command`."""
    return command | 0x4000
