"""A gateway with 32 sensors is armed for alarms within 5 s of its radio chip being ready."""

import pytest
from proofs.watched import HOUR_MS, watched

ARMED_MS = 5000
KINDS = ("smoke", "call_button", "door", "activity")
SENSORS = [
    {"name": f"{kind} {number}", "kind": kind, "place": f"room {number}"} for number in range(8) for kind in KINDS
]
HOWS = ("power", "watchdog", "chip")
AFTER_MS = (0, 700, 2500)


@pytest.mark.req("ZB-17")
@pytest.mark.req("EMG-17")
def test_armed_for_alarms_within_5_s_of_the_chip_being_ready(capsys):
    cases = [
        [how, after_ms, f"{kind} {number % 8}"] for kind in ("smoke", "call_button") for how in HOWS
        for number, after_ms in enumerate(AFTER_MS, HOWS.index(how) * 3)
    ]  # fmt: skip
    home = watched("restarts", {"seed": 1, "until": HOUR_MS, "sensors": SENSORS, "steps": []}, cases=cases)
    took = []
    for case in home.all("case"):
        window = range(case["ready"], case["ready"] + 60_000)
        told = [
            line["t"] for line in home.all("relay")
            if line["record"].get("event") == "emergency.triggered" and line["record"]["sensor"] == case["sensor"]
            and line["t"] in window
        ]  # fmt: skip
        assert len(told) == 1, f"{case}: {told}"
        taken = [line["t"] for line in home.all("beacon", light=True) if line["t"] in window]
        took.append((taken[0] - case["ready"], case))
    assert len(took) == len(cases)
    assert [boot["reason"] for boot in home.all("boot")].count("watchdog") == 6
    slowest = max(wait for wait, _ in took)
    waited = max((wait - case["after"], case["how"], case["sensor"]) for wait, case in took)
    with capsys.disabled():
        print(f"\n{len(took)} restarts with 32 sensors: taken at most {slowest} ms after the chip was ready, "
              f"{waited[0]} ms after the alarm ({waited[1]}, {waited[2]})")
    assert slowest <= ARMED_MS
    assert home.all("dial") == [] and home.faults() == []
