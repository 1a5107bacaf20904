"""A broker in Python (amqtt) where mosquitto is not installed: for `make run` and a first try on one machine.

Mutual TLS on 127.0.0.1 only, the certificate's name as user name, the same access list as mosquitto's. It cannot do
MQTT 5 and shared subscriptions (one relay, started with --mqtt 3.1.1), keep anything over a restart, serve more than a
few gateways. Must never let in who has no certificate of the CA.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import pathlib
import signal
import ssl
from typing import Any

from tools.certs import CertsError, Lab, lab
from tools.certs.authority import is_relay
from tools.relay import RelayError
from tools.relay.protocol import is_number

try:
    from amqtt.broker import Broker  # type: ignore[import-untyped]
    from amqtt.contexts import Action, ListenerConfig  # type: ignore[import-untyped]
    from amqtt.errors import BrokerError  # type: ignore[import-untyped]
    from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin  # type: ignore[import-untyped]
    from amqtt.session import Session  # type: ignore[import-untyped]
except ImportError:
    raise RelayError("the embedded broker needs amqtt: pip install amqtt, or install mosquitto") from None

_HOST = "127.0.0.1"


def allowed(name: str, action: str, topic: str) -> bool:
    """Whether who has this name may publish to, subscribe to or receive from the topic or filter."""
    if not is_number(name):  # a name with + in it would stand for others
        return False
    if is_relay(name):
        if topic == f"relay/{name}/probe":  # with which it finds out whether it hears anything
            return True
        reads, writes = ("gw/+/up/",), ("gw/+/down/",)
    else:
        reads, writes = (f"gw/{name}/down/",), (f"gw/{name}/up/",)
    return any(_below(topic, wanted) for wanted in (writes if action == "publish" else reads))


def _below(topic: str, wanted: str) -> bool:
    """Whether a topic or filter lies below `wanted`, in which + stands for one level."""
    levels, given = wanted.rstrip("/").split("/"), topic.split("/")
    same = all(level in ("+", got) and got != "#" for level, got in zip(levels, given, strict=False))
    return same and len(given) > len(levels)


def name_of(session: Any) -> str | None:
    """The common name of the client's certificate."""
    certificate = session.ssl_object.getpeercert() if session is not None and session.ssl_object else None
    names = [value for part in (certificate or {}).get("subject", ()) for key, value in part if key == "commonName"]
    return str(names[0]) if len(names) == 1 else None


class CertificateName(BaseAuthPlugin):
    """Who somebody is says the certificate: its name is the user name, and must be the client id."""

    @dataclasses.dataclass
    class Config:
        """None."""

    async def authenticate(self, *, session: Session) -> bool | None:
        session.username = name_of(session)
        return session.username is not None and session.client_id == session.username


class OwnTopics(BaseTopicPlugin):
    """`allowed`, for everything that is published, subscribed to and received."""

    @dataclasses.dataclass
    class Config:
        """None."""

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        name = name_of(session)
        return name is not None and topic is not None and action is not None and allowed(name, action.value, topic)


class MutualTls(Broker):
    """amqtt asks for a certificate and does without; this one does not."""

    @staticmethod
    def _create_ssl_context(listener: ListenerConfig) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(str(listener.certfile), str(listener.keyfile))
        context.load_verify_locations(str(listener.cafile))
        context.load_verify_locations(str(pathlib.Path(str(listener.cafile)).with_name("crl.pem")))
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def _config(made: Lab, port: int) -> dict[str, Any]:
    return {
        "listeners": {"default": {
            "type": "tcp", "bind": f"{_HOST}:{port}", "ssl": True, "max_connections": 200, "cafile": str(made.ca),
            "certfile": str(made.server / "cert.pem"), "keyfile": str(made.server / "key.pem"),
        }},
        "plugins": {f"{__name__}.CertificateName": {}, f"{__name__}.OwnTopics": {}},
    }


async def _serve(made: Lab, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    broker = MutualTls(_config(made, port))
    try:
        await broker.start()
    except BrokerError as error:
        why = getattr(error.__cause__, "strerror", None) or error
        raise RelayError(f"the embedded broker cannot start at {_HOST}:{port}: {why}") from None
    print(f"embedded broker at {_HOST}:{port}, certificates in {made.folder}: for a try only, docs/relay.md; "
          "run the relay with --mqtt 3.1.1", flush=True)
    await stopped.wait()
    await broker.shutdown()


def run(folder: pathlib.Path, port: int, server: str = "relay.lab") -> None:
    """Serve until SIGTERM or SIGINT; the certificates in `folder` that are missing are made. Raises RelayError."""
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    try:
        made = lab(folder, [], server)
    except CertsError as error:
        raise RelayError(str(error)) from None
    asyncio.run(_serve(made, port))
