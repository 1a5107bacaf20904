"""One simulated gateway: keeps a connection as long as it is told to, sends what its home tells, and answers commands.

Owns its certificate's context and what it knows of the relay. Must never end because of what the broker or the relay
sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import pathlib
import random
import ssl
import time
from typing import Any, NamedTuple

from tools.fleet.backoff import Backoff
from tools.fleet.client import Connection, Ended
from tools.fleet.courier import Batch, Courier
from tools.fleet.home import VERSION, Home
from tools.fleet.tally import Tally

KEEPALIVE_S = 25
LOST = b'{"link":"lost"}'
DOWN = b'{"link":"down"}'
_MOST_COUNTER = 1 << 53


class Place(NamedTuple):
    """A broker, and what a gateway does there. every_s: heartbeat."""

    host: str
    port: int
    every_s: int


class Gateway:
    """certs: its folder of tools.certs; dice: its own."""

    def __init__(self, number: str, place: Place, certs: pathlib.Path, home: Home, tally: Tally,
                 dice: random.Random) -> None:
        self.number = number
        self.home = home
        self.courier = Courier(home.boot, tally)
        self._place = place
        self._tally = tally
        self._backoff = Backoff(dice)
        self._context = context(certs)
        self._news = asyncio.Event()
        self._leaves = asyncio.Event()
        self._counter = 0
        self._why = "reboot"
        self._down_since = time.monotonic()
        self._beat_due = 0.0

    # ------------------------------------------------------------------ the connection
    async def run(self, first_s: float) -> None:
        """Until `leave` was called and everything is delivered. first_s: when the first attempt is made, s from now."""
        now = time.monotonic()
        self.courier.put(self.home.event("gateway.booted", now, reason="power", version=VERSION, safe=False))
        await self._pause(first_s)
        while not self._over():
            await self._attempt()
            if not self._over():
                await self._pause(self._backoff.delay_s())

    async def _pause(self, seconds: float) -> None:
        """Between two attempts; who leaves and has nothing to deliver does not wait for the next one."""
        until = time.monotonic() + seconds
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._leaves.wait(), seconds)
        if not self._over():
            await asyncio.sleep(max(until - time.monotonic(), 0))

    def leave(self) -> None:
        """Nothing new happens; go when all is delivered."""
        for record in self.home.advance(time.monotonic()):
            self.courier.put(record)
        self.home.stop()
        self._leaves.set()
        self._news.set()

    def _over(self) -> bool:
        return self._leaves.is_set() and not self.courier.waiting()

    async def _attempt(self) -> None:
        """One connection, until it ends."""
        began = opened = time.monotonic()
        is_open = False
        connection = Connection(self._message, self._news.set)
        try:
            await self._connect(connection)
            opened, is_open = time.monotonic(), True
            self._tally.opened(opened, opened - began)
            self._opened(opened)
            await self._serve(connection)
            await connection.publish_and_wait(self._topic("up/link"), DOWN)
            why = "left"
        except Ended as error:
            why = str(error)
        finally:
            connection.close(politely=self._over())
        if is_open:
            self._ended(why, time.monotonic() - opened)
        else:
            self._tally.failed(why)

    async def _connect(self, connection: Connection) -> None:
        will = self._topic("up/link"), LOST
        await connection.open(self._place.host, self._place.port, self._context, self.number, will, KEEPALIVE_S)
        await connection.subscribe(self._topic("down/+"))
        await connection.publish_and_wait(self._topic("up/link"), self._greeting())

    def _opened(self, now: float) -> None:
        self.courier.begin()
        down_s = now - self._down_since
        if self._why == "reboot" or down_s > self._place.every_s:
            self.courier.put(self.home.event("gateway.recovered", now, fault="link", why=self._why,
                                             down_ms=int(down_s * 1000)))
        self._beat_due = now

    def _ended(self, why: str, lived_s: float) -> None:
        self._tally.ended(why)
        self._backoff.ended(lived_s)
        self._why = "relay"
        self._down_since = time.monotonic()

    # ------------------------------------------------------------------ being there
    async def _serve(self, connection: Connection) -> None:
        """Until everything is delivered and it leaves. Raises Ended."""
        while not self._over():
            self._news.clear()
            due = self._send(connection)
            if connection.error is not None:
                raise connection.error
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), max(due - time.monotonic(), 0.001))

    def _send(self, connection: Connection) -> float:
        """All that may go out now; when there is something next, s of the clock. Raises Ended."""
        now = time.monotonic()
        for record in self.home.advance(now):
            self.courier.put(record)
        if now >= self._beat_due:
            self._beat_due = now + self._place.every_s
            self._tally.beats += 1
            connection.publish(self._topic("up/beat"), self._beat(now))
        self.courier.look(now)
        while (message := self.courier.fill(now)) is not None:
            lane, payload, batch = message
            connection.publish(self._topic("up/" + lane), payload, functools.partial(_taken, batch))
        return min(self._beat_due, self.home.due, self.courier.due())

    def _message(self, topic: str, payload: bytes) -> None:
        try:
            said = json.loads(payload)
            if topic == self._topic("down/ack"):
                self.courier.acknowledged(said["boot"], said["batch"], time.monotonic())
            elif topic == self._topic("down/command"):
                self._command(said)
        except (ValueError, KeyError, TypeError):
            self._tally.strange += 1

    def _command(self, said: dict[str, Any]) -> None:
        """`time` is taken, `state` answered, anything else refused; what is old or was there before does nothing."""
        now = time.monotonic()
        counter, expires = said["counter"], said["expires"]
        if not self._counter < counter <= _MOST_COUNTER:
            return
        self._counter = counter
        self._tally.commands += 1
        if said["name"] == "time":
            return
        identity = str(said["id"])[:40]
        if expires < self.home.moment(now)["at"]:
            answer = self.home.event("command.refused", now, id=identity, reason="too late")
        elif said["name"] == "state":
            answer = self.home.event("command.done", now, id=identity, state=self._state(now))
        else:
            answer = self.home.event("command.refused", now, id=identity, reason="unknown command")
        self.courier.put(answer)

    # ------------------------------------------------------------------ what it says of itself
    def _topic(self, rest: str) -> str:
        return f"gw/{self.number}/{rest}"

    def _greeting(self) -> bytes:
        moment = self.home.moment(time.monotonic())
        return json.dumps({**moment, "link": "up", "version": VERSION, "counter": self._counter}).encode()

    def _beat(self, now: float) -> bytes:
        return json.dumps({**self.home.moment(now), "every": self._place.every_s, "mains": True,
                           "waiting": self.courier.waiting(), "test": False}).encode()

    def _state(self, now: float) -> dict[str, Any]:
        moment = self.home.moment(now)
        return {"version": VERSION, "boot": moment["boot"], "up": moment["up"], "armed": True, "mains": True,
                "waiting": self.courier.waiting(), "sensors": 6, "troubles": []}


def _taken(batch: Batch) -> None:
    """The broker has it: from now on the relay is to answer."""
    batch.taken = time.monotonic()


def context(certs: pathlib.Path) -> ssl.SSLContext:
    """TLS 1.2 as a gateway speaks it, with its own certificate; the server's name is checked. Raises OSError."""
    made = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(certs / "cert.pem", certs / "key.pem")
    return made
