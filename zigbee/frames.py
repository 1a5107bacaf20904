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
SYS_OSAL_NV_READ = const(0x2108)
AF_REGISTER = const(0x2400)
AF_DATA_REQUEST = const(0x2401)
ZDO_IEEE_ADDR_REQ = const(0x2501)
ZDO_MGMT_PERMIT_JOIN_REQ = const(0x2536)
ZDO_STARTUP_FROM_APP = const(0x2540)
ZDO_EXT_NWK_INFO = const(0x2550)
UTIL_GET_DEVICE_INFO = const(0x2700)
UTIL_ADDRMGR_EXT_ADDR_LOOKUP = const(0x2740)
UTIL_ADDRMGR_NWK_ADDR_LOOKUP = const(0x2741)

# Told by the NCP: AREQ
SYS_RESET_IND = const(0x4180)
AF_DATA_CONFIRM = const(0x4480)
AF_INCOMING_MSG = const(0x4481)
ZDO_IEEE_ADDR_RSP = const(0x4581)
ZDO_MGMT_PERMIT_JOIN_RSP = const(0x45B6)
ZDO_STATE_CHANGE_IND = const(0x45C0)
ZDO_END_DEVICE_ANNCE_IND = const(0x45C1)
ZDO_SRC_RTG_IND = const(0x45C4)
ZDO_LEAVE_IND = const(0x45C9)
ZDO_TC_DEV_IND = const(0x45CA)
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
    (0x65, 0x01, 1, _EXACT, 0),
    (0x65, 0x36, 1, _EXACT, 0),
    (0x65, 0x40, 1, _EXACT, 0),
    (0x65, 0x50, 24, _EXACT, 0),
    (0x60, 0x00, 3, _EXACT, 0),
    (0x41, 0x80, 6, _EXACT, 0),
    (0x45, 0x81, 13, 12, 2),
    (0x45, 0x81, 11, _EXACT, 0),
    (0x45, 0xB6, 3, _EXACT, 0),
    (0x45, 0xC0, 1, _EXACT, 0),
    (0x45, 0xC1, 13, _EXACT, 0),
    (0x45, 0xC4, 3, 2, 2),
    (0x45, 0xC9, 13, _EXACT, 0),
    (0x45, 0xCA, 12, _EXACT, 0),
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
