"""An MQTT 3.1.1 connection over TLS for asyncio.

Owns one connection from its first byte to its end. Why our own: aiomqtt 2.5.1 makes connections in threads and tells
the loop of sockets by number afterwards; of a thousand connections lost at once some numbers were no sockets any more,
or another's. gmqtt 0.8.0 keeps messages and sends them again by itself, which is the courier's. Must never send
anything again.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable

from tools.fleet import packets

LIMIT_S = 20.0  # for TCP and TLS, for CONNACK, for SUBACK
PONG_S = 10.0
_PING_SHARE = 0.75  # of the keep-alive


class Ended(Exception):
    """The connection is over, or there never was one: why."""


class Connection(asyncio.Protocol):
    """on_message(topic, payload); on_news(): something came, or it is over: see `error`."""

    def __init__(self, on_message: Callable[[str, bytes], None], on_news: Callable[[], None]) -> None:
        self.error: Ended | None = None
        self._on_message = on_message
        self._on_news = on_news
        self._reader = packets.Reader()
        self._transport: asyncio.Transport | None = None
        self._packet = 0
        self._taken: dict[int, Callable[[], None]] = {}  # called when the broker has that packet
        self._awaited: dict[int, asyncio.Future[bytes]] = {}  # CONNACK, SUBACK, or a PUBACK that is waited for
        self._timer: asyncio.TimerHandle | None = None
        self._keepalive_s = 0
        self._asked = False  # a ping was sent and not answered

    # ------------------------------------------------------------------ what is said
    async def open(self, host: str, port: int, context: ssl.SSLContext, number: str, will: tuple[str, bytes],
                   keepalive_s: int) -> None:
        """TCP, TLS, CONNECT. Raises Ended."""
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(loop.create_connection(lambda: self, host, port, ssl=context), LIMIT_S)
        except (OSError, asyncio.TimeoutError) as error:
            raise Ended(_why(error)) from None
        answer = await self._ask(packets.connect(number, *will, keepalive_s), packets.CONNACK)
        code = answer[1] if len(answer) == 2 else 0xFF
        if code:
            known = code < len(packets.REFUSALS)
            raise Ended(f"refused: {packets.REFUSALS[code] if known else 'by an answer that is none'}")
        self._keepalive_s = keepalive_s
        self._wait_to_ping()

    async def subscribe(self, topic: str) -> None:
        """With QoS 1. Raises Ended."""
        packet = self._next()
        answer = await self._ask(packets.subscribe(packet, topic), packets.SUBACK)
        if answer != packet.to_bytes(2, "big") + b"\x01":
            raise Ended(f"not allowed to read {topic}")

    def publish(self, topic: str, payload: bytes, taken: Callable[[], None] | None = None) -> None:
        """QoS 1 where `taken` is given, called when the broker has it; else QoS 0. Raises Ended."""
        packet = 0
        if taken is not None:
            packet = self._next()
            self._taken[packet] = taken
        self._write(packets.publish(topic, payload, packet))

    async def publish_and_wait(self, topic: str, payload: bytes) -> None:
        """QoS 1, until the broker has it. Raises Ended."""
        done = self._await(packets.PUBACK)
        self.publish(topic, payload, lambda: None if done.done() else done.set_result(b""))
        await self._within(done)

    def close(self, politely: bool = False) -> None:
        """politely: say so, and the broker publishes no will."""
        if self.error is None and politely:
            self._write(packets.DISCONNECT)
            assert self._transport is not None
            self._transport.close()
        self._end("left")

    # ------------------------------------------------------------------ within
    def _next(self) -> int:
        self._packet = self._packet % 65535 + 1
        while self._packet in self._taken:
            self._packet = self._packet % 65535 + 1
        return self._packet

    def _write(self, data: bytes) -> None:
        if self.error is not None or self._transport is None:
            raise self.error or Ended("not connected")
        self._transport.write(data)

    async def _ask(self, packet: bytes, kind: int) -> bytes:
        """Send it and wait for its answer, of that kind. Raises Ended."""
        answer = self._await(kind)
        self._write(packet)
        return await self._within(answer)

    def _await(self, kind: int) -> asyncio.Future[bytes]:
        self._awaited[kind] = asyncio.get_running_loop().create_future()
        return self._awaited[kind]

    async def _within(self, answer: asyncio.Future[bytes]) -> bytes:
        try:
            return await asyncio.wait_for(answer, LIMIT_S)
        except asyncio.TimeoutError:
            self._end(f"no answer in {LIMIT_S:g} s")
        raise self.error or Ended("left")

    def _end(self, why: str) -> None:
        """Once; whoever waits is told."""
        if self.error is None:
            self.error = Ended(why)
            for answer in self._awaited.values():
                if not answer.done():
                    answer.set_exception(self.error)
            self._taken.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()
        self._on_news()

    def _wait_to_ping(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(PONG_S if self._asked else _PING_SHARE * self._keepalive_s, self._ping)

    def _ping(self) -> None:
        if self._asked:
            self._end(f"nothing heard in {PONG_S:g} s after a ping")
        elif self.error is None:
            self._asked = True
            self._write(packets.PINGREQ)
            self._wait_to_ping()

    # ------------------------------------------------------------------ of asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._end(str(error) if error else "closed by the broker")

    def data_received(self, data: bytes) -> None:
        try:
            for kind, flags, body in self._reader.feed(data):
                if self.error is not None:
                    return
                self._came(kind, flags, body)
        except packets.Broken as error:
            self._end(f"broken: {error}")
        self._on_news()

    def _came(self, kind: int, flags: int, body: bytes) -> None:
        if kind == packets.PUBLISH:
            topic, number, payload = packets.message(flags, body)
            self._on_message(topic, payload)
            if number:
                self._write(packets.puback(number))
        elif kind == packets.PUBACK:
            taken = self._taken.pop(packets.number(body), None)
            if taken is not None:
                taken()
        elif kind == packets.PINGRESP:
            if self._asked and self._timer is not None:
                self._asked = False
                self._timer.cancel()
                self._wait_to_ping()
        elif kind in (packets.CONNACK, packets.SUBACK) and kind in self._awaited and not self._awaited[kind].done():
            self._awaited[kind].set_result(body)
        else:
            raise packets.Broken(f"a packet of kind {kind}")


def _why(error: BaseException) -> str:
    """What kept a connection from being made, in words that do not differ from one gateway to the next."""
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or f"nobody answers in {LIMIT_S:g} s"
