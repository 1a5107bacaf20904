"""The inner loops over received bytes, as machine code on MicroPython (viper) and plain Python on CPython.

Owns nothing: buffers and state come from the caller. Must never read at or beyond `end`, whatever the bytes are: viper
does not check bounds, so every index below is guarded, and the tests run the same source on CPython, where an index
error shows. This is the only file with native code: the image compiles it for the board's architecture.
"""

import micropython
from micropython import const

ptr8 = bytearray  # viper's pointer types; here their names for CPython and the type checker
ptr32 = list

# Places in the scanner's state, an array of unsigned 32-bit numbers
AT = const(0)  # where the next frame or the kept bytes begin
LENGTH = const(1)  # payload length of the frame found
DROPPED = const(2)  # bytes given up since the start
BAD_FCS = const(3)  # candidates whose checksum was wrong
BAD_FORM = const(4)  # candidates with an impossible length or an unknown command
SCAN_SIZE = const(5)

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
BROADCAST = const(10)  # not 0: it was sent to everybody
FIELDS_SIZE = const(11)


@micropython.viper
def scan(buf: ptr8, end: int, rules: ptr8, state: ptr32) -> int:
    """Find the next good frame in buf[state[AT]:end]. 1: it begins at state[AT]; 0: bytes from state[AT] on are kept
    for later.

    A candidate that cannot be a frame costs one byte and the search goes on inside it.
    """
    at = int(state[0])
    found = 0
    while at < end:
        bad = 0
        if buf[at] != 0xFE:
            bad = 1
        elif end - at < 2:
            break
        else:
            size = int(buf[at + 1])
            fits = 0
            if size <= 250:
                if end - at < 4:
                    break
                rule = 0
                while fits == 0 and rules[rule] != 0:
                    if rules[rule] == buf[at + 2] and rules[rule + 1] == buf[at + 3]:
                        base = int(rules[rule + 2])
                        where = int(rules[rule + 3])
                        if where == 0xFF:
                            if size == base:
                                fits = 1
                        elif where == 0xFE:
                            if size >= base:
                                fits = 1
                        elif size >= base:
                            if at + 4 + where >= end:
                                fits = 2
                            elif size == base + int(rules[rule + 4]) * int(buf[at + 4 + where]):
                                fits = 1
                    rule += 5
            if fits == 0:
                state[4] = int(state[4]) + 1
                bad = 1
            elif fits == 2 or end - at < size + 5:
                break
            else:
                check = 0
                i = at + 1
                last = at + size + 4
                while i < last:
                    check ^= int(buf[i])
                    i += 1
                if check == int(buf[last]):
                    state[1] = size
                    found = 1
                    break
                state[3] = int(state[3]) + 1
                bad = 1
        if bad:
            at += 1
            state[2] = int(state[2]) + 1
    state[0] = at
    return found


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
    out[10] = int(buf[at + 8])
    return 1
