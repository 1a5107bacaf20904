"""The fleet's packets are those of the product's own client, and its reader takes them in any pieces."""

import pytest

from drivers import mqtt_codec as codec
from tools.fleet import packets

ACK = b'{"boot":7,"batch":1}'
STREAM = [
    (packets.CONNACK, 0, b"\x00\x00"), (packets.SUBACK, 0, b"\x00\x01\x01"), (packets.PUBACK, 0, b"\x00\x02"),
    (packets.PUBLISH, 2, b"\x00\x11gw/FL-01/down/ack\x00\x07" + ACK), (packets.PINGRESP, 0, b""),
    (packets.PUBLISH, 0, b"\x00\x03a/b" + 300 * b"x"),
]


def wire(kind: int, flags: int, body: bytes) -> bytes:
    packet = bytearray(codec.length_bytes(len(body)))
    codec.put_length(packet, 0, len(body))
    return bytes((kind << 4 | flags,)) + bytes(packet) + body


WIRE = b"".join(wire(*each) for each in STREAM)


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 4000, 16383, 16384])
@pytest.mark.parametrize("packet", [0, 1, 65535])
def test_a_message_is_what_the_product_would_send(size, packet):
    payload = bytes(n & 255 for n in range(size))
    whole = bytearray(codec.HEAD_BYTES) + payload
    start = codec.publish_into(whole, "gw/FL-000001/up/event", size, 1 if packet else 0, packet)
    assert packets.publish("gw/FL-000001/up/event", payload, packet) == whole[start:]


def test_the_other_packets_too():
    will = "gw/FL-000001/up/link", b'{"link":"lost"}'
    assert packets.connect("FL-000001", *will, 25) == codec.connect("FL-000001", *will, 25)
    assert packets.subscribe(65535, "gw/가/down/+") == codec.subscribe(65535, "gw/가/down/+", 1)
    answer = bytearray(codec.PUBACK_BYTES)
    codec.puback_into(answer, 0, 513)
    assert packets.puback(513) == answer
    assert (packets.PINGREQ, packets.DISCONNECT) == (codec.PINGREQ, codec.DISCONNECT)


def read(*pieces: bytes) -> list:
    reader = packets.Reader()
    return [packet for piece in pieces for packet in reader.feed(piece)]


def test_whole_byte_by_byte_and_at_every_split():
    assert read(WIRE) == STREAM
    assert read(*(WIRE[n:n + 1] for n in range(len(WIRE)))) == STREAM
    for cut in range(len(WIRE)):
        assert read(WIRE[:cut], WIRE[cut:]) == STREAM


def test_a_message_is_read():
    assert packets.message(2, STREAM[3][2]) == ("gw/FL-01/down/ack", 7, ACK)
    assert packets.message(0, b"\x00\x03a/bxy") == ("a/b", 0, b"xy")
    for flags, body in ((2, b"\x00\x03a/b\x00"), (0, b"\x00\x09a/b"), (4, b"\x00\x03a/b\x00\x01"), (0, b"\x00"),
                        (0, b"\x00\x01\xff")):
        with pytest.raises(packets.Broken):
            packets.message(flags, body)
    with pytest.raises(packets.Broken):
        packets.number(b"\x01")


@pytest.mark.parametrize("data", [b"\x30\xff\xff\xff\xff", b"\x30\xff\xff\x7f", b"\x30\x80\x80\x02"])
def test_a_packet_that_no_relay_sends_ends_the_connection_before_it_is_kept(data):
    with pytest.raises(packets.Broken):
        read(data)
