"""Packets of an MQTT client by hand, and a broker that is spoken to without a network."""

import json

from hal_sim.relay.broker import Broker
from hal_sim.relay.packets import Reader
from hal_sim.relay.relay import Relay
from hal_sim.sched import Scheduler

EPOCH_MS = 1772323200000


def text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2, "big") + value.encode()


def packet(first: int, body: bytes) -> bytes:
    head, size = bytearray((first,)), len(body)
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    return bytes(head) + bytes((size,)) + body


def connect(
    client: str = "one", keep_s: int = 0, clean: bool = True, will: tuple | None = None, level: int = 4
) -> bytes:
    flags = (2 if clean else 0) | (0x04 | will[2] << 3 if will else 0)
    rest = text(will[0]) + text(will[1]) if will else b""
    return packet(0x10, text("MQTT") + bytes((level, flags)) + keep_s.to_bytes(2, "big") + text(client) + rest)


def subscribe(pattern: str, qos: int = 1, number: int = 1) -> bytes:
    return packet(0x82, number.to_bytes(2, "big") + text(pattern) + bytes((qos,)))


def publish(topic: str, payload, number: int = 0) -> bytes:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return packet(0x32 if number else 0x30, text(topic) + (number.to_bytes(2, "big") if number else b"") + data)


class Said(Reader):
    """What a server sends, read without its flags being judged."""

    def next(self):
        held, at = self._held, self._at
        if len(held) - at < 2:
            return None
        size, shift, start = 0, 0, at + 1
        while True:
            size |= (held[start] & 127) << shift
            shift, start = shift + 7, start + 1
            if held[start - 1] < 128:
                break
        self._at = start + size
        return held[at], bytes(held[start:start + size])


class World:
    """A broker, with the relay behind it, in virtual time. `lines`: what the relay emitted."""

    def __init__(self) -> None:
        self.sched = Scheduler()
        self.lines: list = []
        self.broker = Broker(self.sched, lambda user, topic, payload: self.relay.heard(user, topic, payload))
        self.relay = Relay(self.sched, lambda what, **fields: self.lines.append((self.sched.now_ms, what, fields)),
                           self.broker.publish, lambda: EPOCH_MS + self.sched.now_ms)

    def wait(self, for_ms: int) -> None:
        self.sched.run_until(self.sched.now_ms + for_ms)

    def client(self, name: str = "one", user: str | None = None, **options) -> "Client":
        one = Client(self, user)
        one.say(connect(name, **options))
        return one

    def told(self, *names: str) -> list:
        return [line for line in self.lines if line[1] in names]


class Client:
    """is_open; heard(): the packets that came since the last time."""

    def __init__(self, world: World, user: str | None = None) -> None:
        self._said = Said()
        self.is_open = True
        self.connection = world.broker.connect(self._said.feed, self._closed, user)

    def _closed(self) -> None:
        self.is_open = False

    def say(self, data: bytes) -> None:
        self.connection.feed(data)

    def heard(self) -> list:
        found = []
        while (one := self._said.next()) is not None:
            found.append(one)
        return found

    def messages(self) -> list:
        """(topic, payload, packet identifier, whether it came again) of the publications among them."""
        found = []
        for first, body in self.heard():
            if first & 0xF0 == 0x30:
                size = int.from_bytes(body[:2], "big")
                rest = body[2 + size:]
                number = int.from_bytes(rest[:2], "big") if first & 6 else 0
                found.append((body[2:2 + size].decode(), rest[2:] if number else rest, number, bool(first & 8)))
        return found

    def gone(self) -> None:
        """The transport breaks."""
        self.is_open = False
        self.connection.lost()
