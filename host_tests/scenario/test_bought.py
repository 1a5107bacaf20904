"""Bought sensors in the whole product: registered at the gateway, and what they tell becomes what ours would."""

import pytest
from scenario.timeline import play, step

from hal_sim.zigbee.ieee import ieee_of

OPEN, PAIRED, USED = 21_000, 22_000, 95_000
SMOKE = ("SmokeSensor-EF-3.0", "SMSZB-120", "RBSH-SD-ZB-EU", "TS0205", "W599001", "lumi.sensor_smoke",
         "lumi.sensor_smoke.acn03")  # fmt: skip
BUTTONS = ("SOS-EM", "TS0215A", "SBTZB-110", "FNB56-SOS03FB1.5")
DOORS = ("PARASOLL Door/Window Sensor", "3RDS17BZ", "TS0203", "MCT-340 SMA", "SOC001", "lumi.sensor_magnet.aq2")
# model -> seconds for which 20 s of movement are marked: what it tells beyond them, or how long a mark counts
EYES = {"SML001": 30, "VALLHORN Wireless Motion Sensor": 40, "TRADFRI motion sensor": 180, "MS01": 80,
        "CCT595011_AS": 80, "3045": 80, "ZB-MotionSensor-D0003": 80, "895a2d80097f4ae2b2d40500d5e03dcc": 30,
        "lumi.sensor_motion.aq2": 70}  # fmt: skip



def live(kind, model, steps, until):
    """An empty home into which one sensor is registered, and what happens then."""
    before = [step(OPEN, "monitor", touch="sensors.register"),
              step(PAIRED, "pair", kind=kind, name="bought", model=model, place="거실")]  # fmt: skip
    timeline = play(before + steps, until, sensors=[])
    assert len(timeline.records("sensor.joined")) == 1
    assert timeline.record("sensor.joined")["sensor_kind"] == kind
    assert not timeline.faults()
    return timeline


@pytest.mark.req("ZB-14", "ZB-06", "EMG-01")
@pytest.mark.parametrize("model", SMOKE)
def test_smoke_calls_119_once(model):
    timeline = live("smoke", model, [step(USED, "smoke", sensor="bought", on=True)], 118_000)
    assert [line["cause"] for line in timeline.records("emergency.triggered")] == ["fire"]
    assert len(timeline.times("dial", number="119")) == 1
    assert USED < timeline.times("beacon")[0] <= USED + 100


@pytest.mark.req("ZB-14", "ZB-08", "EMG-01")
@pytest.mark.parametrize("model", BUTTONS)
def test_a_press_calls_119_once(model):
    timeline = live("call_button", model, [step(USED, "call_button", sensor="bought", button="call")], 118_000)
    assert [line["cause"] for line in timeline.records("emergency.triggered")] == ["call"]
    assert len(timeline.times("dial", number="119")) == 1
    assert USED < timeline.times("beacon")[0] <= USED + 100


@pytest.mark.req("ZB-14", "ZB-09")
@pytest.mark.parametrize("model", DOORS)
def test_a_door_opens_and_closes_once(model):
    steps = [step(USED, "door", sensor="bought", open=True), step(USED + 20_000, "door", sensor="bought", open=False)]
    timeline = live("door", model, steps, 130_000)
    assert len(timeline.records("door.opened")) == len(timeline.records("door.closed")) == 1


@pytest.fixture(scope="module")
def house():
    """One home into which all of them come in one minute; then somebody moves for 20 s in every room."""
    steps = [step(OPEN, "monitor", touch="sensors.register")]
    for place, model in enumerate(EYES):
        steps.append(step(PAIRED + place * 3000, "pair", kind="activity", name=model, model=model, place=model))
        steps.append(step(330_000, "move", place=model, for_ms=20_000))
    timeline = play(steps, 800_000, sensors=[])
    assert not timeline.faults()
    return timeline


@pytest.mark.req("ZB-14", "SNS-03")
@pytest.mark.parametrize("model,seconds", EYES.items())
def test_movement_makes_a_mask(house, model, seconds):
    """Of the bits of 2 s those are set in which it moved, by what the sensor tells of it."""
    joined = [line["sensor_kind"] for line in house.records("sensor.joined") if line["ieee"] == ieee_of(model)]
    assert joined == ["activity"]
    masks = [line["record"] for line in house.all("relay") if line["record"].get("kind") == "activity"]
    mine = [one["mask"] for one in masks if one["ieee"] == ieee_of(model)]
    bits = sum(bin(int(mask, 16)).count("1") for mask in mine)
    assert len(mine) >= 2
    assert seconds // 2 - 2 <= bits <= seconds // 2 + 2
