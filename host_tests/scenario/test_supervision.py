"""What the gateway knows of its sensors over hours: links, batteries, blindness, interference, periodic records."""

import json

import pytest
from scenario.timeline import SENSORS, play, step

S, M, H = 1000, 60_000, 3_600_000
T = 15 * M
HOME = [*SENSORS, {"name": "living", "kind": "activity", "place": "거실"}]
WIDE = [*HOME, {"name": "bath", "kind": "activity", "place": "욕실"}]
LOST_SMOKE = "화재감지기와 연결이 끊겼습니다. 119 버튼은 쓸 수 있습니다"
REPLACE = "감지기의 건전지를 갈아 주세요"


def of(line, event, name):
    """The records of that event about that sensor, with the time the relay had them."""
    return [(one["t"], one["record"]) for one in line.all("relay")
            if one["record"].get("event") == event and one["record"].get("sensor") == name]


def periodic(line, kind, name):
    return [one["record"] for one in line.all("relay")
            if one["record"]["kind"] == kind and one["record"].get("sensor") == name]


def radio(at, name, on):
    return step(at, "sensor", sensor=name, radio=on)


def spoken(line, text):
    return [one["t"] for one in line.all("prompt", text=text)]


@pytest.mark.req("ZB-11")
@pytest.mark.req("ZB-15")
@pytest.mark.fault(36)
def test_a_lost_smoke_detector_is_reported_in_hours_and_said_once_by_day():
    line = play([radio(M, "bedroom", False), radio(7 * H, "bedroom", True)], 7 * H + 30 * M, sensors=HOME)
    told = of(line, "sensor.link", "bedroom")
    assert [(r["now"], r["before"]) for _, r in told] == [("weak", "good"), ("lost", "weak"), ("good", "lost")]
    heard = told[0][1]["heard"]
    assert 6 * H <= told[1][1]["at"] - heard <= 7 * H  # asked at 5 h, given up 1.5 h later
    assert told[2][0] - 7 * H <= 11 * M and told[1][1]["place"] == "침실" and told[1][1]["dbm"] == -27
    assert len(spoken(line, LOST_SMOKE)) == 1 and spoken(line, LOST_SMOKE)[0] >= told[1][0] - 1000
    assert [r for name in ("kitchen", "pendant", "door", "living") for r in of(line, "sensor.link", name)] == []
    assert line.faults() == [] and line.records("gateway.fault") == []


@pytest.mark.req("ZB-15")
def test_what_was_lost_at_night_is_said_in_the_morning():
    line = play([radio(M, "pendant", False)], 8 * H + 5 * M, start="2026-03-01T00:00:00")
    lost = [t for t, r in of(line, "sensor.link", "pendant") if r["now"] == "lost"]
    assert len(lost) == 1 and lost[0] < 8 * H  # before eight in the morning
    said = spoken(line, "응급호출기와 연결이 끊겼습니다. 급할 때는 119 버튼을 눌러 주세요")
    assert len(said) == 1 and 0 <= said[0] - 8 * H <= M


@pytest.mark.req("ZB-11")
@pytest.mark.req("ZB-18")
def test_an_activity_sensor_is_weak_at_five_minutes_and_lost_at_ten():
    line = play([radio(T, "living", False), radio(T + 20 * M, "living", True)], T + 25 * M, sensors=WIDE)
    told = of(line, "sensor.link", "living")
    assert [(r["now"], r["before"]) for _, r in told] == [("weak", "good"), ("lost", "weak"), ("good", "lost")]
    heard = told[0][1]["heard"]
    assert 0 <= told[0][1]["at"] - heard - 5 * M <= 10 * S and 0 <= told[1][1]["at"] - heard - 10 * M <= 10 * S
    assert told[2][0] - (T + 20 * M) <= 80 * S
    assert [(r["fault"], r["on"]) for _, r in of(line, "sensor.fault", "living")] == [
        ("battery_suspect", True), ("battery_suspect", False)]  # it says 100 %
    assert line.records("gateway.fault") == []  # one sensor, not the radio


@pytest.mark.req("ZB-11")
def test_a_faint_sensor_is_weak_with_its_signal():
    line = play([step(T, "sensor", sensor="living", lqi=12), step(2 * T, "sensor", sensor="living", lqi=180)],
                3 * T, sensors=HOME)
    told = of(line, "sensor.link", "living")
    assert [(r["now"], r["before"], r["dbm"]) for _, r in told] == [("weak", "good", -83), ("good", "weak", -33)]
    assert told[0][0] - T <= 7 * M and told[1][0] - 2 * T <= 7 * M


@pytest.mark.req("ZB-10")
@pytest.mark.req("ZB-18")
def test_replace_is_told_at_once_and_once_and_again_only_after_it_was_left():
    line = play([step(T, "sensor", sensor="pendant", battery=85), step(H, "sensor", sensor="pendant", battery=100),
                 step(2 * H, "sensor", sensor="pendant", battery=84)], 2 * H + T)
    told = of(line, "sensor.battery", "pendant")
    assert [(r["state"], r["percent"], r["mv"]) for _, r in told] == [
        ("replace", 85, 2600), ("good", 100, 3000), ("replace", 84, 2500)]
    assert told[0][0] - T <= 2 * M and told[2][0] - 2 * H <= 2 * M
    said = spoken(line, REPLACE)
    assert len(said) == 1 and said[0] - told[0][0] <= M


@pytest.mark.req("ZB-10")
@pytest.mark.req("ZB-18")
def test_two_bad_reports_change_nothing():
    line = play([step(T, "sensor", sensor="pendant", battery=85),
                 step(T + 11 * S, "sensor", sensor="pendant", battery=100)],
                H)
    assert of(line, "sensor.battery", "pendant") == []


@pytest.mark.req("ZB-12")
@pytest.mark.req("SNS-04")
@pytest.mark.parametrize("period_h", [1, 4])
def test_every_sensor_has_a_status_every_period(period_h):
    line = play([step(M, "door", sensor="door", open=True)], period_h * H + 20 * M, sensors=HOME,
                settings={"status_period_h": period_h})
    for item in HOME:
        records = periodic(line, "status", item["name"])
        assert len(records) == 2 and abs(records[1]["at"] - records[0]["at"] - period_h * H) <= 10 * S
        for record in records:
            assert len(json.dumps(record, ensure_ascii=False).encode()) < 400
            assert (record["now"], record["before"], record["dbm"]) == ("good", "good", -27)
            assert 0 <= record["at"] - record["heard"] <= 4.1 * H
            assert record["type"] == item["kind"] and record["place"] == item["place"]
        assert records[-1]["percent"] == 100 and records[-1]["mv"] == 3000
    assert [r["value"] for r in periodic(line, "status", "door")][-1] is True
    if period_h == 4:
        assert periodic(line, "status", "kitchen")[-1]["temperature"] == 22.5
    times = [one["t"] for one in line.all("relay") if one["record"]["kind"] == "status"]
    assert len(set(times)) == len(times)  # spread


@pytest.mark.req("SNS-03")
@pytest.mark.req("ZB-07")
def test_masks_of_150_bits_every_five_minutes_with_nothing_between_them():
    line = play([step(T + 7 * S, "move", place="거실", for_ms=60 * S), step(2 * T, "move", place="거실", for_ms=4 * S)],
                H, sensors=HOME)
    records = periodic(line, "activity", "living")
    assert len(records) >= 10
    assert {b["from"] - a["from"] for a, b in zip(records, records[1:], strict=False)} == {5 * M}
    assert all(len(r["mask"]) == 38 and len(r["known"]) == 5 for r in records)
    assert all(r["known"] == [1] * 5 for r in records[1:])
    bits = [(r["from"] + 2000 * n) for r in records for n in range(150) if int(r["mask"], 16) >> n & 1]
    assert 32 <= len(bits) <= 36
    assert all(b - a == 2000 for a, b in zip(bits, bits[1:], strict=False) if b - a < T // 2)
    booted = line.record("gateway.booted")["at"] - 2500
    assert -M <= bits[0] - (booted + T + 7 * S) <= M


@pytest.mark.req("ZB-15")
@pytest.mark.fault(37)
def test_after_a_power_cut_it_says_how_long_it_was_blind_and_calls_nobody_lost():
    line = play([step(T, "power_cut", for_ms=5 * H)], 5 * H + 3 * T, sensors=HOME)
    blind = [r for r in line.records("gateway.recovered") if r["fault"] == "blind"]
    assert [r["why"] for r in blind] == ["start"] and 5 * H <= blind[0]["to"] - blind[0]["from"] <= 6 * H
    assert line.records("sensor.link") == [] and not spoken(line, LOST_SMOKE)


@pytest.mark.req("ZB-15")
def test_what_was_lost_before_a_power_cut_is_lost_after_it():
    line = play([radio(M, "living", False), step(H + 5 * M, "power_cut", for_ms=H)], 2 * H + 2 * T, sensors=WIDE)
    assert [r["now"] for _, r in of(line, "sensor.link", "living")] == ["weak", "lost"]
    last = periodic(line, "status", "living")[-1]
    assert (last["now"], last["before"]) == ("lost", "lost") and last["heard"] < last["at"] - 2 * H


@pytest.mark.req("ZB-17")
@pytest.mark.fault(21)
def test_a_radio_chip_that_hung_is_told_with_its_time():
    line = play([step(T, "ncp", fault="hang")], 2 * T, sensors=HOME)
    told = line.records("gateway.recovered")
    told = [r for r in told if r["fault"] == "blind"]
    assert [r["why"] for r in told] == ["radio"]
    assert 10 * S <= told[0]["to"] - told[0]["from"] <= 60 * S
    assert line.records("sensor.link") == []


@pytest.mark.fault(37)
@pytest.mark.fault(111)
@pytest.mark.req("ZB-15")
@pytest.mark.parametrize("fault", ["radio_silence", "interference"])
def test_everybody_silent_is_a_fault_of_the_radio_and_not_of_the_sensors(fault):
    if fault == "interference":
        steps = [step(T, "radio", jam=True), step(H, "radio", jam=False)]
    else:
        steps = [radio(at, item["name"], on) for at, on in ((T, False), (H, True)) for item in WIDE]
    line = play(steps, H + T, sensors=WIDE)
    found = line.records("gateway.fault")
    over = [r for r in line.records("gateway.recovered") if r["fault"] != "link"]
    assert [r["fault"] for r in found] == [fault] and [r["fault"] for r in over] == [fault]
    assert [one["t"] for one in line.all("relay") if one["record"] == found[0]][0] - T <= 120 * S
    assert 0 <= over[0]["to"] - over[0]["from"] - (H - T) <= 3 * M
    assert line.records("sensor.link") == [] and line.records("sensor.joined") == []
    assert line.all("prompt") == []


@pytest.mark.fault(37)
def test_a_silent_home_without_activity_sensors_is_found_out_within_the_hour():
    line = play([step(T, "radio", jam=True)], H)
    assert [r["fault"] for r in line.records("gateway.fault")] == ["interference"]
