"""One simulated gateway: keeps a connection as long as it is told to, sends what its home tells, and answers commands.

Owns its certificate's context and what it knows of the relay. MQTT 3.1.1 and sockets are aiomqtt's (paho-mqtt beneath):
a new client for each connection, so that nothing is sent again but by the courier. Must never end because of what the
broker or the relay sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import pathlib
import random
import ssl
import time
from typing import Any, NamedTuple

import aiomqtt

from tools.fleet.backoff import Backoff
from tools.fleet.courier import Batch, Courier
from tools.fleet.home import VERSION, Home
from tools.fleet.tally import Tally

KEEPALIVE_S = 25
LIMIT_S = 20.0  # for CONNACK, SUBACK, PUBACK
LOST = b'{"link":"lost"}'
DOWN = b'{"link":"down"}'
_MOST_COUNTER = 1 << 53
_QUIET = logging.getLogger("tools.fleet.mqtt")  # paho says what the tally counts already
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


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
        self._leaving = False
        self._counter = 0
        self._why = "reboot"
        self._down_since = time.monotonic()
        self._beat_due = 0.0
        self._publishing: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ the connection
    async def run(self, first_s: float) -> None:
        """Until `leave` was called and everything is delivered. first_s: when the first attempt is made, s from now."""
        now = time.monotonic()
        self.courier.put(self.home.event("gateway.booted", now, reason="power", version=VERSION, safe=False))
        await asyncio.sleep(first_s)
        while not self._over():
            await self._attempt()
            if not self._over():
                await asyncio.sleep(self._backoff.delay_s())

    def leave(self) -> None:
        """Nothing new happens; go when all is delivered."""
        self._leaving = True
        self.home.stop()
        self._news.set()

    def _over(self) -> bool:
        return self._leaving and not self.courier.waiting()

    async def _attempt(self) -> None:
        """One connection, until it ends."""
        began = opened = time.monotonic()
        is_open = False
        why = ""
        try:
            async with self._client() as client:
                await client.subscribe(self._topic("down/+"), 1)
                await client.publish(self._topic("up/link"), self._greeting(), 1)
                opened, is_open = time.monotonic(), True
                self._tally.opened(opened, opened - began)
                self._opened(opened)
                await self._serve(client)
                await client.publish(self._topic("up/link"), DOWN, 1)
        except (aiomqtt.MqttError, OSError, ValueError) as error:  # ValueError: paho, of a socket that was just closed
            why = str(error) or type(error).__name__
        finally:
            await self._forget()
        if is_open:
            self._ended(why or "left", time.monotonic() - opened)
        else:
            self._tally.failed(why)

    def _client(self) -> aiomqtt.Client:
        client = aiomqtt.Client(
            self._place.host, self._place.port, identifier=self.number, tls_context=self._context, timeout=LIMIT_S,
            keepalive=KEEPALIVE_S, clean_session=True, logger=_QUIET,
            will=aiomqtt.Will(self._topic("up/link"), LOST, 1),
        )
        client.pending_calls_threshold = 1000
        return client

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

    async def _forget(self) -> None:
        """What is being published on a connection that is over."""
        for task in self._publishing:
            task.cancel()
        await asyncio.gather(*self._publishing, return_exceptions=True)
        self._publishing.clear()

    # ------------------------------------------------------------------ being there
    async def _serve(self, client: aiomqtt.Client) -> None:
        """Until everything is delivered and it leaves. Raises MqttError when the connection ends."""
        reader = asyncio.create_task(self._read(client))
        try:
            while not self._over():
                self._news.clear()
                due = await self._send(client)
                if reader.done():
                    reader.result()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._news.wait(), max(due - time.monotonic(), 0.001))
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await reader

    async def _send(self, client: aiomqtt.Client) -> float:
        """All that may go out now; when there is something next, s of the clock."""
        now = time.monotonic()
        for record in self.home.advance(now):
            self.courier.put(record)
        if now >= self._beat_due:
            self._beat_due = now + self._place.every_s
            self._tally.beats += 1
            await client.publish(self._topic("up/beat"), self._beat(now), 0)
        self.courier.look(now)
        while (message := self.courier.fill(now)) is not None:
            lane, payload, batch = message
            task = asyncio.create_task(self._publish(client, lane, payload, batch))
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)
        return min(self._beat_due, self.home.due, self.courier.due())

    async def _publish(self, client: aiomqtt.Client, lane: str, payload: bytes, batch: Batch) -> None:
        """Tasks begin in the order in which they were made, so batches go out in theirs."""
        with contextlib.suppress(aiomqtt.MqttError, ValueError):  # the connection is over: whoever reads is told so
            await client.publish(self._topic("up/" + lane), payload, 1)
            batch.taken = time.monotonic()

    async def _read(self, client: aiomqtt.Client) -> None:
        try:
            async for message in client.messages:
                self._message(message.topic.value, message.payload)
        finally:
            self._news.set()

    def _message(self, topic: str, payload: Any) -> None:
        try:
            said = json.loads(payload)
            if topic == self._topic("down/ack"):
                self.courier.acknowledged(said["boot"], said["batch"], time.monotonic())
            elif topic == self._topic("down/command"):
                self._command(said)
        except (ValueError, KeyError, TypeError):
            self._tally.strange += 1
        self._news.set()

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


def context(certs: pathlib.Path) -> ssl.SSLContext:
    """TLS 1.2 as a gateway speaks it, with its own certificate; the server's name is checked. Raises OSError."""
    made = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(certs / "cert.pem", certs / "key.pem")
    return made
