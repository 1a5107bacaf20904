"""mosquitto as the relay and the gateways need it: mutual TLS only, the certificate's name as user name and client id.

Owns the configuration and the access list; writes them anew at each start. Must never open a port without TLS, nor let
a gateway near another one's topics. What the options mean: mosquitto.conf(5), 2.0.
"""

from __future__ import annotations

import errno
import os
import pathlib
import shutil
import socket
from typing import NamedTuple

from tools.certs import CertsError, lab
from tools.certs.authority import relays
from tools.relay import RelayError
from tools.relay.protocol import UP_BYTES

_CONF = """\
# Made by python -m tools.relay broker; made anew at each start.
listener {port} {bind}
cafile {ca}
certfile {cert}
keyfile {key}
crlfile {crl}
require_certificate true
# TLS 1.2 at least: gateways speak 1.2
tls_version tlsv1.2
ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305
# who somebody is says the certificate, never the client: nobody can take over another one's session
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {acl}
# a payload is {payload} bytes at most; what a relay away for five minutes misses is kept, and not for ever
message_size_limit {payload}
set_tcp_nodelay true
max_packet_size {packet}
max_inflight_messages 500
max_queued_messages 100000
max_queued_bytes 268435456
queue_qos0_messages false
retain_available false
max_keepalive 3600
persistent_client_expiration 1h
persistence true
persistence_location {data}/
autosave_interval 60
allow_zero_length_clientid false
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true
# started by root it stays so: the keys are readable by their owner only
user root
"""

_ACL = """\
# A gateway writes what it says and reads what is said to it; %u is the common name of its certificate.
pattern write gw/%u/up/#
pattern read gw/%u/down/#
"""

# on its own topic a relay finds out whether it is in this list
_ACL_RELAY = """
user {name}
topic read gw/+/up/#
topic write gw/+/down/#
topic readwrite relay/{name}/probe
"""


class Setup(NamedTuple):
    """A broker that is set up: its files and where it will listen."""

    conf: pathlib.Path
    host: str
    port: int


def write(folder: pathlib.Path, port: int, bind: str = "127.0.0.1", server: str = "relay.lab") -> Setup:
    """Configuration and access list in `folder`/broker, and the certificates in `folder` that are missing.

    Raises RelayError.
    """
    try:
        made = lab(folder, [], server)
    except CertsError as error:
        raise RelayError(str(error)) from None
    place = (folder / "broker").resolve()
    try:
        place.mkdir(exist_ok=True)
        (place / "data").mkdir(exist_ok=True)
        acl = _ACL + "".join(_ACL_RELAY.format(name=name) for name in relays(folder))
        _put(place / "acl", acl)
        _put(place / "mosquitto.conf", _CONF.format(
            port=port, bind=bind, ca=made.ca.resolve(), cert=made.server.resolve() / "cert.pem",
            key=made.server.resolve() / "key.pem", crl=made.crl.resolve(), acl=place / "acl", data=place / "data",
            payload=UP_BYTES, packet=UP_BYTES + 512,
        ))
    except OSError as error:
        raise RelayError(f"cannot write {error.filename}: {error.strerror}") from None
    return Setup(place / "mosquitto.conf", bind, port)


def _put(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)  # mosquitto warns of files that others can read


def find() -> str | None:
    """mosquitto's path; Debian keeps it where only root looks."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def run(setup: Setup, folder: pathlib.Path) -> None:
    """Become mosquitto. Raises RelayError when there is none, or it cannot listen: mosquitto's own word has no port."""
    program = find()
    if program is None:
        raise RelayError("mosquitto is not installed: apt-get install mosquitto, or --embedded for a try")
    _try(setup.host, setup.port)
    print(f"broker at {setup.host}:{setup.port}, certificates in {folder}", flush=True)
    os.execv(program, [program, "-c", str(setup.conf)])


def _try(host: str, port: int) -> None:
    """Whether somebody can listen there. Raises RelayError."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as mosquitto does
            probe.bind(where)
            probe.listen()
    except OSError as error:
        more = ": another --port" if error.errno == errno.EADDRINUSE else ""
        raise RelayError(f"cannot listen at {host}:{port}: {(error.strerror or str(error)).lower()}{more}") from None
