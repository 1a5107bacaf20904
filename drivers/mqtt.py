"""An MQTT 3.1.1 client over a stream that is connected already, with a window of QoS 1 messages under way.

Owns one connection from CONNECT to its end. Must never send a message twice (what was not acknowledged is the caller's
to send again), keep one, or answer a message before it was handed on.

What ends a wait, and what then:
1. connect, subscribe, disconnect: their limit, asyncio.TimeoutError. The connection is over.
2. A write that does not get through in WRITE_MS: MqttError. Over.
3. Nothing heard for PONG_MS after a ping: MqttError out of run(). Over. A ping goes out when for three quarters of the
   keep-alive nothing was sent, or nothing was heard: a link that is dead in one direction only is noticed as well.
4. publish cancelled while it waits for a place in the window or for another's write: nothing was sent, all goes on.
   The wait for a place has no limit of its own: it ends when the connection does (3).
5. publish cancelled within its write: half a packet may be out. Over.
6. connect, subscribe, disconnect or run() cancelled: over.
7. A callback that raises: counted, all goes on, and what it was given counts as received.
Over: run() and whoever waits raise the same `error` at once, so does every later call. Only close() closes the streams.
"""

import asyncio

from micropython import const

from drivers import mqtt_codec as codec
from drivers import mqtt_reader as packets
from drivers.mqtt_wire import MqttError, Wire

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WINDOW = const(16)  # messages of QoS 1 under way
PAYLOAD_BYTES = const(4608)  # ten records of 400 bytes, and what is around them
PONG_MS = const(10000)
_PING_PER_S = const(750)  # ms of silence a second of keep-alive, before a ping
_CHUNK_BYTES = const(512)
_ACKS = const(75)  # a chunk may end as many packets of QoS 1, of 7 bytes each
_REFUSALS = ("", "protocol version", "client id", "server unavailable", "bad user name or password", "not authorised")


class Room:
    """Buffers and counts that one connection after the other uses, so that reconnecting takes no large piece of heap.

    `refusals`: connections ended for what the other end sent. `strays`: PUBACK and PINGRESP that answer nothing.
    `faults`: exceptions of callbacks.
    """

    def __init__(self) -> None:
        self.tx = bytearray(codec.HEAD_BYTES + PAYLOAD_BYTES)
        self.tx_view = memoryview(self.tx)
        self.chunk = memoryview(bytearray(_CHUNK_BYTES))
        self.acks = bytearray(_ACKS * codec.PUBACK_BYTES)
        self.acks_view = memoryview(self.acks)
        self.reader = packets.Reader()
        self.refusals = 0
        self.strays = 0
        self.faults = 0


class Mqtt:
    """stream: readinto and write, None when they would block (TLS, or raw itself); raw: the socket to wait on.

    clock_ms() must never wrap. connect, then run() in a task of its own, then subscribe and publish. `payload` is where
    the one task that publishes puts its message; it must not be touched until publish is done. A `room` may be given
    on from a connection that is over to the next.
    """

    def __init__(self, stream: "Any", raw: "Any", clock_ms: "Callable[[], int]", room: "Room | None" = None) -> None:
        self._clock_ms = clock_ms
        self._news = asyncio.Event()  # a PUBACK, a SUBACK, or the end
        self._wire = Wire(stream, raw, clock_ms, self._news.set)
        self.room = room or Room()
        self.room.reader.next()
        self.payload = self.room.tx_view[codec.HEAD_BYTES:]
        self.on_message: Callable[[str, memoryview], None] | None = None  # topic, payload: lent during the call
        self.on_puback: Callable[[int], None] | None = None  # the packet id that publish returned
        self._flight: set = set()
        self._last_id = 0
        self._publishing = False
        self._connected = False
        self._subscribing = 0  # packet id of the SUBSCRIBE without an answer
        self._qos = 0  # it asks for
        self._answer = -1  # return code of CONNACK; of SUBACK 0 when what was asked for is granted, else 1
        self._acks = 0  # waiting in room.acks
        self._ping_after_ms = 0
        self._pinging = False
        self._ping_ms = 0

    @property
    def error(self) -> "Exception | None":
        """Why it is over; None while it is not."""
        return self._wire.error

    @property
    def in_flight(self) -> int:
        """QoS 1 messages without a PUBACK."""
        return len(self._flight)

    @property
    def free(self) -> int:
        """How many QoS 1 messages may be sent without waiting."""
        return WINDOW - len(self._flight)

    # --- what the caller asks for ------------------------------------------------------------------------------

    async def connect(
        self, client_id: str, will_topic: str, will_payload: bytes, keepalive_s: int, limit_ms: int
    ) -> None:
        """CONNECT and wait for CONNACK. MqttError (with its code when refused), OSError, asyncio.TimeoutError.

        keepalive_s: 1 to 65,535 s. No will when will_topic is empty.
        """
        await self._introduced(codec.connect(client_id, will_topic, will_payload, keepalive_s), keepalive_s, limit_ms)

    async def connected(self, keepalive_s: int, limit_ms: int) -> None:
        """As connect, when its packet (drivers/mqtt_codec.py) was written to the stream by whoever opened that."""
        await self._introduced(None, keepalive_s, limit_ms)

    async def _introduced(self, packet: "bytearray | None", keepalive_s: int, limit_ms: int) -> None:
        self._ping_after_ms = keepalive_s * _PING_PER_S
        await self._within(self._introduce(packet), limit_ms)
        if self._answer:
            raise self._wire.fail(MqttError("refused: %s" % _REFUSALS[self._answer], self._answer))

    async def subscribe(self, topic: str, qos: int, limit_ms: int) -> None:
        """While run() runs, one at a time. MqttError also when less than `qos` is granted; else as connect."""
        if self._subscribing:
            raise RuntimeError("one subscribe at a time")
        number = self._next_id()
        packet = codec.subscribe(number, topic, qos)
        self._subscribing = number
        self._qos = qos
        self._answer = -1
        await self._within(self._ask(packet), limit_ms)
        if self._answer:
            raise self._wire.fail(MqttError("subscription to %s refused" % topic))

    async def publish(self, topic: str, length: int, qos: int) -> int:
        """Send payload[:length]; QoS 1 waits for a place in the window. Returns the packet id, 0 of QoS 0.

        MqttError, OSError. ValueError for what does not fit, RuntimeError for a second publish at the same time.
        """
        if self._publishing:
            raise RuntimeError("one publish at a time")
        if qos not in (0, 1) or not 0 <= length <= PAYLOAD_BYTES:
            raise ValueError("%d bytes of QoS %d" % (length, qos))
        self._publishing = True
        try:
            while qos and len(self._flight) >= WINDOW:
                await self._changed()
            return await self._publish(topic, length, qos)
        finally:
            self._publishing = False

    async def run(self) -> None:
        """Read and ping until the connection is over. Always raises: MqttError, OSError or MemoryError."""
        keeper = asyncio.create_task(self._keep())
        try:
            while True:
                await self._take()
                await asyncio.sleep_ms(0)  # whoever floods us must not keep the others from their turn
        except BaseException as error:  # noqa: BLE001 - fail() gives back what is not ours
            raise self._wire.fail(error)
        finally:
            keeper.cancel()

    async def disconnect(self, limit_ms: int) -> None:
        """Leave in order, so that no will is said. It is over afterwards, whatever happened. Raises as connect."""
        await self._within(self._wire.send(codec.DISCONNECT), limit_ms)
        self._wire.end(MqttError("left"))

    def close(self) -> None:
        """Close both streams, from anywhere, any number of times. Whoever still waits gets MqttError."""
        self._wire.close()

    # --- sending -----------------------------------------------------------------------------------------------

    async def _within(self, work: "Any", limit_ms: int) -> None:
        timer = self._wire.limit(limit_ms, asyncio.TimeoutError())
        try:
            await work
        except BaseException as error:  # noqa: BLE001 - fail() gives back what is not ours
            raise self._wire.fail(error)
        finally:
            timer.cancel()

    async def _introduce(self, packet: "bytearray | None") -> None:
        """CONNECT, unless that is out, and its answer, read here: run() does not run yet."""
        if packet is not None:
            await self._wire.send(packet)
        while self._answer < 0:
            await self._take()

    async def _ask(self, packet: bytearray) -> None:
        await self._wire.send(packet)
        while self._answer < 0:
            await self._changed()

    async def _changed(self) -> None:
        """Until there is news."""
        self._wire.check()
        self._news.clear()
        await self._news.wait()
        self._wire.check()

    async def _publish(self, topic: str, length: int, qos: int) -> int:
        room = self.room
        await self._wire.lock.acquire()  # bounded: who has it has a limit
        try:
            self._wire.check()
            number = self._next_id() if qos else 0
            at = codec.publish_into(room.tx, topic, length, qos, number)
            if qos:
                self._flight.add(number)
            await self._wire.write(room.tx_view[at:codec.HEAD_BYTES + length])
            return number
        finally:
            self._wire.lock.release()

    def _next_id(self) -> int:
        """1 to 65,535, none that is in use [2.3.1]."""
        number = self._last_id
        while True:
            number = number % 65535 + 1
            if number not in self._flight and number != self._subscribing:
                self._last_id = number
                return number

    async def _keep(self) -> None:
        """Ping, and see that somebody is there."""
        try:
            while True:
                due_ms = self._due_ms()
                if due_ms > 0:
                    await asyncio.sleep_ms(due_ms)
                elif self._pinging:
                    raise MqttError("nothing heard for %d s after a ping" % (PONG_MS // 1000))
                else:
                    self._pinging = True
                    self._ping_ms = self._clock_ms()
                    await self._wire.send(codec.PINGREQ)
        except Exception as error:  # noqa: BLE001 - without this watch there must be no connection
            self._wire.fail(error)

    def _due_ms(self) -> int:
        """ms until the next ping, or until the wait for a sign of life is over."""
        wire = self._wire
        if self._pinging:
            return max(self._ping_ms, wire.heard_ms) + PONG_MS - self._clock_ms()
        return min(wire.sent_ms, wire.heard_ms) + self._ping_after_ms - self._clock_ms()

    # --- receiving ---------------------------------------------------------------------------------------------

    async def _take(self) -> None:
        """Wait for bytes, deal with the packets in them, acknowledge them in one write."""
        room = self.room
        count = await self._wire.read(room.chunk)
        try:
            self._deal(room.chunk[:count])
        except packets.ProtocolError as error:
            room.refusals += 1
            raise MqttError("protocol: %s" % error)
        if self._acks:
            await self._wire.send(room.acks_view[:self._acks * codec.PUBACK_BYTES])
            self._acks = 0

    def _deal(self, data: memoryview) -> None:
        reader = self.room.reader
        at = 0
        while at < len(data):
            at += reader.feed(data[at:])
            if reader.kind:
                self._packet(reader.kind, reader.flags, reader.body)
                reader.next()
                self._wire.check()  # a callback may have closed it

    def _packet(self, kind: int, flags: int, body: memoryview) -> None:
        if self._connected == (kind == packets.CONNACK):
            raise packets.ProtocolError("kind %d %s CONNACK" % (kind, "after" if self._connected else "before"))
        if kind == packets.PUBLISH:
            self._message(flags, body)
        elif kind == packets.PUBACK:
            self._puback(packets.packet_id(body))
        elif kind == packets.PINGRESP:
            self.room.strays += 0 if self._pinging else 1
            self._pinging = False
        elif kind == packets.CONNACK:
            self._answer = packets.connack(body)
            self._connected = True
        else:
            self._answer = 0 if packets.suback(body, self._subscribing, self._qos) else 1
            self._subscribing = 0
            self._news.set()

    def _message(self, flags: int, body: memoryview) -> None:
        topic, number, payload = packets.message(flags, body)
        try:
            if self.on_message is not None:
                self.on_message(topic, payload)
        except Exception:  # noqa: BLE001 - what a message says may not end the link
            self.room.faults += 1
        if number:
            codec.puback_into(self.room.acks, self._acks * codec.PUBACK_BYTES, number)
            self._acks += 1

    def _puback(self, number: int) -> None:
        if number not in self._flight:
            self.room.strays += 1
            return
        self._flight.remove(number)
        self._news.set()
        try:
            if self.on_puback is not None:
                self.on_puback(number)
        except Exception:  # noqa: BLE001 - as in _message
            self.room.faults += 1
