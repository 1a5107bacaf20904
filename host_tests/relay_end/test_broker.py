"""The simulator's broker in virtual time: sessions, limits, and the faults it plays."""

import pytest
from relay_end.spoken import Client, World, connect, publish, subscribe

CONNACK = (0x20, b"\x00\x00")


def ack(number: int) -> bytes:
    return b"\x40\x02" + number.to_bytes(2, "big")


@pytest.mark.fault(67)
@pytest.mark.req("TEL-09")
def test_silence_ends_the_connection_and_tells_the_will():
    world = World()
    two = world.client("two")
    two.say(subscribe("w"))
    one = world.client("one", keep_s=30, will=("w", "gone", 1))
    two.heard()
    world.wait(40_000)
    one.say(b"\xc0\x00")
    world.wait(44_999)
    assert one.is_open and two.messages() == []
    world.wait(1)
    assert not one.is_open and two.messages() == [("w", b"gone", 1, False)]
    world.wait(100_000_000)
    assert two.is_open  # it asked for no limit


def test_who_says_nothing_at_all_is_put_out():
    world = World()
    one = Client(world)
    world.wait(19_999)
    assert one.is_open
    world.wait(1)
    assert not one.is_open


def test_a_leave_takes_the_will_along():
    world = World()
    two = world.client("two")
    two.say(subscribe("w"))
    one, three = (world.client(name, will=("w", name, 0)) for name in ("one", "three"))
    two.heard()
    one.say(b"\xe0\x00")
    three.gone()
    assert [message[1] for message in two.messages()] == [b"three"]


@pytest.mark.fault(70)
def test_the_same_client_id_again_puts_the_first_out():
    world = World()
    one = world.client("same", keep_s=1)
    two = world.client("same")
    assert not one.is_open and two.is_open and two.heard() == [CONNACK]
    world.wait(10_000)
    assert two.is_open


def test_what_a_client_does_not_acknowledge_is_bounded_and_comes_again_in_order():
    world = World()
    one = world.client("one", clean=False)
    one.say(subscribe("a"))
    one.heard()
    for number in range(100):
        world.broker.publish("a", b"%d" % number)
    sent = one.messages()
    assert [message[1] for message in sent] == [b"%d" % number for number in range(16)]
    one.say(ack(sent[0][2]) + ack(60_000))
    assert [message[1] for message in one.messages()] == [b"16"]
    one.gone()
    world.broker.publish("a", b"the last that is kept")
    again = world.client("one", clean=False)
    first, *rest = again.heard()
    assert first == (0x20, b"\x01\x00") and len(rest) == 16
    assert all(one[0] == 0x3A for one in rest)
    (session,) = world.broker._sessions.values()
    assert session.dropped == 100 - 16 - 64


def test_packet_identifiers_wrap_and_skip_what_is_under_way():
    world = World()
    one = world.client()
    one.say(subscribe("a"))
    one.heard()
    world.broker.publish("a", b"stays")
    kept = one.messages()[0][2]
    seen = set()
    for _ in range(65_600):
        world.broker.publish("a", b"")
        number = one.messages()[0][2]
        one.say(ack(number))
        assert number not in (0, kept)
        seen.add(number)
    assert len(seen) == 65_534


def test_sessions_and_connections_are_bounded():
    world = World()
    away = world.client("away", clean=False)
    away.gone()
    clients = [world.client("c%d" % index) for index in range(32)]  # the last takes the place of who is away
    assert len(world.broker._sessions) == 32 and clients[-1].heard() == [CONNACK]
    late = world.client("late")
    assert not clients[0].is_open and late.is_open  # the oldest connection makes room
    assert len(world.broker._sessions) <= 32 and len(world.broker._connections) <= 32


def test_versions_and_client_ids_that_are_not_taken_are_told_why():
    world = World()
    for options, code in (({"level": 5}, 1), ({"name": "", "clean": False}, 2), ({"name": "x" * 65}, 2)):
        one = world.client(**{"name": "one", **options})
        assert one.heard() == [(0x20, bytes((0, code)))] and not one.is_open
    assert world.client("").heard() == [CONNACK]
    other = Client(world, "GW-1")
    other.say(connect("GW-2"))
    assert other.heard() == [(0x20, b"\x00\x02")]


@pytest.mark.fault(66)
def test_fault_no_connack():
    world = World()
    world.broker.mute = True
    one = world.client()
    assert one.heard() == [] and one.is_open
    world.wait(20_000)
    assert not one.is_open


@pytest.mark.fault(68)
@pytest.mark.fault(69)
def test_faults_of_puback():
    world = World()
    one = world.client()
    one.heard()
    world.broker.late_ms = 60_000
    one.say(publish("a", b"", 5))
    world.wait(59_999)
    assert one.heard() == []
    world.wait(1)
    assert one.heard() == [(0x40, b"\x00\x05")]
    world.broker.late_ms, world.broker.copies = 0, 2
    one.say(publish("a", b"", 6))
    assert one.heard() == [(0x40, b"\x00\x06")] * 2


@pytest.mark.fault(70)
def test_fault_kick():
    world = World()
    world.broker.kick_ms = 1000
    one = world.client()
    assert one.heard() == [CONNACK]
    world.wait(999)
    assert one.is_open
    world.wait(1)
    assert not one.is_open


def test_a_broker_that_stops_tells_no_will():
    world = World()
    one = world.client("GW-1", will=("gw/GW-1/up/link", '{"link": "lost"}', 1))
    world.broker.stop()
    assert not one.is_open and not world.lines
    assert world.client("GW-1").heard() == [CONNACK]
