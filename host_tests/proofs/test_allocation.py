"""Fault 82: the k-th allocation after the trigger fails, for each k, and the call still goes out.

Failing allocations are the firmware's own: what the simulated chips and bus objects take always works (port/shield.py).
"""

import random

import pytest
from proofs.futures import PRESSED, SOAK, TRIGGERS, futures, scenario
from proofs.judge import calls, died, story, times

NORMAL_MS = 16_000
RESTARTED_MS = 38_000  # 3 s of pause or 8 s of watchdog, 1.5 s of start, the prompt anew


def until_dialled() -> int:
    """How many allocations lie between the press and ATD."""
    found = futures({"scenario": scenario("button"), "limit": 40_000, "shield": True, "cases": [
        {"name": "count", "at": PRESSED - 1, "steps": [[0, "arm", 1 << 40, 1], [14_900, "count"], [15_000, "end"]]}]})
    return [line["count"] for line in found["count"] if "count" in line][0]


def prove(cases: list) -> tuple:
    """(slowest ms from press to dialled, how many needed a restart of the firmware)."""
    found = futures({"scenario": scenario(""), "limit": 60_000, "shield": True, "cases": cases})
    slowest = restarted = 0
    for case in cases:
        lines = found[case["name"]]
        assert not died(lines), f"{case['name']}\n{story(lines)}"
        dialled = [call.dialled - PRESSED for call in calls(lines)]
        again = len(times(lines, "boot")) > 1
        limit = RESTARTED_MS if again else NORMAL_MS + case.get("starved", 0)
        assert dialled and dialled[0] <= limit, f"allocation {case['name']}: {dialled}\n{story(lines)}"
        slowest = max(slowest, dialled[0])
        restarted += again
    return slowest, restarted


def case(name: str, k: int, count: int, *more) -> dict:
    press = {key: value for key, value in TRIGGERS["button"].items() if key != "at"}
    return {"name": name, "at": PRESSED, "steps": [[0, "arm", k, count], [0, "do", press], *more, [40_000, "end"]]}


@pytest.mark.req("EMG-19")
@pytest.mark.fault(82)
def test_any_one_allocation_fails_and_119_is_dialled(capsys):
    total = until_dialled()
    assert total > 500
    dice = random.Random(82)
    count = total if SOAK else 70
    chosen = range(1, total + 1) if SOAK else [total * n // count + 1 + dice.randrange(total // count)
                                               for n in range(count)]
    slowest, restarted = prove([case(str(k), k, 1) for k in chosen])
    with capsys.disabled():
        print(f"\none of {total} allocations fails: {len(chosen)} futures, slowest dialled {slowest} ms, "
              f"{restarted} after a restart of the firmware")


@pytest.mark.req("EMG-19")
@pytest.mark.fault(82)
@pytest.mark.parametrize("starved_ms", [50, 500, 2000])
def test_all_allocations_fail_for_a_while(starved_ms, capsys):
    """From some moment on, for some time, nothing can be allocated at all."""
    cases = []
    for at in range(0, 15_000, 100 if SOAK else 1500):
        one = case(f"{at}", 1 << 40, 1, [at, "arm", 1, 0], [at + starved_ms, "disarm"])
        cases.append({**one, "starved": starved_ms + 1000})
    slowest, restarted = prove(cases)
    with capsys.disabled():
        print(f"\nnothing for {starved_ms} ms: {len(cases)} futures, slowest {slowest} ms, {restarted} restarted")
