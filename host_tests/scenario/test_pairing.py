"""From registration mode to a dialled 119: devices are let in, interviewed and named by the whole firmware."""

import pytest
from scenario.timeline import ARMED, FIRE, play, step


@pytest.mark.req("ZB-02")
@pytest.mark.req("ZB-03")
def test_a_new_detector_is_registered_and_calls():
    timeline = play(
        [
            step(ARMED, "monitor", attached=True),
            step(ARMED + 1000, "monitor", touch="sensors.register"),
            step(ARMED + 2000, "pair", kind="smoke", name="new", place="거실"),
            step(ARMED + 2000, "pair", kind="call_button", name="button", place="거실"),
            step(ARMED + 40_000, "smoke", sensor="new", on=True),
        ],
        ARMED + 80_000,
    )
    joined = timeline.records("sensor.joined")
    assert sorted(record["maker"] for record in joined) == ["Home", "Home"]
    assert len({record["sensor"] for record in joined}) == 2
    assert timeline.first("prompt", text=FIRE)["t"] <= ARMED + 40_500
    assert timeline.first("dial", number="119")["t"] <= ARMED + 40_000 + 15_500
    assert not timeline.records("sensor.refused")


@pytest.mark.fault(42)
def test_who_comes_while_it_is_closed_is_refused_and_reported():
    timeline = play(
        [step(ARMED + number * 30_000, "intrude", kind="smoke", name=f"spy{number}", ieee="00124b00aabbccdd")
         for number in range(2)],
        ARMED + 90_000,
    )  # fmt: skip
    refused = timeline.records("sensor.refused")
    assert [(record["ieee"], record["reason"]) for record in refused] == [("00124b00aabbccdd", "closed")]
    assert not timeline.records("sensor.joined") and not timeline.all("dial")


@pytest.mark.req("EMG-01")
def test_an_alarm_of_a_sensor_that_is_still_being_interviewed_is_dialled():
    """From its kind on it is of the home; the fire breaks out a second later, in the middle of the interview."""
    timeline = play(
        [
            step(ARMED, "monitor", attached=True),
            step(ARMED + 1000, "monitor", touch="sensors.register"),
            step(ARMED + 2000, "pair", kind="smoke", name="new", place="거실"),
            step(ARMED + 5400, "smoke", sensor="new", on=True),
        ],
        ARMED + 60_000,
    )
    fire = timeline.first("prompt", text=FIRE)["t"]
    assert fire - (ARMED + 5400) <= 500
    assert timeline.first("dial", number="119")["t"] <= fire + 15_500
    joined = timeline.records("sensor.joined")
    assert len(joined) == 1
