"""Test mode: whom it dials, how it ends, and how a real emergency gets out of it."""

import pytest
from scenario.timeline import ARMED, PROMPTS, REPORTS, TRIGGERS, play, press, smoke, step

T = ARMED
MINUTE = 60000
TESTER = "01055556666"
SETTINGS = {"tester": TESTER}
ENTER = step(T, "monitor", touch="test.enter")


def chord(at: int) -> list:
    return [press(at, "call", 5500), press(at + 10, "cancel", 5500)]


@pytest.mark.req("TST-01")
def test_entering_and_leaving_are_reported():
    line = play([ENTER, step(T + 30000, "monitor", touch="test.leave")], T + 40000, settings=SETTINGS)
    assert line.record("test.entered")["test"] is True
    assert line.record("test.left")["why"] == "gateway"
    assert line.all("prompt", text="테스트 모드입니다. 10분 뒤에 끝납니다")
    shown = [s["test"] for s in line.all("screen") if s["t"] > T]
    assert shown[0] is True and shown[-1] is False
    assert line.all("lamp", lamp="centre", on=True)


@pytest.mark.req("TST-01")
def test_the_buttons_enter_and_leave_it_too():
    line = play([*chord(T), *chord(T + 20000)], T + 40000, settings=SETTINGS)
    assert len(line.records("test.entered")) == 1 and len(line.records("test.left")) == 1
    assert not line.all("dial")


@pytest.mark.req("TST-02")
@pytest.mark.parametrize("cause", TRIGGERS)
def test_every_emergency_runs_in_full_but_dials_the_tester(cause):
    line = play([ENTER, TRIGGERS[cause](T + 5000), step(T + 60000, "hang_up")], T + 70000, settings=SETTINGS)
    assert [d["number"] for d in line.all("dial")] == [TESTER]
    assert [p["play"] for p in line.all("prompt", text=PROMPTS[cause])] == [1, 2]
    assert [p["text"] for p in line.all("prompt", to="line")] == [REPORTS[cause]] * 2
    marked = {r["record"]["event"]: r["record"]["test"] for r in line.all("relay") if r["t"] > T}
    assert marked and all(marked.values())
    assert line.record("emergency.dialled")["number"] == TESTER


@pytest.mark.req("TST-02")
def test_the_testers_number_can_be_changed():
    line = play([ENTER, press(T + 5000)], T + 30000, settings={"tester": "0212345678"})
    assert [d["number"] for d in line.all("dial")] == ["0212345678"]


@pytest.mark.req("TST-02")
@pytest.mark.parametrize("tester", ["", "119", "112", "one one nine"])
def test_without_a_proper_tester_there_is_no_test_mode(tester):
    line = play([ENTER, press(T + 5000)], T + 30000, settings={"tester": tester})
    assert not line.records("test.entered")
    assert [d["number"] for d in line.all("dial")] == ["119"]
    assert line.record("emergency.triggered")["test"] is False


@pytest.mark.req("TST-05")
def test_it_announces_its_end_after_ten_minutes_and_is_over():
    line = play([ENTER, press(T + 10 * MINUTE + 5000)], T + 11 * MINUTE, settings=SETTINGS)
    assert line.record("test.left")["why"] == "time"
    end = line.first("prompt", text="테스트 모드를 마칩니다")["t"]
    assert 10 * MINUTE <= end - T <= 10 * MINUTE + 3000
    assert [d["number"] for d in line.all("dial")] == ["119"]


@pytest.mark.req("TST-05")
def test_it_can_be_extended_by_ten_minutes():
    line = play([ENTER, step(T + 9 * MINUTE, "monitor", touch="test.extend"), press(T + 15 * MINUTE)],
                T + 21 * MINUTE, settings=SETTINGS)
    assert line.record("test.extended")["test"] is True
    assert {d["number"] for d in line.all("dial")} == {TESTER}
    left = [r["t"] for r in line.all("relay") if r["record"].get("event") == "test.left"]
    assert 20 * MINUTE <= left[0] - T <= 20 * MINUTE + 4000


@pytest.mark.req("TST-05")
@pytest.mark.parametrize("how", [step(T + 20000, "power_cut", for_ms=1000)])
def test_every_boot_is_normal_mode(how):
    line = play([ENTER, how, press(T + 60000)], T + 90000, settings=SETTINGS)
    assert [d["number"] for d in line.all("dial")] == ["119"]


@pytest.mark.req("TST-05")
@pytest.mark.req("EMG-17")
def test_a_power_cut_in_a_test_emergency_calls_nobody():
    line = play([ENTER, press(T + 5000), step(T + 10000, "power_cut", for_ms=1000)], T + 60000, settings=SETTINGS)
    assert not line.all("dial")
    assert line.record("emergency.ended")["outcome"] == "reset_in_test"


@pytest.mark.req("TST-08")
@pytest.mark.parametrize("when", [3000, 8000, 30000])
@pytest.mark.parametrize("how", ["touch", "hold"])
def test_one_touch_or_a_5_s_press_says_it_is_real(how, when):
    """In no emergency, in the prompt of a test, and in the call to the tester."""
    test = [press(T + 5000)] if when > 5000 else []
    real = press(T + when, "119", 6000) if how == "hold" else step(T + when, "monitor", touch="test.real")
    line = play([ENTER, *test, real], T + when + 60000, settings=SETTINGS)
    said = T + when + (5000 if how == "hold" else 0)
    dials = [d["t"] for d in line.all("dial", number="119")]
    assert len(dials) == 1 and said <= dials[0] <= said + 2500
    assert line.record("test.left")["why"] == "real"
    assert line.records("emergency.triggered")[-1]["test"] is False
    mine = [r for r in line.records("emergency.dialled") if r["number"] == "119"]
    assert len(mine) == 1 and mine[0]["test"] is False
    assert [p["text"] for p in line.all("prompt", to="line") if p["t"] > dials[0]] == [REPORTS["button"]] * 2


@pytest.mark.req("TST-02")
@pytest.mark.req("TST-08")
@pytest.mark.fault(106)
@pytest.mark.fault(107)
def test_in_test_mode_119_is_never_dialled_without_saying_so():
    steps = [ENTER, press(T + 5000), step(T + 50000, "hang_up"), smoke(T + 60000), step(T + 110000, "hang_up"),
             step(1000, "line119", reply="busy"), step(T + 30000, "line119", reply="answer"),
             press(T + 120000, "119", 4500)]
    line = play(steps, T + 170000, settings=SETTINGS)
    assert {d["number"] for d in line.all("dial")} == {TESTER}


@pytest.mark.req("TST-02")
@pytest.mark.req("EMG-08")
def test_a_tested_fire_holds_no_real_fire_off():
    line = play([ENTER, smoke(T + 5000), step(T + 60000, "hang_up"), smoke(T + 70000, False),
                 step(T + 80000, "monitor", touch="test.leave"), smoke(T + 120000)], T + 160000, settings=SETTINGS)
    assert [d["number"] for d in line.all("dial")] == [TESTER, "119"]


@pytest.mark.req("TST-02")
def test_a_real_press_after_test_mode_ended_takes_over_a_running_test():
    line = play([step(1000, "line119", reply="no_answer"), ENTER, press(T + 5000),
                 step(T + 25000, "monitor", touch="test.leave"), smoke(T + 40000)], T + 75000, settings=SETTINGS)
    assert [d["number"] for d in line.all("dial")] == [TESTER, "119"]
    assert line.times("dial")[1] - (T + 40000) <= 16000
    assert line.record("emergency.ended")["outcome"] == "superseded"
