"""A broker and relays of the fleet's own: mosquitto and tools.relay in a folder, on 127.0.0.1, ended with the fleet.

Owns these processes, by their id. They end with the thread that begins them (tools/owner.py): the main one, please.
Must never end anything that it did not start.
"""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from tools.certs import LAB, Authority, CertsError, lab
from tools.fleet import FleetError

HOST = "127.0.0.1"
_ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
_READY_S = 60.0
_END_S = 10.0


class Stand:
    """certs: a folder of tools.certs, made when there is none; work: for database and logs; relays: how many."""

    def __init__(self, certs: pathlib.Path, work: pathlib.Path, relays: int = 1) -> None:
        self._certs = certs
        self._work = work
        self._relays = ["relay", *(f"relay-{n}" for n in range(2, relays + 1))]
        self.port = _free_port()
        self.database = f"sqlite:///{(work / 'relay.db').resolve()}"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._connected = 0  # how often the relay that began last had been before
        self.cpu: dict[str, float] = {}  # s of CPU that each of them took; of those that run, when they have ended

    def start(self) -> None:
        """Broker and relays, ready. Raises FleetError."""
        try:
            made = lab(self._certs, [])
            for name in self._relays[1:]:
                if not (self._certs / name / "cert.pem").exists():
                    made.authority.relay(LAB, name=name)
        except CertsError as error:
            raise FleetError(str(error)) from None
        for name in ("broker", *self._relays):
            self.begin(name)
            self.ready(name)

    def begin(self, name: str) -> None:
        """Start broker or relay. Raises OSError."""
        self._connected = self._log(name).count("connected to")
        if name == "broker":
            self._start(name, ["broker", str(self._certs), "--port", str(self.port)])
            return
        own = self._certs / name
        share = ["--share", "fleet"] if len(self._relays) > 1 else []
        files = ["--ca", str(self._certs / "ca.pem"), "--cert", str(own / "cert.pem"), "--key", str(own / "key.pem")]
        self._start(name, ["--broker", f"{HOST}:{self.port}", *files, "--db", self.database, "--no-view", *share])

    def ready(self, name: str) -> None:
        """Wait until what began last listens, or is connected. Raises FleetError."""
        until = time.monotonic() + _READY_S
        while not (self._listens() if name == "broker" else self._log(name).count("connected to") > self._connected):
            dead = self.died()
            if dead or time.monotonic() > until:
                self.stop()
                raise FleetError(dead or f"{name} was not ready in {_READY_S:.0f} s: {self._last_words(name)}")
            time.sleep(0.05)

    def relays(self) -> list[str]:
        """Their names."""
        return list(self._relays)

    def end(self, name: str, at_once: bool = False) -> None:
        """End it; at_once: as a power cut would, nothing is written down. name: broker, relay, relay-2, ..."""
        process = self._running.pop(name)
        self.cpu[name] = self.cpu.get(name, 0.0) + _cpu_s(process.pid)
        process.send_signal(signal.SIGKILL if at_once else signal.SIGTERM)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End all of it, the relays first."""
        for name in sorted(self._running, key=lambda name: name == "broker"):
            self.end(name)

    def died(self) -> str:
        """One that ended although nobody ended it, and its last words; empty: none."""
        for name, process in self._running.items():
            if process.poll() is not None:
                return f"{name} ended with status {process.returncode}: {self._last_words(name)}"
        return ""

    def _start(self, name: str, words: list[str]) -> None:
        with (self._work / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "tools.owner", str(os.getpid()), sys.executable, "-m", "tools.relay", *words],
                cwd=_ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

    def _listens(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), 1).close()
        except OSError:
            return False
        return True

    def _log(self, name: str) -> str:
        path = self._work / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _last_words(self, name: str) -> str:
        lines = self._log(name).splitlines()
        return lines[-1].strip()[:200] if lines else "it said nothing"


def certificates(folder: pathlib.Path, numbers: list[str], made_here: bool) -> list[pathlib.Path]:
    """The folders of these gateways' certificates; those that are missing are made by the CA there.

    made_here: a CA may be made too. Raises FleetError.
    """
    try:
        authority = lab(folder, []).authority if made_here else Authority.open(folder)
        for number in numbers:
            if not (folder / number / "cert.pem").exists():
                authority.gateway(number, LAB)
    except CertsError as error:
        raise FleetError(str(error)) from None
    return [folder / number for number in numbers]


def _cpu_s(pid: int) -> float:
    """CPU that a process has taken so far, s; 0 where there is no /proc, or no such process any more."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime: proc(5)
    except (OSError, IndexError, ValueError):
        return 0.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
