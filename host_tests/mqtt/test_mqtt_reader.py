"""The reader: whole, byte by byte, at every split, at every boundary, and everything that must be refused."""

import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from wirebytes import CONNACK, PINGRESP, SUBACK, length, packet, puback, publish

from drivers import mqtt_reader
from drivers.mqtt_reader import BODY_BYTES, ProtocolError, Reader, well_formed

STREAM = [
    CONNACK, SUBACK, publish("gw/1/down/ack", b'{"batch": 57}', 1, 9), PINGRESP, puback(65535), publish("t"),
    publish("t", b"x" * 125), publish("t", b"x" * 124), publish("안녕", b"\x00\xff" * 300, 1, 256, dup=1), PINGRESP,
    publish("t", b"y" * (BODY_BYTES - 3), retain=1), puback(1),
]  # fmt: skip


def read(pieces, limit=BODY_BYTES):
    """(kind, flags, body) of every packet in the pieces."""
    reader = Reader(limit)
    got = []
    for piece in pieces:
        view = memoryview(piece)
        while len(view):
            taken = reader.feed(view)
            view = view[taken:]
            assert reader.held <= limit
            if reader.kind:
                got.append((reader.kind, reader.flags, bytes(reader.body)))
                reader.next()
            else:
                assert not len(view), "it leaves bytes although the packet is not whole"
    return got


def expected(packets):
    """By the rule of the fixed header, not by the reader."""
    got = []
    for data in packets:
        at = next(index for index in itertools.count(1) if data[index] < 128) + 1
        got.append((data[0] >> 4, data[0] & 15, data[at:]))
    return got


def test_whole_and_byte_by_byte_and_all_at_once():
    assert read(STREAM) == expected(STREAM)
    assert read([b"".join(STREAM)]) == expected(STREAM)
    assert read([bytes([byte]) for byte in b"".join(STREAM)]) == expected(STREAM)


def test_every_split_and_every_pair_of_splits():
    whole = b"".join(STREAM[:6])
    for cut in range(len(whole) + 1):
        assert read([whole[:cut], whole[cut:]]) == expected(STREAM[:6])
    for first, second in itertools.combinations(range(len(whole) + 1), 2):
        assert read([whole[:first], whole[first:second], whole[second:]]) == expected(STREAM[:6])
    whole = b"".join(STREAM)
    for cut in range(0, len(whole) + 1, 3):
        assert read([whole[:cut], whole[cut:]]) == expected(STREAM)


@pytest.mark.parametrize("size", [3, 4, 127, 128, 129, 16383, 16384, 16385, 2097151, 2097152, 2097153])
def test_every_boundary_of_the_remaining_length(size):
    data = publish("t", b"x" * (size - 3))
    assert data[1:1 + len(length(size))] == length(size)
    assert read([data], size) == expected([data])
    with pytest.raises(ProtocolError, match=f"a packet of {size} bytes, more than {size - 1}"):
        read([data[:10]], size - 1)


def test_the_longest_remaining_length_is_understood_and_refused_before_it_comes():
    with pytest.raises(ProtocolError, match="268435455 bytes"):
        read([b"\x30\xff\xff\xff\x7f"])
    with pytest.raises(ProtocolError, match="more than 4 bytes"):
        read([b"\x30\xff\xff\xff\xff"])


def test_a_length_longer_than_it_need_be_is_taken():
    assert read([b"\xd0\x80\x80\x00", b"\x40\x82\x00\x00\x01"]) == [(13, 0, b""), (4, 0, b"\x00\x01")]


@pytest.mark.req("SEC-03")
def test_only_what_a_broker_may_send_passes_the_first_byte():
    """All 256: kinds 2, 4, 9 and 13 without flags, and messages of QoS 0 and 1, no repeat of QoS 0."""
    good = []
    for first in range(256):
        try:
            Reader().feed(memoryview(bytes([first])))
            good.append(first)
        except ProtocolError:
            pass
    assert good == [0x20, 0x30, 0x31, 0x32, 0x33, 0x3A, 0x3B, 0x40, 0x90, 0xD0]


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("first", [0x20, 0x30, 0x32, 0x40, 0x90, 0xD0])
def test_lengths_a_kind_cannot_have(first):
    right = {0x20: {2}, 0x40: {2}, 0x90: {3}, 0xD0: {0}, 0x30: set(range(3, 200)), 0x32: set(range(5, 200))}[first]
    for size in range(200):
        data = packet(first, bytes(size))
        if size in right:
            assert len(read([data])) == 1
        else:
            with pytest.raises(ProtocolError):
                read([data])


def message(data):
    (_, flags, body), = read([data])
    topic, number, payload = mqtt_reader.message(flags, memoryview(body))
    return topic, number, bytes(payload)


def test_what_a_message_says():
    assert message(publish("t")) == ("t", 0, b"")
    assert message(publish("안녕/x", b"pay\x00load", 1, 258, dup=1, retain=1)) == ("안녕/x", 258, b"pay\x00load")
    assert message(publish("t" * 1000, b"", 1, 65535)) == ("t" * 1000, 65535, b"")


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("data", [
    packet(0x30, b"\x00\x00t"), packet(0x30, b"\x00\x02t"), packet(0x30, b"\xff\xfft" + bytes(20)),
    packet(0x32, b"\x00\x03tt\x00"), packet(0x32, b"\x00\x02tt\x00"), publish("t", b"", 1, 0), publish("a/+"),
    publish("#"), publish(b"\x00"), publish(b"\xff"), publish(b"a\xc0\x80"), publish(b"\xed\xa0\x80"),
    publish(b"\xe2\x82"),
])  # fmt: skip
def test_messages_that_are_none(data):
    with pytest.raises(ProtocolError):
        message(data)


def test_answers():
    assert [mqtt_reader.connack(memoryview(bytes([0, code]))) for code in range(6)] == list(range(6))
    for bad in (b"\x00\x06", b"\x00\xff", b"\x01\x00", b"\x02\x00"):
        with pytest.raises(ProtocolError):
            mqtt_reader.connack(memoryview(bad))
    assert mqtt_reader.packet_id(memoryview(b"\xff\xfe")) == 65534
    assert mqtt_reader.suback(memoryview(b"\x00\x07\x01"), 7, 1)
    assert not mqtt_reader.suback(memoryview(b"\x00\x07\x00"), 7, 1)
    assert not mqtt_reader.suback(memoryview(b"\x00\x07\x80"), 7, 1)
    for bad in (b"\x00\x08\x01", b"\x00\x00\x01", b"\x00\x07\x02", b"\x00\x07\x03", b"\x00\x07\x81"):
        with pytest.raises(ProtocolError):
            mqtt_reader.suback(memoryview(bad), 7, 1)


def decodes(data):
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def test_text_is_judged_as_python_does():
    """Every sequence of one and two bytes, and of three and four those with bytes at the edges of the table."""
    for size in (1, 2):
        for each in itertools.product(range(256), repeat=size):
            assert well_formed(bytes(each)) == decodes(bytes(each)), each
    leads = [0x41, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]
    tails = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0]
    for size in (2, 3):
        for lead in leads:
            for rest in itertools.product(tails, repeat=size):
                data = bytes([lead, *rest])
                assert well_formed(data) == decodes(data), data
