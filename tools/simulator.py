"""How the simulator's process is found, furnished and started; shared by everything that runs the home.

Owns the command line of `hal_sim.play`. Must never interpret the timeline.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOUND = ROOT / "build" / "sound"
HEAP = "2M"  # firmware and simulated world together on the 64-bit port; the board has 8 MB for the firmware alone


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
        raise LookupError("build/sound is missing: run `make sound`")
    (folder / "sound").symlink_to(SOUND, target_is_directory=True)


def command(mode: str, folder: pathlib.Path, heap: str = HEAP) -> list[str]:
    """The process: firmware and home in one MicroPython, its files in folder; mode run or play. Raises LookupError."""
    return [micropython(), "-X", f"heapsize={heap}", "-m", "hal_sim.play", mode, "firmware.app", str(folder)]


def environment() -> dict[str, str]:
    """The process's environment: modules from the project's root only."""
    return {**os.environ, "MICROPYPATH": ":.frozen"}
