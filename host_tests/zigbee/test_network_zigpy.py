"""zigpy-znp's own backup tools judge our backups, and we theirs: the same network is read, written and heard."""

import asyncio
import contextlib
import json
import pathlib
import subprocess
import sys
import textwrap
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
if sys.version_info < (3, 11):
    pytest.skip("zigpy-znp needs Python 3.11", allow_module_level=True)
config = pytest.importorskip("zigpy.config")
PRELUDE = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from net_scene import *
"""
OURS = """
async def main():
    bench = Bench()
    await bench.live(bench.settled, 60000)
    items = bench.chip.nv.items
    keys = sorted(items, key=str)
    tell("backup", bench.kept)
    tell("items", [[key, "".join("%02x" % byte for byte in items[key])] for key in keys])
play(main())
"""
WRITTEN = """
async def main():
    bench = Bench()
    await bench.live(bench.settled, 60000)
    kept = bench.kept
    kept["devices"][1]["link_key"]["key"] = "00112233445566778899aabbccddeeff"  # not made of the seed
    kept["devices"][2]["nwk_address"] = None
    kept["devices"][3]["is_child"] = False
    kept["network_key"]["sequence_number"] = 3
    kept["nwk_update_id"] = 7
    kept["channel_mask"] = [15, 20]
    bench.chip.set_fault("replace")
    restored = lambda: bench.coordinator.network.restored > 0
    await bench.live(restored, 60000, kept)
    items = bench.chip.nv.items
    tell("backup", bench.kept)
    tell("items", [[key, "".join("%02x" % byte for byte in items[key])] for key in sorted(items, key=str)])
play(main())
"""
RESTORE = """
async def main():
    bench = Bench()
    await bench.live(bench.settled, 60000)
    counter = bench.chip.air.running.counter
    bench.chip.set_fault("replace")
    good = await bench.live(bench.settled, 60000, json.loads(sys.stdin.read()))
    tell("restored", good, bench.fit(), bench.chip.air.running.counter - counter, bench.coordinator.network.restored)
play(main())
"""


def run(micropython, program, stdin=None):
    lines = micropython(["-c", PRELUDE + textwrap.dedent(program)], stdin=stdin).splitlines()
    found = [json.loads(line) for line in lines]
    assert found[-1][1] == "end"
    return {line[1]: line[2:] for line in found}


@pytest.fixture(scope="module")
def ours(micropython):
    """Our backup of the simulated home, and the memory of the chip it was taken from."""
    told = run(micropython, OURS)
    return told["backup"][0], told["items"][0]


@contextlib.contextmanager
def served(tmp_path, items):
    memory, link = tmp_path / "items.json", tmp_path / "ncp"
    memory.write_text(json.dumps(items))
    command = [sys.executable, str(ROOT / "host_tests/zigbee/serve_items.py"), str(link), str(memory)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        limit = time.monotonic() + 10
        while not link.exists():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < limit
            time.sleep(0.02)
        yield str(link)
        process.terminate()
        process.stderr.close()


def tool(name, *arguments):
    command = [sys.executable, "-W", "ignore", "-m", f"zigpy_znp.tools.{name}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def zigpys(tmp_path, link):
    path = tmp_path / "zigpy.json"
    tool("network_backup", link, "-o", str(path))
    return json.loads(path.read_text())


def without(backup, *fields):
    return {name: value for name, value in backup.items() if name not in ("metadata", *fields)}


def keys_of(backup):
    return {one["ieee_address"]: one["link_key"]["key"] for one in backup["devices"]}


@pytest.mark.req("ZB-16")
def test_zigpy_reads_what_we_read(tmp_path, ours):
    backup, items = ours
    with served(tmp_path, items) as link:
        theirs = zigpys(tmp_path, link)
    assert without(theirs) == without(backup)
    assert {name: theirs["metadata"][name] for name in ("version", "format")} == {
        name: backup["metadata"][name] for name in ("version", "format")
    }
    assert len(backup["devices"]) == 4


@pytest.mark.req("ZB-16")
def test_zigpy_reads_what_we_wrote(tmp_path, micropython):
    """Keys of other origin, an unknown short address, a router's entry: all but the link keys' counters."""
    told = run(micropython, WRITTEN)
    backup, items = told["backup"][0], told["items"][0]
    with served(tmp_path, items) as link:
        theirs = zigpys(tmp_path, link)
    for one in theirs["devices"]:
        assert one["link_key"].pop("tx_counter") > 2500
    for one in backup["devices"]:
        del one["link_key"]["tx_counter"]
    assert without(theirs) == without(backup)
    assert backup["devices"][1]["link_key"]["key"] in keys_of(theirs).values()


@pytest.mark.req("ZB-16")
def test_our_backup_passes_zigpys_schema(ours):
    from zigpy_znp.tools.common import validate_backup_json

    validate_backup_json(ours[0])


async def _alarms(link):
    """The zone alarms that zigpy hears within 30 s, by address."""
    from zigpy_znp.zigbee.application import ControllerApplication

    heard = set()

    class Ear:
        def handle_message(self, device, profile, cluster, source, destination, data):
            if cluster == 0x0500 and data[2] == 0 and data[3] & 3:
                heard.add(device.ieee.serialize()[::-1].hex())

    settings = {config.CONF_DEVICE: {config.CONF_DEVICE_PATH: link}, config.CONF_DATABASE: None}
    app = await ControllerApplication.new(settings, auto_form=False)
    try:
        app.add_listener(Ear())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30):
                while len(heard) < 2:
                    await asyncio.sleep(0.05)
    finally:
        await app.shutdown()
    return heard


@pytest.mark.req("ZB-16")
@pytest.mark.filterwarnings("ignore")
def test_zigpy_restores_our_backup_into_a_blank_chip_and_hears_our_sensors(tmp_path, ours):
    backup, _ = ours
    path = tmp_path / "ours.json"
    path.write_text(json.dumps(backup))
    with served(tmp_path, "blank") as link:
        tool("network_restore", link, "-i", str(path))
        theirs = zigpys(tmp_path, link)
        heard = asyncio.run(_alarms(link))
    assert without(theirs, "network_key", "devices") == without(backup, "network_key", "devices")
    assert theirs["network_key"]["key"] == backup["network_key"]["key"]
    assert keys_of(theirs) == keys_of(backup)
    assert len(heard) == 2 and heard <= set(keys_of(backup))


@pytest.mark.req("ZB-16")
def test_we_restore_a_backup_that_zigpy_wrote(tmp_path, micropython, ours):
    with served(tmp_path, ours[1]) as link:
        theirs = zigpys(tmp_path, link)
    good, fit, ahead, restored = run(micropython, RESTORE, stdin=json.dumps(theirs))["restored"]
    assert good and fit and restored == 1
    assert ahead > 10_000_000
