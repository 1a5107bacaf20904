"""Somebody else's client judges the simulator's broker: paho-mqtt, over TLS, on a real port."""

import contextlib
import json
import queue
import socket
import ssl
import time

import paho.mqtt.client as mqtt
import pytest
from relay_end.served import Served

from tools.certs import lab

GW = "GW-000000"
RECORD = {"boot": 1, "seq": 7, "kind": "event", "event": "x.y"}


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return lab(tmp_path_factory.mktemp("lab"), [GW, "GW-000001"])


@pytest.fixture
def served(certs):
    with Served(certs) as one:
        yield one


class Client:
    """paho, with what came in a queue."""

    def __init__(self, served, certs, name: str, user: str = GW, clean: bool = True, will=None, keep_s: int = 60):
        self.told: queue.Queue = queue.Queue()
        client = self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, clean_session=clean)
        folder = certs.folder / user
        client.tls_set(certs.ca, folder / "cert.pem", folder / "key.pem", tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.tls_insecure_set(False)
        if will:
            client.will_set(*will)
        client.on_connect = lambda _c, _u, flags, code, _p: self.told.put(("connected", code.value,
                                                                           flags.session_present))
        client.on_disconnect = lambda _c, _u, _f, code, _p: self.told.put(("gone", code.value))
        client.on_message = lambda _c, _u, message: self.told.put((message.topic, message.payload, message.qos))
        client.on_publish = lambda _c, _u, number, _r, _p: self.told.put(("published", number))
        client.on_subscribe = lambda _c, _u, _n, codes, _p: self.told.put(("subscribed", [c.value for c in codes]))
        client.on_unsubscribe = lambda *_args: self.told.put(("unsubscribed",))
        client.reconnect_delay_set(60, 60)
        client.connect("127.0.0.1", served.port, keep_s)
        client.loop_start()

    def next(self, limit_s: float = 15):
        return self.told.get(timeout=limit_s)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def die(self) -> None:
        """Without a word."""
        self.client.loop_stop()
        self.client.socket().shutdown(socket.SHUT_RDWR)


@pytest.fixture
def connect(served, certs):
    made = []

    def run(name: str, **options):
        made.append(Client(served, certs, name, **options))
        return made[-1]

    yield run
    for client in made:
        client.close()


@contextlib.contextmanager
def stream(served, certs, named: bool = True):
    """A TLS connection for bytes by hand, with a certificate of one's own or without."""
    context = ssl.create_default_context(cafile=certs.ca)
    if named:
        context.load_cert_chain(certs.folder / GW / "cert.pem", certs.folder / GW / "key.pem")
    raw = socket.create_connection(("127.0.0.1", served.port), 10)
    with raw, context.wrap_socket(raw, server_hostname="127.0.0.1") as wrapped:
        yield wrapped


@pytest.mark.req("TEL-04")
@pytest.mark.req("SEC-01")
def test_paho_is_answered_as_by_a_broker(connect):
    one, two = connect("one"), connect("two")
    assert one.next() == ("connected", 0, False) == two.next()
    two.client.subscribe([("a/+/c", 1), ("b/#", 0)])
    assert two.next() == ("subscribed", [1, 0])
    for qos, topic in ((1, "a/b/c"), (0, "b"), (1, "b/c/d")):
        one.client.publish(topic, b"x" * 5000, qos=qos)
        assert two.next() == (topic, b"x" * 5000, qos if topic == "a/b/c" else 0)
        assert one.next()[0] == "published"
    two.client.unsubscribe("b/#")
    assert two.next() == ("unsubscribed",)
    one.client.publish("b/c", b"not any more", qos=1)
    one.client.publish("a/2/c", b"still", qos=1)
    assert two.next() == ("a/2/c", b"still", 1)


def test_many_publications_all_arrive_in_order(connect):
    """More than 16 under way each way; packet identifiers of both ends."""
    one, two = connect("one"), connect("two")
    one.next(), two.next()
    two.client.subscribe("a", 1)
    two.next()
    for number in range(60):
        one.client.publish("a", b"%d" % number, qos=1)
    assert [two.next()[1] for _ in range(60)] == [b"%d" % number for number in range(60)]


@pytest.mark.req("TEL-09")
def test_the_will_is_told_when_a_client_dies_and_not_when_it_leaves(connect, served):
    one, two, three = connect("one", will=("will/1", b"gone", 1)), connect("two"), connect("three",
                                                                                          will=("will/3", b"gone", 1))
    one.next(), two.next(), three.next()
    two.client.subscribe("will/#", 1)
    two.next()
    three.close()
    served.wait_for(lambda: len(served.broker._sessions) == 2)
    one.die()
    assert two.next() == ("will/1", b"gone", 1)
    assert two.told.empty()


def test_a_ping_is_answered(connect):
    one = connect("one", keep_s=2)
    one.next()
    answered = queue.Queue()
    one.client.on_log = lambda _c, _u, _level, text: answered.put(text) if "PINGRESP" in text else None
    assert answered.get(timeout=15) == "Received PINGRESP"
    assert one.told.empty()


def test_a_second_client_of_the_same_name_puts_the_first_out(connect):
    one = connect("same", will=("will", b"gone", 1))
    one.next()
    two = connect("same")
    assert two.next() == ("connected", 0, False)
    assert one.next()[0] == "gone"


def test_a_session_that_is_kept_gets_what_it_missed(connect, served):
    one, two = connect("kept", clean=False), connect("two")
    assert one.next() == ("connected", 0, False)
    two.next()
    one.client.subscribe("a", 1)
    one.next()
    one.close()
    served.wait_for(lambda: served.broker._sessions["kept"].connection is None)
    for number in range(3):
        two.client.publish("a", b"%d" % number, qos=1)
        assert two.next()[0] == "published"
    again = connect("kept", clean=False)
    assert again.next() == ("connected", 0, True)
    assert [again.next()[1] for _ in range(3)] == [b"0", b"1", b"2"]


def test_qos_2_is_given_as_1_and_not_taken(connect, served):
    one = connect("one")
    one.next()
    one.client.subscribe("a", 2)
    assert one.next() == ("subscribed", [1])
    one.client.publish("a", b"x", qos=2)
    assert one.next()[0] == "gone"
    assert "QoS" in served.broker.last_refusal


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize(("packet", "why"), [
    (b"\x10\x02\x00\x00", "another protocol"), (b"\x30\x05\x00\x03abc", "CONNECT, first and once"),
    (b"\x00\x00", "packet type 0"), (b"\xf0\x00", "packet type 15"), (b"\x10\xff\xff\xff\xff\x01", "4 bytes"),
    (b"\x32\xff\xff\x7f", "a packet of"), (b"GET / HTTP/1.1\r\n\r\n", "packet type 4"),
])
def test_bad_bytes_end_their_connection_and_nothing_else(served, certs, connect, packet, why):
    one = connect("one")
    one.next()
    with stream(served, certs) as raw:
        raw.sendall(packet)
        assert raw.recv(100) == b""
    assert why in served.broker.last_refusal and served.broker.refused == 1
    one.client.publish("a", b"", qos=1)
    assert one.next()[0] == "published"


@pytest.mark.req("SEC-01")
def test_a_client_without_a_certificate_is_not_let_in(served, certs):
    connect = bytes.fromhex("100d00044d5154540402003c000161")
    with stream(served, certs) as raw:
        raw.sendall(connect)
        assert raw.recv(4) == b"\x20\x02\x00\x00"
    served.wait_for(lambda: not served.broker._connections)
    heard = b""
    with contextlib.suppress(ssl.SSLError, ConnectionError), stream(served, certs, named=False) as raw:
        raw.sendall(connect)
        heard = raw.recv(4)
    assert heard == b"" and not served.call(lambda: served.broker._connections)


@pytest.mark.req("SEC-01")
def test_a_gateway_touches_its_own_topics_only(certs):
    with Served(certs, named=True) as served:
        one, two = Client(served, certs, GW), Client(served, certs, "GW-000001", user="GW-000001")
        other = Client(served, certs, "GW-000001", user=GW)
        try:
            one.next(), two.next()
            assert other.next()[1] != 0  # another's client id
            two.client.subscribe([(f"gw/{GW}/down/#", 1), ("gw/GW-000001/down/#", 1), ("#", 1), ("gw/+/up/#", 1)])
            assert two.next() == ("subscribed", [128, 1, 128, 128])
            one.client.subscribe(f"gw/{GW}/down/ack", 1)
            assert one.next() == ("subscribed", [1])
            batch = json.dumps({"boot": 1, "batch": 1, "records": [RECORD]})
            two.client.publish(f"gw/{GW}/up/event", batch, qos=1)  # acknowledged, as mosquitto does, and dropped
            assert two.next()[0] == "published"
            assert served.broker.denied == 1 and not served.lines
            one.client.publish(f"gw/{GW}/up/event", batch, qos=1)
            said = [one.next(), one.next()]
            assert (f"gw/{GW}/down/ack", b'{"boot": 1, "batch": 1}', 1) in said
            assert served.lines == [("relay", {"record": RECORD})]
        finally:
            for client in (one, two, other):
                client.close()


def test_the_relay_answers_paho_as_the_protocol_says(connect, served):
    one = connect(GW)
    one.next()
    one.client.subscribe(f"gw/{GW}/down/#", 1)
    one.next()
    one.client.publish(f"gw/{GW}/up/link", json.dumps({"link": "up", "boot": 1, "up": 5, "counter": 2**44}), qos=1)
    told = [one.next(), one.next()]
    command = json.loads(next(line[1] for line in told if line[0] == f"gw/{GW}/down/command"))
    assert command["name"] == "time" and abs(command["at"] - time.time() * 1000) < 10_000
    assert command["counter"] == 2**44 + 1 and command["expires"] > command["at"]
    assert served.lines == [("link", {"gateway": GW, "link": "up"})]
