"""What the firmware really recorded, in the simulated home, is what the schemas say."""

import io

import pytest
from conftest import ROOT
from scenario.timeline import SENSORS, Timeline, pendant, play, press, smoke, step

from tools import scenario, schema

M, H = 60_000, 3_600_000
WIDE = [*SENSORS, *({"name": f"living{n}", "kind": "activity", "place": "거실"} for n in range(3))]
EXAMPLES = sorted((ROOT / "scenarios").glob("*.json"))


def judged(line: Timeline) -> dict:
    """Every record of the run is good; event or kind, with its form -> how many."""
    found = {}
    for each in [*line.all("relay"), *line.all("repeat")]:
        record = each["record"]
        assert schema.check("record", record) == [], record
        name = record.get("event", record["kind"])
        for form in (name, f"{name}:{record.get('fault', record.get('outcome'))}"):
            found[form] = found.get(form, 0) + 1
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples(path):
    out = io.StringIO()
    scenario.run(scenario.load(str(path)), out)
    found = judged(Timeline(out.getvalue()))
    assert found["gateway.booted"] and len(found) > 4


def test_emergencies_and_who_takes_them_back():
    found = judged(play([
        step(1000, "line119", reply="busy", after_ms=2000), smoke(20_000), pendant(22_000),
        step(60_000, "line119", reply="answer", after_ms=3000), step(110_000, "hang_up"), smoke(115_000, False),
        pendant(200_000), step(205_000, "relay", command={"id": "c1", "name": "alarm.cancel", "sensor": "pendant"}),
        smoke(1_200_000, sensor="bedroom"), pendant(1_201_000),
        step(1_203_000, "relay", command={"id": "c2", "name": "alarm.cancel", "sensor": "bedroom"}),
        pendant(1_205_000, "cancel"), press(1_230_000), press(1_236_000, "cancel"),
    ], 1_260_000))
    assert found["emergency.triggered"] >= 5 and found["call.ended:busy"] and found["emergency.ended:answered"]
    assert found["emergency.withdrawn"] and found["emergency.cancelled"] >= 2 and found["command.done"] >= 2


def test_test_mode_and_commands():
    found = judged(play([
        step(20_000, "monitor", touch="test.enter"), press(30_000), step(34_000, "monitor", touch="test.extend"),
        press(60_000, "119", 6000),
        step(100_000, "line119", reply="answer", after_ms=1000), step(160_000, "hang_up"),
        step(170_000, "relay", command={"id": "a", "name": "settings.set", "setting": "status_period_h", "value": 1}),
        step(171_000, "relay", command={"id": "b", "name": "settings.set", "setting": "gateway", "value": "x"}),
        step(172_000, "relay", command={"id": "c", "name": "smoke.silence"}),
        step(173_000, "relay", command={"id": "d", "name": "no.such"}),
    ], 200_000, settings={"tester": "01012345678"}))
    assert found["test.entered"] and found["test.extended"] and found["test.left"] and found["settings.changed"]
    assert found["emergency.ended:superseded"] and found["command.done"] >= 2 and found["command.refused"] >= 2


def test_sensors_that_come_fail_and_go():
    found = judged(play([
        step(20_000, "monitor", attached=True), step(21_000, "monitor", touch="sensors.register"),
        step(25_000, "pair", kind="door", name="back", place="뒷문"),
        step(30_000, "door", sensor="door", open=True), step(31_000, "door", sensor="door", open=False),
        step(40_000, "sensor", sensor="kitchen", tamper=True), step(50_000, "sensor", sensor="pendant", battery=85),
        step(90_000, "pair", kind="smoke", name="late", place=""),
        step(91_000, "intrude", kind="smoke", name="stranger", place="옆집"),
        step(5 * M, "move", place="거실", for_ms=70_000), step(10 * M, "sensor", sensor="living0", radio=False),
        step(30 * M, "sensor", sensor="living0", radio=True), step(45 * M, "leave", sensor="bedroom"),
        step(50 * M, "ncp", fault="hang"), step(60 * M, "power_cut", for_ms=10 * M),
    ], 90 * M, sensors=WIDE))
    assert found["door.opened"] == found["door.closed"] == 1 and found["sensor.joined"] and found["sensor.left"]
    assert found["sensor.tamper"] and found["sensor.battery"] and found["sensor.link"] >= 3
    assert found["sensor.refused"] and found["sensor.fault:battery_suspect"]
    assert found["gateway.recovered:blind"] >= 2 and found["status"] >= 14 and found["activity"] > 20


def test_a_radio_that_hears_nobody():
    found = judged(play([
        step(10 * M, "radio", jam=True, noise={"20": 200}), step(40 * M, "radio", jam=False, noise={}),
    ], H, sensors=WIDE))
    assert found.get("gateway.fault:radio_silence", 0) + found.get("gateway.fault:interference", 0) == 1
    assert found.get("gateway.recovered:radio_silence", 0) + found.get("gateway.recovered:interference", 0) == 1


@pytest.mark.req("TEL-07")
@pytest.mark.fault(80)
@pytest.mark.parametrize(("network", "quality"), [(False, "late"), (True, "network")])
def test_a_gateway_that_learns_the_time_late(network, quality):
    """What it recorded before is dated afterwards, each kind of it; sooner, and less surely, by the mobile network."""
    line = play([step(0, "relay", up=False), step(100, "clock", lost=True), step(1000, "power_cut", for_ms=5000),
                 step(2000, "modem", time=network), press(60_000), press(66_000, "cancel"),
                 step(15 * M, "relay", up=True)], 35 * M, sensors=WIDE)
    found = judged(line)
    assert found["emergency.cancelled"] == 1 and found["activity"] >= 6 and found["status"] == 7
    records = [each["record"] for each in line.all("relay")]
    late = [record for record in records if record["clock"] == quality]
    assert {record["kind"] for record in late} == {"event", "status", "activity"}
    assert all(record["from"] is not None for record in late if record["kind"] == "activity")
    assert [record for record in records if record["clock"] == "unset"] == []
