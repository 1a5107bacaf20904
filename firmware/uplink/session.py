"""One connection to the relay's broker, from looking up its name to its end.

Owns the order of the steps and the limit of each, and what is sent on the open connection: batches, heartbeats. Must
never wait without a limit, send anything before both sides are known, or keep a record back because of another.
"""

import asyncio
import json

from micropython import const

from drivers import mqtt_codec as codec
from drivers import ready
from drivers.mqtt import Mqtt, Room
from drivers.mqtt_wire import MqttError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.uplink.link import Link

_NAME_MS = const(10_000)
_CONNECT_MS = const(10_000)
_TLS_MS = const(20_000)
_CONNACK_MS = const(20_000)  # fault 66
_SUBACK_MS = const(10_000)
_TIME_MS = const(3000)  # what the first records are dated by is worth so long a wait
_LOOK_MS = const(20)
_KEEPALIVE_S = const(25)  # a ping after 19 s of silence, 10 s for its answer: half open is noticed in 30 s (fault 67)
_TAKEN_MS = const(200_000)  # fault 69: nothing is answered, and the broker does not even take it, but for pings
_MOST_ADDRESSES = const(4)  # of a name: whoever lies about it shall not cost hours
_LOST = b'{"link":"lost"}'


class Session:
    """link: who keeps the connection; room: the client's buffers, used again."""

    def __init__(self, link: "Link", room: Room) -> None:
        self._link = link
        self._room = room
        self._mqtt: Any = None
        self.stage = ""  # what is being done, for who wants to know why it failed

    # ------------------------------------------------------------------ getting there
    async def run(self) -> None:
        """Connect and serve; ends with an exception, always."""
        addresses = await self._addresses()
        if not addresses:
            raise OSError("the relay's name is not found")
        for address in addresses[:-1]:
            try:
                await self._connect(address)
                break
            except Exception as error:  # noqa: BLE001 - the next address may do
                self._link.parts.log.warning("relay at %s: %r" % (address[0], error))
        else:
            await self._connect(addresses[-1])
        await self._serve()

    async def _addresses(self) -> list:
        """Where the relay may be: what its name says, and where it last was (fault 74)."""
        self.stage = "name"
        link = self._link
        answers: list = []  # from wherever the name is looked up, another thread on the board
        host, port = link.setting("relay_host"), link.setting("relay_port")
        link.net.resolve(host, port, answers.append)
        left_ms = _NAME_MS
        while not answers and left_ms > 0:
            await asyncio.sleep_ms(_LOOK_MS)
            left_ms -= _LOOK_MS
        found = list(answers[0])[:_MOST_ADDRESSES] if answers else []
        kept = link.kept.address
        if kept and kept not in [address[0] for address in found]:
            found.append((kept, port))
        return found

    async def _connect(self, address: tuple) -> None:
        """Socket, TLS, MQTT. What was begun and failed is closed."""
        link = self._link
        self.stage = "connect"
        hello = memoryview(codec.connect(link.number(), self._topic("up/link"), _LOST, _KEEPALIVE_S))
        raw = link.net.open(address)
        try:
            await asyncio.wait_for_ms(_wait(raw), _CONNECT_MS)
            self.stage = "tls"
            stream = await link.secure.open(raw, link.name(), hello, link.hold, _TLS_MS)
        except BaseException:
            raw.close()
            raise
        self.stage = "mqtt"
        mqtt = self._mqtt = Mqtt(stream, raw, link.parts.clock.ms, self._room)
        mqtt.on_message = self._message
        mqtt.on_puback = self._taken
        try:
            await mqtt.connected(_KEEPALIVE_S, _CONNACK_MS)
        except BaseException:
            mqtt.close()
            raise
        link.kept.reached(address[0])

    # ------------------------------------------------------------------ being there
    async def _serve(self) -> None:
        mqtt, link = self._mqtt, self._link
        reader = asyncio.create_task(self._read())
        try:
            self.stage = "open"
            await mqtt.subscribe(self._topic("down/+"), 1, _SUBACK_MS)
            await self._say("up/link", link.greeting(), 1)
            await self._wait_for_time()
            link.opened()
            while True:
                link.news.clear()
                await self._send()
                try:
                    await asyncio.wait_for_ms(link.news.wait(), link.idle_ms())
                except asyncio.TimeoutError:
                    pass
                if mqtt.error is not None:
                    raise mqtt.error
                if link.courier.unanswered_ms() >= _TAKEN_MS and not link.courier.is_taken():
                    raise MqttError("blocked: the broker takes nothing")
        finally:
            reader.cancel()
            mqtt.close()

    async def _read(self) -> None:
        try:
            await self._mqtt.run()
        except Exception:  # noqa: BLE001 - it is in mqtt.error, for who serves
            self._link.news.set()

    async def _wait_for_time(self) -> None:
        left_ms = _TIME_MS
        clock = self._link.parts.clock
        while not clock.sure_s() and left_ms > 0 and self._mqtt.error is None:
            await asyncio.sleep_ms(50)
            left_ms -= 50

    async def _send(self) -> None:
        """All that may go out now."""
        link, mqtt = self._link, self._mqtt
        if link.beat_due():
            await self._say("up/beat", link.beat(), 0)
        link.courier.look(link.parts.clock.ms())
        while mqtt.free and mqtt.error is None:
            message = link.courier.fill(mqtt.payload)
            if message is None:
                return
            topic, length, batch = message
            batch.packet = await mqtt.publish(self._topic("up/" + topic), length, 1)

    async def _say(self, topic: str, message: dict, qos: int) -> None:
        data = json.dumps(message).encode()
        self._mqtt.payload[: len(data)] = data
        await self._mqtt.publish(self._topic(topic), len(data), qos)

    def _topic(self, rest: str) -> str:
        return "gw/%s/%s" % (self._link.number(), rest)

    # ------------------------------------------------------------------ what comes
    def _taken(self, packet: int) -> None:
        self._link.courier.taken(packet, self._link.parts.clock.ms())
        self._link.news.set()

    def _message(self, topic: str, payload: "memoryview") -> None:
        if topic == self._topic("down/ack"):
            self._link.acknowledged(payload)
        elif topic == self._topic("down/command"):
            self._link.orders.feed(payload)
        self._link.news.set()


async def _wait(raw: "Any") -> None:
    await ready.to_write(raw)
