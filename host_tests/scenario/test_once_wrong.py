"""What a second pair of eyes found: each of these once went wrong."""

import pytest
from scenario.timeline import ARMED, pendant, play, press, smoke, step

from firmware.settings import check_setting

T = ARMED
TESTER = {"tester": "01012345678"}
CHORD = [press(T, "call", 5500), press(T, "cancel", 5500)]  # test mode from about T + 5.0 s to T + 605 s


@pytest.mark.req("EMG-06")
@pytest.mark.fault(48)
def test_a_modem_dead_for_longer_than_the_guard_is_dialled_again_when_it_lives():
    hangs = [step(T + 10000 + 5000 * i, "modem", fault="hang") for i in range(34)]
    line = play([press(T), *hangs, step(T + 181000, "modem", fault="none")], T + 330000)
    assert line.times("dial") and line.times("dial")[0] <= T + 181000 + 45000
    assert line.records("emergency.answered")


@pytest.mark.req("EMG-17")
@pytest.mark.parametrize(("what", "again"), [
    (step(T + 40000, "power_cut", for_ms=2000), press(T + 50000)),
    (step(T + 40000, "power_cut", for_ms=2000), pendant(T + 50000)),
    (step(T + 40000, "modem", fault="reset"), press(T + 42000)),
    (step(T + 40000, "modem", fault="hang"), press(T + 45000)),
])
def test_a_press_after_the_call_broke_is_dialled(what, again):
    line = play([press(T), what, again], T + 160000)
    assert [t for t in line.times("dial") if t > again["at"]]


@pytest.mark.req("TST-08")
def test_119_held_across_the_end_of_test_mode_is_real():
    line = play([*CHORD, press(T + 602000, "119", 9000)], T + 660000, settings=TESTER)
    assert "119" in [d["number"] for d in line.all("dial")]


@pytest.mark.req("TST-08")
def test_the_touch_that_says_real_counts_while_a_test_emergency_outlives_test_mode():
    touch = step(T + 612000, "monitor", touch="test.real")
    line = play([*CHORD, press(T + 600000), touch], T + 660000, settings=TESTER)
    assert "119" in [d["number"] for d in line.all("dial")]


@pytest.mark.fault(107)
@pytest.mark.parametrize("number", ["02119", "+82119", "031112", "00119"])
def test_a_test_never_dials_119_not_even_after_test_mode_ended(number):
    assert check_setting("tester", number)


@pytest.mark.req("EMG-17")
def test_a_cancel_after_hours_of_busy_survives_a_power_cut():
    steps = [step(T - 1000, "line119", reply="busy"), press(T), press(T + 600000, "cancel"),
             step(T + 660000, "power_cut", for_ms=2000)]
    line = play(steps, T + 720000)
    assert not [t for t in line.times("dial") if t > T + 601000]


@pytest.mark.req("EMG-08")
def test_a_detector_that_fell_silent_does_not_call_119_every_15_minutes_for_ever():
    steps = [smoke(T), step(T + 30000, "sensor", sensor="kitchen", radio=False)]
    steps += [step(T + 40000 + 960000 * i, "hang_up") for i in range(4)]
    line = play(steps, T + 3 * 960000)
    assert len(line.times("dial")) <= 2


@pytest.mark.req("CALL-03")
def test_cancel_hangs_up_an_answered_test_call():
    line = play([*CHORD, press(T + 7000), press(T + 40000, "cancel")], T + 60000, settings=TESTER)
    assert line.all("call", state="ended")


@pytest.mark.req("TST-05")
def test_an_unanswered_test_ends_with_test_mode():
    line = play([step(T - 100, "line119", reply="no_answer"), *CHORD, press(T + 7000)], T + 1800000, settings=TESTER)
    assert not [t for t in line.times("dial") if t > T + 1300000]


@pytest.mark.req("EMG-03")
def test_silencing_the_alarm_leaves_the_prompt_whole():
    line = play([press(T), step(T + 3000, "monitor", touch="alarm.silence")], T + 16000)
    assert len([p for p in line.all("prompt_end", to="room") if not p.get("cut") and "119로 연결" in p["text"]]) == 2


