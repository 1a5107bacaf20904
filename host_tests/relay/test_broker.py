"""The broker: who gets in, and that a gateway touches its own topics only. mosquitto, and the embedded one."""

import contextlib
import datetime
import json
import socket
import ssl
import sys
import time
import warnings

import pytest
from relay.lab import LIMIT_S, Lab, Process, free_port, wait_for

from tools import certs
from tools.relay import embedded

UTC = datetime.timezone.utc


class Embedded(Lab):
    """The same lab on the broker in Python."""

    def start_broker(self) -> Process:
        where = [str(self.certs.folder), "--port", str(self.port)]
        process = Process([sys.executable, "-m", "tools.relay", "broker", *where, "--embedded"])
        self._things.append(process)
        process.wait_said("embedded broker at")
        return process


@pytest.fixture
def embedded_lab(tmp_path):
    made = Embedded(tmp_path)
    yield made
    made.end()


def context(lab: Lab, folder=None) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(lab.certs.ca)
    if folder is not None:
        made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


def enters(lab: Lab, tls: ssl.SSLContext | None, client_id: str = "GW-1") -> bool:
    """Whether the broker answers a CONNECT with yes."""
    connect = b"\x00\x04MQTT\x04\x02\x00\x14" + len(client_id).to_bytes(2, "big") + client_id.encode()
    try:
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(socket.create_connection(("127.0.0.1", lab.port), LIMIT_S))
            if tls:
                stream = stack.enter_context(tls.wrap_socket(stream, server_hostname="localhost"))
            stream.sendall(b"\x10" + bytes([len(connect)]) + connect)
            return stream.recv(4) == b"\x20\x02\x00\x00"
    except (ssl.SSLError, ConnectionError):
        return False


@pytest.mark.req("SEC-01")
@pytest.mark.fault(76)
@pytest.mark.parametrize("kind", ["lab", "embedded_lab"])
def test_only_a_good_certificate_gets_in(kind, request, tmp_path):
    lab = request.getfixturevalue(kind)
    now, day = datetime.datetime.now(UTC), datetime.timedelta(days=1)
    lab.certs.authority.gateway("GW-old", certs.Validity(now - 2 * day, now - day))
    lab.certs.authority.gateway("GW-new", certs.Validity(now + day, now + 2 * day))
    other = certs.lab(tmp_path / "other", ["GW-1"])
    assert enters(lab, context(lab, lab.certs.gateway("GW-1")))
    assert not enters(lab, context(lab))  # none
    assert not enters(lab, context(lab, other.gateway("GW-1")))  # another CA's
    assert not enters(lab, context(lab, lab.certs.folder / "GW-old"), "GW-old")
    assert not enters(lab, context(lab, lab.certs.folder / "GW-new"), "GW-new")
    assert not enters(lab, context(lab, lab.certs.server), "relay.lab")  # a server's is no client's
    assert not enters(lab, None)  # no TLS
    assert enters(lab, context(lab, lab.certs.gateway("GW-1")))


@pytest.mark.req("SEC-01")
@pytest.mark.parametrize("kind", ["lab", "embedded_lab"])
def test_nothing_older_than_tls_1_2(kind, request):
    lab = request.getfixturevalue(kind)
    tls = context(lab, lab.certs.gateway("GW-1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tls.minimum_version = ssl.TLSVersion.TLSv1
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.set_ciphers("ALL:@SECLEVEL=0")
    assert not enters(lab, tls)
    tls = context(lab, lab.certs.gateway("GW-1"))
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    assert enters(lab, tls)


@pytest.mark.req("SEC-01")
@pytest.mark.fault(72)
def test_a_revoked_gateway_is_out_when_the_broker_was_started_again(lab):
    tls = context(lab, lab.certs.gateway("GW-1"))
    lab.certs.authority.revoke("GW-1")
    lab.broker.end()
    lab.start_broker()
    assert not enters(lab, tls)
    assert enters(lab, context(lab, lab.certs.gateway("GW-2")), "GW-2")


@pytest.mark.req("SEC-01")
@pytest.mark.fault(70)
def test_nobody_pushes_another_one_out(lab):
    """GW-1's certificate with GW-2's client id: it is GW-1 all the same."""
    second = lab.gateway("GW-2")
    gone = []
    second.client.on_disconnect = lambda *_: gone.append(1)
    enters(lab, context(lab, lab.certs.gateway("GW-1")), "GW-2")
    time.sleep(0.5)
    assert not gone and second.client.is_connected()


@pytest.mark.req("SEC-01")
@pytest.mark.fault(70)
def test_the_embedded_one_wants_the_certificates_name_as_client_id(embedded_lab):
    assert not enters(embedded_lab, context(embedded_lab, embedded_lab.certs.gateway("GW-1")), "GW-2")


@pytest.mark.req("SEC-01")
@pytest.mark.parametrize("kind", ["lab", "embedded_lab"])
def test_a_gateway_touches_its_own_topics_only(kind, request):
    lab = request.getfixturevalue(kind)
    relay = lab.relay(*([] if kind == "lab" else ["--mqtt", "3.1.1"]))
    first, second = lab.gateway("GW-1"), lab.gateway("GW-2")
    heard = []
    first.client.on_message = lambda client, data, message: heard.append(message.topic)
    for topic in ("gw/GW-2/down/#", "gw/+/down/#", "#", "gw/#", "gw/GW-2/up/#", "gw/+/up/event", "+/+/+/+", "$SYS/#"):
        first.client.subscribe(topic, 1)
    batch = {"boot": 1, "batch": 1, "records": [first.record()]}
    for topic in ("gw/GW-2/up/event", "gw/GW-1/down/ack", "gw/GW-2/down/command", "gw/GW-1x/up/event", "gw/up/event"):
        first.client.publish(topic, json.dumps(batch), 1)
    time.sleep(0.3)
    if not first.client.is_connected():  # mosquitto 2 answers with silence, amqtt may close
        first = lab.gateway("GW-1", boot=2)
    second.say_link()
    second.took("time")
    second.answered(second.send(second.record()))
    first.send(first.record())
    wait_for(lambda: lab.rows("SELECT COUNT(*) FROM records") == [(2,)], "a record of each")
    assert lab.rows("SELECT gateway FROM records ORDER BY gateway") == [("GW-1",), ("GW-2",)]
    assert not lab.rows("SELECT * FROM refusals")
    assert [topic for topic in heard if not topic.startswith("gw/GW-1/down/")] == []
    assert second.taken == second.commands and len(second.acks) == 1
    assert relay.running()


@pytest.mark.req("SEC-03")
def test_what_is_too_long_or_to_be_retained_does_not_pass(lab):
    relay = lab.relay()
    gateway = lab.gateway()
    gateway.client.publish("gw/GW-1/up/event", b"x" * 5200, 1)
    time.sleep(0.3)
    again = lab.gateway(boot=2)
    again.client.publish("gw/GW-1/up/event", b"retained", 1, retain=True)
    time.sleep(0.3)
    last = lab.gateway(boot=3)
    last.answered(last.send(last.record()))
    assert not [row for row in lab.rows("SELECT payload FROM refused") if row[0] != b"retained"]
    relay.signal(15)
    relay.ended()
    lab.relay()  # subscribes anew: nothing was kept for it
    last.answered(last.send(last.record()))
    assert lab.rows("SELECT COUNT(*) FROM records") == [(2,)]


def test_the_embedded_broker_carries_a_gateways_day(embedded_lab):
    embedded_lab.relay("--mqtt", "3.1.1")
    gateway = embedded_lab.gateway()
    gateway.say_link()
    gateway.took("time")
    for _ in range(30):
        gateway.send(*[gateway.record() for _ in range(10)])
    wait_for(lambda: not gateway.kept, "answers")
    identity = embedded_lab.command("send", "GW-1", "state", "--db", embedded_lab.db).strip()
    assert gateway.took("state")[0]["id"] == identity
    gateway.drop()
    embedded_lab.wait_rows("SELECT * FROM gateways WHERE link = 'lost' AND records = 300")


@pytest.mark.parametrize(("name", "action", "topic", "may"), [
    ("GW-1", "publish", "gw/GW-1/up/event", True), ("GW-1", "publish", "gw/GW-1/up", False),
    ("GW-1", "publish", "gw/GW-2/up/event", False), ("GW-1", "publish", "gw/GW-1/down/ack", False),
    ("GW-1", "subscribe", "gw/GW-1/down/#", True), ("GW-1", "subscribe", "gw/+/down/#", False),
    ("GW-1", "subscribe", "gw/#", False), ("GW-1", "subscribe", "#", False),
    ("GW-1", "receive", "gw/GW-1/down/ack", True), ("GW-1", "receive", "gw/GW-1/up/event", False), ("+",
    "subscribe", "gw/GW-1/down/#", False),
    ("relay", "subscribe", "gw/+/up/#", True), ("relay-2", "publish", "gw/GW-1/down/ack", True),
    ("relay-2", "publish", "relay/relay-2/probe", True), ("relay-2", "receive", "relay/relay-2/probe", True),
    ("relay", "subscribe", "relay/relay-2/probe", False), ("relay", "publish", "relay/relay/else", False),
    ("GW-1", "publish", "relay/GW-1/probe", False), ("GW-1", "subscribe", "relay/GW-1/probe", False),
    ("relay", "publish", "gw/GW-1/up/event", False), ("relay", "subscribe", "gw/#", False),
    ("relay", "subscribe", "#", False), ("relayed", "subscribe", "gw/+/up/#", False),
])
def test_the_embedded_brokers_access_list(name, action, topic, may):
    assert embedded.allowed(name, action, topic) is may


def test_two_that_want_one_port_is_one_line(lab):
    said = lab.command("broker", str(lab.certs.folder), "--port", str(lab.port), "--embedded", status=1)
    assert said.startswith("relay: the embedded broker cannot start") and said.count("\n") == 1
    said = lab.command("broker", str(lab.certs.folder), "--port", str(lab.port), status=1)
    assert said == f"relay: cannot listen at 127.0.0.1:{lab.port}: address already in use: another --port\n"


def test_a_broker_says_that_it_serves(lab):
    port = free_port()
    process = Process([sys.executable, "-m", "tools.relay", "broker", str(lab.certs.folder), "--port", str(port)])
    try:
        assert process.wait_said("broker at") == [f"broker at 127.0.0.1:{port}, certificates in {lab.certs.folder}"]
        lab.port = port
        wait_for(lab.listening, "the broker's port")
    finally:
        process.end()


def test_the_embedded_broker_says_how_the_relay_is_started(embedded_lab):
    assert embedded_lab.broker.lines[0].endswith("run the relay with --mqtt 3.1.1")
    relay = embedded_lab.relay("--mqtt", "3.1.1")
    time.sleep(11)  # it listens: what it says to itself comes back
    assert len(relay.lines) == 1


def test_a_wrong_certificate_is_said_and_tried_again(lab, tmp_path):
    """The relay with a gateway's certificate, and with one that the broker does not know."""
    other = certs.lab(tmp_path / "other")
    command = [sys.executable, "-m", "tools.relay", "--broker", f"localhost:{lab.port}"]
    wrong = Process([*command, "--lab", str(other.folder), "--db", f"sqlite:///{tmp_path / 'other.db'}"])
    folder = lab.certs.gateway("GW-1")
    gateways = Process([*command, "--ca", str(lab.certs.ca), "--cert", str(folder / "cert.pem"),
                        "--key", str(folder / "key.pem"), "--db", lab.db])
    try:
        wrong.wait_said("its certificate is not accepted", 2)
        gateways.wait_said("the certificate is GW-1's")
    finally:
        wrong.end()
        gateways.end()
