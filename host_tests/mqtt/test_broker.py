"""The client on MicroPython in real time, against mosquitto, with paho-mqtt on the other side."""

import signal
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from broker import Broker, Listener, Ours

from tools.certs import lab

SIZES = [0, 1, 100, 112, 113, 114, 127, 128, 129, 1024, 4096, 4607, 4608]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def world(tmp_path, certificates):
    """make(what, ...) of Broker, Listener, Ours; all are closed at the end, last made first."""
    made = []

    def make(kind, *args, **options):
        if kind is Broker and options.pop("tls", False):
            options["lab"] = certificates
        made.append(kind(*args, **options))
        return made[-1]

    make.folder = tmp_path
    yield make
    for one in reversed(made):
        one.close()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_every_size_arrives_unchanged(world, tls):
    broker = world(Broker, world.folder, tls=tls)
    listener = world(Listener, broker, "t/up/#")
    ours = world(Ours, broker, "sizes", sizes=SIZES)
    for size in SIZES:
        for qos in (0, 1):
            wanted = bytes((size + index) & 255 for index in range(size))
            assert listener.get() == (f"t/up/{qos}", wanted)
    assert ours.until("over") == ["MqttError", "left"]
    assert ours.until("end") == [{"strays": 0, "faults": 0, "refusals": 0}]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_broker_that_pauses_gets_every_byte_afterwards(world, tls):
    """The socket is full in the middle of a packet, and of a TLS record."""
    count = 2500  # 11 MB, more than two sockets hold
    broker = world(Broker, world.folder, tls=tls)
    listener = world(Listener, broker, "t/up/flow", 0)
    ours = world(Ours, broker, "flow", count=count, narrow=True)
    ours.until("flows")
    broker.signal(signal.SIGSTOP)
    ours.quiet("flows", 0.7)
    broker.signal(signal.SIGCONT)
    for number in range(count):
        assert listener.get() == ("t/up/flow", b"%06d" % number + bytes([number & 255]) * 4602)
    assert ours.until("slowest")[0] > 500
    assert ours.until("over") == ["MqttError", "left"]


def test_packet_ids_wrap_with_the_window_full(world):
    """70,000 messages: every id is answered in order, past 65,535, and never more than 16 are under way."""
    ours = world(Ours, world(Broker, world.folder), "many", count=70000)
    assert ours.until("many", 300) == [{"wrong": 0, "most": 16, "strays": 0, "last": 70000 - 65535}]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_what_is_published_to_us_comes_in_order_and_is_acknowledged(world, tls):
    """Of QoS 1 more than mosquitto leaves without an acknowledgement (20). It keeps the order within a QoS only."""
    broker = world(Broker, world.folder, tls=tls)
    listener = world(Listener, broker, "t/none")
    ours = world(Ours, broker, "listen")
    ours.until("subscribed")
    for number in range(60):
        listener.client.publish("t/down/command", f"{number} " + "x" * 16 * number, number % 2)
    got = [ours.until("message") for _ in range(60)]
    for qos in (0, 1):
        wanted = [["t/down/command", f"{number} " + "x" * 16 * number] for number in range(qos, 60, 2)]
        assert [line for line in got if int(line[1].split()[0]) % 2 == qos] == wanted
    listener.client.publish("t/stop", "", 1)
    assert ours.until("end") == [{"strays": 0, "faults": 0, "refusals": 0}]


@pytest.mark.req("TEL-09")
def test_the_will_is_said_when_it_dies_and_not_when_it_leaves(world):
    broker = world(Broker, world.folder)
    listener = world(Listener, broker)
    dying = world(Ours, broker, "wait")
    dying.until("connected")
    dying.kill()
    assert listener.get() == ("t/will", b"lost")
    leaving = world(Ours, broker, "sizes", sizes=[1])
    leaving.until("end")
    assert [listener.get()[0] for _ in range(2)] == ["t/up/0", "t/up/1"]
    listener.client.publish("t/last", b"", 1)
    assert listener.get() == ("t/last", b"")


@pytest.mark.req("TEL-09")
def test_the_link_is_kept_while_nothing_is_said(world):
    """mosquitto ends a client after 1.5 times its keep-alive."""
    broker = world(Broker, world.folder)
    ours = world(Ours, broker, "listen", keepalive=1)
    ours.until("subscribed")
    time.sleep(4)
    listener = world(Listener, broker, "t/none")
    listener.client.publish("t/hello", "still there", 1)
    assert ours.until("message") == ["t/hello", "still there"]


@pytest.mark.req("TEL-09")
@pytest.mark.fault(67)
def test_a_broker_that_stops_is_noticed(world):
    broker = world(Broker, world.folder, tls=True)
    ours = world(Ours, broker, "wait", keepalive=1)
    ours.until("connected")
    broker.signal(signal.SIGSTOP)
    assert ours.until("over") == ["MqttError", "nothing heard for 10 s after a ping"]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_broker_that_dies_is_noticed_at_once(world, tls):
    broker = world(Broker, world.folder, tls=tls)
    ours = world(Ours, broker, "wait")
    ours.until("connected")
    broker.signal(signal.SIGKILL)
    assert ours.until("over", 15)[0] in ("MqttError", "OSError")


@pytest.mark.fault(70)
def test_a_second_one_of_the_same_name_takes_the_place(world):
    broker = world(Broker, world.folder)
    first = world(Ours, broker, "wait")
    first.until("connected")
    second = world(Ours, broker, "listen")
    second.until("subscribed")
    assert first.until("over", 15) == ["MqttError", "closed by the other end"]


def test_a_broker_that_refuses_says_why(world):
    ours = world(Ours, world(Broker, world.folder, more=["allow_anonymous false"]), "wait")
    assert ours.until("refused") == ["MqttError", "refused: not authorised", 5]
