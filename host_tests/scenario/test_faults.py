"""Faults of the parts around the emergency, in the home."""

import pytest
from scenario.timeline import ARMED, pendant, play, press, smoke, step

T = ARMED


@pytest.mark.req("EMG-15")
def test_the_sounder_is_silenced_and_persisting_smoke_reports_again():
    line = play([smoke(T), press(T + 5000, "cancel"), step(T + 6000, "monitor", touch="smoke.silence")], T + 120000)
    again = [r for r in line.records("emergency.triggered") if r["cause"] == "fire"]
    assert len(again) == 2  # the smoke goes on: detected again, and the flow begins again
    assert line.times("dial")[0] > T + 60000


@pytest.mark.req("EMG-15")
def test_the_care_system_silences_by_name_and_is_told_what_happened():
    commands = [
        step(T + 6000, "relay", command={"id": "c1", "name": "smoke.silence", "sensor": "kitchen"}),
        step(T + 7000, "relay", command={"id": "c1", "name": "smoke.silence", "sensor": "kitchen"}),
        step(T + 8000, "relay", command={"id": "c2", "name": "smoke.silence", "sensor": "pendant"}),
        step(T + 9000, "relay", command={"id": "c3", "name": "no.such"}),
    ]
    line = play([smoke(T), press(T + 2000, "cancel"), *commands], T + 20000)
    assert [r["id"] for r in line.records("command.done")] == ["c1"]
    assert [(r["id"], r["reason"]) for r in line.records("command.refused")] == [
        ("c2", "no such smoke detector"), ("c3", "unknown command")]


@pytest.mark.req("EMG-14")
def test_no_command_of_the_relay_ends_a_call_with_119():
    commands = [step(T + 20000 + 100 * i, "relay", command={"id": i, "name": name})
                for i, name in enumerate(["hang_up", "emergency.cancel", "reboot", "cancel", "test.enter"])]
    line = play([press(T), *commands], T + 40000)
    assert not line.all("call", state="ended")


@pytest.mark.req("EMG-01")
@pytest.mark.req("ZB-06")
@pytest.mark.fault(22)
def test_smoke_right_after_the_radio_restarted_by_itself():
    line = play([step(T, "ncp", fault="reset"), smoke(T + 12000)], T + 32000)
    assert line.first("dial")["t"] - (T + 12000) <= 16000


@pytest.mark.req("EMG-01")
@pytest.mark.req("ZB-06")
@pytest.mark.fault(24)
def test_smoke_through_garbage_on_the_wire():
    line = play([step(T, "ncp", fault="garbage"), smoke(T + 2000)], T + 25000)
    assert line.first("dial")["t"] - (T + 2000) <= 16000


@pytest.mark.req("EMG-01")
@pytest.mark.fault(21)
def test_the_button_works_while_the_radio_hangs():
    line = play([step(T - 1000, "ncp", fault="hang"), press(T)], T + 20000)
    assert line.first("dial")["t"] - T <= 15500


@pytest.mark.fault(39)
def test_a_stuck_button_is_one_call_and_a_fault_and_the_others_work_on():
    line = play([press(T, "119", 300000), step(T + 40000, "hang_up"), pendant(T + 100000)], T + 130000)
    triggered = [r["cause"] for r in line.records("emergency.triggered")]
    assert triggered == ["button", "call"]
    stuck = [r for r in line.records("gateway.fault") if r["fault"] == "button_stuck"]
    assert [r["button"] for r in stuck] == ["119"]
    assert len(line.all("dial")) == 2


@pytest.mark.req("EMG-01")
def test_a_flicker_of_the_button_line_is_no_press():
    line = play([press(T, "119", 8)], T + 5000)
    assert not line.records("emergency.triggered")


@pytest.mark.req("EMG-17")
@pytest.mark.fault(87)
@pytest.mark.parametrize("after", [3000, 14600, 16000, 20000])
def test_an_emergency_goes_on_after_a_power_cut(after):
    """In the prompt, at the dial, ringing, and in the report."""
    line = play([press(T), step(T + after, "power_cut", for_ms=2000)], T + 90000)
    assert line.record("emergency.answered")
    back = [b["t"] for b in line.all("boot")][1]
    again = [t for t in line.times("dial") if t > back]
    assert len(again) == 1 and again[0] - back <= 30000
    assert len([p for p in line.all("prompt", to="line") if p["t"] > back]) == 2


@pytest.mark.req("EMG-17")
def test_a_cut_in_the_open_call_does_not_dial_again():
    line = play([press(T), step(T + 40000, "power_cut", for_ms=2000)], T + 120000)
    assert len(line.all("dial")) == 1
    assert line.record("emergency.ended")


@pytest.mark.req("EMG-17")
def test_a_cancelled_emergency_stays_cancelled_after_a_power_cut():
    line = play([press(T), press(T + 5000, "cancel"), step(T + 6000, "power_cut", for_ms=2000)], T + 60000)
    assert not line.all("dial")


@pytest.mark.req("EMG-17")
def test_a_chattering_supply_does_not_put_the_dialling_off_for_ever():
    cuts = [step(T + 5000 + 16000 * i, "power_cut", for_ms=1000) for i in range(4)]
    line = play([press(T), *cuts], T + 120000)
    assert line.first("dial")["t"] - cuts[-1]["at"] <= 20000
    assert line.record("emergency.answered")
