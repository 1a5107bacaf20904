"""`make scenario` for a person: what is wrong is one line that names it, exit status 2; what is right is a timeline."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT

STEP = {"at": 1, "do": "press", "button": "119"}


def scenario(*arguments):
    return subprocess.run([sys.executable, "-m", "tools.scenario", *map(str, arguments)], cwd=ROOT,
                          capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("given", "named"), [
    ({"steps": [{"at": 1, "do": "fly"}]}, "unknown step 'fly'"),
    ({"steps": [{**STEP, "button": "red"}]}, "'button' must be one of 119, centre, call, cancel"),
    ({"steps": [{**STEP, "hard": 1}]}, "has no field 'hard'"),
    ({"steps": [{"at": 1, "do": "press"}]}, "needs 'button'"),
    ({"steps": [{"do": "hang_up"}]}, "'at' must be"),
    ({"steps": [{"at": -1, "do": "hang_up"}]}, "'at' must be"),
    ({"steps": [{"at": 1, "do": "smoke", "sensor": "attic", "on": True}]}, "no sensor 'attic'"),
    ({"steps": [{"at": 1, "do": "radar"}]}, "'radar' is not simulated yet"),
    ({"steps": [5]}, "a step is a JSON object"),
    ({"steps": {}}, "'steps' must be a list"),
    ({"sensor": []}, "no field 'sensor'"),
    ({"sensors": [{"name": "a", "kind": "tank"}]}, "kind 'tank'"),
    ({"sensors": [{"name": "a", "kind": "smoke"}] * 2}, "two sensors named 'a'"),
    ({"sensors": [{"name": "a", "kind": "smoke", "ieee": "xyz"}]}, "16 hexadecimal digits"),
    ({"settings": {"tester": "119"}}, "'tester' has a bad value"),
    ({"settings": {"emergency_number": "1"}}, "'emergency_number' is unknown"),
    ({"start": "yesterday"}, "'start' must be"),
    ({"until": "soon"}, "'until' must be"),
    ([], "a scenario is a JSON object"),
    ('{"steps": [', "not JSON: line 1"),
])
def test_what_is_wrong_is_named_in_one_line(tmp_path, given, named):
    path = tmp_path / "x.json"
    path.write_text(given if isinstance(given, str) else json.dumps(given), encoding="utf-8")
    done = scenario(path, tmp_path / "out.jsonl")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and str(path) in done.stderr and named in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_a_file_that_is_not_there_or_cannot_be_written(tmp_path):
    press, nowhere = ROOT / "scenarios/press.json", tmp_path / "no" / "o"
    for arguments, what in [((tmp_path / "none", tmp_path / "o"), f"read {tmp_path / 'none'}"),
                            ((press, nowhere), f"write {nowhere}")]:
        done = scenario(*arguments)
        assert (done.returncode, done.stderr) == (2, f"scenario: cannot {what}: No such file or directory\n")


def test_a_file_that_is_no_text_is_one_line(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe")
    done = scenario(tmp_path / "x.json", tmp_path / "o")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "not UTF-8" in done.stderr


def test_a_timeline_is_written_line_by_line_in_time(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"steps": [{**STEP, "at": 3000}], "until": 6000}), encoding="utf-8")
    done = scenario(path, tmp_path / "out.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    times = [line["t"] for line in lines]
    assert times == sorted(times) and {"boot", "beacon", "prompt", "screen"} <= {line["what"] for line in lines}
