"""Fuzzing what comes over the air, on MicroPython and CPython alike: `fuzz_zcl.py SORT COUNT SEED` prints JSON.

SORT zcl: messages of every cluster we use, broken in every way; mask: our own cluster. Each goes to the product's
decoder as an AF_INCOMING_MSG, with old bytes behind it as in the reader's buffer. Nothing escapes; an event is one of
zigbee.told with a value in its range; what may be an alarm is told only when the bytes say so; memory does not grow.
"""

import gc
import json
import sys

sys.path[:0] = [".", "host_tests/zigbee"]

from fuzz_reader import Random  # noqa: E402

from zigbee import activity, ias, told  # noqa: E402
from zigbee.devices import Devices  # noqa: E402
from zigbee.incoming import Incoming  # noqa: E402
from zigbee.quirks import FRAMES  # noqa: E402

_HEAD = b"\x00\x00\x00\x05\x34\x12\x03\x01\x00\x4d\x00\x01\x00\x00\x00\x00"
_LOOK = 50_000  # inputs between two looks at the memory
_LIMIT = {
    told.NOTIFIED: (0, 0xFFFF), told.LEVEL: (0, 0xFFFF), told.BUTTON: (0, ias.ACE_DISARM), told.PRESENCE: (0, 0xFF),
    told.PERCENT: (0, 200), told.VOLTS: (0, 0xFFFFFFFF), told.RADIO_VOLTS: (100, 25_400),
    told.TEMPERATURE: (-27315, 32767), told.CHECKIN: (0, 0), told.ALIVE: (0, 0), told.RADIO_PERCENT: (0, 200),
}  # fmt: skip
_MASK = b"\x18\x2a\x0a\x00\x00\x23\x07\x00\x00\x00\x01\x00\x1b\x03\x00\x00\x20"
_MASK += b"\x02\x00\x1b\x10\x00\x00\x00\x03\x00\x18\x01"
SORTS = {
    "zcl": (
        (0x0500, b"\x19\x11\x00\x01\x00\x00\xff\x00\x00"), (0x0500, b"\x09\x12\x00\x00\x00\x00\xff\x00\x00"),
        (0x0500, b"\x18\x13\x0a\x02\x00\x19\x01\x00"), (0x0500, b"\x09\x14\x01\x28\x00\x00\x00"),
        (0x0500, b"\x18\x15\x01\x00\x00\x00\x30\x00\x02\x00\x00\x19\x00\x00\x10\x00\x86"),
        (0x0501, b"\x11\x16\x04"), (0x0501, b"\x01\x17\x00\x00\x041234\x07"), (0x0501, b"\x11\x18\x03"),
        (0x0020, b"\x09\x19\x00"), (0x0406, b"\x18\x1a\x0a\x00\x00\x18\x01"),
        (0x0402, b"\x18\x1b\x0a\x00\x00\x29\x18\xfc"),
        (0x0001, b"\x18\x1c\x0a\x20\x00\x20\x1d\x21\x00\x20\xb4\x40\x00\x20\x1d\x41\x00\x20\xb4"),
        (0x0000, b"\x18\x1d\x0a\x01\xff\x42\x0a\x01\x21\xbd\x0b\x64\x10\x01\x05\x21\x01\x00"),
        (0x0000, b"\x18\x1e\x0a\x05\x00\x4c\x02\x00\x20\x01\x21\x02\x00\x06\x00\x48\x21\x01\x00\x02\x00"),
        (0xFCC0, b"\x1c\x5f\x11\x1f\x0a\x3a\x01\x20\x01"), (0x0006, b"\x01\x20\x42\x00\x00\x00\x00\x00"),
        (0x0006, b"\x18\x21\x0a\x00\x00\x10\x01"),
    ),
    "mask": ((0xFC30, _MASK), (0xFC30, _MASK + _MASK[3:]), (0xFC30, _MASK[:17])),
}  # fmt: skip


class Target:
    """The decoder, and what it told of the last input."""

    def __init__(self) -> None:
        devices = Devices()
        self.device = devices.know("00124b0000000001", 0, True)
        devices.learn(0x1234, self.device.wire)
        self.now = 0
        self.incoming = Incoming(devices.find, self.heard, self.nothing, self.nothing, self.clock)
        self.incoming.on_mask = self.mask
        self.buf = bytearray(320)
        self.size = 0
        self.counts = [0] * 12
        self.masks = 0
        self.alarms = 0

    def clock(self) -> int:
        return self.now

    def nothing(self, *_args: object) -> None:
        """Answers are not looked at."""

    def heard(self, _device: object, _short: int, _endpoint: int, kind: int, value: int, _tsn: int, _lqi: int) -> None:
        low, high = _LIMIT[kind]
        if not low <= value <= high:
            raise AssertionError("told %d, %d" % (kind, value))
        self.counts[kind] += 1
        if kind <= told.BUTTON and (value & 0x103 if kind < told.BUTTON else value != ias.ACE_DISARM):
            self.alarms += 1
            if not self.device.traits and not is_alarm(bytes(self.buf[:self.size])):
                raise AssertionError("an alarm of %d, %d from nothing" % (kind, value))

    def mask(self, _device: object, report: activity.Report, _lqi: int) -> None:
        self.masks += 1
        whole = 0 <= report.mask <= activity.BITS and -1 <= report.before <= activity.BITS and 0 <= report.state <= 255
        if not whole or report.minute < 0:
            raise AssertionError("a mask of %s" % ([report.minute, report.mask, report.before, report.state],))


def is_alarm(payload: bytes) -> bool:
    """Whether there is anything in these bytes that an alarm could come from: looked for, not decoded."""
    zcl = payload[17:17 + payload[16]]
    body = zcl[5:] if zcl[0] & 4 else zcl[3:]
    if payload[2:4] == b"\x01\x05":
        return zcl[0] & 0x0F == 1 and zcl[2] in (2, 3, 4)
    if payload[2:4] != b"\x00\x05" or zcl[0] & 4:
        return False
    if zcl[0] & 3 == 1:
        return zcl[2] == 0 and (body[0] & 3 or body[1] & 1)
    return zcl[2] in (1, 0x0A) and b"\x02\x00" in body


def make(random: Random, samples: tuple, buf: bytearray) -> int:
    """Put an input into buf; returns its size. What lies behind it is left from the input before."""
    cluster, zcl = samples[random.below(len(samples))]
    at = 17
    for byte in zcl:
        buf[at] = byte
        at += 1
    size = len(zcl)
    for place in range(16):
        buf[place] = _HEAD[place]
    buf[2] = cluster & 0xFF
    buf[3] = cluster >> 8
    for _ in range(random.below(4)):
        sort = random.below(8)
        where = 17 + random.below(size) if size else 17
        if sort < 3:
            buf[where] = random.below(256)
        elif sort < 5:
            buf[where] ^= 1 << random.below(8)
        elif sort == 5:  # cut
            size = where - 17
        elif sort == 6:  # more of the same, or of what was there before
            size = min(size + 1 + random.below(12), 100)
        else:
            buf[2 + random.below(2)] = random.below(256)
    buf[18] = random.below(256)
    buf[16] = size if random.below(16) else random.below(256)
    return 17 + size + 3 * random.below(2)


def run(sort: str, count: int, seed: int) -> dict:
    """Fuzz; AssertionError names the input that broke a promise."""
    random = Random(seed)
    samples = SORTS[sort]
    target = Target()
    take, buf = target.incoming.take, target.buf
    low = high = 0
    for number in range(count):
        if number % _LOOK == 0 and hasattr(gc, "mem_alloc"):
            gc.collect()
            used = gc.mem_alloc()
            high = max(high, used) if number > _LOOK else used
            low = used if number <= _LOOK else low
        target.size = make(random, samples, buf)
        target.now += 150
        if number & 3 == 0:
            target.device.traits = FRAMES if number & 4 else 0
        try:
            take(buf, 0, target.size)
        except Exception as error:
            raise AssertionError("input %d, %s: %r" % (number, bytes(buf[:target.size]), error)) from error
    if high - low > 1000:
        raise AssertionError("%d bytes more than at the start" % (high - low))
    incoming = target.incoming
    return {
        "inputs": count, "broken": incoming.broken, "stale": incoming.stale, "failures": incoming.failures,
        "events": target.counts, "alarms": target.alarms, "masks": target.masks, "grown": high - low,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
