"""The inner loops over received bytes, as machine code on MicroPython (viper) and plain Python on CPython.

Owns nothing: buffers and state come from the caller. Must never read at or beyond `end`, whatever the bytes are: viper
does not check bounds, so every index below is guarded, and the tests run the same source on CPython, where an index
error shows. This is the only file with native code: the image compiles it for the board's architecture.
"""

import micropython
from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any as ptr8
    from typing import Any as ptr32
else:  # viper knows these names by itself; CPython only wants them to exist
    ptr8 = ptr32 = None

# Places in the scanner's state, an array of unsigned 32-bit numbers
AT = const(0)  # where the search goes on: the next frame, or the bytes that are kept
START = const(1)  # where the frame found begins
LENGTH = const(2)  # its payload length
RESUME = const(3)  # bytes before this place belong to a frame that was delivered already
DROPPED = const(4)  # bytes given up since the start
BAD_FCS = const(5)  # candidates whose checksum was wrong
BAD_FORM = const(6)  # candidates with an impossible length or an unknown command
SCAN_SIZE = const(7)

# Places in a decoded AF_INCOMING_MSG with its ZCL header, an array of unsigned 32-bit numbers
CLUSTER = const(0)
SHORT = const(1)  # the sender's short address
ENDPOINT = const(2)  # the sender's endpoint
LQI = const(3)
CONTROL = const(4)  # ZCL frame control
TSN = const(5)  # ZCL transaction sequence number
COMMAND = const(6)  # ZCL command
BODY = const(7)  # where the ZCL payload begins in the buffer
SIZE = const(8)  # ZCL payload bytes
MAKER = const(9)  # manufacturer code, 0 when there is none
FAMILY = const(10)  # what kind of frame it is, one of the following
STATUS = const(11)  # the zone status of a STATUS_CHANGE
ANSWER = const(12)  # 1: the sender wants a default response (ZCL 2.5.12)
FIELDS_SIZE = const(13)

OTHER = const(0)
STATUS_CHANGE = const(1)  # IAS Zone Status Change Notification, the frame that matters
SPECIFIC = const(2)  # another command of its cluster
ATTRIBUTES = const(3)  # attribute report or read response

# Places in what attribute() finds
ID = const(0)
TYPE = const(1)
VALUE = const(2)  # the first four bytes as a number, little endian
NEXT = const(3)  # where the following entry begins
WIDTH = const(4)  # bytes of the value when it is a number, a bitmap or an enumeration of at most four; 0: it is not
ENTRY_SIZE = const(5)


@micropython.viper
def fits(buf: ptr8, at: int, end: int, rules: ptr8) -> int:
    """Whether buf[at:end] may begin with a frame: 0 no, 1 its length is what its command demands, 2 not yet known."""
    if end - at < 2:
        return 2
    size = int(buf[at + 1])
    if size > 250:
        return 0
    if end - at < 4:
        return 2
    rule = 0
    while rules[rule] != 0:
        if rules[rule] == buf[at + 2] and rules[rule + 1] == buf[at + 3]:
            base = int(rules[rule + 2])
            where = int(rules[rule + 3])
            if where == 0xFF:
                if size == base:
                    return 1
            elif size >= base:
                if at + 4 + where >= end:
                    return 2
                if size == base + int(rules[rule + 4]) * int(buf[at + 4 + where]):
                    return 1
        rule += 5
    return 0


@micropython.viper
def scan(buf: ptr8, end: int, rules: ptr8, state: ptr32) -> int:
    """Find the next good frame in buf[state[AT]:end]. 1: it begins at state[START]; 0: what is left is kept.

    A candidate that cannot be a frame costs one byte and the search goes on inside it. A checksum of one byte may fit
    by accident: bytes were lost inside a frame and the beginning of the next one took their place. So if a frame seems
    to begin inside the one found and to end with it or beyond it, the search goes on there.
    """
    at = int(state[0])
    while at < end:
        if buf[at] == 0xFE:
            form = int(fits(buf, at, end, rules))
            if form == 2:
                break
            size = int(buf[at + 1])
            last = at + size + 4
            if form == 1:
                if last >= end:
                    break
                check = 0
                i = at + 1
                while i < last:
                    check ^= int(buf[i])
                    i += 1
                if check == int(buf[last]):
                    i = at + 1
                    while i <= last:
                        beyond = buf[i] == 0xFE and (i == last or i + int(buf[i + 1]) + 4 >= last)
                        if beyond and int(fits(buf, i, end, rules)):
                            break
                        i += 1
                    state[0] = i
                    state[1] = at
                    state[2] = size
                    state[3] = last + 1
                    return 1
                state[5] = int(state[5]) + 1
            else:
                state[6] = int(state[6]) + 1
        if at < int(state[3]):
            at = int(state[3])
        else:
            at += 1
            state[4] = int(state[4]) + 1
    state[0] = at
    return 0


@micropython.viper
def move(target: ptr8, to: int, source: ptr8, start: int, count: int) -> int:
    """Copy count bytes forwards; target and source may be the same buffer when to <= start. Returns to + count."""
    i = 0
    while i < count:
        target[to + i] = source[start + i]
        i += 1
    return to + count


@micropython.viper
def decode(buf: ptr8, at: int, size: int, out: ptr32) -> int:
    """Decode the AF_INCOMING_MSG whose payload of size bytes begins at buf[at], and its ZCL header, into out.

    1: done. 0: too short for what it claims; out is not to be used. Source: MT API AF_INCOMING_MSG; ZCL 2.4.1 frame
    format.
    """
    if size < 20:
        return 0
    data = int(buf[at + 16])
    if data < 3 or data + 17 > size:
        return 0
    zcl = at + 17
    control = int(buf[zcl])
    head = 3
    maker = 0
    if control & 4:
        if data < 5:
            return 0
        head = 5
        maker = int(buf[zcl + 1]) | int(buf[zcl + 2]) << 8
    out[0] = int(buf[at + 2]) | int(buf[at + 3]) << 8
    out[1] = int(buf[at + 4]) | int(buf[at + 5]) << 8
    out[2] = int(buf[at + 6])
    out[3] = int(buf[at + 9])
    out[4] = control
    out[5] = int(buf[zcl + head - 2])
    out[6] = int(buf[zcl + head - 1])
    out[7] = zcl + head
    out[8] = data - head
    out[9] = maker
    family = 0
    wanted = 1
    command = int(buf[zcl + head - 1])
    if control & 0x14 or int(buf[at + 8]):
        wanted = 0
    if control & 4:  # of one maker, even if its code is 0
        family = 0
    elif control & 3 == 1:
        family = 2
        if out[0] == 0x0500 and command == 0:
            if data - head < 2:
                return 0
            family = 1
            out[11] = int(buf[zcl + head]) | int(buf[zcl + head + 1]) << 8
    elif control & 3 == 0:
        if command == 0x0A or command == 1:
            family = 3
        elif command == 0x0B:
            wanted = 0
    out[10] = family
    out[12] = wanted
    return 1


@micropython.viper
def follows(gate: ptr32, fields: ptr32) -> int:
    """Whether all is well with a decoded frame: its sender may send, and its number is the next or one of the next.

    gate: see zigbee.tsn; it is counted there. 1: yes. 0: it may send, but its number is in question. -1: nothing is
    left for it, and nothing was counted. Only what a device sends by itself has a number of its own.
    """
    left = int(gate[7])
    if left == 0:
        return -1
    gate[7] = left - 1
    family = int(fields[10])
    sure = int(gate[1])
    if family == 0 or sure == 0xFF or (family == 3 and int(fields[6]) != 0x0A):
        return 1
    number = int(fields[5])
    last = int(gate[0])
    step = (number - last) & 0xFF
    if step == 0 and last <= 0xFF:
        return 1
    if last > 0xFF or step > 16:
        return 0
    gate[0] = number
    gate[2] = (int(gate[2]) << step | 1) & 0xFFFFFF
    gate[5] = 1
    if sure < 8:
        gate[1] = sure + 1
    if family == 1 and int(fields[11]) & 0x103:
        gate[6] = number
    elif (number - int(gate[6])) & 0xFF >= 24:
        gate[6] = 0x100
    return 1


@micropython.viper
def width(buf: ptr8, kind: int, at: int, end: int) -> int:
    """Bytes of a value of this simple type at buf[at:end]; -1: a type without a known size, or cut off (ZCL 2.6.2)."""
    size = -1
    low = kind & 0xF8
    if low == 0x08 or low == 0x18 or low == 0x20 or low == 0x28:
        size = (kind & 7) + 1
    elif kind == 0x10 or kind == 0x30:
        size = 1
    elif kind == 0x31 or kind == 0x38 or kind == 0xE8 or kind == 0xE9:
        size = 2
    elif kind == 0x39 or kind == 0xE0 or kind == 0xE1 or kind == 0xE2 or kind == 0xEA:
        size = 4
    elif kind == 0x3A or kind == 0xF0:
        size = 8
    elif kind == 0xF1:
        size = 16
    elif kind == 0x00:
        size = 0
    elif kind == 0x41 or kind == 0x42:
        if at < end:
            size = 1
            if buf[at] != 0xFF:
                size += int(buf[at])
    elif (kind == 0x43 or kind == 0x44) and end - at >= 2:
        size = int(buf[at]) | int(buf[at + 1]) << 8
        if size == 0xFFFF:
            size = 0
        size += 2
    if size < 0 or at + size > end:
        return -1
    return size


@micropython.viper
def gathered(buf: ptr8, kind: int, at: int, end: int) -> int:
    """Bytes of an array, set, bag or structure of simple types at buf[at:end]; -1: broken, or of such things again."""
    start = at
    each = -1
    if kind != 0x4C:
        if at >= end:
            return -1
        each = int(buf[at])
        at += 1
    if end - at < 2:
        return -1
    count = int(buf[at]) | int(buf[at + 1]) << 8
    at += 2
    if count == 0xFFFF:
        count = 0
    if count > 250:
        return -1
    while count > 0:
        one = each
        if each < 0:
            if at >= end:
                return -1
            one = int(buf[at])
            at += 1
        size = int(width(buf, one, at, end))
        if size < 0:
            return -1
        at += size
        count -= 1
    return at - start


@micropython.viper
def attribute(buf: ptr8, at: int, end: int, with_status: int, out: ptr32) -> int:
    """Read the entry at buf[at] of a report (or of a read response, with_status 1) into out.

    1: out holds it. 0: the list ends here. -1: it is broken or of a type whose size is not known; nothing can follow.
    An entry of a read response that failed has type 0 and no value. Source: ZCL 2.5.2, 2.5.11, data types 2.6.2.
    """
    if at >= end:
        return 0
    if end - at < 3:
        return -1
    out[0] = int(buf[at]) | int(buf[at + 1]) << 8
    out[1] = 0
    out[2] = 0
    out[4] = 0
    head = 3
    if with_status:
        if buf[at + 2] != 0:
            out[3] = at + 3
            return 1
        head = 4
        if end - at < 4:
            return -1
    kind = int(buf[at + head - 1])
    at += head
    if kind == 0x48 or kind == 0x4C or kind == 0x50 or kind == 0x51:
        size = int(gathered(buf, kind, at, end))
    else:
        size = int(width(buf, kind, at, end))
    if size < 0:
        return -1
    out[1] = kind
    out[3] = at + size
    if size <= 4 and kind >= 0x08 and kind <= 0x31:
        out[4] = size
    value = 0
    place = 0
    while place < size and place < 4:
        value |= int(buf[at + place]) << 8 * place
        place += 1
    out[2] = value
    return 1
