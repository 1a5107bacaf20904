"""The resynchronising reader, tortured on CPython; the same source runs as machine code on the board."""

import pytest

from zigbee.frames import AF_INCOMING_MSG, MAX_PAYLOAD, SYS_RESET_IND, ZDO_STATE_CHANGE_IND, encode
from zigbee.reader import GAP_MS, Reader


def message(zcl: bytes, tail: bytes = b"\x34\x12\x1d") -> bytearray:
    head = bytes((0, 0, 0, 5, 0x34, 0x12, 1, 1, 0, 200, 0, 1, 0, 0, 0, 0, len(zcl)))
    return encode(AF_INCOMING_MSG, head + zcl + tail)


ALARM = message(bytes((0x19, 7, 0, 1, 0, 0, 0xFF, 0, 0)))
STATE = encode(ZDO_STATE_CHANGE_IND, b"\x09")
RESET = encode(SYS_RESET_IND, b"\x00\x02\x01\x02\x07\x01")
LONG = message(bytes((0x18, 9, 0x0A)) + b"\x00\x00\x42\xc8" + b"\xfe" * 200)
GOOD = [ALARM, STATE, RESET, LONG]
GARBAGE = [
    b"\x00", b"\xfe", b"\xfe\xfe", b"\xfe\xfa", b"\xfe\xff", b"\xfe\x1d\x44\x81", b"\x44\x81" * 9, bytes(range(256)),
]  # fmt: skip


class Collector:
    def __init__(self):
        self.found = []
        self.reader = Reader(self.frame)
        self.now = 0

    def frame(self, buf, at, size, command):
        found = bytes(buf[at - 4:at + size + 1])
        assert command == found[2] << 8 | found[3]
        self.found.append(found)

    def push(self, data):
        self.reader.push(bytearray(data), len(data), self.now)

    def silence(self):
        self.now += GAP_MS
        while self.reader.held:
            assert self.reader.poll(self.now) >= 0


def joined(frames):
    return b"".join(bytes(one) for one in frames)


@pytest.mark.req("EMG-01")
def test_whole():
    line = Collector()
    line.push(joined(GOOD))
    assert line.found == [bytes(one) for one in GOOD]
    assert line.reader.held == line.reader.dropped == 0


def test_byte_by_byte():
    line = Collector()
    for byte in joined(GOOD):
        line.push(bytes((byte,)))
    assert line.found == [bytes(one) for one in GOOD]


def test_every_split_point():
    data = joined(GOOD)
    for cut in range(len(data) + 1):
        line = Collector()
        line.push(data[:cut])
        line.push(data[cut:])
        assert line.found == [bytes(one) for one in GOOD], cut


@pytest.mark.fault(23)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_before_between_and_after(garbage):
    """Without any silence in between, every good frame is delivered, in order."""
    line = Collector()
    for one in GOOD:
        line.push(garbage + bytes(one))
    line.push(garbage)
    line.silence()
    assert line.found == [bytes(one) for one in GOOD]
    assert line.reader.dropped == len(garbage) * (len(GOOD) + 1)


@pytest.mark.fault(24)
@pytest.mark.parametrize("broken", GOOD)
def test_a_corrupted_length_byte_loses_no_good_frame(broken):
    """Every possible wrong length: what follows at once is delivered."""
    for length in range(256):
        if length == broken[1]:
            continue
        line = Collector()
        line.push(bytes((broken[0], length)) + bytes(broken[2:]) + joined(GOOD))
        line.silence()
        assert line.found[-len(GOOD):] == [bytes(one) for one in GOOD], length
        assert bytes(broken) not in line.found[:-len(GOOD)]


@pytest.mark.fault(25)
def test_wrong_checksum_is_counted_and_the_search_goes_on_inside():
    for wrong in range(1, 256):
        line = Collector()
        line.push(bytes(ALARM[:-1]) + bytes((ALARM[-1] ^ wrong,)) + bytes(STATE))
        line.silence()
        assert line.found == [bytes(STATE)], wrong
        assert line.reader.bad_fcs >= 1
        assert line.reader.dropped == len(ALARM)


def test_every_single_bit_error_costs_one_frame_only():
    for bit in range(8 * len(ALARM)):
        broken = bytearray(ALARM)
        broken[bit // 8] ^= 1 << bit % 8
        line = Collector()
        line.push(bytes(broken) + bytes(RESET) + bytes(STATE))
        line.silence()
        assert line.found == [bytes(RESET), bytes(STATE)], bit


@pytest.mark.fault(24)
def test_a_frame_inside_kept_bytes_is_found_after_the_gap():
    line = Collector()
    line.push(b"\xfe\xd7\x44\x81" + bytes(16) + bytes((195,)) + bytes(STATE))  # promises 215 bytes
    assert line.found == []
    line.now += GAP_MS - 1
    assert line.reader.poll(line.now) == 1
    assert line.found == []
    line.now += 1
    assert line.reader.poll(line.now) == 0
    assert line.found == [bytes(STATE)]
    assert line.reader.timeouts == 1


def test_the_gap_is_noticed_at_the_next_bytes_too():
    line = Collector()
    line.push(ALARM[:20])
    line.now += GAP_MS
    line.push(ALARM)
    assert line.found == [bytes(ALARM)]
    assert line.reader.dropped == 20


def test_bytes_lost_inside_a_frame_whose_checksum_fits_by_accident():
    """The lost bytes are replaced by a whole frame that follows, and the sum fits: both are delivered."""
    short = encode(0x6401, b"\x00")
    cut = bytearray(ALARM[:len(ALARM) - len(short)])
    check = 0
    for byte in bytes(cut[1:]) + bytes(short[:-1]):
        check ^= byte
    cut[10] ^= check ^ short[-1]
    line = Collector()
    line.push(bytes(cut) + bytes(short))
    assert line.found[-1] == bytes(short)
    assert len(line.found) == 2
    line.push(STATE)
    assert line.found[-1] == bytes(STATE)


def test_the_payload_of_a_good_frame_is_never_taken_for_a_frame():
    inner = message(bytes((0x18, 1, 0x0A)) + bytes(RESET) * 3)
    line = Collector()
    line.push(inner)
    line.push(STATE)
    assert line.found == [bytes(inner), bytes(STATE)]


def test_a_tail_that_looks_like_a_beginning_drops_nothing():
    for last in range(256):
        for tail in (bytes((0xFE, last, 0x1D)), bytes((0x34, 0xFE, last)), bytes((0x34, last, 0xFE))):
            line = Collector()
            one = message(bytes((0x19, 7, 0, 1, 0)), tail)
            for byte in bytes(one) * 2 + bytes(STATE):
                line.push(bytes((byte,)))
            line.silence()
            assert line.found == [bytes(one), bytes(one), bytes(STATE)]
            assert line.reader.dropped == 0


def test_a_frame_longer_than_the_protocol_allows_is_none():
    """251 bytes, right in everything else."""
    payload = bytes((0, 0, 0, 5, 0x34, 0x12, 1, 1, 0, 200, 0, 1, 0, 0, 0, 0, 231)) + bytes(234)
    body = bytes((251, 0x44, 0x81)) + payload
    check = 0
    for byte in body:
        check ^= byte
    line = Collector()
    line.push(b"\xfe" + body + bytes((check,)) + bytes(STATE))
    assert line.found == [bytes(STATE)]


def test_input_longer_than_the_buffer():
    line = Collector()
    line.push(ALARM[:9])
    line.push(bytes(ALARM[9:]) + bytes(ALARM) * 100 + bytes(300))
    assert line.found == [bytes(ALARM)] * 101


def test_what_raises_in_the_handler_does_not_repeat_the_frame():
    seen = []

    def handler(buf, at, size, command):
        seen.append(command)
        if len(seen) == 1:
            raise RuntimeError

    reader = Reader(handler)
    with pytest.raises(RuntimeError):
        reader.push(ALARM, len(ALARM), 0)
    reader.push(STATE, len(STATE), 0)
    assert seen == [AF_INCOMING_MSG, ZDO_STATE_CHANGE_IND]


def test_encode_refuses_what_is_too_long():
    assert len(encode(0x2401, bytes(MAX_PAYLOAD))) == MAX_PAYLOAD + 5
    with pytest.raises(ValueError):
        encode(0x2401, bytes(MAX_PAYLOAD + 1))
