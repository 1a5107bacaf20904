"""The connection to the broker: paho-mqtt, MQTT 5, mutual TLS, kept up for ever with a back-off.

Owns the connection's thread and paho. Messages go into the inbox; the broker gets its acknowledgement of one only when
the relay says so, in the session it came in. Must never acknowledge by itself, nor connect without TLS.
"""

from __future__ import annotations

import contextlib
import datetime
import queue
import random
import secrets
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from tools.relay import RelayError
from tools.relay.certificate import Certificate
from tools.relay.messages import Arrived, Inbox

KEEPALIVE_S = 30
SESSION_S = 300  # so long the broker keeps what comes while this relay is away; gateways send it again anyway
WINDOW = 500  # messages that are here without acknowledgement
_LIMIT_S = 20  # until the broker has answered CONNECT and SUBSCRIBE
_PROBE_S = 10  # until the broker has given back what this relay said to itself
_REMIND_S = 3600  # between two looks at the certificate's date
_BACKOFF_S = (0.5, 30.0)
_UNSPECIFIED = 0x80  # paho's word for a connection that ended without a word
_NOBODY_THERE = 0x10


class Broker(NamedTuple):
    """Where it is, and how this relay shows who it is; paths of PEM files."""

    host: str
    port: int
    ca: str
    cert: str
    key: str
    certificate: Certificate
    share: str | None
    protocol: paho.MQTTProtocolVersion = paho.MQTTv5  # or MQTTv311, for a broker that knows no other

    @property
    def name(self) -> str:
        """User name and client id."""
        return self.certificate.name


class Passed(NamedTuple):
    """The broker has a message of ours; reached: somebody had subscribed to it."""

    number: int  # as publish gave it
    reached: bool


class Link:
    """`start`, `publish`, `acknowledge`, `stop`; what the broker took comes by `passed`.

    A broker may take the subscription of somebody who is not in its access list, and give nothing. So the relay says
    something to itself, on a topic that only it may write and read: it listens once it has heard that, or a gateway.
    """

    def __init__(self, broker: Broker, inbox: Inbox, say: Callable[[str], None]) -> None:
        self._broker = broker
        self._inbox = inbox
        self._say = say
        self._context = tls_context(broker)
        self._session = 0
        self._ended = threading.Event()
        self._stopping = threading.Event()
        self._refused = ""
        self._subscribed: float | None = None  # on this connection, ms since 1970
        self._proven = False  # it gives us something
        self._probes = True
        self._cut = False  # let in, and closed before it was clear whether it gives us something
        self._probe_topic = f"relay/{urllib.parse.quote(broker.name, safe='')}/probe"
        self._probe = b""  # of this connection
        self._deaf = False  # that has been said
        self._reminded: datetime.date | None = None
        self._client = self._make()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self.passed: queue.Queue[Passed] = queue.Queue()
        self.since: float | None = None  # it listens, ms since 1970; None: it does not
        self.once_subscribed = False  # once, since the start of this program

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye; what was published before is sent first, if the broker takes it within a second."""
        self._stopping.set()
        client = self._client
        if client.is_connected():
            until = time.monotonic() + 1.0
            while client.want_write() and time.monotonic() < until:
                time.sleep(0.01)
        client.disconnect()
        self._ended.set()
        self._thread.join(_LIMIT_S)

    def publish(self, topic: str, payload: bytes) -> int | None:
        """QoS 1; its number, which comes back in `passed`. None: not connected, nothing is sent.

        What the broker kept for this relay comes before the subscription is answered, and is answered then.
        """
        if not self._client.is_connected():
            return None
        info = self._client.publish(topic, payload, qos=1)
        return self._number(info.mid) if info.rc == paho.MQTT_ERR_SUCCESS else None

    def acknowledge(self, arrived: Arrived) -> None:
        """To the broker: the message is committed."""
        if arrived.qos and arrived.session == self._session:
            self._client.ack(arrived.mid, arrived.qos)

    # ---------------------------------------------------------------- the thread
    def _run(self) -> None:
        wait_s = _BACKOFF_S[0]
        while not self._stopping.is_set():
            started = time.monotonic()
            self._remind()
            reason = self._once()
            if self._stopping.is_set():
                break
            if time.monotonic() - started > _BACKOFF_S[1]:
                wait_s = _BACKOFF_S[0]
            fault = self._broker.certificate.fault(_utc())
            why = f"{reason}; {fault}" if fault else reason
            self._say(f"no connection to {self._broker.host}:{self._broker.port}: {why}")
            self._stopping.wait(wait_s * random.uniform(0.5, 1.0))
            wait_s = min(wait_s * 2, _BACKOFF_S[1])

    def _once(self) -> str:
        """One connection from its begin to its end; why it ended."""
        self._session += 1
        self._ended.clear()
        self._refused = ""
        self._proven = self._cut = False
        client = self._client = self._make()
        try:
            client.connect(self._broker.host, self._broker.port, KEEPALIVE_S, **self._start())
        except (OSError, ValueError) as error:
            return _reason(error)
        client.loop_start()
        if not self._wait_connected():
            mqtt = " (does it speak MQTT 5? else --mqtt 3.1.1)" if self._broker.protocol == paho.MQTTv5 else ""
            self._refused = self._refused or f"no answer within {_LIMIT_S} s{mqtt}"
        else:
            self._stay()
        self.since = self._subscribed = None
        # some brokers close the connection of whoever writes what he may not: the next one without
        self._probes = not (self._cut and self._probes)
        client.disconnect()
        client.loop_stop()
        return self._refused

    def _wait_connected(self) -> bool:
        until = time.monotonic() + _LIMIT_S
        while time.monotonic() < until and not self._stopping.is_set():
            if self._subscribed is not None:
                return True
            if self._ended.wait(0.05):
                return False
        return False

    def _stay(self) -> None:
        """Until the connection ends."""
        if self._ended.wait(_PROBE_S):
            return
        self._cut = False
        if not self._proven and not self._deaf:
            self._deaf = True
            name = self._broker.name
            self._say(f"the broker gives {name} nothing: not in its access list; start `tools.relay broker` again, "
                      f"or let {name} read and write {self._probe_topic}: docs/relay.md")
        while not self._ended.wait(_REMIND_S):
            self._remind()

    def _remind(self) -> None:
        """Of the certificate's end, once a day."""
        now = _utc()
        text = self._broker.certificate.reminder(now)
        if text and self._reminded != now.date():
            self._reminded = now.date()
            self._say(text)

    def _heard(self) -> None:
        """The broker gives us what we subscribed to."""
        if not self._proven and self._subscribed is not None:
            self._proven, self._cut = True, False
            self.since = self._subscribed
            if self._deaf:
                self._deaf = False
                self._say(f"the broker gives {self._broker.name} messages now")

    def _make(self) -> paho.Client:
        clean = None if self._broker.protocol == paho.MQTTv5 else False
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, self._broker.name, clean, protocol=self._broker.protocol,
            reconnect_on_failure=False, manual_ack=True,
        )
        client.tls_set_context(self._context)
        client.max_inflight_messages_set(WINDOW)
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_disconnect, client.on_message = self._on_disconnect, self._on_message
        client.on_publish = self._on_publish
        return client

    def _start(self) -> dict[str, Any]:
        if self._broker.protocol != paho.MQTTv5:
            return {}
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0 if self._broker.share else SESSION_S
        properties.ReceiveMaximum = WINDOW
        return {"clean_start": bool(self._broker.share), "properties": properties}

    def _number(self, mid: int) -> int:
        """A packet's number that no other session has."""
        return self._session << 16 | mid

    # ------------------------------------------------------------- paho's callbacks
    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self._refused = str(code).lower()
            self._ended.set()
            return
        self._cut = True
        topics = [f"$share/{self._broker.share}/gw/+/up/#" if self._broker.share else "gw/+/up/#"]
        topics += [self._probe_topic] if self._probes else []
        if self._broker.protocol == paho.MQTTv5:
            once = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
            client.subscribe([(topic, once) for topic in topics])
        else:
            client.subscribe([(topic, 1) for topic in topics])

    def _on_subscribe(self, client: paho.Client, _data: Any, _mid: int, codes: list[ReasonCode], _props: Any) -> None:
        if codes[0].is_failure:
            self._refused = "it refuses the subscription: is this a relay's certificate?"
            self._ended.set()
            return
        self._subscribed = time.time() * 1000
        self.once_subscribed = True
        self._say(f"connected to {self._broker.host}:{self._broker.port} as {self._broker.name}")
        if self._probes and not codes[-1].is_failure:
            self._probe = secrets.token_hex(8).encode()
            client.publish(self._probe_topic, self._probe, qos=1)

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self.since = self._subscribed = None
        said = str(code).lower() if code.is_failure and code.value != _UNSPECIFIED else "it closed the connection"
        self._refused = self._refused or said
        self._ended.set()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if message.retain and self._broker.protocol != paho.MQTTv5:  # 3.1.1 cannot ask for none of them
            self._client.ack(message.mid, message.qos)
            return
        if topic == self._probe_topic:
            self._client.ack(message.mid, message.qos)
            if message.payload == self._probe:  # and not one that waited since an earlier connection
                self._heard()
            return
        self._heard()
        received = int(time.time() * 1000)
        self._inbox.put(Arrived(self._session, message.mid, message.qos, topic, bytes(message.payload), received))

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
        self.passed.put(Passed(self._number(mid), code.value != _NOBODY_THERE and not code.is_failure))


def _utc() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def tls_context(broker: Broker) -> ssl.SSLContext:
    """TLS 1.2 or newer, both ends with a certificate. Raises RelayError naming the file that is no good."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(broker.ca)
    except (OSError, ssl.SSLError) as error:
        raise RelayError(f"--ca {broker.ca}: {_reason(error)}") from None
    try:
        context.load_cert_chain(broker.cert, broker.key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        raise RelayError(f"--cert {broker.cert} --key {broker.key}: {_reason(error)}") from None
    return context


def _no_password() -> str:
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        with contextlib.suppress(AttributeError):
            return f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
