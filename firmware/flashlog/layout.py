"""How the log lies in flash: the header of a sector and the entries behind it. Pure: no flash, no state.

Owns the format. Must never take for an entry what its CRC does not cover, nor trust a length it did not check.

A sector: 52 bytes of header, then entries, each on a multiple of 4 bytes, then FF.

    0   part two, programmed when the sector is opened: stream, format, FFFF, identity of its first record,
        up to which identity each of the three streams is acknowledged, CRC32
    40  part one, programmed when it was erased and found blank: CRC32, magic, erases
        (a sector that only looks erased after a cut has none, and is erased again)

A sector is killed before it is erased, by zeros over both CRCs and the magic: what a torn erase leaves behind is not
taken for a header. An entry: sync, kind (a stream's record, or that stream's acknowledgement), length, boot, seq, CRC32
of all that and the data. A number of 64 bits, boot << 32 | seq, is an identity throughout.
"""

import binascii
import struct

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

SECTOR = const(4096)
HEAD = const(52)
ENTRY = const(16)  # of an entry, before its data
MAX_DATA = const(3072)  # a record; the longest has 1.5 KB
PERIODIC = const(0)
EVENT = const(1)
EMERGENCY = const(2)
STREAMS = const(3)
ACK = const(4)  # ACK + stream: that stream is acknowledged up to this identity
_SYNC = const(0xC3)
_SYNC_BYTE = b"\xc3"
_FORMAT = const(1)
_MAGIC = const(0x514C5747)
_PART_TWO = "<BBHIIIIIIII"
_PART_ONE = "<II"
_TWO_BYTES = const(36)
_ACKED_AT = const(12)
_MOST_ERASES = const(10_000_000)
OPEN_BYTES = const(40)  # part two with its CRC32, from the sector's start
MARK_AT = const(40)
MARK_BYTES = const(12)
KILL_AT = const(36)
KILL_BYTES = const(12)
_KILLED = bytes(12)
_ENTRY = "<BBHII"
_BLANK = b"\xff" * 64


def pack_mark(erases: int) -> bytes:
    """Part one, for MARK_AT."""
    body = struct.pack(_PART_ONE, _MAGIC, erases)
    return struct.pack("<I", _crc(body)) + body


def pack_open(stream: int, first: int, acked: list) -> bytes:
    """Part two, for the sector's start. first: identity of the record that comes next; acked: of each stream."""
    words = [first >> 32, first & 0xFFFFFFFF]
    for ident in acked:
        words += [ident >> 32, ident & 0xFFFFFFFF]
    body = struct.pack(_PART_TWO, stream, _FORMAT, 0xFFFF, *words)
    return body + struct.pack("<I", _crc(body))


def is_marked(head: "Any") -> bool:
    """Part one is good: the sector was erased and found blank."""
    return struct.unpack_from("<II", head, MARK_AT) == (_crc(head[MARK_AT + 4 : HEAD]), _MAGIC)


def read_erases(head: "Any") -> int:
    """How often the sector was erased, for statistics: 0 when it makes no sense. Outlives the kill."""
    erases = struct.unpack_from("<I", head, HEAD - 4)[0]
    return erases if erases < _MOST_ERASES else 0


def read_open(head: "Any", two: "Any") -> "tuple | None":
    """(stream, boot, seq of the first record); None: part two is not good. two: memoryview of it without its CRC."""
    if struct.unpack_from("<I", head, _TWO_BYTES)[0] != binascii.crc32(two) & 0xFFFFFFFF:
        return None
    stream, form, _, boot, seq = struct.unpack_from("<BBHII", head, 0)
    return (stream, boot, seq) if stream < STREAMS and form == _FORMAT else None


def read_acked(head: "Any", stream: int) -> int:
    """Up to which identity the stream was acknowledged when this sector was opened. Only of a good part two."""
    boot, seq = struct.unpack_from("<II", head, _ACKED_AT + 8 * stream)
    return boot << 32 | seq


def is_killed(head: "Any") -> bool:
    """Nothing in the sector counts any more."""
    return bytes(head[KILL_AT : KILL_AT + KILL_BYTES]) == _KILLED


def is_blank(buf: "Any", start: int, end: int) -> bool:
    """Every byte from start to end is FF. buf: memoryview."""
    while start < end:
        size = min(64, end - start)
        if buf[start : start + size] != _BLANK[:size]:
            return False
        start += size
    return True


def size_of(length: int) -> int:
    """Bytes that an entry with so much data takes."""
    return (ENTRY + length + 3) & ~3


def pack_entry(buf: bytearray, kind: int, ident: int, data: "Any") -> int:
    """Put an entry at the start of buf; its size."""
    length = len(data)
    struct.pack_into(_ENTRY, buf, 0, _SYNC, kind, length, ident >> 32, ident & 0xFFFFFFFF)
    size = size_of(length)
    buf[ENTRY : ENTRY + length] = data
    for at in range(ENTRY + length, size):
        buf[at] = 0xFF
    struct.pack_into("<I", buf, ENTRY - 4, binascii.crc32(data, _crc(memoryview(buf)[: ENTRY - 4])) & 0xFFFFFFFF)
    return size


def read_entry(buf: "Any", at: int) -> "tuple | None":
    """(kind, identity, length) of the whole entry that is there; None: there is none. buf: memoryview of a sector."""
    if at + ENTRY > SECTOR or buf[at] != _SYNC:
        return None
    _, kind, length, boot, seq = struct.unpack_from(_ENTRY, buf, at)
    if kind >= ACK + STREAMS or kind == STREAMS or at + ENTRY + length > SECTOR:
        return None
    crc = binascii.crc32(buf[at + ENTRY : at + ENTRY + length], _crc(buf[at : at + ENTRY - 4])) & 0xFFFFFFFF
    return (kind, boot << 32 | seq, length) if crc == struct.unpack_from("<I", buf, at + ENTRY - 4)[0] else None


def is_end(buf: "Any", at: int) -> bool:
    """Nothing was written from here on."""
    return at + ENTRY > SECTOR or is_blank(buf, at, at + ENTRY)


def find(buf: "Any", at: int) -> int:
    """Where the next whole entry begins, at or behind `at`; -1: none. What rotted or was torn is passed over."""
    if is_end(buf, at):
        return -1
    if read_entry(buf, at) is not None:
        return at
    rest = bytes(buf[at:])
    place = rest.find(_SYNC_BYTE, 1)
    while place >= 0:
        if not place & 3 and read_entry(buf, at + place) is not None:
            return at + place
        place = rest.find(_SYNC_BYTE, place + 1)
    return -1


def _crc(data: "Any") -> int:
    return binascii.crc32(data) & 0xFFFFFFFF
