"""The scenarios of scenarios/ do what docs/simulator.md says of them."""

import pytest
from conftest import ROOT
from scenario.timeline import FIRE, MANUAL, REPORT_CALL, REPORT_FIRE, Timeline

from tools import scenario

FOLDER = ROOT / "scenarios"


def run(name: str, tmp_path) -> Timeline:
    out = tmp_path / "timeline.jsonl"
    with out.open("w", encoding="utf-8") as file:
        scenario.run(scenario.load(str(FOLDER / f"{name}.json")), file)
    line = Timeline(out.read_text(encoding="utf-8"))
    assert line.first("armed") and not line.faults()
    return line


def spoken(line: Timeline, to: str, text: str) -> list:
    return [each["play"] for each in line.all("prompt", to=to, text=text)]


def press(line):
    assert spoken(line, "room", MANUAL) == [1, 2] and spoken(line, "line", REPORT_CALL) == [1, 2]
    assert [each["number"] for each in line.all("dial")] == ["119"]
    assert 34_000 < line.times("dial")[0] <= 35_500
    assert line.record("emergency.ended")["outcome"] == "answered"


def smoke(line):
    assert spoken(line, "room", FIRE) == [1, 2] and spoken(line, "line", REPORT_FIRE) == [1, 2]
    assert len(line.all("dial")) == 1 and line.record("emergency.triggered")["place"] == "부엌"


def cancel(line):
    assert not line.all("dial") and line.record("emergency.cancelled")["by"] == "목걸이"
    assert len(line.all("confirm")) == 2


def busy(line):
    assert len(line.all("call", cause="busy")) >= 4 and len(line.all("call", state="answered")) == 1
    assert line.record("emergency.answered")["attempt"] == len(line.all("dial"))


def power_cut(line):
    assert len(line.all("boot")) == 2 and spoken(line, "room", FIRE) == [1, 2, 1, 2]
    assert [each["number"] for each in line.all("dial")] == ["119"] and line.record("emergency.ended")


def a_test_mode(line):
    assert [each["number"] for each in line.all("dial")] == ["01012345678", "119"]
    assert line.record("test.left")["why"] == "real"
    assert [record["test"] for record in line.records("emergency.answered")] == [True, False]


def bought(line):
    kinds = [record["sensor_kind"] for record in line.records("sensor.joined")]
    assert kinds == ["call_button", "smoke", "door"]
    assert len(line.records("door.opened")) == len(line.records("door.closed")) == 1
    assert [each["number"] for each in line.all("dial")] == ["119"]
    assert line.record("emergency.ended")["outcome"] == "answered"


CHECKS = {"bought": bought, "press": press, "smoke": smoke, "cancel": cancel, "busy": busy, "power_cut": power_cut,
          "test_mode": a_test_mode}


def test_every_example_is_judged():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_example(name, tmp_path):
    CHECKS[name](run(name, tmp_path))
