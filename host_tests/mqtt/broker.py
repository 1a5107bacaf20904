"""A mosquitto of a test's own, a paho-mqtt client beside it, and our client as a process: real time, free ports."""

import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time

import paho.mqtt.client as paho
from conftest import ROOT, micropython_path, need

_START_S = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """mosquitto in `folder`: plain, or with certificates on both sides when there is a lab; `more`: further lines."""

    def __init__(self, folder, lab=None, more=()):
        self.port = free_port()
        self.lab = lab
        lines = [f"listener {self.port} 127.0.0.1", "max_queued_messages 100000", *(more or ["allow_anonymous true"])]
        if lab:
            lines += [
                f"cafile {lab.ca}", f"certfile {lab.server / 'cert.pem'}", f"keyfile {lab.server / 'key.pem'}",
                "require_certificate true", "tls_version tlsv1.2",
            ]  # fmt: skip
        if os.geteuid() == 0:
            lines.append("user root")  # else it gives its rights up and cannot read the key
        config = folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with open(folder / "mosquitto.log", "wb") as log:
            self.process = subprocess.Popen([_mosquitto(), "-c", str(config)], stdout=log, stderr=log)
        self._wait(folder)

    def _wait(self, folder):
        end = time.monotonic() + _START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                said = (folder / "mosquitto.log").read_text(errors="replace")
                assert self.process.poll() is None, f"mosquitto ended: {said}"
                assert time.monotonic() < end, f"mosquitto does not listen: {said}"
                time.sleep(0.02)

    def signal(self, number):
        self.process.send_signal(number)

    def close(self):
        self.process.kill()
        self.process.wait()


def _mosquitto():
    debian = "/usr/sbin/mosquitto"  # not in everybody's PATH
    return debian if os.path.exists(debian) else need("mosquitto")


class Listener:
    """A paho subscriber: `get()` gives (topic, payload) in order."""

    def __init__(self, broker, topic="#", qos=1):
        self._got = queue.Queue()
        subscribed = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if broker.lab:
            lab = broker.lab
            self.client.tls_set(str(lab.ca), str(lab.relay / "cert.pem"), str(lab.relay / "key.pem"))
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.on_message = lambda _client, _data, message: self._got.put((message.topic, message.payload))
        self.client.connect("127.0.0.1", broker.port, 60)
        self.client.loop_start()
        assert subscribed.wait(_START_S), "paho does not get its subscription"

    def get(self, limit_s=30):
        try:
            return self._got.get(timeout=limit_s)
        except queue.Empty:
            raise AssertionError(f"nothing was published to us within {limit_s} s") from None

    def empty(self):
        return self._got.empty()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Ours:
    """host_tests/mqtt/port/live.py as a process."""

    def __init__(self, broker, do, **asked):
        asked = {"port": broker.port, "id": "GW-000000", "do": do, **asked}
        if broker.lab:
            asked.update(tls=str(broker.lab.gateway("GW-000000")), server="relay.lab")
        self._lines = queue.Queue()
        self.process = subprocess.Popen(
            [micropython_path(), "-X", "heapsize=1M", "host_tests/mqtt/port/live.py", json.dumps(asked)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _next(self, limit_s):
        line = self._lines.get(timeout=limit_s)
        if line.startswith("["):
            return json.loads(line)
        more = iter(lambda: self._lines.get(timeout=5), "") if line else ()  # MicroPython's traceback is on stdout
        raise AssertionError(f"it ended: {line}{''.join(more)}")

    def until(self, what, limit_s=60):
        """The next line that tells this; those before it are dropped."""
        end = time.monotonic() + limit_s
        while True:
            try:
                line = self._next(max(end - time.monotonic(), 0.1))
            except queue.Empty:
                raise AssertionError(f"it did not tell {what} within {limit_s} s") from None
            if line[0] == what:
                return line[1:]

    def quiet(self, what, for_s):
        """Wait until it has told nothing, or nothing but this, for so long."""
        while True:
            try:
                line = self._next(for_s)
            except queue.Empty:
                return
            assert line[0] == what, f"{line} instead of {what}"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def close(self):
        self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
