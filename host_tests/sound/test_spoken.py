"""The real texts through the real driver into the simulated room, in virtual time under MicroPython."""

import json

import pytest

from firmware.texts import PROMPTS, REPORTS, TEXTS

LEAD_IN_MS, PROMPT_GAP_MS, REPORT_GAP_MS = 400, 500, 300


@pytest.fixture
def hear(built, micropython, tmp_path):
    def run(steps, until):
        plan = {"root": str(built.parent), "index": str(built / "index.json"), "until": until, "steps": steps}
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        args = ["host_tests/drivers/speaker_world.py", str(tmp_path / "plan.json")]
        lines = [json.loads(line) for line in micropython(args, env={"MICROPYPATH": ".:.frozen"}).splitlines()]
        assert lines[-1]["gaps"] == lines[-1]["failed"] == lines[-1]["blocking"] == 0
        return [line for line in lines if line["what"].startswith("prompt")]

    return run


@pytest.mark.req("EMG-02")
@pytest.mark.req("EMG-03")
@pytest.mark.parametrize("name", PROMPTS)
def test_prompt_spoken_twice_within_the_window(hear, name):
    """Pressed at 0, both plays have ended by 15.0 s."""
    lines = hear([[LEAD_IN_MS, "say", name, 2, PROMPT_GAP_MS]], 16000)
    assert [(line["what"], line["text"], line["play"]) for line in lines] == [
        (what, TEXTS[name], play) for play in (1, 2) for what in ("prompt", "prompt_end")
    ]
    assert not any(line.get("cut") or line.get("damaged") for line in lines)
    assert lines[0]["t"] - LEAD_IN_MS <= 50
    assert lines[-1]["t"] <= 15000


@pytest.mark.req("EMG-06")
@pytest.mark.parametrize("name", REPORTS)
def test_report_spoken_twice_within_ten_seconds(hear, name):
    """From its first sample; the room's loudspeaker stands for the call's here."""
    lines = hear([[0, "say", name, 2, REPORT_GAP_MS]], 11000)
    assert len(lines) == 4 and lines[-1]["t"] <= 10000 - 500


def test_every_text_is_told_from_the_others(hear):
    steps = [[5500 * n, "say", name] for n, name in enumerate(TEXTS) if name not in PROMPTS]
    lines = hear(steps, 5500 * len(TEXTS) + 1000)
    heard = [line for line in lines if line["what"] == "prompt"]
    assert [line["text"] for line in heard] == [TEXTS[name] for name in TEXTS if name not in PROMPTS]
    assert not any(line.get("unknown") or line.get("damaged") or line.get("cut") for line in lines)
