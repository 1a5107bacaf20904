"""The periodic records of the sensors: how each of them is, every few hours, and who moved, every 5 min.

Owns when they are due and what is in them (docs/events.md). Must never make many at once: they are spread over time.
"""

from micropython import const

from firmware.sensing import links
from firmware.sensing.links import USUAL_S
from firmware.sensing.sensor import ACTIVITY

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.sensing.sensor import Sensor

_HOUR_MS = const(3_600_000)
_MINUTE_MS = const(60_000)
_FIRST_MS = const(300_000)  # after the start; by then everybody was asked
_APART_MS = const(30_000)  # between two sensors
_USUAL_H = const(4)


class Reports:
    """parts: has sensors, clock, recorder, settings. `watch` sets itself."""

    def __init__(self, parts: "Any") -> None:
        self._parts = parts
        self._sensors = parts.sensors
        self._clock = parts.clock
        self.watch: Any = None
        self._period_h = self._wanted_h()
        self._began_ms = self._due_ms = parts.clock.ms() + _FIRST_MS
        self._round = 0  # of status records
        self._place = 0  # the sensor whose turn is next
        self._minute = parts.clock.ms() // _MINUTE_MS

    def _wanted_h(self) -> int:
        return self._parts.settings.get("status_period_h") or _USUAL_H

    def tick(self, now_ms: int, hears: bool) -> None:
        """Every 10 s. hears: the radio can hear the sensors."""
        minute = now_ms // _MINUTE_MS
        if minute != self._minute and self._wanted_h() != self._period_h:
            self._anew(now_ms)
        if now_ms >= self._due_ms:
            self._turn()
        if minute != self._minute:
            for sensor in self._sensors.all:
                if sensor is None:
                    continue
                self.pace(sensor)  # what the registry knows of it may have changed
                if sensor.mask is not None:
                    self._minutes(sensor, now_ms, hears)
            self._minute = minute

    # ------------------------------------------------------------------ status
    def _anew(self, now_ms: int) -> None:
        """The period was changed: it counts from now on."""
        self._period_h = self._wanted_h()
        self._began_ms = self._due_ms = now_ms + _APART_MS
        self._round = self._place = 0

    def _turn(self) -> None:
        """The next sensor's record; after the last one the next round."""
        everybody = self._sensors.all
        while self._place < len(everybody) and everybody[self._place] is None:
            self._place += 1
        if self._place < len(everybody):
            self.status(everybody[self._place])
            self._place += 1
        else:
            self._place = 0
            self._round += 1
        self._due_ms = self._began_ms + self._round * self._period_h * _HOUR_MS + self._place * _APART_MS

    def pace(self, sensor: "Sensor") -> None:
        """How often it should be heard: what the registry knows of it, the status period where that is its rhythm."""
        rhythm_s = sensor.rhythm_s
        sensor.link.pace(self._period_h * 3600 if rhythm_s == USUAL_S else rhythm_s, sensor.kind == ACTIVITY)

    def status(self, sensor: "Sensor") -> None:
        """One status record: link now and as told before, signal, battery, last value, when it was heard."""
        link = sensor.link
        fields: dict = {
            "sensor": sensor.name, "ieee": sensor.ieee, "place": sensor.place, "type": sensor.kind,
            "now": links.NAMES[link.state], "before": links.NAMES[link.reported], "dbm": link.dbm,
            "value": value_of(sensor),
        }  # fmt: skip
        if self.watch is not None:
            fields["heard"] = self.watch.heard_at(sensor)
            self.watch.battery_fields(sensor, fields)
        if sensor.temperature is not None:
            fields["temperature"] = sensor.temperature / 100
        for name in ("tamper", "trouble", "stuck", "covered"):
            if getattr(sensor, name):
                fields[name] = True
        if sensor.battery.suspected:
            fields["battery_suspect"] = True
        link.reported = link.state
        sensor.battery.reported = sensor.battery.state
        self._parts.recorder.periodic("status", **fields)

    # ------------------------------------------------------------------ activity
    def _minutes(self, sensor: "Sensor", now_ms: int, hears: bool) -> None:
        mask = sensor.mask
        if mask is None:
            return
        mask.fill(now_ms)
        if hears and sensor.link.state != links.LOST:
            mask.watched(self._minute)
        if not mask.due(now_ms):
            return
        begin_ms, bits, known = mask.take(now_ms)
        fields = {"sensor": sensor.name, "ieee": sensor.ieee, "place": sensor.place, "mask": bits,
                  "from": self._clock.wall_ms(begin_ms), "known": [known >> n & 1 for n in range(5)]}
        if fields["from"] is None:
            fields["from_up"] = begin_ms  # dated when the time is known
        self._parts.recorder.periodic("activity", **fields)


def value_of(sensor: "Sensor") -> "bool | int | None":
    """What it last said: alarm, open or movement as true or false, an activity mask as its 30 bits; None: nothing."""
    if sensor.mask is None:
        return sensor.alarm
    if sensor.mask.own:
        return sensor.mask.last
    return None if sensor.present is None else sensor.mask.moving
