"""Runs many futures of one simulated home (port/world.py) and reads back what happened in each."""

import functools
import json
import os
import pathlib
import subprocess
import tempfile

from conftest import HEAP, micropython_path, need

from tools import simulator

PORT = "host_tests.proofs.port."
SENSORS = [
    {"name": "kitchen", "kind": "smoke", "place": "부엌"},
    {"name": "pendant", "kind": "call_button", "place": "욕실"},
]
PRESSED = 20_000  # everything is armed by then
TRIGGERS = {
    "button": {"at": PRESSED, "do": "press", "button": "119"},
    "fire": {"at": PRESSED, "do": "smoke", "sensor": "kitchen", "on": True},
    "call": {"at": PRESSED, "do": "call_button", "sensor": "pendant", "button": "call"},
}
BATCH = 200  # cases of one process: their list is in the home's heap of 1 MB
SOAK = bool(os.environ.get("SOAK"))


@functools.lru_cache(maxsize=1)
def library() -> str:
    """Path of failalloc, compiled."""
    compiler = need("gcc")
    folder = tempfile.mkdtemp(prefix="proofs-")
    path = folder + "/failalloc.so"
    source = pathlib.Path(__file__).with_name("failalloc.c")
    subprocess.run([compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", path, str(source), "-ldl"], check=True)
    return path


def scenario(trigger: str, **fields) -> dict:
    """Pressed at PRESSED, 119 answers after 4 s; the far end hangs up 15 s later."""
    steps = [{"at": 1000, "do": "line119", "reply": "answer", "after_ms": 4000}]
    if trigger:
        steps.append(TRIGGERS[trigger])
    return {"seed": 1, "until": 120_000, "sensors": SENSORS, "steps": steps, **fields}


def futures(job: dict, program: str = "world", timeout: float = 900, heap: str = HEAP) -> dict:
    """{name of the case: its lines, those before it began first}. A process that fails fails the test."""
    found: dict = {}
    for start in range(0, len(job["cases"]), BATCH):
        found.update(_batch({**job, "cases": job["cases"][start : start + BATCH]}, program, timeout, heap))
    return found


def _batch(job: dict, program: str, timeout: float, heap: str) -> dict:
    with tempfile.TemporaryDirectory() as name:
        simulator.furnish(pathlib.Path(name))
        for index in range(len(job["cases"]) if program == "broken" else 0):
            (pathlib.Path(name) / str(index)).mkdir()
            simulator.furnish(pathlib.Path(name) / str(index))
        job = {"jobs": os.cpu_count() or 1, **job, "root": name}
        around = simulator.surroundings()
        around["env"]["LD_PRELOAD"] = library()
        done = subprocess.run(
            [micropython_path(), "-X", f"heapsize={heap}", "-m", PORT + program],
            capture_output=True, text=True, timeout=timeout, input=json.dumps(job) + "\n", **around)
    assert done.returncode == 0 and (job.get("shield") or not done.stderr), done.stderr[-3000:] + done.stdout[-3000:]
    return _sorted(done.stdout, job["cases"], bool(job.get("shield")))


def _sorted(text: str, cases: list, starved: bool) -> dict:
    """starved: without memory asyncio prints of tasks that died; what matters is what the gateway does."""
    lines: dict = {"base": []}
    for case in cases:
        lines[case["name"]] = []
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        if starved and not (name in lines and rest.startswith("{")):
            continue
        assert name in lines and rest.startswith("{"), text[-3000:]
        lines[name].append(json.loads(rest))
    for case in cases:
        before = [line for line in lines["base"] if line["t"] < case["at"]]
        lines[case["name"]] = before + lines[case["name"]]
    return lines
