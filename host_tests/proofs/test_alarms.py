"""Many random alarms on a healthy home: how fast it speaks, confirms and dials."""

import random
import statistics

import pytest
from proofs.futures import PRESSED, SOAK, TRIGGERS, futures, scenario
from proofs.judge import calls, died, story, times

FIRST_WORD_MS = 500
WINDOW_MS = 15_000
PROMPTS = ("화재가 감지되었습니다", "응급호출이 감지되었습니다", "119로 연결합니다")


def figures(name: str, values: list) -> str:
    ordered = sorted(values)
    return (f"{name}: mean {statistics.mean(values):.0f}, 95 % {ordered[int(0.95 * len(ordered))]}, "
            f"max {ordered[-1]} ms ({len(values)})")


@pytest.mark.req("EMG-02")
@pytest.mark.req("EMG-03")
@pytest.mark.req("EMG-04")
@pytest.mark.req("EMG-16")
def test_random_alarms(capsys):
    """Each begins at a random instant of the same idle home: any phase of its polls and supervisions."""
    dice = random.Random(1000)
    count = 1000 if SOAK else 150
    cases = []
    for number in range(count):
        trigger = dice.choice(("button", "fire", "call"))
        step = {key: value for key, value in TRIGGERS[trigger].items() if key != "at"}
        cases.append({"name": f"{number}-{trigger}", "at": PRESSED + dice.randrange(0, 60_000),
                      "steps": [[0, "do", step], [17_000, "end"]]})
    found = futures({"scenario": scenario(""), "cases": cases})
    words, confirms, dials, ends = [], [], [], []
    for case in cases:
        at, lines = case["at"], found[case["name"]]
        assert not died(lines) and len(calls(lines)) == 1, story(lines)
        spoken = [line for line in lines if line.get("to") == "room" and line["text"].startswith(PROMPTS)]
        assert [line["what"] for line in spoken] == ["prompt", "prompt_end"] * 2, story(lines)
        assert not [line for line in spoken if line.get("cut")]
        words.append(spoken[0]["t"] - at)
        ends.append(spoken[-1]["t"] - at)
        dials.append(calls(lines)[0].dialled - spoken[-1]["t"])
        confirms += [t - at for t in times(lines, "confirm")[:1]]
    with capsys.disabled():
        print("\n" + "\n".join([figures("press to first word", words), figures("press to end of both prompts", ends),
                                figures("end of prompts to dialled", dials), figures("pendant confirmed", confirms)]))
    assert max(words) <= FIRST_WORD_MS and max(ends) <= WINDOW_MS
    assert min(dials) >= 0 and sorted(dials)[int(0.95 * count)] <= 1000 and max(dials) <= 2000
    assert len(confirms) == sum(case["name"].endswith("call") for case in cases) and max(confirms) <= 500
