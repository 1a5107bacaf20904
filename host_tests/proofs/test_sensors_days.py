"""Days of a home of eight sensors: nothing is lost, nothing is declared lost, nothing grows. SOAK: 40 days, over the
wrap of the board's ticks after 12.4 days three times."""

import pytest
from conftest import HEAP
from proofs.watched import DAY_MS, HOUR_MS, SOAK, watched

DAYS = 40 if SOAK else 2
SENSORS = [
    {"name": "kitchen", "kind": "smoke", "place": "부엌"},
    {"name": "bedroom", "kind": "smoke", "place": "침실"},
    {"name": "pendant", "kind": "call_button", "place": "욕실"},
    {"name": "necklace", "kind": "call_button", "place": "침실"},
    {"name": "door", "kind": "door", "place": "현관"},
    {"name": "balcony", "kind": "door", "place": "거실"},
    {"name": "living", "kind": "activity", "place": "거실"},
    {"name": "sleeping", "kind": "activity", "place": "침실"},
]
WINDOW_MS = 300_000
PERIOD_MS = 4 * HOUR_MS
GROWTH = 2048  # bytes, from the second day to the last: a container's next doubling, nothing that goes on


@pytest.fixture(scope="module")
def home():
    heap = "12M" if SOAK else HEAP  # the simulated flash of the records fills up
    return watched("days", {"seed": 1, "until": DAYS * DAY_MS, "sensors": SENSORS, "steps": []}, heap=heap)


def periodic(home, kind: str) -> dict:
    """{name of the sensor: its records of that kind, in order}"""
    found: dict = {sensor["name"]: [] for sensor in SENSORS}
    for line in home.all("relay"):
        if line["record"]["kind"] == kind:
            found[line["record"]["sensor"]].append((line["t"], line["record"]))
    return found


@pytest.mark.req("ZB-11")
def test_nobody_is_declared_lost_and_nothing_fails(home):
    assert home.faults() == []
    assert home.records("sensor.link") == [] and home.records("sensor.fault") == []
    assert home.records("gateway.fault") == [] and home.all("dial") == []
    assert len(home.all("boot")) == 1


@pytest.mark.req("ZB-11")
@pytest.mark.req("ZB-12")
def test_every_sensor_is_reported_every_4_hours_with_now_and_before(home):
    for name, records in periodic(home, "status").items():
        times = [at for at, _ in records]
        assert len(times) == DAYS * 6, name
        apart = {round((after - before) / PERIOD_MS, 3) for before, after in zip(times, times[1:], strict=False)}
        assert apart == {1.0}, name
        assert all(record["now"] == record["before"] == "good" for _, record in records), name
        assert all(record["mv"] and record["state"] == "good" for _, record in records), name


@pytest.mark.req("SNS-03")
def test_every_minute_of_activity_is_known(home):
    for name, records in periodic(home, "activity").items():
        if name not in ("living", "sleeping"):
            assert records == []
            continue
        begins = [record["from"] for _, record in records]
        assert {after - before for before, after in zip(begins, begins[1:], strict=False)} == {WINDOW_MS}, name
        assert DAYS * 288 - 3 <= len(records) <= DAYS * 288
        gaps = [index for index, (_, record) in enumerate(records) if record["known"] != [1, 1, 1, 1, 1]]
        assert gaps in ([], [0]), f"{name}: {[records[index] for index in gaps]}"  # the first began before the start
        assert sum(int(record["mask"], 16).bit_count() for _, record in records) > DAYS * 100


def test_nothing_grows(home, capsys):
    lines = home.all("memory")
    used = [line["bytes"] for line in lines]
    days = len(lines) - 1
    with capsys.disabled():
        print(f"\n{DAYS} days of 8 sensors: heap with the simulated home {used[0]:,} to {used[-1]:,} B, largest free "
              f"piece {lines[0]['piece']:,} to {lines[-1]['piece']:,} B; flash a day: "
              f"{(lines[-1]['programs'] - lines[0]['programs']) / days:.0f} page programs, "
              f"{(lines[-1]['erases'] - lines[0]['erases']) / days:.0f} erases, "
              f"{(lines[-1]['wear'] - lines[0]['wear']) / days:.1f} of one sector")
    assert used[-1] - used[0] <= GROWTH
