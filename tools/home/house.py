"""The home that `make run` opens, and how its simulator process is started.

Owns the default scenario and the command line. Must never know of browsers.
"""

from __future__ import annotations

import datetime
import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOUND = ROOT / "build" / "sound"
HEAP = "16M"  # firmware and simulated world share the process; the firmware's own share is measured by `make bench`

SENSORS = (
    {"name": "부엌 화재감지기", "kind": "smoke", "place": "부엌"},
    {"name": "침실 활동감지기", "kind": "activity", "place": "침실"},
    {"name": "화장실 응급호출기", "kind": "call_button", "place": "화장실"},
    {"name": "현관 출입감지기", "kind": "door", "place": "현관"},
)
SETTINGS = {"tester": "01000000119"}  # whom test mode dials; nobody's number


def scenario(start: str = "", seed: int = 1) -> dict:
    """The home as a scenario object; start is ISO local time, the present minute when empty."""
    start = start or datetime.datetime.now().replace(microsecond=0).isoformat()
    return {"seed": seed, "start": start, "settings": dict(SETTINGS), "sensors": [dict(each) for each in SENSORS]}


def micropython() -> str:
    """Path of the MicroPython unix port: $MICROPYTHON, beside this Python, or on PATH. Raises LookupError."""
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = os.environ.get("MICROPYTHON") or shutil.which("micropython", path=path)
    if not found:
        raise LookupError("micropython is not installed: run `make setup`, or set MICROPYTHON to its path")
    return found


def furnish(folder: pathlib.Path) -> None:
    """Put the spoken texts into the folder that the firmware sees as its file system. Raises LookupError."""
    if not (SOUND / "index.json").is_file():
        raise LookupError("build/sound is missing: run `python -m tools.sound` (`make run` does it)")
    (folder / "sound").symlink_to(SOUND, target_is_directory=True)


def command(folder: pathlib.Path) -> list[str]:
    """The simulator process: firmware and home in one MicroPython; its files in folder. Raises LookupError."""
    return [micropython(), "-X", f"heapsize={HEAP}", "-m", "hal_sim.play", "play", "firmware.app", str(folder)]
