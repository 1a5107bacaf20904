"""The reporting period, changed from afar and on the gateway: the sensors themselves follow, and so do the records."""

import pytest
from scenario.timeline import play, step

HOUR_MS = 3_600_000
SET = {"setting": "status_period_h", "value": 1}
BY = {"care": lambda at: step(at, "relay", command={"id": "c1", "name": "settings.set", **SET}),
      "gateway": lambda at: step(at, "monitor", touch="settings.set", **{"with": SET})}


@pytest.mark.req("ZB-11")
@pytest.mark.req("ZB-12")
@pytest.mark.req("ZB-13")
@pytest.mark.parametrize("who", BY)
def test_a_sensor_that_reported_every_four_hours_reports_every_hour(who):
    steps = [step(20_000, "monitor", touch="sensors.register"), step(22_000, "pair", kind="smoke", name="new")]
    run = play([*steps, BY[who](9 * HOUR_MS)], 14 * HOUR_MS, sensors=[])
    assert run.record("settings.changed")["by"] == who
    told = [line["record"] for line in run.all("relay") if line["record"]["kind"] == "status"]
    times = [line["t"] for line in run.all("relay") if line["record"]["kind"] == "status"]
    before = [each for each, at in zip(told, times, strict=True) if at < 9 * HOUR_MS]
    after = [each for each, at in zip(told, times, strict=True) if at > 10.5 * HOUR_MS]
    assert len(before) in (2, 3) and len(after) in (3, 4)
    heard = [each["heard"] for each in after]
    assert all(HOUR_MS - 60_000 <= b - a <= HOUR_MS + 60_000 for a, b in zip(heard, heard[1:], strict=False))
    assert {(each["now"], each["before"]) for each in told} == {("good", "good")}
