"""zigbee-herdsman, which knows nothing of this project, judges the simulated coprocessor and sensors over a pty.

It starts, opens the network, interviews each of the four kinds, enrols, binds, configures their reporting and hears
their alarms and reports; then it stops and leaves a backup. Which version, from where: herdsman/package-lock.json.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import threading
import time

import pytest
from conftest import need

from hal_sim.zigbee import network

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent / "herdsman"
SERVER = [sys.executable, "tools/serve_ncp.py"]
DEVICES = (
    ("smoke", "smoke", "Smoke", 0x0402, [0, 1, 3, 0x20, 0x0402, 0x0500, 0x0502], []),
    ("call_button", "pendant", "Pendant", 0x0402, [0, 1, 3, 0x20, 0x0500], [0x0501]),
    ("door", "door", "Door", 0x0402, [0, 1, 3, 0x20, 0x0500], []),
    ("activity", "movement 8", "Motion", 0x0107, [0, 1, 3, 0x20, 0x0406, 0xFC30], []),
)  # the movement's name decides when its minute ends: 25 s after it joined
ZONES = {"Smoke": 0x0028, "Pendant": 0x002C, "Door": 0x0015}
OWN = {"panID": 0x1A62, "extendedPanID": [1, 2, 3, 4, 5, 6, 7, 8], "channelList": [15], "networkKey": list(range(16))}


@pytest.fixture(scope="session")
def modules():
    """Where zigbee-herdsman is installed, from the registry by the lock file; once for each lock."""
    npm = need("npm")
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = ROOT / "build" / "herdsman" / lock
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # several pytest workers
        if not (folder / "ready").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            if done.returncode and not os.environ.get("CI"):
                pytest.skip(f"npm ci failed: {done.stderr[-300:]}")
            assert done.returncode == 0, done.stderr
            (folder / "ready").touch()
    return folder / "node_modules"


class Lines:
    """What a process says, as JSON, while it runs."""

    def __init__(self, process: subprocess.Popen):
        self.all: list = []
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(process.stdout,))
        self._reader.start()

    def _read(self, stream) -> None:
        for text in stream:
            if text.startswith("{"):
                self._queue.put(json.loads(text))
        self._queue.put(None)

    def until(self, what: str, limit_s: float = 60, **wanted) -> dict:
        """The first line that says it, of those already there too."""
        limit = time.monotonic() + limit_s

        def fits(line: dict) -> bool:
            return line["what"] == what and all(line.get(key) == value for key, value in wanted.items())

        for line in self.all:
            if fits(line):
                return line
        while True:
            line = None
            with contextlib.suppress(queue.Empty):
                line = self._queue.get(timeout=max(limit - time.monotonic(), 0.01))
            assert line is not None, f"no {what} {wanted} in {limit_s} s:\n" + "\n".join(map(str, self.all[-40:]))
            self.all.append(line)
            if fits(line):
                return line

    def end(self) -> list:
        """Everything, after the process ended."""
        self._reader.join(10)
        while not self._queue.empty():
            line = self._queue.get()
            if line is not None:
                self.all.append(line)
        return self.all


class Home:
    """The served coprocessor; act() is a step of a scenario, now."""

    def __init__(self, folder: pathlib.Path, home: dict):
        self.path = folder / "ncp"
        (folder / "home.json").write_text(json.dumps(home))
        self._process = subprocess.Popen(
            [*SERVER, str(self.path), str(folder / "home.json")], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.lines = Lines(self._process)
        limit = time.monotonic() + 10
        while not self.path.exists():
            assert self._process.poll() is None and time.monotonic() < limit
            time.sleep(0.02)

    def act(self, do: str, **fields) -> None:
        self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self.lines.end()
        self._process.stdin.close()
        self._process.stdout.close()


class Judge:
    """zigbee-herdsman in a process of its own."""

    def __init__(self, folder: pathlib.Path, path: pathlib.Path, modules: pathlib.Path, settings: dict):
        self.folder = folder
        config = folder / "config.json"
        config.write_text(json.dumps({"path": str(path), "folder": str(folder), "network": settings}))
        self._process = subprocess.Popen(
            [need("node"), str(HERE / "judge.js"), str(config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "NODE_PATH": str(modules)},
        )  # fmt: skip
        self.lines = Lines(self._process)

    def stop(self) -> list:
        """An orderly stop; all it said."""
        self._process.stdin.close()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
        said = self.lines.end()
        self._process.stdout.close()
        return said


@pytest.fixture
def served(tmp_path, modules):
    """served(home, network) -> (Home, Judge)"""
    homes, judges = [], []

    def start(home: dict, settings: dict):
        homes.append(Home(tmp_path, home))
        return homes[0], again(settings)

    def again(settings: dict):
        judges.append(Judge(tmp_path, homes[0].path, modules, settings))
        return judges[-1]

    start.again = again
    yield start
    for judge in judges:
        if not judge._process.stdin.closed:
            judge.stop()
    for home in homes:
        home.close()


def pair_all(home: Home, judge: Judge, moving: bool = False) -> dict:
    """Everybody joins, is interviewed and set up: model -> address. moving: somebody is seen in the first minute."""
    judge.lines.until("open", 90)
    for kind, name, _, _, _, _ in DEVICES:
        home.act("pair", kind=kind, name=name, place="room")
    if moving:
        home.lines.until("joined", sensor=DEVICES[3][1])
        home.act("move", place="room", for_ms=3000)
    found = {}
    for _, _, model, number, servers, clients in DEVICES:
        one = judge.lines.until("interview", status="successful", model=model)
        assert (one["maker"], one["power"], one["type"], one["checkin"]) == ("Home", "Battery", "EndDevice", 3600)
        assert one["endpoints"] == [[1, number, servers, clients]]
        found[model] = one["ieee"]
        check_set_up(model, judge.lines.until("set_up", ieee=one["ieee"]))
    assert not [line for line in judge.lines.all if line["what"] in ("set_up_failed", "failed")]
    return found


def check_set_up(model: str, one: dict) -> None:
    read = one["read"]
    reports = {"batteryPercentageRemaining": 200}
    if model == "Smoke":
        reports["measuredValue"] = 2250
    for attribute, value in reports.items():
        assert read[attribute][attribute] == value
        (back,) = read[attribute]["configured"]
        assert (back["status"], back["minRepIntval"], back["maxRepIntval"]) == (0, 0, 3600)
    if model in ZONES:
        assert (read["zoneState"], read["zoneType"], read["zoneId"]) == (1, ZONES[model], 23)
    else:
        assert set(read["mask"]) == {"minute", "mask", "before", "state"}
    assert "INVALID_VALUE" in one["refused"]  # a sensor is not told to fall silent
    assert {"genPollCtrl", "genPowerCfg"} <= set(one["bound"])


def hear_alarms(home: Home, judge: Judge, found: dict) -> None:
    """Alarms, restores, both buttons, a falling battery."""
    smoke, pendant, door = found["Smoke"], found["Pendant"], found["Door"]
    home.act("smoke", sensor="smoke", on=True)
    home.act("call_button", sensor="pendant", button="call")
    home.act("call_button", sensor="pendant", button="cancel")
    home.act("door", sensor="door", open=True)
    home.act("sensor", sensor="door", battery=80)
    for ieee, status in ((smoke, 1), (pendant, 2), (pendant, 0), (door, 1), (door, 9)):
        judge.lines.until("message", 20, type="commandStatusChangeNotification", ieee=ieee,
                          data={"zonestatus": status, "extendedstatus": 0, "zoneID": 23, "delay": 0})  # fmt: skip
    arm = judge.lines.until("message", 20, type="commandArm", ieee=pendant)
    assert (arm["cluster"], arm["data"]["armmode"]) == ("ssIasAce", 0)
    judge.lines.until("message", 20, type="attributeReport", cluster="genPowerCfg", ieee=door,
                      data={"batteryPercentageRemaining": 160})  # fmt: skip


@pytest.mark.req("ZB-01")
@pytest.mark.req("ZB-06")
@pytest.mark.req("ZB-07")
@pytest.mark.req("ZB-08")
@pytest.mark.req("ZB-09")
def test_it_resumes_the_network_and_takes_all_four_kinds(served):
    channel, pan, extended, key, _ = network.identity(network.formed_items("coordinator", []))
    settings = {"panID": pan, "extendedPanID": list(reversed(extended)), "channelList": [channel],
                "networkKey": list(key)}  # fmt: skip
    home, judge = served({"sensors": []}, settings)
    assert judge.lines.until("started")["result"] == "resumed"
    found = pair_all(home, judge, moving=True)
    hear_alarms(home, judge, found)
    home.lines.until("confirm", sensor="pendant")
    mask = judge.lines.until("message", 90, type="attributeReport", cluster="homeActivity", ieee=found["Motion"])
    assert mask["data"]["minute"] == 0 and mask["data"]["before"] == 0 and mask["data"]["state"] == 0
    assert bin(mask["data"]["mask"]).count("1") in (2, 3)
    said = judge.stop()
    assert said[-1]["what"] == "stopped"
    assert not [line for line in said if line["what"] in ("error", "warning")]
    backup = json.loads((judge.folder / "backup.json").read_text())
    assert backup["network_key"]["key"] == key.hex() and backup["pan_id"] == f"{pan:04x}"
    assert {"0x" + one["ieee_address"] for one in backup["devices"]} == set(found.values())


@pytest.mark.req("ZB-01")
@pytest.mark.req("ZB-04")
def test_it_forms_a_network_of_its_own_and_finds_it_again(served):
    home, judge = served({"network": "none"}, OWN)
    assert judge.lines.until("started", 60)["result"] == "reset"
    about = judge.lines.until("coordinator")["parameters"]
    assert (about["panID"], about["channel"], about["extendedPanID"]) == (0x1A62, 15, "0x0102030405060708")
    found = pair_all(home, judge)
    assert judge.stop()[-1]["what"] == "stopped"
    judge = served.again(OWN)
    assert judge.lines.until("started", 60)["result"] == "resumed"
    judge.lines.until("open")
    hear_alarms(home, judge, found)
