"""`make`: the help lists every target; what is missing is said in one line, with status 2, before any setting up."""

import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT, need

TEXT = (ROOT / "Makefile").read_text(encoding="utf-8")
WANTED = {
    "setup", "run", "test", "lint", "types", "scenario", "serve-ncp", "serve-modem", "serve-board", "bench", "image",
    "flash", "clean", "soak", "sound", "help",
}


def make(*args: str, **env: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    for name in ("FILE", "OUT", "LINK", "DIR", "PORT"):
        clean.pop(name, None)
    return subprocess.run([need("make"), *args], cwd=ROOT, capture_output=True, text=True, timeout=60,
                          env={**clean, **env})


def phony() -> set:
    block = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", TEXT, re.M).group(1)
    return set(block.replace("\\", " ").split())


def test_help_lists_every_target_with_what_it_does():
    done = make("help")
    listed = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert done.returncode == 0 and not done.stderr
    assert set(listed) == phony() >= WANTED
    assert all(len(line.split()) > 3 for line in listed.values())


def test_make_alone_is_the_help():
    assert make().stdout == make("help").stdout


@pytest.mark.parametrize("args, names", [
    (["scenario"], ["scenario", "FILE"]),
    (["scenario", "FILE=x.json"], ["scenario", "OUT", "FILE=x.json"]),
    (["scenario", "OUT=y"], ["scenario", "FILE"]),
    (["serve-ncp"], ["serve-ncp", "LINK"]),
    (["serve-modem"], ["serve-modem", "LINK"]),
    (["serve-board", "LINK=x"], ["serve-board", "DIR"]),
    (["serve-board", "DIR=x"], ["serve-board", "LINK"]),
    (["flash"], ["flash", "PORT=/dev/"]),
    (["flash", "PORT="], ["flash", "PORT=/dev/"]),
])
def test_what_is_missing_is_one_line_and_status_2(args, names, tmp_path):
    done = make(*args, f"VENV={tmp_path / 'venv'}")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and not done.stdout
    assert all(name in done.stderr for name in names)
    assert not (tmp_path / "venv").exists()


def fake_python(tmp_path, script: str) -> str:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def says(done, text: str) -> bool:
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    return done.returncode == 2 and len(lines) == 1 and text in lines[0]


def test_no_python(tmp_path):
    done = make("setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={tmp_path / 'nowhere'}")
    assert says(done, "apt-get install python3 python3-venv")


def test_a_python_that_is_too_old(tmp_path):
    program = "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[1])"
    old = fake_python(tmp_path, f"""exec {sys.executable} -c '{program}' "$2" """)
    done = make("setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}")
    assert says(done, "this is 3.9") and not (tmp_path / "venv").exists()


def test_a_python_without_venv(tmp_path):
    bare = fake_python(tmp_path, f"""case "$*" in *ensurepip*) exit 1;; esac; exec {sys.executable} "$@" """)
    done = make("setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={bare}")
    assert says(done, "apt-get install python3-venv") and not (tmp_path / "venv").exists()


def test_setup_runs_again_only_when_the_pins_change(tmp_path):
    stamp = tmp_path / "venv" / ".ready"
    stamp.parent.mkdir()
    stamp.touch()
    os.utime(stamp, (2**31, 2**31))
    assert make("-q", "setup", f"VENV={tmp_path / 'venv'}").returncode == 0
    os.utime(stamp, (0, 0))
    assert make("-q", "setup", f"VENV={tmp_path / 'venv'}").returncode == 1


def test_pins_are_exact_and_complete():
    """Every line of requirements.txt names one version; all that is asked for is pinned."""
    pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    exact = re.compile(r"[a-z0-9_-]+==[0-9][0-9a-z.]*( ; python_full_version [<>=]+ '3\.11')?")
    assert all(exact.fullmatch(line) for line in pins)
    pinned = {line.split("==")[0] for line in pins}
    asked = [re.match(r"[a-z0-9_-]+", line) for line in (ROOT / "requirements.in").read_text().splitlines()]
    assert {found.group() for found in asked if found} <= pinned


def test_bench_takes_the_parts_that_were_asked_for():
    assert "tools.bench flashlog link" in make("-n", "bench", "ARGS=flashlog link").stdout


def test_takeover_gets_only_when_asked_to():
    """GNU make has a variable GET of its own; PUT and CHECK must not become a GET beside it."""
    for given, without in (("PUT=x.bin", "--get"), ("CHECK=x.bin", "--get"), ("GET=x.bin", "--put")):
        said = make("-n", "takeover", "PORT=nowhere", given).stdout
        assert f'--{given[:-6].lower()} "x.bin"' in said and without not in said
