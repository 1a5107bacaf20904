"""What is left of a program that was killed: its children end, its folder goes when the next one starts."""

import subprocess
import sys
import tempfile
import time

import pytest
from conftest import ROOT
from home.real import LIMIT_S, running

from tools import owner


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_child_ends_when_its_parent_is_killed():
    """Whatever it has become: here a program that would sleep for a minute."""
    code = ("import os, subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-m', 'tools.owner', str(os.getpid()), sys.executable, "
            "'-c', 'print(1, flush=True); import time; time.sleep(60)'], stdout=subprocess.PIPE)\n"
            "child.stdout.readline()\nprint(child.pid, flush=True)\ntime.sleep(60)")
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert running([child]) == [child]
    parent.kill()
    parent.communicate()
    end = time.monotonic() + LIMIT_S
    while running([child]):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_child_of_somebody_else_does_not_begin():
    done = subprocess.run([sys.executable, "-m", "tools.owner", "1", "/bin/echo", "here"], cwd=ROOT,
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_folder_goes_at_the_end_and_nobody_removes_it_before(temporary):
    with owner.folder("one-") as first:
        (first / "key").write_text("secret")
        with owner.folder("one-") as second:
            assert sorted(temporary.iterdir()) == sorted([first, second])
        assert (first / "key").exists() and not second.exists()
    assert not list(temporary.iterdir())


def test_the_folder_of_an_owner_that_was_killed_goes_when_the_next_one_starts(temporary):
    code = ("import sys, time\nfrom tools import owner\nimport tempfile\ntempfile.tempdir = sys.argv[1]\n"
            "with owner.folder('one-') as folder:\n"
            "    (folder / 'key').write_text('secret')\n    print(folder, flush=True)\n    time.sleep(60)")
    command = [sys.executable, "-c", code, str(temporary)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    left = temporary / process.stdout.readline().strip()
    with owner.folder("one-"):
        assert (left / "key").exists(), "its owner lives"
    process.kill()
    process.communicate()
    with owner.folder("other-"):
        assert (left / "key").exists(), "another program's"
    with owner.folder("one-"):
        assert not left.exists()


def test_what_never_had_an_owner_stays(temporary):
    (temporary / "one-mine").mkdir()
    (temporary / "elsewhere").mkdir()
    (temporary / "elsewhere" / "owner.lock").touch()
    (temporary / "one-link").symlink_to(temporary / "elsewhere")
    (temporary / "one-file").touch()
    with owner.folder("one-"):
        pass
    assert {path.name for path in temporary.iterdir()} == {"one-mine", "one-link", "one-file", "elsewhere"}
    assert (temporary / "elsewhere" / "owner.lock").exists()
