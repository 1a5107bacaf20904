"""`python -m tools.home` from the command line."""

import socket
import subprocess
import sys

import pytest
from conftest import ROOT, need

from tools import simulator
from tools.home import house
from tools.home.__main__ import main


def run(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "tools.home", "--no-open", *args], cwd=ROOT, capture_output=True,
                          text=True, timeout=30)


def one_line(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_port_in_use_is_one_line(sounds):
    need("micropython")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in one_line(run("--port", str(port)))


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_port_that_cannot_be_is_one_line(sounds, port):
    need("micropython")
    assert port in one_line(run("--port", port))


def test_simulator_not_installed_is_one_line(sounds, monkeypatch, capsys):
    for name, value in (("MICROPYTHON", ""), ("PATH", "/nonexistent")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert main(["--no-open"]) == 1
    assert capsys.readouterr().err == "micropython is not installed: run `make setup`, or set MICROPYTHON to its path\n"


def test_sounds_not_built_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(simulator, "SOUND", tmp_path)
    assert main(["--no-open"]) == 1
    assert capsys.readouterr().err == "build/sound is missing: run `make sound`\n"


def test_default_home_has_one_sensor_of_each_kind_where_the_plan_draws_it():
    home = house.scenario("2026-11-22T14:20:00")
    assert [sensor["kind"] for sensor in home["sensors"]] == ["smoke", "activity", "call_button", "door"]
    plan = (ROOT / "tools" / "home" / "static" / "plan.js").read_text(encoding="utf-8")
    for sensor in home["sensors"]:
        assert f'"{sensor["place"]}": [' in plan
        assert f'{sensor["kind"]}: [' in plan
