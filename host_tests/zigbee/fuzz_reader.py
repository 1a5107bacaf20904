"""Fuzzing the ZNP reader, on MicroPython and CPython alike: `fuzz_reader.py COUNT SEED` prints a JSON object.

Every input is some bytes that were not meant to be a frame, or frames that were broken on the way, followed by a good
frame: at once, or after a silence. Whatever came before, the good frame must be delivered, nothing may escape, nothing
may grow.
"""

import json
import sys

from zigbee.frames import EXPECTED, encode
from zigbee.incoming import Incoming
from zigbee.reader import Reader

_MASK = 0xFFFFFFFF
_HELD_LIMIT = 254  # the longest frame, without its last byte
_SILENCE_MS = 100


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


def _good_frames() -> list:
    alarm = bytes((0, 0, 0, 5, 0x34, 0x12, 1, 1, 0, 200, 0, 1, 0, 0, 0, 0))
    notify = bytes((0x19, 7, 0, 1, 0, 0, 0xFF, 0, 0))
    report = bytes((0x18, 8, 0x0A, 2, 0, 0x19, 1, 0))
    long = bytes((0x18, 9, 0x0A)) + b"\x00\x00\x42\x50" + bytes(range(80))
    tail = b"\x34\x12\x1d"
    messages = [alarm + bytes((len(data),)) + data + tail for data in (notify, report, long)]
    frames = [encode(0x4481, message) for message in messages]
    frames += [encode(0x4180, b"\x00\x02\x01\x02\x07\x01"), encode(0x45C0, b"\x09"), encode(0x6401, b"\x00")]
    frames += [encode(0x6700, b"\x00" + bytes(11) + b"\x09\x02" + bytes(4)), encode(0x4480, b"\x00\x01\x02")]
    return frames


class Target:
    """The reader with the decoder behind it, and what came out last."""

    def __init__(self) -> None:
        self.last = b""
        self.now = 0
        self.reader = Reader(self.frame)
        self.incoming = Incoming(self.nobody, self.nothing, self.nothing, self.nothing, self.noon)
        self.events = 0

    def frame(self, buf: bytearray, at: int, size: int, command: int) -> None:
        self.last = bytes(buf[at - 4:at + size + 1])
        if command == 0x4481:
            self.incoming.take(buf, at, size)

    def nobody(self, _short: int) -> None:
        return None

    def noon(self) -> int:
        return self.now

    def nothing(self, *_args: object) -> None:
        self.events += 1


def rubbish(random: Random, frames: list) -> bytearray:
    """Bytes before the good frame."""
    kind = random.below(6)
    if kind == 0:
        return bytearray(random.below(256) for _ in range(random.below(40)))
    data = bytearray(frames[random.below(len(frames))])
    if kind == 1:  # bytes lost at the end
        return data[:random.below(len(data))]
    if kind == 2:  # bytes lost inside
        start = random.below(len(data))
        return data[:start] + data[start + 1 + random.below(8):]
    if kind == 3:  # bits flipped
        for _ in range(1 + random.below(3)):
            data[random.below(len(data))] ^= 1 << random.below(8)
        return data
    if kind == 4:  # a wrong length byte
        data[1] = random.below(256)
        return data
    at = random.below(len(data))  # bytes that look like a beginning, anywhere
    return data[:at] + b"\xfe" + EXPECTED[5 * random.below(20):][:2] + data[at:]


def payload_fuzz(random: Random) -> bytearray:
    """A frame that is right outside and random inside."""
    data = bytes(random.below(256) for _ in range(3 + random.below(30)))
    clusters = (b"\x00\x05", b"\x01\x05", b"\x06\x04", b"\x01\x00")
    head = b"\x00\x00" + clusters[random.below(4)] + b"\x34\x12\x01\x01\x00\xc8\x00\x01\x00\x00\x00\x00"
    return encode(0x4481, head + bytes((len(data),)) + data + b"\x34\x12\x1d")


def run(count: int, seed: int) -> dict:
    """Fuzz; AssertionError names the input that broke a promise."""
    random = Random(seed)
    frames = _good_frames()
    target = Target()
    reader = target.reader
    now = 1000
    for number in range(count):
        before = rubbish(random, frames) if random.below(8) else payload_fuzz(random)
        good = frames[random.below(len(frames))]
        silent = random.below(2)
        data = before if silent else before + good
        cut = random.below(len(data) + 1)
        target.last = b""
        for piece in (data[:cut], data[cut:]):
            reader.push(bytearray(piece), len(piece), now)
            now += random.below(3)
        if silent:
            now += _SILENCE_MS
            target.last = b""
            reader.push(good, len(good), now)
        else:
            while reader.held:  # the silence after the last byte
                now += _SILENCE_MS
                reader.poll(now)
        if target.last != bytes(good):
            raise AssertionError("input %d: %s then %s" % (number, bytes(before), bytes(good)))
        if reader.held > _HELD_LIMIT:
            raise AssertionError("%d bytes held" % reader.held)
        now += 1
    return {
        "inputs": count, "frames": reader.frames, "dropped": reader.dropped, "bad_fcs": reader.bad_fcs,
        "bad_form": reader.bad_form, "timeouts": reader.timeouts, "events": target.events,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
