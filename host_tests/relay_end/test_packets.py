"""The broker's reader: whole, byte by byte, at every split, with garbage, and its bounds."""

import os
import random

import pytest
from relay_end.spoken import connect, packet, publish, subscribe, text

from hal_sim.relay import packets
from hal_sim.relay.packets import BadPacket, Reader
from hal_sim.relay.topics import is_filter, matches

TALK = [connect(will=("w", "gone", 1)), subscribe("a/+/b", 1, 7), publish("a/x/b", b"y" * 300, 9), b"\xc0\x00",
        publish("t", b""), packet(0xA2, b"\x00\x08" + text("a/+/b")), b"\x40\x02\x00\x05", b"\xe0\x00"]
WHOLE = b"".join(TALK)
KINDS = [1, 8, 3, 12, 3, 10, 4, 14]


def read(pieces) -> list:
    reader, found = Reader(), []
    for piece in pieces:
        reader.feed(piece)
        while (one := reader.next()) is not None:
            found.append(one)
    return found


def test_what_comes_in_pieces_is_what_comes_whole():
    wanted = read([WHOLE])
    assert [one[0] for one in wanted] == KINDS
    assert read(bytes((byte,)) for byte in WHOLE) == wanted
    for cut in range(len(WHOLE)):
        assert read([WHOLE[:cut], WHOLE[cut:]]) == wanted


def test_what_each_packet_says():
    connect_body, subscribe_body, publish_body = (one[2] for one in read([WHOLE])[:3])
    asked = packets.Connect(connect_body)
    assert (asked.client, asked.clean, asked.keep_alive_s, asked.will) == ("one", True, 0, ("w", b"gone", 1))
    assert packets.read_filters(subscribe_body, True) == (7, [("a/+/b", 1)])
    assert packets.read_publish(2, publish_body) == ("a/x/b", b"y" * 300, 1, 9)


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("body", [
    connect()[2:-1], connect()[2:] + b"x", text("MQTX") + b"\x04\x02\x00\x00\x00\x01a", b"",
    text("MQTT") + b"\x04\x03\x00\x00\x00\x01a", text("MQTT") + b"\x04\x42\x00\x00\x00\x01a\x00\x01b",
    text("MQTT") + b"\x04\x0a\x00\x00\x00\x01a", text("MQTT") + b"\x04\x02\x00\x00\x00\x01\xff",
    text("MQTT") + b"\x04\x02\x00\x00\x00\x01\x00", connect(will=("a/#", "x", 0))[2:], connect(will=("a", "x", 3))[2:],
])
def test_a_bad_connect_is_refused(body):
    with pytest.raises(BadPacket):
        packets.Connect(body)


@pytest.mark.req("SEC-03")
def test_bad_bodies_are_refused():
    for flags, body in ((0, b"\x00"), (0, text("")), (0, text("a/+")), (2, text("a")), (2, text("a") + b"\x00\x00"),
                        (4, text("a") + b"\x00\x01"), (8, text("a"))):
        with pytest.raises(BadPacket):
            packets.read_publish(flags, body)
    for body in (b"\x00\x01", b"\x00\x00" + text("a") + b"\x00", b"\x00\x01" + text("a"),
                 b"\x00\x01" + text("a#") + b"\x00", b"\x00\x01" + text("a") + b"\x03"):
        with pytest.raises(BadPacket):
            packets.read_filters(body, True)
    for body in (b"\x00", b"\x00\x00", b"\x00\x01\x02"):
        with pytest.raises(BadPacket):
            packets.read_identifier(body)


@pytest.mark.req("SEC-03")
def test_a_packet_has_its_bound():
    most = packet(0x30, text("t") + bytes(packets.MOST - 3))
    assert len(read([most])[0][2]) == packets.MOST
    with pytest.raises(BadPacket):
        read([packet(0x30, text("t") + bytes(packets.MOST - 2))[:5]])  # before it is there


@pytest.mark.req("SEC-03")
def test_garbage_ends_with_a_refusal_and_bounded_memory():
    chance = random.Random(1)
    refused = 0
    for _ in range(int(os.environ.get("FUZZ_COUNT", "3000"))):
        talk = bytearray(WHOLE)
        for _ in range(chance.randrange(1, 4)):
            talk[chance.randrange(len(talk))] = chance.randrange(256)
        reader = Reader()
        reader.feed(talk if chance.random() < 0.8 else chance.randbytes(len(talk)))
        try:
            while (one := reader.next()) is not None:
                assert len(one[2]) <= packets.MOST
                kind, flags, body = one
                if kind == packets.CONNECT:
                    packets.Connect(body)
                elif kind == packets.PUBLISH:
                    packets.read_publish(flags, body)
                elif kind in (packets.SUBSCRIBE, packets.UNSUBSCRIBE):
                    packets.read_filters(body, kind == packets.SUBSCRIBE)
        except BadPacket:
            refused += 1
    assert refused


def test_topics_are_matched_as_the_standard_says():
    """Chapter 4.7 of MQTT 3.1.1: its own examples, and levels that are empty."""
    yes = [("sport/tennis/player1/#", "sport/tennis/player1"), ("sport/tennis/player1/#", "sport/tennis/player1/x/y"),
           ("#", "a"), ("sport/#", "sport"), ("sport/tennis/+", "sport/tennis/p"), ("sport/+", "sport/"),
           ("+/+", "/finance"), ("/+", "/finance"), ("$SYS/#", "$SYS/a"), ("$SYS/monitor/+", "$SYS/monitor/x"),
           ("a//b", "a//b")]
    no = [("sport/tennis/+", "sport/tennis/p/x"), ("sport/+", "sport"), ("+", "/finance"), ("#", "$SYS/a"),
          ("+/monitor/x", "$SYS/monitor/x"), ("a", "A"), ("a/b", "a/b/c"), ("a/b/c", "a/b")]
    assert [pair for pair in yes if not matches(*pair)] == []
    assert [pair for pair in no if matches(*pair)] == []
    assert [one for one in ("#", "+", "a/#", "+/a/#", "/", "$SYS/#") if not is_filter(one)] == []
    assert [one for one in ("", "a#", "a/#/b", "a+", "+a/b", "##") if is_filter(one)] == []
