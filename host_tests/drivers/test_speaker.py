"""The loudspeaker driver on a simulated amplifier, in virtual time under MicroPython."""

import itertools
import json
import os
import random

import pytest
from sound.sounds import write_folder

LENGTHS = {"long": 6850, "report": 4590, "short": 1000, "other": 1500}
HEAD_MS = 15  # of silence at the start of every file


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("board")
    write_folder(root / "sound", LENGTHS)
    return root


@pytest.fixture
def play(micropython, root, tmp_path):
    """Run steps, return the timeline."""

    def run(*steps, until, **options):
        plan = {"root": str(root), "index": str(root / "sound/index.json"), "until": until, "steps": steps, **options}
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(plan))
        out = micropython(["host_tests/drivers/speaker_world.py", str(path)], env={"MICROPYPATH": ".:.frozen"})
        return [json.loads(line) for line in out.splitlines()]

    return run


def pick(timeline, *whats):
    return [line for line in timeline if line["what"] in whats]


def heard(timeline):
    """(t, what, name, play, cut) of everything heard."""
    return [
        (line["t"], line["what"], line["text"].replace("text of ", ""), line["play"], line.get("cut", False))
        for line in pick(timeline, "prompt", "prompt_end")
    ]


def clean(timeline):
    """Nothing wrong was heard, and the task lives."""
    assert not [line for line in timeline if line.get("unknown") or line.get("damaged")]
    done = timeline[-1]
    assert done["alive"] and done["blocking"] == 0
    return done


@pytest.mark.req("EMG-02")
@pytest.mark.req("EMG-03")
def test_two_plays_and_the_gap_fit_the_prompt_window(play):
    timeline = play([400, "say", "long", 2, 500], until=16000)
    done = clean(timeline)
    assert heard(timeline) == [
        (415, "prompt", "long", 1, False), (400 + 6850, "prompt_end", "long", 1, False),
        (400 + 6850 + 500 + 15, "prompt", "long", 2, False), (400 + 2 * 6850 + 500, "prompt_end", "long", 2, False),
    ]
    assert heard(timeline)[-1][0] <= 15000
    assert (done["finished"], done["failed"], done["gaps"], done["speaking"]) == (1, 0, 0, False)


@pytest.mark.req("EMG-06")
def test_report_twice_within_ten_seconds(play):
    timeline = play([500, "say", "report", 2, 300], until=11000)
    clean(timeline)
    assert heard(timeline)[-1] == (500 + 2 * 4590 + 300, "prompt_end", "report", 2, False)
    assert heard(timeline)[-1][0] <= 10000


def test_amplifier_is_on_only_while_spoken(play):
    timeline = play([1000, "say", "short", 2, 300], until=5000)
    switched = [(line["t"], line["on"]) for line in pick(timeline, "amp")]
    assert [on for _, on in switched] == [1, 0]
    assert switched[0][0] == 1000
    assert 1000 + 2300 <= switched[1][0] <= 1000 + 2300 + 100


def test_first_sound_within_50_ms(play):
    timeline = play([1003, "say", "short"], until=3000)
    assert heard(timeline)[0][0] - 1003 <= 50


@pytest.mark.parametrize("at", range(2000, 2034, 3))
def test_stop_silences_within_100_ms(play, at):
    timeline = play([100, "say", "long", 2, 500], [at, "stop"], until=8000)
    done = clean(timeline)
    end = heard(timeline)[-1]
    assert end[1:] == ("prompt_end", "long", 1, True)
    assert end[0] - at <= 100
    assert len(heard(timeline)) == 2 and not done["speaking"]


@pytest.mark.parametrize("at", [101, 116, 150, 2000, 2011, 6945, 6960, 7100, 7449, 7455, 14290, 14302, 14350, 14370])
def test_a_new_text_takes_over_within_100_ms(play, at):
    """Asked for at the start, in the middle, at the end, in the gap, in the silence after the last sound."""
    timeline = play([100, "say", "long", 2, 500], [at, "say", "other"], until=18000)
    done = clean(timeline)
    lines = heard(timeline)
    assert not [line for line in lines if line[2] == "long" and line[0] > at + 100]
    start = next(line for line in lines if line[2] == "other")
    assert start[1] == "prompt" and start[0] - HEAD_MS - at <= 100
    assert lines[-1] == (start[0] - HEAD_MS + 1500, "prompt_end", "other", 1, False)
    assert not done["speaking"]


def test_the_last_of_many_wishes_counts(play):
    wishes = [[1000, "say", "long"], [1000, "say", "short"], [1000, "stop"], [1000, "say", "other"]]
    timeline = play(*wishes, until=4000)
    clean(timeline)
    assert [line[1:3] for line in heard(timeline)] == [("prompt", "other"), ("prompt_end", "other")]


def test_saying_the_same_again_starts_over(play):
    timeline = play([100, "say", "long"], [1000, "say", "long"], until=9000)
    clean(timeline)
    ends = [line for line in heard(timeline) if line[1] == "prompt_end"]
    assert [end[4] for end in ends] == [True, False]
    assert 1000 + 6850 <= ends[1][0] <= 1100 + 6850


def test_a_held_controller_does_not_stutter(play):
    """Other tasks may hold the controller for 40 ms at a time: the I2S buffer lasts longer."""
    holds = [[at, "hold", 40] for at in range(300, 2000, 100)]
    timeline = play([100, "say", "report"], *holds, until=6000)
    assert clean(timeline)["gaps"] == 0
    assert heard(timeline)[-1] == (100 + 4590, "prompt_end", "report", 1, False)


@pytest.mark.fault(60)
@pytest.mark.parametrize("fault", ["stuck", "raise"])
def test_dead_amplifier(play, fault):
    """One log line, nothing hangs, and the text after the repair is spoken."""
    timeline = play(
        [100, "fault", fault], [200, "say", "long", 2, 500], [3000, "say", "short"], [5000, "say", "short"],
        [7000, "fault", None], [7100, "say", "other"], until=10000,
    )
    done = clean(timeline)
    assert [line[1:3] for line in heard(timeline)] == [("prompt", "other"), ("prompt_end", "other")]
    assert [line["level"] for line in pick(timeline, "log")] == ["ERROR", "INFO"]
    assert (done["failed"], done["finished"], done["speaking"]) == (3, 1, False)
    said = [line["t"] for line in pick(timeline, "said")]
    assert said == [200, 3000, 5000, 7100]  # say() never waits
    off = [line["t"] for line in pick(timeline, "amp") if not line["on"]]
    assert off[0] - 200 <= 400


@pytest.mark.fault(60)
def test_amplifier_dies_in_the_middle(play):
    timeline = play([100, "say", "long", 2, 500], [2000, "fault", "stuck"], [2500, "fault", None],
                    [3000, "say", "short"], until=5000)
    clean(timeline)
    lines = heard(timeline)
    assert lines[1][1] == "prompt_end" and lines[1][4] and lines[1][0] <= 2400
    assert lines[-1][1:] == ("prompt_end", "short", 1, False)


def test_a_glitch_shorter_than_the_limit_is_survived(play):
    """A write that fails now and then costs nothing but the moment."""
    timeline = play([100, "say", "report"], [1000, "memory_error", 3], until=6000)
    clean(timeline)
    assert heard(timeline)[-1][1:] == ("prompt_end", "report", 1, False)
    assert [line["level"] for line in pick(timeline, "log")] == ["ERROR", "INFO"]


def test_missing_file(play):
    timeline = play([100, "say", "nothing"], [200, "say", "nothing"], [300, "say", "short"], until=2000)
    done = clean(timeline)
    assert [line[1:3] for line in heard(timeline)] == [("prompt", "short"), ("prompt_end", "short")]
    logs = pick(timeline, "log")
    assert len(logs) == 1 and "nothing.wav" in logs[0]["text"]
    assert (done["failed"], done["finished"]) == (2, 1)
    assert pick(timeline, "said")[0]["ms"] == 0


@pytest.mark.parametrize("spoil", ["empty", "text", "cut", "stereo", "header"])
def test_corrupt_file(play, root, spoil):
    good = (root / "sound/short.wav").read_bytes()
    bad = {
        "empty": b"", "text": b"not a sound at all" * 100, "cut": good[:-1000],
        "stereo": good[:22] + b"\2" + good[23:], "header": good[:30],
    }[spoil]
    (root / f"sound/{spoil}.wav").write_bytes(bad)
    timeline = play([100, "say", spoil, 2], [500, "say", "short"], until=2000)
    done = clean(timeline)
    assert [line[1:3] for line in heard(timeline)] == [("prompt", "short"), ("prompt_end", "short")]
    assert len(pick(timeline, "log")) == 1 and (done["failed"], done["finished"]) == (1, 1)


def test_file_system_fails_while_speaking(play):
    timeline = play([100, "say", "long"], [1000, "break_file"], [3000, "say", "short"], until=5000)
    done = clean(timeline)
    lines = heard(timeline)
    assert lines[1][4] and lines[1][0] <= 1400
    assert lines[-1][1:] == ("prompt_end", "short", 1, False) and done["failed"] == 1


def test_amplifier_pin_and_log_that_raise(play):
    timeline = play([50, "break_log"], [100, "break_amp"], [200, "say", "short"], [400, "stop"],
                    [500, "say", "nothing"], until=3000)
    assert timeline[-1]["alive"] and not timeline[-1]["speaking"]


def test_a_board_without_output(play):
    timeline = play([100, "say", "short"], [500, "say", "short"], until=2000, no_i2s=True)
    done = timeline[-1]
    assert done["alive"] and done["failed"] == 2 and not done["speaking"]
    assert len(pick(timeline, "log")) == 1


def test_allocates_nothing_that_grows(play):
    says = [[1000 + 50 * n, "say", ["short", "other", "nothing"][n % 3], 2, 100] for n in range(300)]
    timeline = play([0, "say", "short"], *says[:100], [6500, "heap"], *says[110:], [19000, "heap"], until=20000)
    first, last = pick(timeline, "heap")
    assert last["used"] - first["used"] < 2048
    assert timeline[-1]["alive"]


def test_any_order_of_wishes_and_faults(play):
    """Seeded: whatever happens, the task lives, nothing unknown is heard, and the last text is spoken whole."""
    for seed in range(int(os.environ.get("FUZZ_COUNT", "6"))):
        draw = random.Random(seed)
        at, steps = 100, []
        for _ in range(60):
            at += draw.choice([0, 1, 5, 16, 17, 63, 64, 70, 200, 900])
            steps.append(draw.choice([
                [at, "say", draw.choice(list(LENGTHS)), draw.randint(-1, 3), draw.choice([-5, 0, 1, 300])],
                [at, "say", "nothing"], [at, "stop"], [at, "fault", draw.choice(["stuck", "raise", None])],
                [at, "hold", draw.randint(1, 200)], [at, "break_file"],
            ]))
        end = at + 500
        timeline = play(*steps, [end, "fault", None], [end, "say", "short"], until=end + 1500)
        done = clean(timeline)
        lines = heard(timeline)
        assert lines[-1][1:3] == ("prompt_end", "short") and not lines[-1][4], f"seed {seed}"
        assert not done["speaking"], f"seed {seed}"
        for before, after in itertools.pairwise(lines):  # begin and end alternate, times never go back
            assert before[0] <= after[0] and before[1] != after[1], f"seed {seed}"
