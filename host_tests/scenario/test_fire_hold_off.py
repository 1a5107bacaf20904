"""After a connected call for fire, fire does not dial for 15 minutes; then it does at once."""

import pytest
from scenario.timeline import ARMED, play, press, smoke, step

T = ARMED
MINUTE = 60000
HOLD_OFF = 15 * MINUTE


@pytest.mark.req("EMG-08")
def test_fire_that_goes_on_is_dialled_once_in_15_minutes_and_then_at_once():
    line = play([smoke(T), step(T + MINUTE, "hang_up"), smoke(T + 5 * MINUTE), smoke(T + 10 * MINUTE, sensor="bedroom"),
                 step(T + HOLD_OFF + 2 * MINUTE, "hang_up")], T + 20 * MINUTE)
    answered = line.first("call", state="answered")["t"]
    dials = line.times("dial")
    assert len(dials) == 2
    assert answered + HOLD_OFF <= dials[1] <= answered + HOLD_OFF + 2000


@pytest.mark.req("EMG-08")
def test_fire_that_was_over_is_dialled_again_after_15_minutes_only_when_it_comes_back():
    line = play([smoke(T), step(T + MINUTE, "hang_up"), smoke(T + 2 * MINUTE, False), smoke(T + 16 * MINUTE)],
                T + 18 * MINUTE)
    assert len(line.all("dial")) == 2
    assert 0 < line.times("dial")[1] - (T + 16 * MINUTE) <= 15500


@pytest.mark.req("EMG-08")
def test_a_press_is_dialled_within_the_hold_off():
    line = play([smoke(T), step(T + MINUTE, "hang_up"), press(T + 5 * MINUTE)], T + 6 * MINUTE)
    assert line.times("dial")[1] - (T + 5 * MINUTE) <= 15500


@pytest.mark.req("EMG-08")
@pytest.mark.req("EMG-17")
def test_the_hold_off_outlives_a_power_cut():
    line = play([smoke(T), step(T + MINUTE, "hang_up"), smoke(T + 2 * MINUTE, False),
                 step(T + 3 * MINUTE, "power_cut", for_ms=5000), smoke(T + 5 * MINUTE), smoke(T + 6 * MINUTE, False),
                 smoke(T + 16 * MINUTE)], T + 17 * MINUTE)
    dials = line.times("dial")
    assert len(dials) == 2 and dials[1] > T + 16 * MINUTE


@pytest.mark.req("EMG-08")
def test_a_fire_whose_call_was_not_reported_holds_nothing_off():
    line = play([step(1000, "line119", reply="drop", after_ms=2000), smoke(T),
                 step(T + 30000, "line119", reply="answer"),
                 step(T + 2 * MINUTE, "hang_up")], T + 3 * MINUTE)
    assert len(line.all("dial")) >= 2
    assert line.record("emergency.ended")["outcome"] == "answered"
