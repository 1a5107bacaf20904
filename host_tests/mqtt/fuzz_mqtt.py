"""Fuzzing what arrives from a broker, on MicroPython: `fuzz_mqtt.py COUNT SEED` prints a JSON object.

Every input is one connection: CONNACK, then good packets and a broken one, in pieces of any size, into the client as
run() would hand them in. Good packets before the broken one must all be dealt with; nothing but ProtocolError may end
it, and nothing may grow.
"""

import gc
import json
import sys

sys.path[:0] = ["."]

from drivers.mqtt import WINDOW, Mqtt, Room  # noqa: E402
from drivers.mqtt_reader import BODY_BYTES, ProtocolError  # noqa: E402

_MASK = 0xFFFFFFFF
_CHUNK = 512
_GROWTH_BYTES = 4096  # garbage of the last round that the collector has not seen as such
_CHECK = 5000  # inputs between two looks at the heap


class Random:
    """xorshift32: the same numbers everywhere."""

    def __init__(self, seed: int) -> None:
        self._state = (seed * 2654435761 + 1) & _MASK or 1

    def below(self, limit: int) -> int:
        x = self._state
        x ^= x << 13 & _MASK
        x ^= x >> 17
        x ^= x << 5 & _MASK
        self._state = x
        return x % limit


class Nothing:
    """A stream that is never asked."""


def _packet(first: int, body: bytes) -> bytes:
    size = len(body)
    return bytes((first, size)) + body if size < 128 else bytes((first, size & 127 | 128, size >> 7)) + body


def good(random: Random) -> tuple:
    """(packet, messages in it, acknowledgements of ours it asks for)."""
    kind = random.below(6)
    if kind == 0:
        return b"\xd0\x00", 0, 0
    if kind == 1:
        number = 1 + random.below(40)
        return bytes((0x40, 2, 0, number)), 0, 0
    size = (0, 3, 120, 121, 122, 123, 500, BODY_BYTES - 40)[random.below(8)]
    topic = ("t", "gw/GW-000000/down/command", "\uc548\ub155", "a/b/c")[random.below(4)].encode()
    payload = bytes((random.below(256),)) * size
    if random.below(2):
        return _packet(0x30, bytes((0, len(topic))) + topic + payload), 1, 0
    number = 1 + random.below(65535)
    body = bytes((0, len(topic))) + topic + bytes((number >> 8, number & 255)) + payload
    return _packet(0x32 | random.below(2) << 3, body), 1, 1


def broken(random: Random) -> bytes:
    """A packet that was damaged, or none at all."""
    kind = random.below(7)
    if kind == 0:
        return bytes(random.below(256) for _ in range(1 + random.below(40)))
    if kind == 1:  # any header, and what it announces
        size = random.below(40)
        return bytes((random.below(256), size)) + bytes(random.below(256) for _ in range(size))
    if kind == 2:  # announces far too much
        low, high = 128 | random.below(128), 128 | random.below(128)
        return bytes((0x30 | random.below(4), low, high, random.below(256), 0, 1))
    if kind == 3:  # a kind we take, with a body of any bytes
        size = random.below(30)
        body = bytes((0, random.below(size + 3))) + bytes(random.below(256) for _ in range(size))
        return _packet((0x30, 0x32, 0x3A, 0x90, 0x40, 0x20)[random.below(6)], body)
    data = bytearray(good(random)[0])
    if kind == 4:
        return bytes(data[:random.below(len(data))])
    if kind == 5:
        at = random.below(len(data))
        return bytes(data[:at] + data[at + 1 + random.below(4):])
    for _ in range(1 + random.below(3)):
        data[random.below(min(len(data), 24))] ^= 1 << random.below(8)
    return bytes(data)


class Target:
    """One connection after the other, on the same buffers."""

    def __init__(self) -> None:
        self.room = Room()
        self.messages = self.acks = self.refused = self.total = 0
        self.client = self._new()

    def _new(self) -> Mqtt:
        client = Mqtt(Nothing(), Nothing(), lambda: 0, self.room)
        client.on_message = self._message
        for number in range(1, WINDOW + 1):
            client._flight.add(number)
        return client

    def _message(self, topic: str, payload: memoryview) -> None:
        self.messages += 1
        self.total += 1
        if len(payload) & 7 == 3:
            raise ValueError("a callback may fail")

    def connect(self) -> None:
        self.client = self._new()
        self.messages = self.acks = 0
        self.client._deal(memoryview(b"\x20\x02\x00\x00"))

    def feed(self, piece: memoryview) -> bool:
        """False: refused. What run() does after each read is done here too."""
        try:
            self.client._deal(piece)
        except ProtocolError:
            self.refused += 1
            return False
        finally:
            self.acks += self.client._acks
            self.client._acks = 0
            if self.room.reader.held > BODY_BYTES or self.client.in_flight > WINDOW:
                raise AssertionError("more is kept than may be")
        return True


def one(random: Random, target: Target) -> None:
    """One connection."""
    data, messages, acks = b"", 0, 0
    for _ in range(random.below(4)):
        packet, some, answers = good(random)
        data, messages, acks = data + packet, messages + some, acks + answers
    size = len(data)
    if random.below(8):
        data += broken(random)
    target.connect()
    view = memoryview(data)
    at = 0
    while at < len(data):
        step = 1 + random.below(_CHUNK if random.below(3) else 5)
        if at < size:
            step = min(step, size - at)  # so that what was counted can be compared at the boundary
        if not target.feed(view[at:at + step]):
            break
        at += step
        if at == size and (target.messages, target.acks) != (messages, acks):
            raise AssertionError("%s gave %d messages, %d acks" % (data, target.messages, target.acks))
    if at < size:
        raise AssertionError("%s was refused at %d" % (data, at))


def run(count: int, seed: int) -> dict:
    """Fuzz; AssertionError names the input that broke a promise."""
    random = Random(seed)
    target = Target()
    alloc = getattr(gc, "mem_alloc", lambda: 0)
    before = 0
    for number in range(count):
        one(random, target)
        if number % _CHECK == _CHECK - 1:
            gc.collect()
            before = before or alloc()
            if alloc() - before > _GROWTH_BYTES:
                raise AssertionError("it grew by %d bytes" % (alloc() - before))
    return {"inputs": count, "refused": target.refused, "messages": target.total, "faults": target.room.faults}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
