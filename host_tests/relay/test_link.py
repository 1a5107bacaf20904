"""The connection to the broker: whether it gives anything, what is said of it when it does not."""

import contextlib
import datetime
import socket

import paho.mqtt.client as paho
import pytest
from relay.lab import wait_for

from tools import certs
from tools.relay import certificate, link
from tools.relay.link import Broker, Link
from tools.relay.messages import Inbox

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(link, "_PROBE_S", 1.0)
    monkeypatch.setattr(link, "_BACKOFF_S", (0.1, 0.2))


def place(lab, name="relay", share=None, protocol=paho.MQTTv5, port=None) -> Broker:
    folder = lab.certs.folder / name
    return Broker("localhost", port or lab.port, str(lab.certs.ca), str(folder / "cert.pem"), str(folder / "key.pem"),
                  certificate.read(str(folder / "cert.pem")), share, protocol)


@contextlib.contextmanager
def linked(broker: Broker):
    """A link that is started, its inbox, and what it said."""
    said: list[str] = []
    inbox = Inbox()
    made = Link(broker, inbox, said.append)
    made.start()
    try:
        yield made, inbox, said
    finally:
        made.stop()


def lines(said, text: str) -> list:
    return [line for line in said if text in line]


def access_list(lab, add: str) -> None:
    """More of it, and the broker started again."""
    path = lab.certs.folder / "broker" / "acl"
    path.write_text(path.read_text() + add)
    lab.broker.end()
    lab.start_broker(anew=False)


@pytest.mark.parametrize(("share", "protocol"), [(None, paho.MQTTv5), ("homes", paho.MQTTv5), (None, paho.MQTTv311)])
def test_a_relay_in_the_access_list_listens_though_no_gateway_speaks(lab, share, protocol):
    with linked(place(lab, share=share, protocol=protocol)) as (made, inbox, said):
        wait_for(lambda: made.since, "that it listens")
        assert inbox.take(1, 1.5) == [] and not lines(said, "nothing")


@pytest.mark.parametrize(("share", "protocol"), [(None, paho.MQTTv5), ("homes", paho.MQTTv5), (None, paho.MQTTv311)])
def test_a_relay_that_the_broker_gives_nothing_says_so_once_and_does_not_listen(lab, share, protocol):
    """Its certificate is younger than the broker's start."""
    lab.certs.authority.relay(certs.LAB, name="relay-7")
    gateway = lab.gateway()
    with linked(place(lab, "relay-7", share, protocol)) as (made, inbox, said):
        wait_for(lambda: lines(said, "the broker gives relay-7 nothing: not in its access list"), "what is wrong")
        gateway.say_link()
        assert inbox.take(1, 0.5) == [] and made.once_subscribed and made.since is None
        lab.broker.end()
        gateway.end()
        process = lab.start_broker(anew=False)
        wait_for(lambda: len(lines(said, "connected to")) > 1, f"a second connection: {said}")
        assert inbox.take(1, 1.5) == [] and made.since is None and len(lines(said, "nothing")) == 1
        process.end()
        lab.start_broker()
        wait_for(lambda: made.since, "that it listens")
        assert lines(said, "gives relay-7 messages now")


def test_where_only_the_probe_is_not_allowed_a_gateway_that_is_heard_will_do(lab):
    """A broker with an access list of somebody else's."""
    lab.certs.authority.relay(certs.LAB, name="relay-7")
    access_list(lab, "\nuser relay-7\ntopic read gw/+/up/#\ntopic write gw/+/down/#\n")
    gateway = lab.gateway()
    with linked(place(lab, "relay-7")) as (made, inbox, said):
        wait_for(lambda: lines(said, "read and write relay/relay-7/probe"), "what is wrong")
        gateway.say_link()
        wait_for(lambda: made.since, "that it listens")
        assert [each.topic for each in inbox.take(1, 1.0)] == ["gw/GW-1/up/link"]
        assert said[-1] == "the broker gives relay-7 messages now"


def test_a_broker_that_closes_at_the_probe_is_used_without(lab, monkeypatch):
    """As some do with whoever writes what he may not."""
    real = Link._on_subscribe

    def on_subscribe(self, client, *rest) -> None:
        real(self, client, *rest)
        if self._probes:
            socket.socket.shutdown(client._sock, socket.SHUT_RDWR)

    monkeypatch.setattr(Link, "_on_subscribe", on_subscribe)
    monkeypatch.setattr(Link, "_heard", lambda self: None)  # the probe was fast
    with linked(place(lab)) as (_, _, said):
        wait_for(lambda: lines(said, "nothing"), "a connection that stays")
        assert len(lines(said, "connected to")) == 2


def test_no_gateway_reads_or_writes_a_probe(lab):
    gateway = lab.gateway()
    heard = []
    gateway.client.on_message = lambda client, data, message: heard.append(message.topic)
    for topic in ("relay/relay/probe", "relay/#", "relay/GW-1/probe", "#"):
        gateway.client.subscribe(topic, 1)
    with linked(place(lab)) as (made, inbox, _):
        wait_for(lambda: made.since, "that it listens")
        made._probe = b"x"
        made._proven, made.since = False, None
        gateway.client.publish("relay/relay/probe", b"x", 1).wait_for_publish(5)
        gateway.client.publish("relay/GW-1/probe", b"x", 1).wait_for_publish(5)
        assert inbox.take(1, 0.5) == [] and made.since is None and not heard


def test_an_answer_that_never_comes_asks_for_the_version(lab, monkeypatch):
    monkeypatch.setattr(link, "_LIMIT_S", 0.5)
    lab.broker.signal(19)  # SIGSTOP
    try:
        monkeypatch.setattr(paho.Client, "connect", lambda *_, **__: 0)  # TLS would wait too
        with linked(place(lab)) as (_, _, said):
            wait_for(lambda: lines(said, "no answer within 0.5 s (does it speak MQTT 5? else --mqtt 3.1.1)"), str(said))
        with linked(place(lab, protocol=paho.MQTTv311)) as (_, _, said):
            wait_for(lambda: lines(said, "no answer within 0.5 s"), str(said))
            assert not lines(said, "MQTT 5")
    finally:
        lab.broker.signal(18)


def test_a_relays_certificate_that_is_out_of_date_is_said_at_the_start_and_at_each_refusal(lab):
    until = datetime.datetime(2020, 2, 1, tzinfo=UTC)
    lab.certs.authority.relay(certs.Validity(until - DAY, until), name="relay-7")
    with linked(place(lab, "relay-7")) as (_, _, said):
        wait_for(lambda: len(lines(said, "no connection")) > 1, "two refusals")
    assert said[0] == "this relay's certificate ended on 2020-02-01"
    assert all(line.endswith("; this relay's certificate ended on 2020-02-01") for line in lines(said, "no connection"))


def test_the_certificates_end_is_told_once_a_day(lab, monkeypatch):
    monkeypatch.setattr(link, "_REMIND_S", 0.05)
    today = [datetime.datetime.now(UTC)]
    monkeypatch.setattr(link, "_utc", lambda: today[0])
    lab.certs.authority.relay(certs.Validity(today[0] - DAY, today[0] + 20 * DAY), name="relay-7")
    lab.broker.end()
    lab.start_broker()
    with linked(place(lab, "relay-7")) as (made, _, said):
        wait_for(lambda: made.since, "that it listens")
        assert made._ended.wait(1.5) is False and len(lines(said, "certificate ends on")) == 1
        today[0] += DAY
        wait_for(lambda: len(lines(said, "certificate ends on")) == 2, "the next day's")
