"""What was once found wrong with the home's list and its network, through the whole firmware."""

import json

import pytest
from scenario.timeline import ARMED, SENSORS, Timeline, play, step

from tools import simulator

T = ARMED + 1000
DOUBT = ("dead", "absent", "registry", "form", "entry", "lost")


@pytest.fixture
def doubt(tmp_path, micropython):
    """run(what, steps, until): a home whose list of sensors cannot be had; what as in port/doubt.py."""

    def run(what, steps, until, **fields):
        simulator.furnish(tmp_path)
        scenario = {"seed": 1, "until": until, "sensors": SENSORS, "steps": steps, **fields}
        return Timeline(micropython(
            ["host_tests/scenario/port/doubt.py", str(tmp_path), what], heap=simulator.HEAP,
            stdin=json.dumps(scenario) + "\n"))

    return run


def stranger(at):
    """A device on the network that is not in the list: one of the home's own, for all that can be known."""
    return step(at, "intrude", kind="door", name="ours")


@pytest.mark.req("ZB-16")
@pytest.mark.parametrize("what", DOUBT)
def test_while_the_list_is_in_doubt_nobody_is_sent_away(doubt, what):
    line = doubt(what, [stranger(T)], T + 60_000)
    assert "ours" in line.first("network")["members"]
    assert line.first("network")["same"]


def test_with_a_whole_list_a_stranger_has_to_leave(doubt):
    """The proof of the proof above."""
    assert "ours" not in doubt("whole", [stranger(T)], T + 60_000).first("network")["members"]


@pytest.mark.req("ZB-16")
@pytest.mark.fault(29)
@pytest.mark.parametrize("what", DOUBT)
def test_while_the_list_is_in_doubt_no_network_is_formed(doubt, what):
    """Two faults at once: the list cannot be had, and the radio chip is another one."""
    line = doubt(what, [], T + 60_000, chip="replace")
    assert not line.first("network")["any"], line.all("log")
    assert any(fault["reason"] == "no_backup" for fault in line.records("gateway.fault") if "reason" in fault)


@pytest.mark.req("ZB-02")
def test_asking_for_codes_concerns_the_window_that_is_open_too():
    steps = [step(T, "monitor", touch="sensors.register", **{"with": {}}),
             step(T + 2000, "monitor", touch="settings.set",
                  **{"with": {"setting": "install_code_required", "value": True}}),
             step(T + 5000, "pair", kind="door", name="without")]
    line = play(steps, T + 70_000)
    assert not line.records("sensor.joined") and line.record("settings.changed")["value"] is True
    assert not line.all("joined", sensor="without")
