"""The half of the Zigbee benchmark that runs on MicroPython: frames through the product's own reader and decoder.

Prints one JSON object: frames per second (best of several rounds), bytes allocated a frame. Arguments: one frame of
each sort in hex. Must never use anything but the product's code between the bytes and the event.
"""

import gc
import json
import sys
import time

from zigbee.devices import Device, Devices
from zigbee.frames import AF_INCOMING_MSG
from zigbee.incoming import Incoming
from zigbee.reader import Reader

_ROUNDS = 10
_FRAMES = 61440  # in a round: the clock of the CPU ticks in ms
_COUNTED = 256
_SHORT = 0x1234  # who sends them
_TSN_AT = 22  # in a frame: SOF, length, command, 17 bytes of AF header, frame control


class Sink:
    """Counts the events and keeps the last."""

    def __init__(self) -> None:
        self.events = 0
        self.value = 0
        self.ms = 0
        devices = Devices()
        devices.learn(_SHORT, devices.know("00124b0000000001", 0, True).wire)
        self.incoming = Incoming(devices.find, self.heard, self.nothing, self.nothing, self.now)
        self.reader = Reader(self.frame)

    def frame(self, buf: bytearray, at: int, size: int, command: int) -> None:
        if command == AF_INCOMING_MSG:
            self.incoming.take(buf, at, size)

    def now(self) -> int:
        """A clock on which no bucket is ever empty."""
        self.ms += 10_000
        return self.ms

    def heard(self, device: Device, short: int, endpoint: int, kind: int, value: int, tsn: int, lqi: int) -> None:
        self.events += 1
        self.value = value

    def nothing(self, *_args: object) -> None:
        """Answers are not part of decoding."""


def _cpu_us() -> int:
    """CPU time of this process; the wall clock would measure the neighbours too."""
    return int(time.clock() * 1_000_000)  # type: ignore[attr-defined]  # the unix port has it


def _feed(sink: Sink, chunks: list, count: int) -> None:
    push = sink.reader.push
    sizes = [len(chunk) for chunk in chunks]
    some = len(chunks)
    for number in range(count):
        place = number % some
        push(chunks[place], sizes[place], 0)


def numbered(sorts: list) -> list:
    """256 frames of these sorts in turn, their ZCL sequence numbers counting; checksums are put right."""
    found = []
    for number in range(256):
        frame = bytearray(sorts[number % len(sorts)])
        frame[-1] ^= frame[_TSN_AT] ^ number
        frame[_TSN_AT] = number
        found.append(frame)
    return found


def measure(chunks: list) -> dict:
    """Frames a second and bytes allocated a frame. RuntimeError when a frame was not decoded."""
    sink = Sink()
    best_us = 0
    for _ in range(_ROUNDS):
        gc.collect()
        start = _cpu_us()
        _feed(sink, chunks, _FRAMES)
        took = _cpu_us() - start
        best_us = min(best_us, took) if best_us else took
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for number in range(_COUNTED):
        chunk = chunks[number % len(chunks)]
        sink.reader.push(chunk, len(chunk), 0)
    allocated = gc.mem_alloc() - before
    gc.enable()
    if sink.events != _ROUNDS * _FRAMES + _COUNTED or sink.reader.dropped:
        raise RuntimeError("%d events, %d bytes dropped" % (sink.events, sink.reader.dropped))
    return {"frames_per_s": _FRAMES * 1_000_000 // best_us, "bytes_per_frame": allocated / _COUNTED}


if __name__ == "__main__":
    print(json.dumps(measure(numbered([bytes.fromhex(one) for one in sys.argv[1:]]))))
