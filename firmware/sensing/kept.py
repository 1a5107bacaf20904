"""What is known of the sensors over a restart: the block `state` of the store.

Owns its layout: a version byte, when it was made (s since 1970, 0 unknown), then a fixed number of bytes a sensor,
found again by its address. Must never trust a byte that it reads.
"""

import struct
from binascii import hexlify, unhexlify

from micropython import const

from firmware.sensing import battery, links
from firmware.sensing.sensor import COVERED, TAMPER, TROUBLE

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.sensing.sensor import Sensor

NAME = "state"
_VERSION = const(1)
_HEAD = "<BI"
# address, link state, battery class and flags, silent for (s, at most 65535 min), heard (s since 1970, 0 unknown),
# mV, radio mV, highest mV of each, percent in halves (255 none), points
_LAYOUT = "<8sBBIIHHHHBB"
_HEAD_BYTES = struct.calcsize(_HEAD)
_BODY_BYTES = struct.calcsize(_LAYOUT)
_SENSOR_BYTES = _BODY_BYTES + 4 * battery.POINTS
_SUSPECTED = const(4)
_WARNED = const(8)
_ANSWERS = const(16)
_LEVELS = const(5)  # bits from here: tamper, trouble, covered as the records have them
_NO_PERCENT = const(255)


def pack(sensors: "Iterable[Sensor | None]", now_ms: int, wall_s: int) -> bytearray:
    """wall_s: the wall time now, 0 while unknown."""
    whole = [sensor for sensor in sensors if sensor is not None and len(sensor.ieee) == 16]
    data = bytearray(_HEAD_BYTES + _SENSOR_BYTES * len(whole))
    struct.pack_into(_HEAD, data, 0, _VERSION, wall_s)
    at = _HEAD_BYTES
    for sensor in whole:
        _pack_one(data, at, sensor, now_ms, wall_s)
        at += _SENSOR_BYTES
    return data


def _pack_one(data: bytearray, at: int, sensor: "Sensor", now_ms: int, wall_s: int) -> None:
    link, cell = sensor.link, sensor.battery
    heard_s = 0
    if wall_s and link.heard_ms is not None:
        heard_s = max(wall_s - (now_ms - link.heard_ms) // 1000, 0)
    flags = cell.state | (_SUSPECTED if cell.suspected else 0) | (_WARNED if cell.warned else 0)
    flags |= (_ANSWERS if link.answers else 0) | (sensor.recorded & (TAMPER | TROUBLE | COVERED)) << _LEVELS
    percent = cell.half_percent if cell.half_percent >= 0 else _NO_PERCENT
    silent_s = max(link.silence_ms(now_ms), 0) // 1000
    struct.pack_into(
        _LAYOUT, data, at, unhexlify(sensor.ieee), link.state, flags, silent_s, heard_s,
        cell.mv, cell.radio_mv, cell.highest_mv, cell.radio_highest_mv, percent, cell.count,
    )  # fmt: skip
    for place in range(cell.count):
        struct.pack_into("<HH", data, at + _BODY_BYTES + 4 * place, cell.days[place], cell.mvs[place])


def unpack(data: bytes, sensors: "Iterable[Sensor | None]", now_ms: int, wall_s: int) -> int:
    """Give each sensor what was kept of it. Returns when it was made (s since 1970, 0 unknown), -1: nothing usable."""
    if len(data) < _HEAD_BYTES or data[0] != _VERSION or (len(data) - _HEAD_BYTES) % _SENSOR_BYTES:
        return -1
    made_s = struct.unpack_from(_HEAD, data, 0)[1]
    for at in range(_HEAD_BYTES, len(data), _SENSOR_BYTES):
        ieee = hexlify(data[at : at + 8]).decode()
        for sensor in sensors:
            if sensor is not None and sensor.ieee == ieee:
                _unpack_one(data, at, sensor, now_ms, wall_s)
    return made_s


def _unpack_one(data: bytes, at: int, sensor: "Sensor", now_ms: int, wall_s: int) -> None:
    _, state, flags, silent_s, heard_s, mv, radio_mv, highest, radio_highest, percent, count = struct.unpack_from(
        _LAYOUT, data, at)
    if state > links.LOST or count > battery.POINTS:
        return
    cell = sensor.battery
    heard_ms = now_ms - (wall_s - heard_s) * 1000 if heard_s and wall_s > heard_s else None
    sensor.link.recall(state, silent_s * 1000, heard_ms, now_ms)
    sensor.link.answers = bool(flags & _ANSWERS)
    levels = sensor.recorded = flags >> _LEVELS
    sensor.tamper, sensor.trouble = bool(levels & TAMPER), bool(levels & TROUBLE)
    sensor.covered = bool(levels & COVERED)
    cell.state = cell.reported = flags & 3
    cell.suspected, cell.warned = bool(flags & _SUSPECTED), bool(flags & _WARNED)
    cell.mv, cell.radio_mv, cell.highest_mv, cell.radio_highest_mv = mv, radio_mv, highest, radio_highest
    cell.half_percent = -1 if percent > 200 else percent
    cell.count = count
    for place in range(count):
        cell.days[place], cell.mvs[place] = struct.unpack_from("<HH", data, at + _BODY_BYTES + 4 * place)
