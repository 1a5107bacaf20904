"""A lab for the relay's tests: mosquitto with mutual TLS, the relay as a process, a gateway true to the protocol."""

import contextlib
import json
import os
import pathlib
import queue
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time

import paho.mqtt.client as paho
from conftest import ROOT, need

from tools import certs
from tools.relay import broker

LIMIT_S = 30  # for anything that should happen at once, on a busy machine


def wait_for(ready, what: str, limit_s: float = LIMIT_S):
    """What ready() gives as soon as it is true."""
    until = time.monotonic() + limit_s
    while True:
        got = ready()
        if got:
            return got
        assert time.monotonic() < until, f"not within {limit_s} s: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A child whose lines are kept; ended with the test whatever happens."""

    def __init__(self, command: list, cwd=ROOT, **more) -> None:
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._child = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       encoding="utf-8", **more)
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self._child.stdout, self.lines), (self._child.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream, lines) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))

    @property
    def pid(self) -> int:
        return self._child.pid

    def running(self) -> bool:
        return self._child.poll() is None

    def ended(self, limit_s: float = LIMIT_S) -> int:
        """Its exit status."""
        status = self._child.wait(limit_s)
        for reader in self._readers:
            reader.join(5)
        self._child.stdout.close()
        self._child.stderr.close()
        return status

    def signal(self, number: int) -> None:
        self._child.send_signal(number)

    def end(self) -> None:
        if self.running():
            self._child.send_signal(signal.SIGCONT)
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(10)
        if self.running():
            self._child.kill()
        self.ended()

    def said(self, text: str) -> list:
        return [line for line in [*self.lines, *self.errors] if text in line]

    def wait_said(self, text: str, count: int = 1) -> list:
        def found():
            lines = self.said(text)
            assert len(lines) >= count or self.running(), f"ended: {self.lines[-20:]} {self.errors[-20:]}"
            return lines if len(lines) >= count else None

        return wait_for(found, f"{text!r} in {self.lines[-20:]} {self.errors[-20:]}")


class Lab:
    """The broker, and whatever was started on it; all on 127.0.0.1 and in `folder`."""

    def __init__(self, folder: pathlib.Path, gateways=("GW-1", "GW-2"), relays=("relay",)) -> None:
        need("mosquitto") if broker.find() is None else None
        self.folder = folder
        self.certs = certs.lab(folder / "lab", gateways)
        for name in relays:
            if name != "relay":
                self.certs.authority.relay(certs.LAB, name=name)
        self.port = free_port()
        self.db = f"sqlite:///{folder / 'relay.db'}"
        self._things: list = []
        self.broker = self.start_broker()

    def start_broker(self, anew: bool = True) -> Process:
        """anew: with an access list of all relays there are; else with the one that is there."""
        if anew:
            broker.write(self.certs.folder, self.port)
        process = Process([broker.find(), "-c", str(self.certs.folder / "broker" / "mosquitto.conf")])
        self._things.append(process)
        wait_for(self.listening, "the broker's port")
        self.broker = process
        return process

    def listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def relay(self, *options: str, **more) -> Process:
        """A running relay that has subscribed."""
        process = self.start_relay(*options, **more)
        process.wait_said("connected to")
        return process

    def start_relay(self, *options: str, name="relay", program=("-m", "tools.relay"), env=None) -> Process:
        process = Process([
            sys.executable, *program, "--broker", f"localhost:{self.port}", "--ca", str(self.certs.ca),
            "--cert", str(self.certs.folder / name / "cert.pem"), "--key", str(self.certs.folder / name / "key.pem"),
            "--db", self.db, *options,
        ], env={**os.environ, **(env or {})})
        self._things.append(process)
        return process

    def gateway(self, number: str = "GW-1", connect: bool = True, **more) -> "Gateway":
        gateway = Gateway(self, number, **more)
        self._things.append(gateway)
        if connect:
            gateway.connect()
        return gateway

    def command(self, *arguments: str, status: int = 0) -> str:
        """A command of the relay that ends by itself: its stdout, or its one line on stderr."""
        done = subprocess.run([sys.executable, "-m", "tools.relay", *arguments], cwd=ROOT, capture_output=True,
                              text=True, encoding="utf-8", timeout=60)
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout

    def rows(self, sql: str, *values) -> list:
        """From the database, beside the relay."""
        if self.db.startswith("sqlite"):
            db = sqlite3.connect(self.folder / "relay.db", timeout=10)
        else:
            import psycopg
            db = psycopg.connect(self.db)
            sql = sql.replace("?", "%s")
        try:
            return [tuple(row) for row in db.execute(sql, values).fetchall()]
        finally:
            db.close()

    def wait_rows(self, sql: str, *values, count: int = 1) -> list:
        return wait_for(lambda: (rows := self.rows(sql, *values)) and len(rows) >= count and rows, sql)

    def end(self) -> None:
        for thing in reversed(self._things):
            thing.end()


class Gateway:
    """Keeps to docs/relay-protocol.md: MQTT 3.1.1, its own certificate, batches sent again until they are answered."""

    def __init__(self, lab: Lab, number: str, boot: int = 1, clean: bool = True, cert: str | None = None) -> None:
        self._lab = lab
        self.number, self.boot = number, boot
        self.seq = self.batch = self.counter = 0
        self.started = time.monotonic()
        self.knows_time = True
        self.acks: list[dict] = []
        self.commands: list[dict] = []
        self.taken: list[dict] = []  # commands that were no repeats
        self.kept: dict[int, list] = {}  # batch -> records that were not answered
        self.events: queue.Queue = queue.Queue()
        self._connected = threading.Event()
        self._subscribed = threading.Event()
        folder = lab.certs.folder / (cert or number)
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, number, clean, protocol=paho.MQTTv311,
                                  reconnect_on_failure=False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # as the firmware
        context.load_verify_locations(folder / "ca.pem")
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.client.tls_set_context(context)
        self.client.max_inflight_messages_set(100)
        self.client.will_set(f"gw/{number}/up/link", '{"link":"lost"}', 1)
        self.client.on_connect = lambda client, data, flags, code, props: self._connected.set()
        self.client.on_subscribe = lambda client, data, mid, codes, props: self._subscribed.set()
        self.client.on_message = self._message

    def connect(self) -> None:
        self.client.connect("localhost", self._lab.port, 20)
        self.client.loop_start()
        assert self._connected.wait(LIMIT_S)
        self.client.subscribe(f"gw/{self.number}/down/#", 1)
        assert self._subscribed.wait(LIMIT_S)

    def drop(self) -> None:
        """The connection is gone without a word: the broker says so."""
        self.client._sock.shutdown(socket.SHUT_RDWR)
        self.client.loop_stop()
        self._connected.clear()
        self._subscribed.clear()

    def end(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    # ------------------------------------------------------------------- it says
    def up(self) -> int:
        return 1000 + int((time.monotonic() - self.started) * 1000)

    def now(self) -> int | None:
        return int(time.time() * 1000) if self.knows_time else None

    def say(self, topic: str, payload, qos: int = 1) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        info = self.client.publish(f"gw/{self.number}/up/{topic}", data, qos)
        info.wait_for_publish(LIMIT_S)

    def say_link(self, counter: int | None = None) -> None:
        self.say("link", {"link": "up", "boot": self.boot, "up": self.up(), "at": self.now(), "clock": self.clock(),
                          "version": "0.1.0", "counter": self.counter if counter is None else counter})

    def say_beat(self, every: int = 60, waiting: int = 0) -> None:
        self.say("beat", {"boot": self.boot, "up": self.up(), "at": self.now(), "clock": self.clock(), "every": every,
                          "mains": True, "waiting": waiting}, 0)

    def clock(self) -> str:
        return "set" if self.knows_time else "unset"

    def record(self, kind: str = "event", event: str | None = "door.opened", **more) -> dict:
        self.seq += 1
        record = {"boot": self.boot, "seq": self.seq, "up": self.up(), "at": self.now(), "clock": self.clock()}
        record["kind"] = kind
        if kind == "event":
            record["event"] = event
        return {**record, "test": False, **more}

    def send(self, *records: dict, topic: str = "event") -> int:
        """A batch; its number."""
        self.batch += 1
        self.kept[self.batch] = list(records)
        self.say(topic, {"boot": self.boot, "batch": self.batch, "records": list(records)})
        return self.batch

    def send_again(self) -> None:
        """As after a reconnect: everything that was not answered, in new batches."""
        kept, self.kept = self.kept, {}
        for records in kept.values():
            self.send(*records)

    def answered(self, batch: int, times: int = 1) -> None:
        wanted = {"boot": self.boot, "batch": batch}
        wait_for(lambda: self.acks.count(wanted) >= times, f"{times} answers to batch {batch}, not {self.acks}")

    # ------------------------------------------------------------------- it hears
    def _message(self, client, data, message) -> None:
        said = json.loads(message.payload)
        if message.topic.endswith("/ack"):
            self.acks.append(said)
            if said["boot"] == self.boot:
                self.kept.pop(said["batch"], None)
        else:
            assert message.topic == f"gw/{self.number}/down/command" and len(message.payload) <= 1024
            self.commands.append(said)
            if said["counter"] > self.counter:
                self.counter = said["counter"]
                self.taken.append(said)

    def took(self, name: str, count: int = 1) -> list:
        def found():
            commands = [command for command in self.taken if command["name"] == name]
            return commands if len(commands) >= count else None

        return wait_for(found, f"{count} times {name} in {self.commands}")
