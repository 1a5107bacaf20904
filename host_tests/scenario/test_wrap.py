"""ticks_ms wraps every 2^30 ms on the board: 12.4 days after boot, in the middle of anything."""

import json

import pytest
from scenario.timeline import ARMED, SENSORS, Timeline, press, step

from tools import simulator

WRAP = 1 << 30
T = ARMED


@pytest.mark.fault(81)
@pytest.mark.req("EMG-19")
@pytest.mark.parametrize("into", [-30000, 100, 7000, 14490, 14510, 16000, 20000])
def test_a_wrap_at_any_moment_of_an_emergency_changes_nothing(micropython, tmp_path, into):
    simulator.furnish(tmp_path)
    scenario = {"seed": 1, "until": T + 80000, "sensors": SENSORS, "steps": [press(T), step(T + 60000, "hang_up")]}
    ticks = WRAP - (T - 2500 + into)  # the controller boots at 2,500 ms
    out = micropython(["host_tests/scenario/port/wrap.py", str(tmp_path), str(ticks)],
                      stdin=json.dumps(scenario) + "\n")
    line = Timeline(out)
    assert [d["number"] for d in line.all("dial")] == ["119"]
    assert 14000 <= line.first("dial")["t"] - T <= 15500
    assert len(line.all("prompt", to="line")) == 2
    assert line.record("emergency.ended")["outcome"] == "answered"
