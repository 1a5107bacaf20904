"""What the sensors' bits mean, against a coordinator that only hands events over. Runs on CPython."""

import pytest

from firmware.emergency.events import CALL, CANCEL, FIRE, FIRE_CLEAR
from firmware.sensing.sensors import Sensors
from zigbee import ias, told
from zigbee.devices import Devices

KNOWN = [
    {"name": "smoke", "kind": "smoke", "place": "kitchen", "ieee": "00124b0000000001"},
    {"name": "pendant", "kind": "call_button", "place": "person", "ieee": "00124b0000000002"},
    {"name": "door", "kind": "door", "place": "hall", "ieee": "00124b0000000003"},
    {"name": "movement", "kind": "activity", "place": "room", "ieee": "00124b0000000004"},
]


class Clock:
    now = 1_000_000

    def ms(self):
        return self.now


class Log:
    def __init__(self):
        self.lines = []

    def error(self, text):
        self.lines.append(text)

    warning = info = error


class Coordinator:
    def __init__(self):
        self.devices = Devices()
        self.confirmed, self.silenced = [], []
        self.on_status = self.on_stranger = self.on_tick = None

    def know(self, ieee, index, zone=True, facts=None):
        return self.devices.know(ieee, index, zone)

    def forget(self, device):
        self.devices.known.remove(device)

    def confirm(self, device):
        self.confirmed.append(device.index)

    def silence(self, device):
        self.silenced.append(device.index)


class Registry:
    def __init__(self, entries):
        self.entries = list(entries)


class Home:
    def __init__(self, known=KNOWN):
        self.clock, self.log, self.coordinator = Clock(), Log(), Coordinator()
        self.records, self.put = [], []
        self.registry = Registry(known)
        self.sensors = Sensors(self.registry, self.coordinator, self.clock, self.log, self.record)
        self.sensors.sink = lambda event, arg: self.put.append((event, arg))
        self.tsn = 0

    def record(self, event, **fields):
        self.records.append((event, fields))

    def hear(self, index, kind, value, tsn=None, after_ms=0):
        self.clock.now += after_ms
        self.tsn = self.tsn + 1 & 0xFF if tsn is None else tsn
        device = next(one for one in self.coordinator.devices.known if one.index == index)
        self.coordinator.on_status(device, kind, value, self.tsn, 200)
        return self

    def taken(self):
        put, self.put = self.put, []
        return put


@pytest.mark.fault(31)
def test_a_repeat_within_ten_seconds_is_none_and_after_them_it_is_one():
    home = Home()
    home.hear(0, told.NOTIFIED, 1, tsn=5).hear(0, told.NOTIFIED, 1, tsn=5, after_ms=9999)
    assert home.taken() == [(FIRE, 0)]
    assert home.sensors.repeats == 1
    home.hear(0, told.NOTIFIED, 1, tsn=5, after_ms=1)
    assert home.taken() == [(FIRE, 0)]


@pytest.mark.parametrize("change", [{"tsn": 6}, {"kind": told.LEVEL}, {"value": 3}, {"index": 1}])
def test_what_differs_in_anything_is_no_repeat(change):
    home = Home()
    home.hear(0, told.NOTIFIED, 1, tsn=5)
    home.hear(change.get("index", 0), change.get("kind", told.NOTIFIED), change.get("value", 1), change.get("tsn", 5))
    assert len(home.taken()) == 2


@pytest.mark.fault(31)
def test_frames_between_do_not_make_a_repeat_new():
    home = Home()
    home.hear(1, told.NOTIFIED, 2, tsn=9).hear(1, told.NOTIFIED, 0, tsn=10).hear(1, told.NOTIFIED, 2, tsn=9)
    assert home.taken() == [(CALL, 1)]
    assert home.sensors.repeats == 1


def test_a_restore_with_the_same_number_makes_the_next_press_new():
    """Such a device does not count its frames."""
    home = Home()
    for _ in range(3):
        home.hear(1, told.NOTIFIED, 2, tsn=0).hear(1, told.NOTIFIED, 2, tsn=0).hear(1, told.NOTIFIED, 0, tsn=0)
    assert home.taken() == [(CALL, 1)] * 3


def test_a_call_after_a_cancel_counts_whatever_its_number():
    home = Home()
    home.hear(1, told.NOTIFIED, 2, tsn=0).hear(1, told.BUTTON, ias.ACE_DISARM, tsn=0, after_ms=2000)
    home.hear(1, told.BUTTON, ias.ACE_DISARM, tsn=0, after_ms=100)  # a repeat all the same
    home.hear(1, told.NOTIFIED, 2, tsn=0, after_ms=1000)
    assert home.taken() == [(CALL, 1), (CANCEL, 2), (CALL, 1)]
    home.hear(1, told.BUTTON, ias.PANIC, tsn=0).hear(1, told.BUTTON, ias.ACE_DISARM, tsn=1)
    home.hear(1, told.BUTTON, ias.PANIC, tsn=0)
    assert home.taken() == [(CALL, 1), (CANCEL, 2), (CALL, 1)]


def test_a_fire_after_its_end_counts_whatever_its_number():
    home = Home()
    for _ in range(3):
        home.hear(0, told.NOTIFIED, 1, tsn=0).hear(0, told.NOTIFIED, 0, tsn=0).hear(0, told.NOTIFIED, 0, tsn=0)
    assert home.taken() == [(FIRE, 0), (FIRE_CLEAR, 0)] * 3


def test_a_failed_handling_is_not_remembered():
    home = Home()
    good = home.sensors.sink

    def full(event, arg):
        raise MemoryError

    home.sensors.sink = full
    with pytest.raises(MemoryError):
        home.hear(0, told.NOTIFIED, 1, tsn=5)
    home.sensors.sink = good
    home.hear(0, told.NOTIFIED, 1, tsn=5)
    assert home.taken() == [(FIRE, 0)]


@pytest.mark.fault(32)
@pytest.mark.parametrize("bits", [1, 2, ias.TEST, 1 | ias.SUPERVISION, 3 | ias.BATTERY_LOW])
@pytest.mark.parametrize("kind", [told.NOTIFIED, told.LEVEL])
def test_every_status_with_an_alarm_is_fire(bits, kind):
    home = Home()
    home.hear(0, kind, bits).hear(0, kind, bits, after_ms=300_000)
    assert home.taken() == [(FIRE, 0)] * 2
    home.hear(0, kind, bits & ~(3 | ias.TEST)).hear(0, kind, 0)
    assert home.taken() == [(FIRE_CLEAR, 0)]


def test_a_pendant_held_down_is_few_calls():
    """It cannot be told from one that never restores and is pressed again: one call in 5 s, all of one emergency."""
    home = Home()
    home.hear(1, told.NOTIFIED, 2)
    for _ in range(50):
        home.hear(1, told.NOTIFIED, 2, after_ms=1000).hear(1, told.LEVEL, 2)
    assert home.taken() == [(CALL, 1)] * 11
    assert home.coordinator.confirmed == [1] * 11


@pytest.mark.parametrize("every_ms,calls", [(4000, 5), (5000, 9), (11_000, 9), (30_000, 9), (120_000, 9)])
def test_presses_of_a_pendant_that_never_restores_count(every_ms, calls):
    home = Home()
    home.hear(1, told.NOTIFIED, 2)
    for _ in range(8):
        for at_ms in range(0, every_ms, 1000):
            home.coordinator.on_tick(home.clock.now + at_ms)
        home.hear(1, told.NOTIFIED, 2, after_ms=every_ms)
    assert home.taken() == [(CALL, 1)] * calls
    assert home.records == []


@pytest.mark.parametrize("again,calls", [(("restore", 100), 2), (("quiet", 4999), 1), (("quiet", 5000), 2)])
def test_a_new_press(again, calls):
    home = Home()
    home.hear(1, told.NOTIFIED, 2)
    if again[0] == "restore":
        home.hear(1, told.NOTIFIED, 0)
    home.hear(1, told.NOTIFIED, 2, after_ms=again[1])
    assert home.taken() == [(CALL, 1)] * calls


@pytest.mark.fault(39)
@pytest.mark.parametrize("tsn", [None, 7])
def test_stuck_is_a_fault_after_a_minute_and_ends_with_the_restore(tsn):
    home = Home()
    home.hear(1, told.NOTIFIED, 2, tsn)
    for _ in range(59):
        home.hear(1, told.NOTIFIED, 2, tsn, after_ms=1000)
        home.coordinator.on_tick(home.clock.now)
    assert home.records == []
    home.hear(1, told.NOTIFIED, 2, tsn, after_ms=1000)
    home.coordinator.on_tick(home.clock.now)
    home.coordinator.on_tick(home.clock.now)
    assert [fields["on"] for _, fields in home.records] == [True]
    home.taken()
    for _ in range(180):
        home.hear(1, told.NOTIFIED, 2, tsn, after_ms=1000)
    assert home.taken() == [(CALL, 1)] * 3  # once a minute
    home.hear(1, told.NOTIFIED, 0)
    assert [fields["on"] for _, fields in home.records] == [True, False]
    home.hear(1, told.NOTIFIED, 2)
    assert home.taken() == [(CALL, 1)]


@pytest.mark.fault(39)
def test_silence_is_never_stuck_and_a_press_after_a_pause_ends_stuck():
    home = Home()
    home.hear(1, told.NOTIFIED, 2)
    for _ in range(30):
        home.clock.now += 10_000
        home.coordinator.on_tick(home.clock.now)
    assert home.records == []
    for _ in range(70):
        home.hear(1, told.NOTIFIED, 2, after_ms=1000)
        home.coordinator.on_tick(home.clock.now)
    home.hear(1, told.BUTTON, ias.ACE_DISARM).taken()
    home.hear(1, told.NOTIFIED, 2, after_ms=1000)
    assert home.taken() == []  # a cancel does not let a stuck button call at once
    home.hear(1, told.NOTIFIED, 2, after_ms=10_001)
    assert home.taken() == [(CALL, 1)]
    assert [fields["on"] for _, fields in home.records] == [True, False]


def test_frequent_presses_with_restores_are_not_stuck():
    home = Home()
    for _ in range(100):
        home.hear(1, told.NOTIFIED, 2, after_ms=900)
        home.coordinator.on_tick(home.clock.now)
        home.hear(1, told.NOTIFIED, 0, after_ms=100)
    assert home.taken() == [(CALL, 1)] * 100
    assert home.records == []


def test_a_pendants_level_at_the_start_is_no_press():
    home = Home()
    home.clock.now = 0
    home.hear(1, told.LEVEL, 2).hear(1, told.LEVEL, 2)
    assert (home.taken(), home.coordinator.confirmed) == ([], [])
    home.hear(1, told.NOTIFIED, 2)
    assert home.taken() == [(CALL, 1)]


@pytest.mark.fault(32)
def test_a_pendants_level_that_was_off_before_is_a_press():
    home = Home()
    home.hear(1, told.LEVEL, 0).hear(1, told.LEVEL, 2).hear(1, told.LEVEL, 2)
    assert home.taken() == [(CALL, 1)]


@pytest.mark.req("ZB-08")
def test_alarm_2_of_a_pendant_is_never_a_cancel():
    for bits in (1, 2, 3):
        assert Home().hear(1, told.NOTIFIED, bits).taken() == [(CALL, 1)]


@pytest.mark.req("ZB-08")
def test_buttons():
    home = Home()
    for command in (ias.EMERGENCY, ias.PANIC, ias.FIRE, ias.ACE_DISARM):
        home.hear(1, told.BUTTON, command)
    assert home.taken() == [(CALL, 1), (CALL, 1), (FIRE, 1), (FIRE_CLEAR, 1), (CALL, 1), (CANCEL, 2)]
    assert home.coordinator.confirmed == [1] * 4
    home.hear(2, told.BUTTON, ias.ACE_DISARM).hear(0, told.BUTTON, ias.PANIC)
    assert home.taken() == []


def test_doors_are_told_when_they_move():
    home = Home()
    home.hear(2, told.LEVEL, 1)  # what is the case at the start is nothing new
    home.hear(2, told.NOTIFIED, 0).hear(2, told.LEVEL, 0).hear(2, told.LEVEL, 1).hear(2, told.NOTIFIED, 1)
    assert [event for event, _ in home.records] == ["door.closed", "door.opened"]
    assert home.records[0][1] == {"sensor": "door", "ieee": "00124b0000000003", "place": "hall"}
    assert home.taken() == []


def test_presence_and_battery_are_remembered():
    home = Home()
    home.hear(3, told.PRESENCE, 1).hear(0, told.PERCENT, 150)
    assert home.sensors.all[3].present is True
    assert home.sensors.all[0].battery.percent == 75
    home.hear(3, told.NOTIFIED, 3)
    assert home.taken() == []


@pytest.mark.fault(35)
def test_strangers_are_counted_and_shown_now_and_then():
    home = Home()
    for number in range(100):
        device = home.coordinator.devices.learn(number % 20 + 1, (number % 20).to_bytes(8, "little"))
        home.coordinator.on_stranger(device, told.NOTIFIED, 1)
    assert home.sensors.strangers.count == 100
    assert home.taken() == []
    assert {event for event, _ in home.records} == {"sensor.refused"}
    assert len(home.sensors.strangers.seen) <= 8


def test_a_broken_entry_costs_its_sensor_only():
    home = Home([{"name": "a", "kind": "oven", "ieee": "1"}, {"name": "b", "kind": "smoke", "ieee": "xyz"}, KNOWN[0]])
    assert len(home.log.lines) == 2
    home.hear(2, told.NOTIFIED, 1)
    assert home.taken() == [(FIRE, 2)]


def test_a_record_that_fails_holds_nothing_up():
    home = Home()
    home.sensors._record = None
    home.hear(0, told.NOTIFIED, 1 | ias.TAMPER | ias.TROUBLE)
    assert home.taken() == [(FIRE, 0)]
    assert len(home.log.lines) == 2


@pytest.mark.req("EMG-15")
def test_silence():
    home = Home()
    assert home.sensors.silence_all() == 0
    home.hear(0, told.NOTIFIED, 1)
    assert home.sensors.silence_all() == 1
    assert home.sensors.silence("smoke")
    assert not home.sensors.silence("pendant")
    assert not home.sensors.silence("nobody")
    assert home.coordinator.silenced == [0, 0]
