"""EMG-17: an emergency that is cut off or reset at any instant goes on, is never forgotten and never doubled."""

import random

import pytest
from proofs.futures import PRESSED, SOAK, futures, scenario
from proofs.judge import calls, judge, story, times

END = 44_000  # from the press to after the end of the call
POWER_UP_MS = 2500  # from the supply to the first line of the firmware
REDIAL_MS = 30_000  # fault 87
MEMORY_RESET = ("reset", "watchdog")


def slowest_redial(lines: list) -> int:
    """The longest from power-on or reset to the next ATD, in ms; a boot that another cut ended does not count."""
    boots = [t for t in times(lines, "boot") if t > PRESSED]
    slowest = 0
    for index, boot in enumerate(boots):
        until = boots[index + 1] if index + 1 < len(boots) else 1 << 40
        dialled = [call.dialled for call in calls(lines) if boot < call.dialled < until]
        up = any(call.dialled < boot and (call.over < 0 or call.over > boot) for call in calls(lines))
        if dialled and not up:
            slowest = max(slowest, dialled[0] - boot + POWER_UP_MS)
    return slowest


def prove(trigger: str, cases: list) -> dict:
    """Every future holds; returns {name: slowest redial}."""
    found = futures({"scenario": scenario(trigger), "cases": cases})
    slowest = {}
    for case in cases:
        lines = found[case["name"]]
        judge(lines, PRESSED)
        slowest[case["name"]] = slowest_redial(lines)
        assert slowest[case["name"]] <= REDIAL_MS, f"{case['name']}\n{story(lines)}"
    return slowest


def every(step_ms: int, *operation, first: int = 0) -> list:
    return [{"name": str(at), "at": PRESSED + at, "steps": [[0, *operation]]} for at in range(first, END, step_ms)]


def show(capsys, what: str, slowest: dict) -> None:
    worst = max(slowest, key=slowest.get)
    with capsys.disabled():
        print(f"\n{what}: {len(slowest)} futures, slowest redial {slowest[worst]} ms after power-on (cut at {worst})")


@pytest.mark.req("EMG-17")
@pytest.mark.parametrize("trigger", ["button", "fire"])
def test_a_power_cut_at_any_instant(trigger, capsys):
    step_ms, first = (50, 0) if SOAK else (500, 0 if trigger == "button" else 250)
    show(capsys, f"power cut, {trigger}", prove(trigger, every(step_ms, "cut", 1000, first=first)))


@pytest.mark.req("EMG-17")
@pytest.mark.fault(87)
@pytest.mark.parametrize("trigger", ["button", "fire"])
def test_a_reset_by_the_watchdog_at_any_instant_keeps_the_call(trigger, capsys):
    step_ms, first = (50, 0) if SOAK else (1000, 0 if trigger == "fire" else 500)
    found = futures({"scenario": scenario(trigger), "cases": every(step_ms, *MEMORY_RESET, first=first)})
    base = calls(found["base"])[0]
    for name, lines in found.items():
        judge(lines, PRESSED)
        assert slowest_redial(lines) <= REDIAL_MS, story(lines)
        if name != "base" and PRESSED + int(name) > base.dialled:  # the modem kept its call: it is the only one
            assert len(calls(lines)) == 1, story(lines)
    show(capsys, f"reset, {trigger}", {name: slowest_redial(lines) for name, lines in found.items()})


@pytest.mark.req("EMG-17")
@pytest.mark.parametrize("trigger", ["button", "fire"])
def test_a_power_cut_in_any_flash_operation(trigger, capsys):
    """The n-th operation from the press is torn; the last n finds none, so that all were."""
    count = 12
    cases = [{"name": str(n), "at": PRESSED - 1, "steps": [[0, "flash_cut", n]]} for n in range(count)]
    found = futures({"scenario": scenario(trigger), "cases": cases})
    torn = [name for name in found if len(times(found[name], "boot")) > 1]
    assert torn == [str(n) for n in range(len(torn))] and 4 <= len(torn) < count
    for name in torn:
        judge(found[name], PRESSED)
        if not calls(found[name]):  # the very first write is the press itself: nobody was told anything yet
            assert name == "0" and not [line for line in found[name] if line["what"] in ("beacon", "prompt")]
    with capsys.disabled():
        print(f"\nflash operations from press to the end, {trigger}: {len(torn)}, each torn once")


@pytest.mark.req("EMG-17")
@pytest.mark.fault(87)
def test_chains_of_three_cuts_and_resets_also_while_booting(capsys):
    dice = random.Random(17)
    cases = []
    for number in range(1000 if SOAK else 40):
        steps, at = [], 0
        for _ in range(3):
            operation = MEMORY_RESET if dice.random() < 0.3 else ("cut", dice.choice([200, 1000, 5000]))
            steps.append([at, *operation])
            at += dice.choice([dice.randrange(100, 4000), dice.randrange(4000, 30000)])
        cases.append({"name": str(number), "at": PRESSED + dice.randrange(100, END - 5000), "steps": steps})
    show(capsys, "chains of three", prove("button", cases))
