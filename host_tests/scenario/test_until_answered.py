"""Dialling again and again until 119 answers, whatever the line or the modem does."""

import pytest
from scenario.timeline import ARMED, REPORT_CALL, REPORT_FIRE, TRIGGERS, play, press, smoke, step

T = ARMED
GAP_MS = 5000


def gaps(line) -> list:
    """From each failed call to the next dial."""
    over = [c["t"] for c in line.all("call") if c["state"] in ("failed", "ended")]
    dials = line.times("dial")
    return [min(d - t for d in dials if d >= t) for t in over if any(d >= t for d in dials)]


@pytest.mark.req("EMG-06")
@pytest.mark.fault(53)
@pytest.mark.parametrize("cause", TRIGGERS)
def test_busy_is_dialled_again_until_it_is_answered(cause):
    steps = [step(1000, "line119", reply="busy"), TRIGGERS[cause](T), step(T + 60000, "line119", reply="answer"),
             step(T + 95000, "hang_up")]
    line = play(steps, T + 100000)
    assert len(line.all("dial")) >= 5
    assert max(gaps(line)) <= GAP_MS
    assert line.record("emergency.answered")["attempt"] == len(line.all("dial"))
    assert len(line.all("prompt", to="line")) == 2
    ladder = line.records("emergency.ended")[0]["ladder"]
    assert 14000 <= ladder["dialling"] <= 15000 < 60000 <= ladder["answered"]  # the first time counts
    failed = [r for r in line.records("call.ended") if r["outcome"] == "busy"]
    assert [r["attempt"] for r in failed] == list(range(1, len(failed) + 1))


@pytest.mark.req("EMG-06")
@pytest.mark.fault(54)
def test_no_answer_is_given_up_after_a_minute_and_dialled_again():
    line = play([step(1000, "line119", reply="no_answer"), press(T)], T + 250000)
    dials = line.times("dial")
    assert len(dials) >= 3
    assert all(60000 <= b - a <= 70000 for a, b in zip(dials, dials[1:], strict=False))
    assert line.records("call.ended")[0]["outcome"] == "no_answer"


@pytest.mark.req("EMG-06")
@pytest.mark.fault(45)
@pytest.mark.fault(57)
def test_no_network_is_no_reason_to_stop():
    line = play([step(T - 2000, "modem", voice=False), press(T), step(T + 120000, "modem", voice=True)], T + 170000)
    before = [t for t in line.times("dial") if t < T + 120000]
    assert len(before) >= 6
    assert max(b - a for a, b in zip(before, before[1:], strict=False)) <= 30000
    assert line.record("emergency.answered")


@pytest.mark.req("EMG-06")
@pytest.mark.fault(55)
def test_a_call_dropped_in_the_report_was_not_answered():
    steps = [step(1000, "line119", reply="drop", after_ms=4000), smoke(T), step(T + 22000, "line119", reply="answer")]
    line = play(steps, T + 60000)
    assert len(line.all("dial")) == 2
    assert max(gaps(line)) <= 3000
    last = [p for p in line.all("prompt", to="line") if p["t"] > line.times("dial")[1]]
    assert [(p["text"], p["play"]) for p in last] == [(REPORT_FIRE, 1), (REPORT_FIRE, 2)]


@pytest.mark.fault(56)
def test_silence_at_the_far_end_is_stayed_with():
    line = play([press(T)], T + 30 * 60000)
    assert len(line.all("dial")) == 1 and not line.all("call", state="ended")


@pytest.mark.req("EMG-06")
@pytest.mark.req("EMG-19")
@pytest.mark.fault(43)
def test_without_sim_119_is_dialled_all_the_same():
    line = play([step(T - 5000, "modem", fault="no_sim"), press(T), step(T + 50000, "hang_up")], T + 60000)
    assert [d["number"] for d in line.all("dial")] == ["119"]
    assert line.record("emergency.answered")


@pytest.mark.fault(48)
@pytest.mark.parametrize("at", [T - 3000, T + 7000, T + 14400])
def test_a_hung_modem_is_dialling_within_45_s(at):
    line = play([press(T), step(at, "modem", fault="hang")], T + 90000)
    assert line.first("dial")["t"] - max(at, T + 14500) <= 45000
    assert line.record("emergency.answered")


@pytest.mark.req("EMG-06")
@pytest.mark.fault(50)
@pytest.mark.parametrize("after", [2000, 16000, 20000, 25000])
def test_a_modem_that_restarts_by_itself_is_dialled_with_again(after):
    line = play([press(T), step(T + after, "modem", fault="reset")], T + 100000)
    assert line.all("call", state="answered")[-1]["t"] - (T + max(after, 14500)) <= 45000
    assert len(line.all("prompt", to="line")) >= 2
    open_calls = 0
    for call in line.all("call"):
        open_calls += {"ringing": 1, "ended": -1, "failed": -1}.get(call["state"], 0)
        assert open_calls <= 1


@pytest.mark.req("EMG-09")
@pytest.mark.req("EMG-12")
@pytest.mark.fault(59)
def test_a_call_that_comes_in_during_an_emergency_is_refused():
    steps = [smoke(T), step(T + 5000, "call_in", **{"from": "01011112222"}),
             step(T + 25000, "call_in", **{"from": "01011112222"}), step(T + 60000, "hang_up")]
    line = play(steps, T + 70000, settings={"allowed": ["01011112222"]})
    assert line.first("dial")["t"] - T <= 15500
    mine = [c for c in line.all("call", number="119") if c["state"] == "ended"]
    assert [c["t"] for c in mine] == [T + 60000]
    assert not line.all("call", number="01011112222", state="answered")
    refused = line.times("call", number="01011112222", state="failed")
    assert refused[0] - (T + 5000) <= 3000  # in the prompt window, long before the dial
    assert line.all("prompt", to="line")[-1]["text"] == REPORT_FIRE


@pytest.mark.req("EMG-09")
@pytest.mark.req("EMG-12")
def test_fire_ends_a_call_that_goes_on():
    steps = [step(T - 15000 + 12000, "call_in", **{"from": "01011112222"}), press(T - 1000, "call"), smoke(T + 2000)]
    line = play(steps, T + 50000, settings={"allowed": ["01011112222"]})
    assert line.all("call", number="01011112222", state="answered")
    ended = [c["t"] for c in line.all("call", number="01011112222", state="ended")]
    assert ended and ended[0] <= line.first("dial")["t"]
    assert line.first("dial")["t"] - (T + 2000) <= 16500
    assert line.record("emergency.answered")


@pytest.mark.req("EMG-19")
@pytest.mark.fault(116)
def test_nothing_else_works_and_it_keeps_trying():
    faults = [step(T - 3000, "relay", up=False), step(T - 3000, "monitor", attached=False),
              step(T - 3000, "ncp", fault="hang"), step(T - 3000, "mains", on=False),
              step(T - 3000, "clock", lost=True),
              step(T - 3000, "modem", voice=False, data=False), step(T - 3000, "line119", reply="busy")]
    line = play([*faults, press(T)], T + 15 * 60000)
    dials = line.times("dial")
    assert dials[0] - T <= 15500 and dials[-1] > T + 14 * 60000
    assert max(b - a for a, b in zip(dials, dials[1:], strict=False)) <= 60000
    assert line.all("beacon")[-1]["light"]


@pytest.mark.req("EMG-11")
@pytest.mark.req("EMG-19")
def test_what_the_relay_missed_arrives_when_it_is_back():
    steps = [step(T - 1000, "relay", up=False), press(T), step(T + 40000, "hang_up"), step(T + 64000, "relay", up=True)]
    line = play(steps, T + 80000)
    told = [r for r in line.all("relay") if r["t"] > T]
    assert [r["record"]["event"] for r in told] == [
        "emergency.triggered", "emergency.dialled", "emergency.answered", "emergency.ended", "gateway.recovered"]
    assert told[-1]["record"]["why"] == "relay"
    assert T + 64000 <= told[3]["t"] <= T + 64000 + 7500  # as soon as the relay is back: it is asked every 5 s


@pytest.mark.req("EMG-04")
@pytest.mark.req("EMG-06")
def test_the_report_of_the_pendant_is_the_call_report():
    line = play([press(T)], T + 40000)
    assert {p["text"] for p in line.all("prompt", to="line")} == {REPORT_CALL}
