"""How fast the gateway's process drains a backlog over a line of 60 ms round trip, beside paho-mqtt on the same line.

Owns broker, relay, line and gateway of one run, all in a folder that goes away. Both sides are judged the same way: by
when the relay committed. paho-mqtt only publishes, QoS 1, as many under way as the gateway's window has; it reads no
flash, keeps nothing until it is answered, and hears no answers.
"""

from __future__ import annotations

import json
import pathlib
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import paho.mqtt.client as paho

from tools import certs, link_lab, simulator
from tools.line import ROUND_TRIP_S, Line
from tools.relay import RelayError, broker

if TYPE_CHECKING:
    from tools.bench import Row

RECORDS = 10_000
WANTED_PER_S = 1000
WANTED_STALL_MS = 1000
_OURS, _THEIRS = "GW-1", "GW-2"
_WINDOW = 16
_BATCH = 10
_FAST = 60  # the world's speed while the backlog is made
_LIMIT_S = 300


class Found(NamedTuple):
    """ours, theirs: records a second; the handshake's longest hold of the event loop; bytes over the line a record."""

    ours_per_s: float
    theirs_per_s: float
    stall_ms: float
    stall_cpu_ms: float
    up_bytes: float
    down_bytes: float


class Servers:
    """mosquitto and the relay, in `folder`. RuntimeError when they do not come up, LookupError without mosquitto."""

    def __init__(self, folder: pathlib.Path) -> None:
        program = broker.find()
        if program is None:
            raise LookupError("mosquitto is not installed: apt-get install mosquitto")
        self.certs = certs.lab(folder / "lab", [_OURS, _THEIRS])
        self.port = _free_port()
        self._db = folder / "relay.db"
        self._running: list[subprocess.Popen[bytes]] = []
        try:
            setup = broker.write(self.certs.folder, self.port)
        except RelayError as error:
            raise RuntimeError(str(error)) from None
        self._start([program, "-c", str(setup.conf)])
        _until(self._listens, "the broker's port")
        self._start([sys.executable, "-m", "tools.relay", "--broker", f"localhost:{self.port}", "--lab",
                     str(self.certs.folder), "--db", f"sqlite:///{self._db}"])
        _until(lambda: self.ask("SELECT 1 FROM relays"), "the relay")

    def _start(self, command: list[str]) -> None:
        self._running.append(subprocess.Popen(command, cwd=simulator.ROOT, stdin=subprocess.DEVNULL,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, sql: str, *values: Any) -> list[Any]:
        """Rows of the database; none while it has no tables yet."""
        db = sqlite3.connect(self._db, timeout=10)
        try:
            return db.execute(sql, values).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            db.close()

    def count(self, gateway: str) -> int:
        rows = self.ask("SELECT COUNT(*) FROM records WHERE gateway = ?", gateway)
        return int(rows[0][0]) if rows else 0

    def per_s(self, gateway: str) -> float:
        """Records a second, from the first commit to the last."""
        times = [row[0] for row in self.ask("SELECT received FROM records WHERE gateway = ? ORDER BY rowid", gateway)]
        after_first = len(times) - times.count(times[0])
        return after_first / max((times[-1] - times[0]) / 1000, 0.001)

    def close(self) -> None:
        for process in reversed(self._running):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure(records: int = RECORDS, round_trip_s: float = ROUND_TRIP_S) -> Found:
    """One run of both. Raises RuntimeError when it fails, LookupError when something is not installed."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        servers = Servers(folder)
        line = Line(servers.port, round_trip_s)
        try:
            told = _ours(folder, servers, line, records)
            up_bytes, down_bytes = line.up_bytes, line.down_bytes
            _theirs(servers, line)
            return Found(servers.per_s(_OURS), servers.per_s(_THEIRS), told["wall_ms"], told["cpu_ms"],
                         up_bytes / records, down_bytes / records)
        finally:
            line.close()
            servers.close()


def _ours(folder: pathlib.Path, servers: Servers, line: Line, records: int) -> dict[str, Any]:
    """The gateway makes its backlog without a network, then gets one; what it told of its handshake."""
    link_lab.furnish(folder / "home", servers.certs.gateway(_OURS), {"backlog": records, "pulse": False})
    gateway = link_lab.Process(folder / "home", {
        "settings": link_lab.settings(_OURS, line.port), "steps": [{"at": 0, "do": "modem", "data": False}]})
    try:
        gateway.step({"do": "speed", "x": _FAST})
        gateway.told("backlog", limit_s=_LIMIT_S)
        gateway.step({"do": "speed", "x": 1})
        time.sleep(1)
        gateway.step({"do": "modem", "data": True})
        gateway.until(lambda: servers.count(_OURS) >= records, f"{records} records committed", _LIMIT_S)
        return gateway.told("handshake")[0]
    finally:
        gateway.close()


def _theirs(servers: Servers, line: Line) -> None:
    """The same records, ten a message, by paho-mqtt under another gateway's name."""
    rows = servers.ask("SELECT record FROM records WHERE gateway = ? ORDER BY rowid", _OURS)
    records = [json.loads(row[0]) for row in rows]
    client = _client(servers, line.port)
    try:
        _until(client.is_connected, "paho-mqtt's connection")
        for number, begin in enumerate(range(0, len(records), _BATCH), 1):
            batch = {"boot": records[0]["boot"], "batch": number, "records": records[begin:begin + _BATCH]}
            payload = json.dumps(batch, separators=(",", ":"), ensure_ascii=False).encode()
            client.publish(f"gw/{_THEIRS}/up/event", payload, 1)
        _until(lambda: servers.count(_THEIRS) >= len(records), "paho-mqtt's records", _LIMIT_S)
    finally:
        client.disconnect()
        client.loop_stop()


def _client(servers: Servers, port: int) -> paho.Client:
    folder = servers.certs.gateway(_THEIRS)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, _THEIRS, protocol=paho.MQTTv311)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # as the firmware
    context.load_verify_locations(folder / "ca.pem")
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    client.tls_set_context(context)
    client.max_inflight_messages_set(_WINDOW)
    client.connect("localhost", port)
    client.loop_start()
    return client


def link() -> list[Row]:
    """The rows of `make bench`."""
    from tools.bench import Row  # here, because it imports this module

    found = measure()
    trip = f"{ROUND_TRIP_S * 1000:.0f} ms round trip"
    return [
        Row(f"records a second, {RECORDS:,} waiting, {trip}, gateway's process to database",
            f"{found.ours_per_s:,.0f}", f">= {WANTED_PER_S:,}", found.ours_per_s >= WANTED_PER_S),
        Row(f"the same records, paho-mqtt, {_WINDOW} messages under way", f"{found.theirs_per_s:,.0f}"),
        Row("ratio", f"{found.ours_per_s / found.theirs_per_s:.2f}"),
        Row("bytes over the line a record, up and down", f"{found.up_bytes:.0f}, {found.down_bytes:.0f}"),
        Row("longest hold of the event loop by a TLS handshake, this computer", f"{found.stall_ms:.0f} ms",
            f"<= {WANTED_STALL_MS} ms", found.stall_ms <= WANTED_STALL_MS),
        Row("of it processor time (a board takes many times as long)", f"{found.stall_cpu_ms:.0f} ms"),
    ]


def _until(ready: Callable[[], Any], what: str, limit_s: float = 30) -> None:
    until = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > until:
            raise RuntimeError(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
