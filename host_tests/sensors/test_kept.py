"""What is known of the sensors over a restart, and what a damaged block does: nothing."""

import random

import pytest

from firmware.sensing import kept
from firmware.sensing.links import GOOD, LOST, WEAK
from firmware.sensing.sensor import Sensor
from zigbee import told

HOUR = 3_600_000
WALL = 1_800_000_000


def sensors(count=32, now_ms=0):
    entries = [{"name": f"s{n}", "kind": ("smoke", "activity")[n % 2], "place": "", "ieee": f"{n:016x}"}
               for n in range(count)]
    return [None if n == 3 else Sensor(n, entry, now_ms) for n, entry in enumerate(entries)]


def lived():
    """A home after 20 h: a lost sensor, a weak one, batteries with history."""
    home = sensors()
    for sensor in home:
        if sensor is None:
            continue
        sensor.link.heard(2 * HOUR if sensor.index == 0 else 19 * HOUR, 100)
        sensor.link.answers = True
        sensor.battery.heard(told.VOLTS, 2900 - sensor.index)
        sensor.battery.heard(told.PERCENT, 190)
        sensor.battery.report()
        for day in range(0, 200, 7):
            sensor.battery.mv -= 1
            sensor.battery.note(20_000 + day)
        sensor.link.judge(20 * HOUR)
    return home


@pytest.mark.req("ZB-12")
@pytest.mark.req("ZB-18")
def test_everything_comes_back_but_the_time_it_was_off():
    before = lived()
    assert before[0].link.state == LOST
    data = bytes(kept.pack(before, 20 * HOUR, WALL))
    assert len(data) <= 8000  # the store's block
    after = sensors(now_ms=5000)
    assert kept.unpack(data, after, 5000, WALL + 7200) == WALL
    for old, new in zip(before, after, strict=True):
        if old is None:
            continue
        assert new.link.state == old.link.state and new.link.answers
        assert new.link.silence_ms(5000) // 1000 == old.link.silence_ms(20 * HOUR) // 1000
        assert abs(new.link.heard_ms - 5000 + (20 * HOUR - old.link.heard_ms) + 7_200_000) <= 1000
        for name in ("state", "mv", "radio_mv", "half_percent", "highest_mv", "radio_highest_mv", "count"):
            assert getattr(new.battery, name) == getattr(old.battery, name), name
        assert new.battery.days == old.battery.days and new.battery.mvs == old.battery.mvs
    assert not after[0].link.judge(5000) and after[0].link.state == LOST


def test_without_the_time_the_states_come_back_all_the_same():
    data = bytes(kept.pack(lived(), 20 * HOUR, 0))
    after = sensors()
    assert kept.unpack(data, after, 0, 0) == 0
    assert after[0].link.state == LOST and after[0].link.heard_ms is None
    assert after[1].link.state in (GOOD, WEAK, LOST) and after[1].battery.mv


def test_a_sensor_that_is_no_longer_there_is_passed_over_and_a_new_one_begins_afresh():
    data = bytes(kept.pack(lived(), 20 * HOUR, WALL))
    after = sensors()
    after[0] = Sensor(0, {"name": "new", "kind": "smoke", "ieee": "ffff000000000000"}, 0)
    kept.unpack(data, after, 0, WALL)
    assert after[0].link.state == GOOD and after[0].battery.mv == 0


def test_damage_is_survived():
    good = bytes(kept.pack(lived(), 20 * HOUR, WALL))
    dice = random.Random(18)
    for cut in (0, 1, 4, 5, 6, 62, 63, len(good) - 1):
        assert kept.unpack(good[:cut], sensors(), 0, WALL) in (-1, WALL)
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(dice.randrange(1, 40)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        after = sensors()
        kept.unpack(bytes(bad), after, 0, WALL)
        for sensor in after:
            if sensor is not None:
                assert sensor.link.state <= LOST and sensor.battery.count <= 8
                sensor.link.judge(0)
                sensor.battery.days_left(20_500)
                sensor.battery.heard(told.VOLTS, 2500)
                sensor.battery.report()
                sensor.battery.note(20_500)


def test_the_same_on_micropython(micropython):
    code = """
from firmware.sensing import kept
from firmware.sensing.masks import Mask
from firmware.sensing.sensor import Sensor
home = [Sensor(0, {'name': 'a', 'kind': 'smoke', 'ieee': '00124b0000000001'}, 0), None]
home[0].link.heard(5000, 100)
home[0].battery.heard(6, 2600)
[home[0].battery.report() or home[0].battery.heard(6, 2600) for _ in range(3)]
data = bytes(kept.pack(home, 60000, 1800000000))
again = [None, Sensor(1, {'name': 'b', 'kind': 'smoke', 'ieee': '00124b0000000001'}, 0)]
print(kept.unpack(data, again, 1000, 1800003600), again[1].battery.state, again[1].link.heard_ms)
mask = Mask(0)
for n in range(12):
    mask.report((n + 1) * 60000, n, 0x3FFFFFFF - n, 0x3FFFFFFF - n + 1 if n else 0, True)
print(mask.take(720000))
"""
    lines = micropython(["-c", code]).splitlines()
    assert lines[0] == f"{WALL} 2 {1000 - 3_655_000}"
    value = sum((0x3FFFFFFF - n) << 30 * n for n in range(5))
    assert lines[1] == repr((0, f"{value:038x}", 31))
