"""What is outside the home: a real MQTT broker, the real relay, and the gate through which the gateway reaches them.

Owns both processes, their certificates and database, all in the home's temporary folder, and starts them again when one
dies. Must never outlive the home, listen on anything but 127.0.0.1, or touch the records.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable

from tools import simulator
from tools.certs import CertsError, Lab, lab
from tools.home.gate import HOST, Gate
from tools.home.process import Process
from tools.relay import RelayError, broker

MOSQUITTO, EMBEDDED, SIMULATED = "mosquitto", "embedded", "simulated"
_AGAIN_S = (1.0, 15.0)  # after a death of broker or relay
_OFF_MS = 200  # the relay's time may be off by so much
_CONNECTED, _CUT_OFF = " relay connected to ", " relay no connection to "
_TLS_FILES = ("ca.der", "cert.der", "key.der")


def choose(embedded: bool) -> str:
    """Which broker there is: mosquitto, else the embedded one. Raises RelayError: neither."""
    if not embedded and broker.find() is not None:
        return MOSQUITTO
    from tools.relay import embedded as _embedded  # noqa: F401 - whether it can be had

    return EMBEDDED


class Outside:
    """folder: the home's, as the firmware sees it, with tls/ in it. `record` gets what the relay commits, `changed`
    (starting, up or dead, last words) how it is.
    """

    def __init__(self, folder: pathlib.Path, kind: str, record: Callable[[dict], None],
                 changed: Callable[[str, list[str]], None]) -> None:
        self.kind = kind
        self.database = folder / "relay.db"
        self.gate = Gate()
        self._folder = folder
        self._record = record
        self._changed = changed
        self.state: tuple[str, list[str]] = ("starting", [])  # starting, up or dead, and the last words then
        self._lab: Lab | None = None
        self._lives = 0
        self._port = 0
        self._relay: Process | None = None
        self._keeper: asyncio.Task | None = None
        self._told = (0.0, 0.0)  # ms since 1970 in the home, and when that was

    # ------------------------------------------------------------------ the home's side
    async def start(self) -> None:
        """Begin to have broker and relay. Raises OSError, RelayError."""
        try:
            self._lab = await asyncio.to_thread(lab, self._folder / "lab", [], simulator.RELAY)
        except CertsError as error:
            raise RelayError(str(error)) from None
        await self.gate.listen()
        self._keeper = asyncio.create_task(self._keep())

    async def newcomer(self, at_ms: float) -> dict:
        """A gateway fresh from its box, with a number and a certificate of its own; the settings it needs.

        The relay knows the last one's records: the same number again would be that gateway, saying something else.
        """
        assert self._lab is not None
        self._lives += 1
        number = f"GW-{self._lives:06d}"
        made = await asyncio.to_thread(self._lab.gateway, number)
        for name in _TLS_FILES:
            (self._folder / "tls" / name).unlink(missing_ok=True)
            (self._folder / "tls" / name).symlink_to(made / name)
        self.clock(at_ms, True)
        self.gate.switch(True)
        return {"gateway": number, "relay_host": HOST, "relay_port": self.gate.port, "relay_name": simulator.RELAY}

    def clock(self, at_ms: float, exactly: bool = False) -> None:
        """What time it is in the home, ms since 1970. exactly: it matters, time runs fast."""
        now = time.monotonic() * 1000
        off = at_ms - self._told[0] - (now - self._told[1])
        if self._relay is not None and (exactly or abs(off) > _OFF_MS):
            self._told = (at_ms, now)
            self._relay.post({"at": round(at_ms)})
        elif self._relay is None:
            self._told = (at_ms, now)

    async def stop(self) -> None:
        """End both, and cut what is connected."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self.gate.close()

    # ------------------------------------------------------------------ keeping them
    async def _keep(self) -> None:
        """Broker and relay, again whenever one of them dies."""
        wait_s = _AGAIN_S[0]
        while True:
            self._is("starting")
            started = time.monotonic()
            died: asyncio.Queue = asyncio.Queue()
            try:
                async with self._pair(died):
                    tail = await died.get()
            except (OSError, RelayError) as error:
                tail = [str(error)]
            self._is("dead", tail)
            if time.monotonic() - started > _AGAIN_S[1]:
                wait_s = _AGAIN_S[0]
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _AGAIN_S[1])

    @contextlib.asynccontextmanager
    async def _pair(self, died: asyncio.Queue) -> AsyncIterator[None]:
        """A broker on a fresh port and a relay on it; whoever dies first says so."""
        self._port = _free_port()

        def ended(name: str) -> Callable[[int, list[str]], None]:
            return lambda status, tail: died.put_nowait([*tail, f"{name} ended with status {status}"])

        serving = Process(self._broker_command(), simulator.ROOT, _nothing, ended("the broker"))
        relay = Process(self._relay_command(), simulator.ROOT, self._record, ended("the relay"), "record", self._hear)
        try:
            await serving.start({})
            await relay.start({"at": round(self._told[0] + time.monotonic() * 1000 - self._told[1])})
            self._relay = relay
            yield
        finally:
            self._relay = None
            self.gate.lead(None)
            await relay.stop()
            await serving.stop()

    def _broker_command(self) -> list[str]:
        assert self._lab is not None
        ends_with_us = [sys.executable, "-m", "tools.owner", str(os.getpid())]
        if self.kind == MOSQUITTO:
            setup = broker.write(self._lab.folder, self._port, HOST, simulator.RELAY)
            return [*ends_with_us, str(broker.find()), "-c", str(setup.conf)]
        return [*ends_with_us, sys.executable, "-m", "tools.relay", "broker", str(self._lab.folder),
                "--port", str(self._port), "--embedded"]

    def _relay_command(self) -> list[str]:
        assert self._lab is not None
        protocol = ["--mqtt", "3.1.1"] if self.kind == EMBEDDED else []
        return [sys.executable, "-m", "tools.home.child", str(os.getpid()), "--lab", str(self._lab.folder),
                "--broker", f"{HOST}:{self._port}", "--db", f"sqlite:///{self.database}", "--follow", *protocol]

    def _is(self, state: str, tail: list[str] | None = None) -> None:
        self.state = (state, tail or [])
        self._changed(*self.state)

    def _hear(self, text: str) -> None:
        """A line of the relay: only while it listens the gateway is let in."""
        if _CONNECTED in text:
            self.gate.lead(self._port)
            self._is("up")
        elif _CUT_OFF in text:
            self.gate.lead(None)


def _nothing(_line: dict) -> None:
    """A broker tells no JSON lines."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
