"""What is said aloud of the sensors, and when."""

import types

import pytest

from firmware.sensing.announce import Announcer

DAY = 86_400
NINE_AM = 20_000 * DAY  # nine in the morning in Korea is midnight UTC
HOUR_MS = 3_600_000


class Parts:
    def __init__(self, wall_s=NINE_AM):
        self.said = []
        self.now = 1_000_000
        self.wall = wall_s
        self.open = self.sound = self.busy = self.speaking = False
        values = {"door_announce": True, "day_from": 8, "day_to": 21}
        self.settings = types.SimpleNamespace(get=values.get)
        self.values = values
        self.clock = types.SimpleNamespace(ms=lambda: self.now, wall_s=lambda: self.wall)
        self.machine = types.SimpleNamespace(open=lambda: self.open, sound=lambda: self.sound)
        self.phone = types.SimpleNamespace(busy=lambda: self.busy)
        outer = self

        class Speaker:
            @property
            def speaking(self):
                return outer.speaking

            def say(self, name):
                outer.said.append(name)

        self.speaker = Speaker()
        self.announcer = Announcer(self)

    def pass_ms(self, ms):
        """Time goes by; the announcer looks as often as it wants to."""
        end = self.now + ms
        while self.now < end:
            step = min(self.announcer.look(self.now), end - self.now)
            self.now += step
            self.wall += step / 1000 if self.wall else 0
            self.wall = int(self.wall) if step % 1000 == 0 else self.wall
        return self.said


def sensor(kind, index=0):
    return types.SimpleNamespace(kind=kind, index=index)


@pytest.mark.req("ZB-09")
def test_doors_and_the_setting():
    parts = Parts()
    parts.announcer.door(True)
    assert parts.pass_ms(1000) == ["door_opened"]
    parts.values["door_announce"] = False
    parts.announcer.door(False)
    assert parts.pass_ms(5000) == ["door_opened"]


@pytest.mark.parametrize("what", ["open", "sound", "busy", "speaking"])
def test_nothing_is_said_into_anything(what):
    parts = Parts()
    setattr(parts, what, True)
    parts.announcer.door(True)
    parts.announcer.link(sensor("smoke"), True)
    parts.announcer.battery(sensor("smoke"), True)
    assert parts.pass_ms(20_000) == []
    setattr(parts, what, False)
    assert parts.pass_ms(60_000) == ["lost_smoke", "battery_replace"]  # the door is no news any more


@pytest.mark.req("ZB-15")
def test_lost_is_said_once_for_all_detectors_and_not_when_they_are_back():
    parts = Parts()
    for index in range(3):
        parts.announcer.link(sensor("smoke", index), True)
    parts.announcer.link(sensor("call_button", 4), True)
    parts.announcer.link(sensor("door", 5), True)
    parts.announcer.link(sensor("activity", 6), True)
    parts.announcer.link(sensor("call_button", 4), False)
    assert parts.pass_ms(24 * HOUR_MS) == ["lost_smoke"]


@pytest.mark.req("ZB-15")
def test_night_waits_for_the_morning():
    parts = Parts(NINE_AM + 13 * 3600)  # ten in the evening
    parts.announcer.link(sensor("call_button"), True)
    assert parts.pass_ms(9 * HOUR_MS + 50 * 60_000) == []
    assert parts.pass_ms(11 * 60_000) == ["lost_pendant"]


def test_an_empty_battery_is_said_once_a_day_by_day_until_it_is_changed():
    parts = Parts()
    parts.announcer.battery(sensor("smoke", 3), True)
    parts.announcer.battery(sensor("door", 4), True)
    assert parts.pass_ms(70 * HOUR_MS) == ["battery_replace"] * 3
    parts.announcer.battery(sensor("smoke", 3), False)
    parts.announcer.removed(4)
    assert parts.pass_ms(48 * HOUR_MS) == ["battery_replace"] * 3


def test_without_the_time_of_day_it_is_said_when_somebody_is_up():
    parts = Parts(0)
    parts.announcer.link(sensor("smoke"), True)
    assert parts.pass_ms(30 * HOUR_MS) == []
    parts.announcer.awake()
    assert parts.pass_ms(60_000) == ["lost_smoke"]


def test_a_removed_sensor_is_not_spoken_of():
    parts = Parts(NINE_AM + 13 * 3600)
    parts.announcer.link(sensor("smoke", 7), True)
    parts.announcer.removed(7)
    assert parts.pass_ms(24 * HOUR_MS) == []
