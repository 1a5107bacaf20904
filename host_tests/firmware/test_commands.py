"""Commands and touches: one table; what is of a bad form is refused with a reason and nothing is done."""

import json
import pathlib
import random

import pytest
from doubled_gateway import Gateway

from firmware.commands import COMMAND, TOUCH, Commands
from firmware.sensorlist import SensorList

HOME = [{"name": "kitchen", "kind": "smoke", "place": "부엌", "ieee": "00124b0000000001"}]


@pytest.fixture
def gateway():
    return Gateway(HOME)


def state(gateway):
    return (json.dumps(gateway.registry.entries), json.dumps(gateway.settings.all()), list(gateway.pairing.asked),
            list(gateway.sensors.silenced), len(gateway.emergency.inbox.calls), list(gateway.records))


@pytest.mark.req("ZB-03")
@pytest.mark.parametrize("who", [TOUCH, COMMAND])
def test_both_can_work_on_the_sensors_and_settings(gateway, who):
    run = gateway.commands.run
    assert run("sensors.register", {"seconds": 30}, who) == ""
    assert gateway.pairing.asked[-1] == ("open", 30, False)
    assert run("sensors.register", {}, who) == "" and gateway.pairing.asked[-1] == ("open", 60, False)
    assert run("sensors.register_close", {}, who) == "" and gateway.pairing.asked[-1] == ("close",)
    assert run("sensors.code", {"ieee": HOME[0]["ieee"], "code": "83FED3407A93"}, who) == ""
    assert run("sensors.rename", {"sensor": "kitchen", "to": "주방", "place": "천장"}, who) == ""
    assert gateway.names() == ["주방"]
    assert run("settings.set", {"setting": "status_period_h", "value": 2}, who) == ""
    assert gateway.settings.get("status_period_h") == 2
    assert run("smoke.silence", {}, who) == "" and gateway.sensors.silenced == ["all"]
    assert run("sensors.replace", {"sensor": "주방"}, who) == ""
    assert run("sensors.remove", {"sensor": "주방"}, who) == "" and gateway.names() == []


BAD = [
    ("sensors.register", {"seconds": "60"}), ("sensors.register", {"seconds": True}),
    ("sensors.register", {"seconds": 61}), ("sensors.register", {"seconds": 1.5}),
    ("sensors.code", {"ieee": "x"}), ("sensors.code", {"code": "x"}),
    ("sensors.code", {"ieee": 5, "code": "83FED3407A93"}), ("sensors.rename", {"sensor": "kitchen"}),
    ("sensors.rename", {"sensor": "kitchen", "to": 5}), ("sensors.rename", {"to": "x"}),
    ("sensors.rename", {"sensor": "kitchen", "to": "x" * 81}), ("sensors.rename", {"sensor": "other", "to": "x"}),
    ("sensors.remove", {}), ("sensors.remove", {"sensor": None}), ("sensors.remove", {"sensor": ["kitchen"]}),
    ("sensors.remove", {"sensor": "other"}), ("sensors.replace", {"sensor": "other"}), ("settings.set", {}),
    ("settings.set", {"setting": "status_period_h"}), ("settings.set", {"setting": "status_period_h", "value": 9}),
    ("settings.set", {"setting": "tester", "value": "01012345678"}), ("settings.set", {"setting": [], "value": 1}),
    ("smoke.silence", {"sensor": {}}), ("nothing", {}), (None, {}), (5, {}), ([], {}), ({}, {}),
]


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize(("name", "message"), BAD)
def test_what_is_bad_is_refused_with_a_reason_and_nothing_is_done(gateway, name, message):
    before = state(gateway)
    for who in (TOUCH, COMMAND):
        assert gateway.commands.run(name, message, who) != ""
    assert state(gateway) == before


@pytest.mark.req("EMG-04")
@pytest.mark.parametrize("name", ["cancel", "test.enter", "test.leave", "test.extend", "test.real", "alarm.silence",
                                  "sensors.show", "sensors.hide"])
def test_what_only_people_at_the_gateway_may_do_is_no_command(gateway, name):
    before = state(gateway)
    assert gateway.commands.run(name, {}, COMMAND) == "unknown command"
    assert state(gateway) == before


def test_a_part_that_is_left_out_refuses(gateway):
    from firmware.absent import Absent

    gateway.registration = Absent()
    assert gateway.commands.run("sensors.register", {}, TOUCH) == "not available"
    gateway.registration = None
    assert gateway.commands.run("sensors.register", {}, TOUCH) == "failed"


@pytest.mark.req("SEC-03")
def test_nothing_escapes_from_whatever_is_sent(gateway):
    rng = random.Random(7)
    names = sorted(gateway.commands._table) + ["", "x", None]
    fields = ["sensor", "to", "place", "seconds", "ieee", "code", "setting", "value", "id", "name"]
    values = [None, True, 0, -1, 10**20, 1.5, "", "kitchen", "x" * 100, "\x00", [], {}, [1], "status_period_h", "60"]
    for _ in range(5000):
        message = {field: rng.choice(values) for field in rng.sample(fields, rng.randrange(5))}
        assert isinstance(gateway.commands.run(rng.choice(names), message, rng.choice((TOUCH, COMMAND))), str)
    assert len(gateway.registry.entries) == 32


def test_every_command_is_in_the_documents():
    text = (pathlib.Path(__file__).parents[2] / "docs" / "registration.md").read_text(encoding="utf-8")
    for name in Commands(Gateway())._table:
        assert f"`{name}`" in text, name


# ---------------------------------------------------------------------------------- the list of sensors
def test_the_list_is_sent_when_asked_and_when_it_changed():
    gateway = Gateway([{**HOME[0], "name": "감지기 %d" % n, "ieee": "%016x" % n} for n in range(9)])
    sent = []
    listed = SensorList(gateway, sent.append)
    listed._write = lambda line: sent.append(line) or True
    listed.tick()
    assert sent == [] and listed.due_ms() == 0
    listed.show(True)
    listed.tick()
    rows = [row for line in sent for row in json.loads(line)["sensors"]]
    assert [json.loads(line)["first"] for line in sent] == [0, 4, 8] and len(rows) == 9
    assert rows[0]["name"] == "감지기 0" and rows[0]["heard_min"] == 2 and rows[0]["ready"] is True
    assert max(len(line) for line in sent) < 1600
    for _ in range(20):
        gateway.clock.now += 1000
        listed.tick()
    assert len(sent) == 3, "nothing changed"
    gateway.registry.rename(0, "다른 이름")
    gateway.clock.now += 2000
    listed.tick()
    assert len(sent) == 6
    gateway.registry.rename(0, "또 다른 이름")
    listed.tick()
    assert len(sent) == 6, "at most every 2 s"
    gateway.clock.now += listed.due_ms()
    listed.tick()
    assert len(sent) == 9, "but not much later"
    gateway.clock.now += 600_001
    listed.tick()
    listed.tick()
    assert len(sent) == 9, "nobody looks any more"


def test_a_list_that_does_not_change_keeps_nobody_busy():
    gateway = Gateway(HOME)
    sent = []
    listed = SensorList(gateway, lambda line: sent.append(line) or True)
    listed.show(True)
    rounds, end = 0, gateway.clock.now + 300_000
    while gateway.clock.now < end:
        listed.tick()
        gateway.clock.now += listed.due_ms()
        rounds += 1
    assert rounds <= 31 and 5 <= len(sent) <= 6, "looked at every 10 s, told once a minute"


def test_a_monitor_that_takes_nothing_is_x():
    gateway = Gateway(HOME)
    asked = []
    listed = SensorList(gateway, lambda line: asked.append(line) and False)
    listed.show(True)
    end = gateway.clock.now + 60_000
    while gateway.clock.now < end:
        listed.tick()
        gateway.clock.now += listed.due_ms()
    assert 28 <= len(asked) <= 31
