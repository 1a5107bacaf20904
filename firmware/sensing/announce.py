"""What is said aloud of the sensors: the door at once, a lost detector or an empty battery once, by day.

Owns when it is said. Must never speak into an emergency, over another text, or at night.

Without the time of day nobody knows whether it is night. Then it is said when somebody is up: a door moved or an
activity sensor saw somebody in the last minutes.
"""

import asyncio

from micropython import const

from firmware.calendar import KST_S
from firmware.sensing.sensor import CALL_BUTTON, SMOKE

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.sensing.sensor import Sensor

_DAY_S = const(86_400)
_DAY_MS = const(86_400_000)
_UP_MS = const(300_000)
_STALE_MS = const(10_000)  # a door that moved longer ago is not news
_LOOK_MS = const(30_000)
_SOON_MS = const(200)
_BETWEEN_MS = const(1500)
_LOST = {SMOKE: "lost_smoke", CALL_BUTTON: "lost_pendant"}


class Announcer:
    """parts: has speaker, machine, phone, settings, clock."""

    def __init__(self, parts: "Any") -> None:
        self._parts = parts
        self._clock = parts.clock
        self._wake = asyncio.Event()
        self._door: bool | None = None  # the latest state that was not said
        self._door_ms = 0
        self._door_said: bool | None = None  # being said now
        self._lost: list = []  # texts that wait for the day, each once
        self._empty: list = []  # indices of the sensors whose battery is to be replaced
        self._empty_day = -1  # the day that was last said
        self._up_ms = -_UP_MS

    # ------------------------------------------------------------------ told by the others; all return at once
    def door(self, is_open: bool) -> None:
        """A door opened or closed. While it swings only the latest state is said."""
        self.awake()
        if self._parts.settings.get("door_announce"):
            self._door = is_open
            self._door_ms = self._clock.ms()
            self._wake.set()

    def awake(self) -> None:
        """Somebody is up."""
        self._up_ms = self._clock.ms()

    def link(self, sensor: "Sensor", lost: bool) -> None:
        """A link changed. A smoke detector or pendant that is lost is said once, unless it is back before that."""
        text = _LOST.get(sensor.kind)
        if text is None:
            return
        waits = (text, sensor.index) in self._lost
        if lost and not waits:
            self._lost.append((text, sensor.index))
            self._wake.set()
        elif not lost and waits:
            self._lost.remove((text, sensor.index))

    def battery(self, sensor: "Sensor", empty: bool) -> None:
        """A battery class changed. As long as one is to be replaced it is said once a day."""
        if empty and sensor.index not in self._empty:
            self._empty.append(sensor.index)
            self._wake.set()
        elif not empty and sensor.index in self._empty:
            self._empty.remove(sensor.index)

    def removed(self, index: int) -> None:
        """The sensor at index is no longer of the home."""
        self._lost = [one for one in self._lost if one[1] != index]
        self._empty = [one for one in self._empty if one != index]

    # ------------------------------------------------------------------ the task
    async def run(self) -> None:
        """For ever: say what is to be said, one text after the other."""
        while True:
            self._wake.clear()
            wait_ms = self.look(self._clock.ms())
            try:
                await asyncio.wait_for_ms(self._wake.wait(), wait_ms)
            except asyncio.TimeoutError:
                pass
            if self._door is not None:
                await asyncio.sleep_ms(_SOON_MS)  # it may swing back at once

    def look(self, now_ms: int) -> int:
        """Say the next text if its time has come; returns in how many ms to look again."""
        if self._door is not None and now_ms - self._door_ms > _STALE_MS:
            self._door = None
        if not self._quiet():
            return _SOON_MS if self._door is not None else _BETWEEN_MS if self._lost else _LOOK_MS
        if self._door is not None:
            self._say_door()
            return _SOON_MS
        self._door_said = None
        if not (self._lost or self._empty) or not self._daytime(now_ms):
            return _LOOK_MS
        if self._lost:
            text = self._lost[0][0]
            self._lost = [one for one in self._lost if one[0] != text]  # three detectors are one sentence
            self._parts.speaker.say(text)
            return _BETWEEN_MS
        day = self._day(now_ms)
        if day != self._empty_day:
            self._empty_day = day
            self._parts.speaker.say("battery_replace")
        return _LOOK_MS

    def _say_door(self) -> None:
        is_open, self._door = self._door, None
        if is_open is not self._door_said:  # it swung back to what was just said
            self._parts.speaker.say("door_opened" if is_open else "door_closed")
        self._door_said = is_open

    def _quiet(self) -> bool:
        """Nobody and nothing else speaks: no emergency, no call, no other text."""
        parts = self._parts
        return not (parts.machine.open() or parts.machine.sound() or parts.phone.busy() or parts.speaker.speaking)

    def _daytime(self, now_ms: int) -> bool:
        wall_s = self._clock.wall_s()
        if not wall_s:
            return now_ms - self._up_ms < _UP_MS
        get = self._parts.settings.get
        return get("day_from") <= (wall_s + KST_S) % _DAY_S // 3600 < get("day_to")

    def _day(self, now_ms: int) -> int:
        wall_s = self._clock.wall_s()
        return (wall_s + KST_S) // _DAY_S if wall_s else now_ms // _DAY_MS
