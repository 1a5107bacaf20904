"""zigpy-znp, which knows nothing of this project, judges the simulated coprocessor over a pty."""

import asyncio
import json
import pathlib
import subprocess
import sys
import time

import pytest
from served_ncp import Served

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = [sys.executable, "tools/serve_ncp.py"]
HOME = {
    "sensors": [
        {"name": "smoke", "kind": "smoke", "place": "kitchen"},
        {"name": "pendant", "kind": "call_button", "place": "person", "ieee": "0012 4b00 aabb ccdd".replace(" ", "")},
    ],
    "steps": [
        {"at": 500, "every": 1000, "do": "smoke", "sensor": "smoke", "on": True},
        {"at": 1000, "every": 1000, "do": "call_button", "sensor": "pendant", "button": "call"},
    ],
}


@pytest.fixture
def link(tmp_path):
    """A served coprocessor; its pty."""
    home = tmp_path / "home.json"
    home.write_text(json.dumps(HOME))
    path = tmp_path / "ncp"
    with subprocess.Popen([*SERVER, str(path), str(home)], cwd=ROOT, stderr=subprocess.PIPE) as process:
        limit = time.monotonic() + 10
        while not path.exists():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < limit
            time.sleep(0.02)
        yield str(path)
        process.terminate()
        process.stderr.close()


async def _until(condition, limit_s=30):
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.05)


@pytest.mark.filterwarnings("ignore")
def test_zigpy_znp_starts_the_network_and_hears_the_alarms(link):
    if sys.version_info < (3, 11):
        pytest.skip("zigpy-znp needs Python 3.11")
    config = pytest.importorskip("zigpy.config")
    from zigpy_znp.zigbee.application import ControllerApplication

    class Ear:
        def __init__(self):
            self.status = {}

        def handle_message(self, device, profile, cluster, source, destination, data):
            if cluster == 0x0500 and data[2] == 0 and device.is_initialized:
                self.status.setdefault(str(device.ieee), set()).add(data[3])

    async def judge():
        settings = {config.CONF_DEVICE: {config.CONF_DEVICE_PATH: link}, config.CONF_DATABASE: None}
        app = await ControllerApplication.new(settings, auto_form=False)
        try:
            ear = Ear()
            app.add_listener(ear)
            network = app.state.network_info
            assert (network.channel, network.pan_id) == (20, 0x3C91)
            assert app.state.node_info.model == "CC2652"
            await app.load_network_info(load_devices=True)
            children = {str(ieee) for ieee in app.state.network_info.children}
            assert "00:12:4b:00:aa:bb:cc:dd" in children
            assert len(app.state.network_info.key_table) == 2
            await _until(lambda: len(ear.status) == 2 and 2 in ear.status["00:12:4b:00:aa:bb:cc:dd"])
            smoke = next(status for ieee, status in ear.status.items() if not ieee.endswith("dd"))
            assert 1 in smoke
            zones = [device for device in app.devices.values() if device.nwk != 0]
            assert {device.model for device in zones} == {"Smoke", "Pendant"}
            answer = await zones[0].endpoints[1].ias_zone.read_attributes(["zone_status"])
            assert answer[0]
        finally:
            await app.shutdown()

    asyncio.run(judge())


@pytest.mark.parametrize(
    "text,named",
    [
        ("{", "Expecting"), ("[]", "object"), ('{"sensor": []}', "'sensor'"), ('{"sensors": [{}]}', "name"),
        ('{"sensors": [{"name": "a", "kind": "oven"}]}', "oven"),
        ('{"sensors": [{"name": "a", "kind": "smoke", "ieee": "12"}]}', "ieee"),
        ('{"sensors": [{"name": "a", "kind": "smoke"}, {"name": "a", "kind": "door"}]}', "two sensors"),
        ('{"steps": [{"at": 1, "do": "smoke", "sensor": "b", "on": true}]}', "'b'"),
        ('{"steps": [{"at": 1, "do": "dance"}]}', "dance"),
        ('{"steps": [{"at": "1", "do": "ncp", "fault": "hang"}]}', "at"),
        ('{"steps": [{"at": 1, "do": "ncp", "fault": "sulk"}]}', "hang"),
        ('{"steps": [{"at": 1, "do": "ncp", "fault": "hang", "for": 3}]}', "'for'"),
        ('{"network": "old"}', "network"), ('{"seed": "x"}', "seed"), ('{"steps": {}}', "steps"),
        ('{"network": "none", "sensors": [{"name": "a", "kind": "smoke"}]}', "pair"),
        ('{"sensors": [{"name": "a", "kind": "smoke", "model": "Toaster"}]}', "model"),
        ('{"steps": [{"at": 1, "every": 0, "do": "move", "place": "a", "for_ms": 1}]}', "every"),
        ('{"steps": [{"at": 1, "do": "press", "button": "119"}]}', "press"),
        ('{"steps": [{"at": 1, "do": "pair", "kind": "door", "name": "a", "install_code": "83FE"}]}', "install code"),
        ('{"steps": [{"at": 1, "do": "radio", "noise": {"10": 4}}]}', "channels"),
        ('{"steps": [{"at": 1, "do": "radio", "loss": 101}]}', "percentage"),
        ('{"steps": [{"at": 9, "do": "pair", "kind": "door", "name": "a"}, {"at": 1, "do": "door", "sensor": "a",'
         ' "open": true}]}', "'a'"),
        ('{"sensors": [{"name": "a", "kind": "smoke"}], "steps": [{"at": 1, "do": "door", "sensor": "a", "open":'
         ' true}]}', "kind smoke"),
        ('{"sensors": [{"name": "a", "kind": "smoke"}], "steps": [{"at": 1, "do": "pair", "kind": "door", "name":'
         ' "a"}]}', "another sensor"),
    ],
)  # fmt: skip
def test_a_bad_home_is_one_line_and_status_2(tmp_path, text, named):
    home = tmp_path / "home.json"
    home.write_text(text)
    command = [*SERVER, str(tmp_path / "x"), str(home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert named in done.stderr


def test_lines_on_stdin_are_steps_and_a_bad_one_is_one_line(tmp_path):
    served = Served(tmp_path, {"sensors": [{"name": "smoke", "kind": "smoke"}], "seed": 2})
    limit = time.monotonic() + 10
    served.process.stdin.write('{\n\n[]\n{"do": "dance"}\n{"do": "leave", "sensor": "nobody"}\n"x"\n')
    served.do({"do": "pair", "kind": "door", "name": "smoke"})
    served.do({"at": "x", "do": "leave", "sensor": "smoke"})
    served.do({"do": "pair", "kind": "door", "name": "front"})
    served.do({"do": "leave", "sensor": "smoke"})
    while not served.told:
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert served.told == [{"what": "left", "sensor": "smoke"}]
    lines = served.end().splitlines()
    named = ("Expecting", "object", "dance", "nobody", "object", "another", "'at'")
    assert len(lines) == len(named)
    assert all(word in line for word, line in zip(named, lines, strict=True))


def test_missing_file_and_missing_link(tmp_path):
    for arguments in ([str(tmp_path / "x"), str(tmp_path / "none.json")], []):
        done = subprocess.run([*SERVER, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
