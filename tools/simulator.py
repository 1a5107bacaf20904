"""How the simulator's process is found, furnished and started; shared by everything that runs the home.

Owns the command line of `hal_sim.play`. Must never interpret the timeline.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import shutil
import sys
from typing import Any

from tools import compiled
from tools.certs import CertsError, lab

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOUND = ROOT / "build" / "sound"
LAB = ROOT / "build" / "lab"  # certificates of the simulated relay and of gateways, made when they are missing
RELAY = "relay.lab"
HEAP = "3M"  # firmware and simulated world together on the 64-bit port; the board has 8 MB for the firmware alone


def micropython() -> str:
    """Path of the MicroPython unix port: $MICROPYTHON, beside this Python, or on PATH. Raises LookupError."""
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = os.environ.get("MICROPYTHON") or shutil.which("micropython", path=path)
    if not found:
        raise LookupError("micropython is not installed: run `make setup`, or set MICROPYTHON to its path")
    return found


def furnish(folder: pathlib.Path, gateway: str = "GW-000000") -> None:
    """Put spoken texts and certificates into the folder that the firmware sees as its file system.

    gateway: its number, the setting of that name. Raises LookupError with one line.
    """
    if not (SOUND / "index.json").is_file():
        raise LookupError("build/sound is missing: run `make sound`")
    (folder / "sound").symlink_to(SOUND, target_is_directory=True)
    certificates(gateway)
    (folder / "tls").mkdir()
    for name in ("ca.der", "cert.der", "key.der"):
        (folder / "tls" / name).symlink_to(LAB / gateway / name)
    (folder / "tls" / "server").symlink_to(LAB / RELAY, target_is_directory=True)


def certificates(gateway: str) -> None:
    """Have a lab in build/lab with this gateway in it. Several processes may ask at once. Raises LookupError."""
    try:
        LAB.parent.mkdir(exist_ok=True)
        with open(LAB.parent / "lab.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lab(LAB, [gateway], RELAY)
    except (CertsError, OSError) as error:
        raise LookupError(f"no certificates for {gateway}: {error}; remove build/lab to have them made anew") from None


def command(mode: str, folder: pathlib.Path, heap: str = HEAP) -> list[str]:
    """The process: firmware and home in one MicroPython, its files in folder; mode run or play. Raises LookupError."""
    return [micropython(), "-X", f"heapsize={heap}", "-m", "hal_sim.play", mode, "firmware.app", str(folder)]


def surroundings() -> dict[str, Any]:
    """cwd and env of the process, for subprocess: modules of the project only, compiled where that was done."""
    return {"cwd": compiled.folder(), "env": {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}}
