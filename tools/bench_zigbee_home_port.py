"""What 32 sensors cost, on MicroPython: heap of each, and CPU and memory of a frame of each sort.

The whole way in: bytes, reader, link, coordinator, decoder, and what the product makes of it; no coprocessor answers.
Prints one JSON object. Must never use anything but the product's code behind the bytes.
"""

import gc
import json
import time

from firmware.sensing.sensors import Sensors
from zigbee.coordinator import Coordinator
from zigbee.frames import AF_INCOMING_MSG, encode

_SENSORS = 32
_ROUNDS = 5
_PUSHES = 8  # of 256 frames, in a round
_SHORT = 0x1000
_MINUTE_MS = 60_000
# sort: (cluster, sensor, ZCL frame); the sensor's kind is that of its index modulo 4
_KINDS = ("smoke", "activity", "call_button", "door")
_SORTS = {
    "zone status notified": (0x0500, 0, b"\x19\x00\x00\x00\x00\x00\xff\x00\x00"),
    "zone status reported": (0x0500, 4, b"\x18\x00\x0a\x02\x00\x19\x00\x00"),
    "batteries of both parts": (
        0x0001, 8, b"\x18\x00\x0a\x20\x00\x20\x1d\x21\x00\x20\xb4\x40\x00\x20\x1d\x41\x00\x20\xb4",
    ),
    "temperature": (0x0402, 12, b"\x18\x00\x0a\x00\x00\x29\x34\x08"),
    "activity mask": (
        0xFC30, 1, b"\x18\x00\x0a\x00\x00\x23\x07\x00\x00\x00\x01\x00\x1b\x03\x00\x00\x20\x02\x00\x1b\x00\x00\x00\x00"
        b"\x03\x00\x18\x00",
    ),
    "occupancy": (0x0406, 5, b"\x18\x00\x0a\x00\x00\x18\x01"),
    "a sign of life": (0x0000, 3, b"\x18\x00\x0a\x00\x00\x20\x08"),
    "check-in, answered": (0x0020, 7, b"\x19\x00\x00"),
    "cut off in a flood": (0x0402, 16, b"\x08\x00\x0a\x00\x00\x29\x34\x08"),
    "of a stranger, in a flood": (0x0500, -1, b"\x19\x00\x00\x00\x00\x00\xff\x00\x00"),
}  # fmt: skip


class _Uart:
    def write(self, data: bytes) -> int:
        return len(data)


class _Pin:
    def value(self, level: int) -> None:
        """Nobody is reset."""


class _Clock:
    now = 0

    def ms(self) -> int:
        return self.now


class _Log:
    def error(self, text: str) -> None:
        raise RuntimeError(text)

    warning = info = error


class _Registry:
    def __init__(self) -> None:
        self.entries: list = []


def _entry(index: int) -> dict:
    """What the registry has of a sensor after its interview."""
    kind = _KINDS[index % 4]
    facts = {
        "maker": "KETI", "model": "Sensor %d" % (index % 4), "endpoint": 1, "servers": [0, 1, 3, 0x20, 0x500],
        "clients": [], "zone_type": 0x28, "kind": kind, "power": "battery", "traits": 0, "code": True,
        "rhythm_s": 14400, "done": ["node", "endpoints", "clusters", "model", "zone", "kind"], "ready": True,
    }  # fmt: skip
    return {"name": "%s %d" % (kind, index), "kind": kind, "place": "room", "ieee": "00124b00000000%02x" % index,
            "facts": facts}  # fmt: skip


class Home:
    """Coordinator and 32 sensors."""

    def __init__(self) -> None:
        self.clock = _Clock()
        self.coordinator = Coordinator(_Uart(), _Pin(), self.clock, _Log())
        registry = _Registry()
        gc.collect()
        before = gc.mem_alloc()
        registry.entries = [_entry(index) for index in range(_SENSORS)]
        gc.collect()
        listed = gc.mem_alloc()
        self.sensors = Sensors(registry, self.coordinator, self.clock, _Log(), self.record)
        for device in self.coordinator.devices.known:
            self.coordinator.devices.learn(_SHORT + device.index, device.wire)
        gc.collect()
        self.listed_bytes = (listed - before) // _SENSORS
        self.sensor_bytes = (gc.mem_alloc() - listed) // _SENSORS
        self.records = 0

    def record(self, _event: str, **_fields: object) -> None:
        self.records += 1

    def push(self, frames: list, step_ms: int) -> None:
        reader = self.coordinator.link.reader
        for frame in frames:
            self.clock.now += step_ms
            reader.push(frame, len(frame), self.clock.now)


def _frames(cluster: int, sensor: int, zcl: bytes) -> list:
    """256 of them, their sequence numbers and minutes counting."""
    short = _SHORT + sensor
    head = bytes((0, 0, cluster & 255, cluster >> 8, short & 255, short >> 8, 1, 1, 0, 200, 0, 1, 0, 0, 0, 0))
    found = []
    for number in range(256):
        data = bytearray(zcl)
        data[1] = number
        if cluster == 0xFC30:
            data[6] = number
        found.append(encode(AF_INCOMING_MSG, head + bytes((len(data),)) + bytes(data) + b"\x34\x12\x1d"))
    return found


def _round_us(home: Home, frames: list, step_ms: int) -> float:
    """CPU of a frame; the clock of the CPU ticks in ms."""
    start = time.clock()  # type: ignore[attr-defined]  # the unix port has it
    for _ in range(_PUSHES):
        home.push(frames, step_ms)
    return (time.clock() - start) * 1_000_000 / (_PUSHES * len(frames))  # type: ignore[attr-defined]


def measure() -> dict:
    """listed_bytes, sensor_bytes: heap of a sensor; sorts: name -> [us, bytes] of a frame."""
    home = Home()
    sorts = {}
    for name, (cluster, sensor, zcl) in _SORTS.items():
        frames = _frames(cluster, sensor, zcl)
        step_ms = 0 if "flood" in name else _MINUTE_MS
        home.push(frames, step_ms)
        took_us = min([_round_us(home, frames, step_ms) for _ in range(_ROUNDS)])
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        home.push(frames, step_ms)
        sorts[name] = [took_us, (gc.mem_alloc() - before) / len(frames)]
        gc.enable()
    if home.coordinator.link.failures or home.coordinator.incoming.broken:
        raise RuntimeError("frames were refused")
    return {"listed_bytes": home.listed_bytes, "sensor_bytes": home.sensor_bytes, "sorts": sorts}


if __name__ == "__main__":
    print(json.dumps(measure()))
