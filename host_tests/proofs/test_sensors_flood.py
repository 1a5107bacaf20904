"""A sensor that sends 1,000 frames a second disturbs nobody's alarm, nor does a stranger: to the call, on time."""

import pytest
from proofs.watched import watched

T = 30_000
SENSORS = [
    {"name": "kitchen", "kind": "smoke", "place": "부엌"},
    {"name": "pendant", "kind": "call_button", "place": "욕실"},
    {"name": "talker", "kind": "activity", "place": "거실"},
]
ALARMS = {
    "smoke": {"at": T, "do": "smoke", "sensor": "kitchen", "on": True},
    "call": {"at": T, "do": "call_button", "sensor": "pendant", "button": "call"},
}
TICK_MS = 100


def run(alarm: str, flood: list):
    scenario = {"seed": 1, "until": T + 30_000, "sensors": SENSORS, "steps": [ALARMS[alarm]]}
    return watched("floods", scenario, flood=flood)


def moments(home) -> list:
    """When the alarm was recorded, the beacon lit, 119 dialled and the call answered."""
    told = [line["t"] for line in home.all("relay") if line["record"].get("event") == "emergency.triggered"]
    return [told[0], home.first("beacon", light=True)["t"], home.first("dial", number="119")["t"],
            home.first("call", state="answered")["t"]]


@pytest.mark.fault(40)
@pytest.mark.parametrize("alarm", ["smoke", "call"])
def test_a_flood_from_a_sensor_and_from_a_stranger_delays_nobody_s_alarm(alarm, capsys):
    calm = moments(run(alarm, [1 << 30, 0]))
    home = run(alarm, [T - 5000, T + 22_000])
    flooded = home.first("flooded")
    assert flooded["sent"] == 2 * 27_000 and flooded["overruns"] == 0
    late = [after - before for before, after in zip(calm, moments(home), strict=True)]
    with capsys.disabled():
        print(f"\n{alarm}, {flooded['sent']:,} frames of others: record, beacon, dial, answer {late} ms later")
    assert len(home.all("dial")) == 1 and max(late) <= TICK_MS
    faults = {(record["event"], record.get("fault")) for record in home.records("sensor.fault")}
    assert ("sensor.fault", "flood") in faults
    assert all("whose address could not be found" in text for text in home.faults()), "the stranger is nobody"
