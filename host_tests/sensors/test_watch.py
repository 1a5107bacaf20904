"""Supervision put together: real Sensors, Watch and Reports, a coordinator that only hands events over."""

import types

import pytest
from sensors.test_sensors import KNOWN, Home

from firmware.emergency.events import CALL, FIRE, FIRE_CLEAR
from firmware.sensing.reports import Reports
from firmware.sensing.watch import Watch
from zigbee import ias, told

HOUR, DAY = 3_600_000, 86_400_000
WALL_S = 1_800_000_000


class Store:
    def __init__(self):
        self.blocks = {}
        self.saves = []

    def load(self, name):
        return self.blocks.get(name)

    def save(self, name, data):
        self.blocks[name] = data
        self.saves.append(len(data))
        return True


class Supervised(Home):
    """Home with everything that watches it; time goes by in ticks."""

    def __init__(self, known=KNOWN, store=None):
        super().__init__(known)
        self.clock.now = 0
        self.clock.wall_s = lambda: WALL_S + self.clock.now // 1000
        self.clock.wall_ms = lambda at: WALL_S * 1000 + at
        self.log.failed = lambda *what: self.log.lines.append(what)
        self.periodics = []
        self.spoken = []
        self.store = store or Store()
        self.recorder = types.SimpleNamespace(
            event=self.record, periodic=lambda kind, **fields: self.periodics.append((kind, fields)))
        self.settings = types.SimpleNamespace(get={"status_period_h": 4}.get)
        self.questions = []
        self.coordinator.ready = True
        self.coordinator.supervisor = types.SimpleNamespace(starts=1)
        self.coordinator.link = types.SimpleNamespace(heard_ms=0)
        self.coordinator.send_zcl = self.ask
        announcer = types.SimpleNamespace(
            link=lambda sensor, lost: self.spoken.append(("link", sensor.name, lost)),
            battery=lambda sensor, empty: self.spoken.append(("battery", sensor.name, empty)),
            awake=lambda: None, removed=lambda index: self.spoken.append(("removed", index)))
        self.machine = types.SimpleNamespace(hold_off_ms=0, open=lambda: False)
        self.watch = Watch(self, Reports(self), announcer)
        self.sensors.watch = self.watch

    def ask(self, device, cluster, frame):
        self.questions.append((device.index, cluster))
        return True

    def pass_ms(self, ms, hear=()):
        """Ticks for so long; the sensors in `hear` report every minute."""
        end = self.clock.now + ms
        while self.clock.now < end:
            self.clock.now += 10_000
            for index in hear if self.clock.now % 60_000 == 0 else ():
                self.hear(index, told.ALIVE, 0)
            self.coordinator.on_tick(self.clock.now)
        return self

    def of(self, event):
        return [fields for name, fields in self.records if name == event]


EVERYBODY = (0, 1, 2, 3)


@pytest.mark.fault(38)
@pytest.mark.req("ZB-18")
def test_a_month_before_a_battery_is_empty_it_is_told_once():
    home = Supervised()
    for day in range(300):
        home.clock.now = day * DAY
        home.hear(0, told.VOLTS, 3000 - day)
        home.coordinator.on_tick(home.clock.now)
    warnings = [one for one in home.of("sensor.battery") if one["state"] != "replace"]
    assert len(warnings) == 1 and 25 <= warnings[0]["days"] <= 30 and warnings[0]["sensor"] == "smoke"


def test_the_state_is_written_at_most_once_an_hour():
    home = Supervised().pass_ms(25 * HOUR, EVERYBODY)
    assert 24 <= len(home.store.saves) <= 26
    again = Supervised(store=home.store).pass_ms(59 * 60_000, EVERYBODY)
    assert len(again.store.saves) <= 27


@pytest.mark.req("ZB-15")
def test_a_start_after_a_kept_state_tells_how_long_it_was_blind():
    home = Supervised().pass_ms(HOUR, EVERYBODY)
    again = Supervised(store=home.store)
    again.clock.now = 0
    again.pass_ms(20_000)
    assert [(one["fault"], one["why"]) for one in again.of("gateway.recovered")] == [("blind", "start")]
    first = Supervised().pass_ms(60_000)
    assert first.of("gateway.recovered") == []


@pytest.mark.fault(111)
def test_a_chip_out_of_service_makes_nobody_lost_and_the_time_is_told():
    home = Supervised().pass_ms(HOUR, EVERYBODY)
    home.coordinator.link.heard_ms = home.clock.now
    home.coordinator.ready = False
    home.pass_ms(8 * HOUR)
    assert home.watch.trouble() == ""  # that the chip is out of service is said by whoever brings it up
    home.coordinator.ready = True
    home.pass_ms(60_000, EVERYBODY)
    over, = home.of("gateway.recovered")
    assert (over["fault"], over["why"]) == ("blind", "radio") and over["to"] - over["from"] == 8 * HOUR + 10_000
    assert home.of("sensor.link") == [] and home.watch.trouble() == ""


@pytest.mark.fault(41)
def test_an_old_alarm_calls_and_the_sensor_is_asked_but_is_no_sign_of_life():
    home = Supervised()
    device = next(one for one in home.coordinator.devices.known if one.index == 0)
    device.stale = True
    home.hear(0, told.NOTIFIED, 1 | ias.TAMPER | ias.BATTERY_LOW)
    assert home.taken() == [(FIRE, 0)] and home.records == []
    assert home.questions == [(0, ias.ZONE)] and home.sensors.all[0].link.heard_ms is None


@pytest.mark.fault(40)
def test_floods_and_doubled_addresses_are_told():
    home = Supervised()
    device = next(one for one in home.coordinator.devices.known if one.index == 2)
    home.coordinator.on_flood(device, True)
    home.coordinator.on_flood(None, True)
    home.coordinator.on_flood(None, False)
    home.coordinator.on_duplicate(device)
    assert [(event, fields["fault"]) for event, fields in home.records] == [
        ("sensor.fault", "flood"), ("gateway.fault", "flood"), ("gateway.recovered", "flood"),
        ("sensor.fault", "duplicate")]


# --------------------------------------------------------------------- sensors come and go
@pytest.mark.req("ZB-03")
def test_sensors_are_added_and_removed_while_it_runs():
    home = Supervised([*KNOWN[:2], None, KNOWN[3]])
    assert home.sensors.all[2] is None
    home.pass_ms(60_000)
    home.registry.entries[2] = {"name": "new", "kind": "smoke", "place": "", "ieee": "00124b0000000009", "facts": {}}
    home.sensors.add(2)
    home.hear(2, told.NOTIFIED, 1)
    assert home.taken() == [(FIRE, 2)]
    home.registry.entries[2]["name"] = "renamed"
    assert home.sensors.find("renamed").index == 2 and home.sensors.summary(2)["name"] == "renamed"
    home.sensors.remove(2)
    assert home.taken() == [(FIRE_CLEAR, 2)] and home.sensors.all[2] is None
    assert ("removed", 2) in home.spoken and home.sensors.summary(2) == {} and home.sensors.summary(99) == {}
    home.pass_ms(60_000)


def test_the_registry_may_grow():
    home = Supervised(KNOWN[:1])
    home.registry.entries += [None, {**KNOWN[1], "facts": {"servers": [0x0500], "rhythm_s": 3600}}]
    home.sensors.add(2)
    home.hear(2, told.NOTIFIED, 2)
    assert home.taken() == [(CALL, 2)] and home.sensors.all[2].rhythm_s == 3600


def test_a_supervision_that_fails_keeps_no_alarm_back():
    home = Supervised()
    home.watch.heard = None
    home.watch.tick = None
    home.hear(0, told.NOTIFIED, 1).hear(0, told.NOTIFIED, 0).hear(1, told.NOTIFIED, 2)
    home.coordinator.on_tick(1)
    assert home.taken() == [(FIRE, 0), (FIRE_CLEAR, 0), (CALL, 1)]


# --------------------------------------------------------------------- values
@pytest.mark.req("ZB-06")
@pytest.mark.req("ZB-12")
def test_every_sort_of_value_is_kept_and_reported():
    home = Supervised()
    home.hear(0, told.VOLTS, 2900).hear(0, told.RADIO_VOLTS, 3000).hear(0, told.PERCENT, 194)
    home.hear(0, told.TEMPERATURE, -512).hear(0, told.NOTIFIED, 1 | ias.TAMPER).pass_ms(30_000)
    home.watch._reports.status(home.sensors.all[0])
    kind, fields = home.periodics[-1]
    assert kind == "status"
    wanted = {"sensor": "smoke", "type": "smoke", "value": True, "temperature": -5.12, "mv": 2900, "radio_mv": 3000,
              "percent": 97, "state": "good", "tamper": True, "now": "good", "before": "good", "dbm": -27}
    assert {name: fields[name] for name in wanted} == wanted
    seen = home.sensors.summary(0)
    assert seen["link"] == "good" and seen["heard_s"] == 30 and seen["percent"] == 97 and seen["tamper"]


@pytest.mark.req("ZB-07")
def test_the_state_beside_a_mask():
    home = Supervised()
    device = next(one for one in home.coordinator.devices.known if one.index == 3)
    for minute, state in enumerate((0, 1, 1 | 4 | 16, 0)):
        home.clock.now += 60_000
        home.coordinator.on_activity(device, minute, 5, 5 if minute else 0, state, 100)
    told_of = [(fields.get("fault", event), fields["on"]) for event, fields in home.records]
    assert told_of == [("sensor.tamper", True), ("trouble", True), ("covered", True),
                       ("sensor.tamper", False), ("trouble", False), ("covered", False)]
    assert home.sensors.all[3].link.heard_ms == home.clock.now


def test_who_tells_nothing_of_its_battery_is_asked_twice_at_most():
    home = Supervised().pass_ms(4 * HOUR, EVERYBODY)
    asked = [index for index, cluster in home.questions if cluster == ias.POWER]
    assert sorted(asked) == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.req("ZB-10")
def test_a_class_about_to_change_is_asked_for_and_no_answer_is_no_endless_asking():
    home = Supervised()
    home.hear(1, told.VOLTS, 3000).pass_ms(60_000, EVERYBODY)
    home.questions.clear()
    home.hear(1, told.VOLTS, 2500).pass_ms(2 * HOUR, EVERYBODY)
    asked = [index for index, cluster in home.questions if cluster == ias.POWER and index == 1]
    assert len(asked) == 6 and home.of("sensor.battery") == []
    for _ in range(2):
        home.hear(1, told.VOLTS, 2500).pass_ms(10_000)
    assert [one["state"] for one in home.of("sensor.battery")] == ["replace"]
    assert ("battery", "pendant", True) in home.spoken
