"""From a trigger to a 119 call that was reported: what is said, when it is dialled, what is sent."""

import pytest
from scenario.timeline import (
    ARMED,
    PROMPTS,
    REPORTS,
    TRIGGERS,
    pendant,
    play,
    press,
    smoke,
    step,
)

T = ARMED


@pytest.fixture(scope="module")
def runs():
    """One emergency of each cause, answered, and ended by 119 after 40 s."""
    return {cause: play([make(T), step(T + 60000, "hang_up")], T + 90000) for cause, make in TRIGGERS.items()}


@pytest.mark.req("EMG-01")
@pytest.mark.parametrize("cause", TRIGGERS)
def test_each_trigger_starts_an_emergency_at_once(runs, cause):
    line = runs[cause]
    assert line.record("emergency.triggered")["cause"] == cause
    assert line.first("prompt")["t"] - T <= 500
    assert line.faults() == []


@pytest.mark.req("EMG-02")
@pytest.mark.req("EMG-03")
@pytest.mark.parametrize("cause", TRIGGERS)
def test_the_prompt_is_spoken_twice_to_the_letter_within_15_s(runs, cause):
    spoken = runs[cause].all("prompt", text=PROMPTS[cause], to="room")
    ended = runs[cause].all("prompt_end", text=PROMPTS[cause], to="room")
    assert [p["play"] for p in spoken] == [1, 2]
    assert [("cut" in p, "damaged" in p) for p in ended] == [(False, False)] * 2
    assert ended[1]["t"] <= T + 15000


@pytest.mark.req("EMG-04")
@pytest.mark.parametrize("cause", TRIGGERS)
def test_119_is_dialled_when_the_second_prompt_ends(runs, cause):
    dial = runs[cause].all("dial")
    assert [d["number"] for d in dial] == ["119"]
    assert 0 <= dial[0]["t"] - runs[cause].times("prompt_end", text=PROMPTS[cause])[1] <= 1000


@pytest.mark.req("EMG-04")
@pytest.mark.fault(20)
def test_nothing_on_the_writable_flash_changes_119():
    settings = {"emergency_number": "01012345678", "119": "112", "number": "1", "tester": "119", "allowed": ["1"]}
    line = play([press(T)], T + 20000, settings=settings)
    assert [d["number"] for d in line.all("dial")] == ["119"]


@pytest.mark.req("EMG-06")
@pytest.mark.parametrize("cause", TRIGGERS)
def test_the_report_is_spoken_twice_within_10_s_of_the_answer(runs, cause):
    line = runs[cause]
    answered = line.first("call", state="answered")["t"]
    spoken = line.all("prompt", to="line")
    assert [(p["text"], p["play"]) for p in spoken] == [(REPORTS[cause], 1), (REPORTS[cause], 2)]
    assert line.times("prompt_end", to="line")[1] <= answered + 10000


@pytest.mark.req("EMG-11")
@pytest.mark.parametrize("cause", TRIGGERS)
def test_every_step_is_sent_as_it_happens(runs, cause):
    line = runs[cause]
    names = [r["record"]["event"] for r in line.all("relay") if r["record"]["event"].startswith("emergency.")]
    assert names == ["emergency.triggered", "emergency.dialled", "emergency.answered", "emergency.ended"]
    ended = line.record("emergency.ended")
    answered_ms = line.first("call", state="answered")["t"]
    over_ms = line.first("call", state="ended")["t"]
    assert ended["number"] == "119" and ended["outcome"] == "answered"
    # The clock chip counts whole seconds, the poll of +CLCC looks once a second.
    assert abs(ended["ended"] - ended["started"] - (over_ms - answered_ms)) <= 1200
    for relay in line.all("relay"):
        assert relay["t"] - T < 90000 and not line.all("repeat")
    assert line.all("relay")[1]["t"] - T <= 500  # real time
    seqs = [r["record"]["seq"] for r in line.all("relay")]
    assert seqs == list(range(1, len(seqs) + 1))


@pytest.mark.req("EMG-11")
def test_records_carry_identity_time_and_sensor(runs):
    record = runs["fire"].record("emergency.triggered")
    assert record["sensor"] == "kitchen" and record["place"] == "부엌" and len(record["ieee"]) == 16
    assert record["kind"] == "event" and record["test"] is False and record["clock"] == "set"
    # 2026-03-01T09:00 in Korea, plus T
    assert abs(record["at"] - (1772323200000 + T)) <= 1500


@pytest.mark.req("EMG-16")
@pytest.mark.req("ZB-08")
def test_the_pendant_shows_its_confirmation_within_half_a_second(runs):
    confirm = runs["call"].all("confirm")
    assert [c["sensor"] for c in confirm] == ["pendant"]
    assert confirm[0]["t"] - T <= 500


@pytest.mark.req("EMG-10")
@pytest.mark.parametrize("cause", TRIGGERS)
def test_light_stays_sound_stops_in_the_call(runs, cause):
    line = runs[cause]
    beacon = line.all("beacon")
    assert beacon[0]["light"] and beacon[0]["sound"] and beacon[0]["t"] - T <= 100
    assert all(b["light"] for b in beacon)
    answered, ended = line.first("call", state="answered")["t"], line.first("call", state="ended")["t"]
    quiet_from = max(b["t"] for b in beacon if b["t"] <= answered + 400)
    assert not [b for b in beacon if b["t"] == quiet_from][0]["sound"]
    assert not [b for b in beacon if answered + 400 < b["t"] < ended and b["sound"]]
    assert [b for b in beacon if b["t"] > ended and b["sound"]]


@pytest.mark.req("EMG-10")
def test_light_and_sound_last_ten_minutes_and_no_longer():
    line = play([press(T), step(T + 60000, "hang_up")], T + 700000)
    off = [b for b in line.all("beacon") if not b["light"]]
    assert len(off) == 1 and not off[0]["sound"]
    assert 600000 <= off[0]["t"] - T <= 606000


@pytest.mark.req("EMG-10")
def test_the_sound_can_be_silenced_after_the_call_and_the_light_stays():
    line = play([press(T), step(T + 60000, "hang_up"), press(T + 80000, "cancel")], T + 120000)
    last = line.all("beacon")[-1]
    assert last["light"] and not last["sound"] and T + 80000 <= last["t"] <= T + 81000
    assert line.record("emergency.alarm_silenced")


@pytest.mark.req("EMG-07")
def test_a_call_with_119_has_no_time_limit():
    end = T + 45 * 60 * 1000  # three times the longest time the machine knows
    line = play([press(T), press(T + 60000, "cancel"), step(end, "hang_up")], end + 10000)
    assert line.times("call", state="ended") == [end]
    assert len(line.all("dial")) == 1
    assert not line.records("emergency.cancelled")


@pytest.mark.req("EMG-21")
def test_the_ladder_is_shown_step_by_step_and_stored(runs):
    line = runs["button"]
    steps = ["pressed", "heard", "prompting", "dialling", "answered", "reported", "closed", "acknowledged"]
    screens = [s for s in line.all("screen") if "ladder" in s]
    reached = [sum(1 for rung in s["ladder"] if rung["at"] is not None) for s in screens]
    assert reached == sorted(reached) and reached[-1] == len(steps)
    last = [rung["at"] for rung in screens[-1]["ladder"]]
    assert [rung["step"] for rung in screens[-1]["ladder"]] == steps
    assert last == sorted(last)
    stored = line.record("emergency.ended")["ladder"]
    assert sorted(stored) == sorted(steps[:-1])
    assert line.all("prompt", text="119에 전화를 걸고 있습니다") and line.all("prompt", text="119 통화가 끝났습니다")


@pytest.mark.req("EMG-13")
def test_with_the_monitor_detached_it_runs_in_full():
    line = play([step(T - 1000, "monitor", attached=False), smoke(T), step(T + 40000, "hang_up")], T + 50000)
    assert not [s for s in line.all("screen") if s["t"] > T]
    assert len(line.all("prompt", to="room")) >= 2 and len(line.all("prompt", to="line")) == 2
    assert line.all("beacon", light=True) and line.record("emergency.ended")


@pytest.mark.req("EMG-18")
@pytest.mark.fault(114)
@pytest.mark.parametrize("later", [100, 5000, 14400])
def test_a_second_trigger_neither_restarts_the_window_nor_delays(later):
    line = play([press(T), smoke(T + later), pendant(T + later + 50), step(T + 60000, "hang_up")], T + 70000)
    assert len(line.all("dial")) == 1
    assert line.first("dial")["t"] - T <= 15500
    assert [r["cause"] for r in line.records("emergency.triggered")] == ["button", "fire", "call"]
    assert {p["text"] for p in line.all("prompt", to="line")} == {REPORTS["fire"]}
    assert sorted(line.record("emergency.ended")["causes"]) == ["button", "call", "fire"]


@pytest.mark.req("EMG-18")
@pytest.mark.fault(114)
def test_fire_during_the_open_call_is_reported_into_it():
    line = play([pendant(T), smoke(T + 40000), step(T + 80000, "hang_up")], T + 90000)
    spoken = [p["text"] for p in line.all("prompt", to="line")]
    assert spoken == [REPORTS["call"]] * 2 + [REPORTS["fire"]] * 2
    assert len(line.all("dial")) == 1


def test_the_same_scenario_gives_the_same_timeline_byte_for_byte():
    steps = [smoke(T), step(T + 5000, "ncp", fault="garbage"), step(T + 40000, "hang_up"), pendant(T + 50000)]
    assert play(steps, T + 90000).text == play(steps, T + 90000).text


@pytest.mark.fault(115)
def test_a_press_right_after_power_on_is_dialled_within_25_s_of_power_on():
    line = play([press(3000)], 40000)
    assert line.first("dial")["t"] <= 25000
    assert line.first("prompt")["t"] <= 3500
