"""What the client sends, against what paho-mqtt sends when asked for the same, byte for byte."""

import socket
import sys
from pathlib import Path

import paho.mqtt.client as paho
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from wirebytes import CONNACK, length

from drivers import mqtt_codec as codec


def take(connection, data):
    """One whole packet from the socket; `data` is what was read too far before."""
    while True:
        if len(data) > 1:
            size = at = 0
            for at in range(1, min(len(data), 5)):
                size |= (data[at] & 127) << 7 * (at - 1)
                if data[at] < 128:
                    break
            if data[at] < 128 and len(data) >= at + 1 + size:
                return bytes(data[:at + 1 + size]), data[at + 1 + size:]
        more = connection.recv(65536)
        assert more, "paho closed the connection"
        data += more


class Paho:
    """paho-mqtt without its thread, connected to a socket of ours."""

    def __init__(self, client_id, will=None, keepalive=60):
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, clean_session=True)
            if will:
                self.client.will_set(*will, qos=1)
            self.client.connect("127.0.0.1", server.getsockname()[1], keepalive)
            self.connection, _ = server.accept()
        self.connection.settimeout(10)
        self._left = bytearray()
        self.hello = self.sent()
        self.say(CONNACK)

    def say(self, data):
        self.connection.sendall(data)
        self.client.loop_read()

    def sent(self):
        while self.client.want_write():
            self.client.loop_write()
        data, self._left = take(self.connection, self._left)
        return data

    def close(self):
        self.client.disconnect()
        farewell = self.sent()
        self.connection.close()
        return farewell


@pytest.fixture
def theirs():
    made = []

    def make(*args, **options):
        made.append(Paho(*args, **options))
        return made[-1]

    yield make
    for one in made:
        if one.client.is_connected():
            one.close()


@pytest.mark.parametrize("keepalive", [1, 20, 255, 256, 65535])
@pytest.mark.parametrize("will", [None, ("gw/1/up/link", b'{"link": "lost"}'), ("안녕", b""), ("t", b"x" * 60000)])
def test_connect(theirs, keepalive, will):
    topic, payload = will or ("", b"")
    assert codec.connect("GW-000000", topic, payload, keepalive) == theirs("GW-000000", will, keepalive).hello


def test_subscribe_ping_and_leave(theirs):
    paho_client = theirs("x")
    for topic, qos in (("gw/GW-000000/down/#", 1), ("+/안녕", 0), ("t" * 119, 1)):
        _, number = paho_client.client.subscribe(topic, qos)
        assert codec.subscribe(number, topic, qos) == paho_client.sent()
    paho_client.client._send_pingreq()
    assert paho_client.sent() == codec.PINGREQ
    assert paho_client.close() == codec.DISCONNECT


def ours(topic, payload, qos, number):
    buf = bytearray(codec.HEAD_BYTES + len(payload))
    buf[codec.HEAD_BYTES:] = payload
    at = codec.publish_into(buf, topic, len(payload), qos, number)
    assert not any(buf[:at]), "it writes in front of the packet"
    return buf[at:]


@pytest.mark.parametrize("topic", ["t", "gw/GW-000000/up/event", "안녕/x", "t" * 119])
@pytest.mark.parametrize("qos", [0, 1])
def test_publish_of_every_length_around_a_boundary(theirs, topic, qos):
    paho_client = theirs("x")
    head = 2 + len(topic.encode()) + 2 * qos
    edges = [edge + step - head for edge in (127, 16383) for step in (-1, 0, 1, 2)]
    for size in [0, 1, 4608, *(edge for edge in edges if edge >= 0)]:
        payload = bytes(index & 255 for index in range(size))
        number = paho_client.client.publish(topic, payload, qos).mid
        assert ours(topic, payload, qos, number) == paho_client.sent()
        if qos:
            paho_client.say(bytes([0x40, 2, number >> 8, number & 255]))


def test_puback(theirs):
    paho_client = theirs("x")
    for number in (1, 255, 256, 65535):
        paho_client.say(bytes([0x32, 5, 0, 1, ord("t"), number >> 8, number & 255]))
        buf = bytearray(12)
        codec.puback_into(buf, 4, number)
        assert buf == bytes(4) + paho_client.sent() + bytes(4)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455])
def test_remaining_lengths(size):
    buf = bytearray(5)
    codec.put_length(buf, 0, size)
    assert codec.length_bytes(size) == len(length(size))
    assert buf == length(size).ljust(5, b"\x00")


def head(topic, length=0):
    return codec.publish_into(bytearray(200), topic, length, 0, 0)


@pytest.mark.parametrize("call", [
    lambda: codec.connect("x", "", b"", 0), lambda: codec.connect("x", "", b"", 65536),
    lambda: codec.connect("x" * 65536, "", b"", 1), lambda: codec.connect("x", "a/#", b"", 1),
    lambda: codec.connect("x", "t", bytes(65536), 1), lambda: codec.subscribe(1, "", 1),
    lambda: codec.subscribe(1, "a\0", 1), lambda: codec.subscribe(1, "t" * 120, 1), lambda: head(""),
    lambda: head("t" * 120), lambda: head("안" * 40), lambda: head("a/+"), lambda: head("a\0"),
    lambda: head("t", 1 << 28), lambda: codec.length_bytes(268435456),
])  # fmt: skip
def test_what_cannot_be_said(call):
    with pytest.raises(ValueError):  # noqa: PT011
        call()
