"""Runs one of port/'s programs that look into the firmware (port/watched.py) and reads back what happened."""

import json
import os
import pathlib
import subprocess
import tempfile

from conftest import HEAP, micropython_path
from scenario.timeline import Timeline

from tools import simulator

SECOND_MS = 1000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SOAK = bool(os.environ.get("SOAK"))


def watched(program: str, scenario: dict, heap: str = HEAP, timeout: float = 3600, **job) -> Timeline:
    """The lines it printed. A traceback or a dead process fails the test."""
    with tempfile.TemporaryDirectory() as name:
        simulator.furnish(pathlib.Path(name))
        done = subprocess.run(
            [micropython_path(), "-X", f"heapsize={heap}", "-m", f"host_tests.proofs.port.{program}"],
            capture_output=True, text=True, timeout=timeout, **simulator.surroundings(),
            input=json.dumps({**job, "scenario": scenario, "root": name}) + "\n",
        )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr[-3000:] + done.stdout[-2000:]
    return Timeline(done.stdout)
