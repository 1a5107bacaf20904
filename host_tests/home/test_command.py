"""`python -m tools.home` from the command line."""

import socket
import subprocess
import sys

import pytest
from conftest import ROOT, need

from tools import simulator
from tools.home import house
from tools.home.__main__ import main
from tools.relay.databases import open_store


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


@pytest.mark.parametrize(("words", "says"), [
    (["--port", "99999"], "port 99999 is none: 1 to 65535"), (["--port", "-1"], "port -1 is none: 1 to 65535"),
    (["--port", "abc"], "port abc is none: 1 to 65535"), (["--port", "0"], "1 to 65535"),
    (["--port"], "expected one argument"), (["--simulated", "--embedded"], "not allowed with argument --simulated"),
    (["here"], "unrecognized arguments: here"),
])
def test_what_is_wrong_with_the_command_line_is_one_line(words, says, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--no-open", *words])
    out, err = capsys.readouterr()
    assert end.value.code == 2 and not out and err.count("\n") == 1 and err.startswith("home: ") and says in err


def test_what_the_relay_has_is_shown_wherever_one_asks(tmp_path):
    folder = tmp_path / "a home"
    folder.mkdir()
    open_store(f"sqlite:///{folder / 'relay.db'}").close()
    done = subprocess.run(house.export(folder), shell=True, cwd="/", capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


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
