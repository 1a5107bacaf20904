"""Cancelling: until the answer, by the gateway's button or the pendant's; never after it."""

import pytest
from scenario.timeline import ARMED, TRIGGERS, pendant, play, press, smoke, step

T = ARMED


@pytest.mark.req("EMG-05")
@pytest.mark.fault(113)
@pytest.mark.parametrize("after", [300, 5000, 14300])
@pytest.mark.parametrize("cause", TRIGGERS)
def test_cancel_in_the_window_dials_nothing_and_says_who(cause, after):
    line = play([TRIGGERS[cause](T), press(T + after, "cancel")], T + 60000)
    assert not line.all("dial")
    record = line.record("emergency.cancelled")
    assert record["by"] == "gateway" and record["causes"] == [cause]
    assert abs(record["after_ms"] - after) <= 100
    assert [r["t"] for r in line.all("relay") if r["record"] == record][0] - (T + after) <= 500
    assert line.all("beacon")[-1] | {"t": 0} == {"t": 0, "what": "beacon", "light": False, "sound": False}
    assert line.all("prompt")[-1]["text"] == "취소되었습니다. 119에 전화하지 않습니다"


@pytest.mark.req("EMG-05")
def test_the_pendants_cancel_counts_and_is_named():
    line = play([pendant(T), pendant(T + 6000, "cancel")], T + 40000)
    assert not line.all("dial")
    assert line.record("emergency.cancelled")["by"] == "pendant"


@pytest.mark.req("EMG-05")
def test_a_prompt_is_cut_at_once_by_a_cancel():
    line = play([press(T), press(T + 3000, "cancel")], T + 20000)
    cut = [p for p in line.all("prompt_end") if p.get("cut")]
    assert len(cut) == 1 and cut[0]["t"] - (T + 3000) <= 200


@pytest.mark.req("EMG-05")
@pytest.mark.parametrize("after", [14600, 15200, 16500])
def test_cancel_while_dialling_stops_it(after):
    line = play([press(T), step(1000, "line119", reply="answer", after_ms=8000), press(T + after, "cancel")], T + 90000)
    assert len(line.all("dial")) <= 1
    assert not line.all("call", state="answered")
    assert line.record("emergency.cancelled")


@pytest.mark.req("EMG-05")
def test_cancel_between_two_attempts_stops_dialling():
    line = play([press(T), step(1000, "line119", reply="busy"), press(T + 30000, "cancel")], T + 120000)
    assert line.all("dial") and line.times("dial")[-1] < T + 30100
    assert line.record("emergency.cancelled")


@pytest.mark.req("EMG-05")
def test_cancel_after_the_answer_hangs_nothing_up():
    line = play([press(T), press(T + 22000, "cancel"), pendant(T + 24000, "cancel"), step(T + 60000, "hang_up")],
                T + 70000)
    assert line.times("call", state="ended") == [T + 60000]
    assert not line.records("emergency.cancelled")


@pytest.mark.req("EMG-08")
def test_after_a_cancel_the_next_fire_starts_the_flow_again_at_once():
    line = play([smoke(T), press(T + 5000, "cancel"), smoke(T + 8000, False), smoke(T + 20000)], T + 40000)
    again = [p["t"] for p in line.all("prompt") if p["t"] > T + 20000]
    assert again[0] - (T + 20000) <= 500
    assert line.times("dial")[0] - (T + 20000) <= 15500


@pytest.mark.fault(113)
def test_a_second_alarm_after_a_cancel_opens_again():
    line = play([press(T), press(T + 2000, "cancel"), press(T + 4000)], T + 25000)
    assert len(line.records("emergency.triggered")) == 2
    assert len(line.all("dial")) == 1


@pytest.mark.req("EMG-21")
def test_the_person_sees_that_nobody_was_called():
    line = play([press(T), press(T + 2000, "cancel")], T + 10000)
    screen = line.all("screen")[-1]
    assert screen["view"] == "cancelled" and screen["title"] == "취소되었습니다"
    assert [rung["at"] for rung in screen["ladder"] if rung["step"] == "answered"] == [None]
