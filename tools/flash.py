"""`make flash PORT=...`: put the firmware on a board with mpremote, verified, and start it.

Owns the order: main.py goes first and comes back last, so an interrupted flashing never leaves half a firmware that
boots; run again, it copies what is missing. Must never touch the unit's own settings.json and sensors.json.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

from tools import image, onboard

_ARCHES = ("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin")
_MPY_MAJOR, _MPY_MINOR = (int(part) for part in image.MPY_VERSION.split("."))
_EXEC_TIMEOUT_S = 120
_PROBE_TIMEOUT_S = 13  # mpremote itself gives up after 10
_SLOWEST_BYTES_S = 1500  # mpremote over a slow line; below it something hangs
_BATCH_FILES = 16
_BATCH_BYTES = 256 * 1024
_TRIES = 2


class FlashError(Exception):
    """One line that says what to do."""


class BoardInfo(NamedTuple):
    version: str
    mpy: int  # sys.implementation._mpy: version, sub-version, architecture
    platform: str

    @property
    def arch(self) -> str:
        number = self.mpy >> 10
        return _ARCHES[number] if number < len(_ARCHES) else ""


class Mpremote:
    """Runs mpremote for one port; every run has a time limit."""

    def __init__(self, port: str) -> None:
        self._port = port

    def run(self, *arguments: str, timeout_s: float = _EXEC_TIMEOUT_S) -> str:
        """Standard output of `mpremote connect PORT resume ARGUMENTS`. Raises FlashError."""
        command = [sys.executable, "-m", "mpremote", "connect", self._port, "resume", *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, errors="replace")
        except subprocess.TimeoutExpired:
            raise FlashError(f"the board at {self._port} stopped answering: press reset and try again") from None
        if done.returncode:
            raise self._error(done.stdout + done.stderr)
        return done.stdout

    def exec(self, program: str, timeout_s: float = _EXEC_TIMEOUT_S) -> list[str]:
        """Run a program on the board; its lines."""
        return self.run("exec", program, timeout_s=timeout_s).splitlines()

    def _error(self, output: str) -> FlashError:
        port = self._port
        if "failed to access" in output:
            return FlashError(f"cannot open {port}: another program has it, or you may not (Linux: group dialout)")
        if "could not enter raw repl" in output:
            return FlashError(
                f"no answer from {port}: is it the board's port, and does it run MicroPython? docs/flashing.md"
            )
        if "ENOSPC" in output or "[Errno 28]" in output:
            return FlashError("the board's file system is full: remove your own files from it, or docs/flashing.md")
        lines = [line for line in output.splitlines() if line.strip()]
        return FlashError(f"mpremote failed: {lines[-1].strip() if lines else 'no message'}; run make flash again")


def probe(remote: Mpremote) -> BoardInfo:
    """What answers on the port. Raises FlashError when it is no MicroPython that can load our modules."""
    for line in remote.exec(onboard.PROBE, _PROBE_TIMEOUT_S):
        words = line.split()
        if len(words) == 5 and words[0] == "BOARD" and words[1] == "micropython":
            info = BoardInfo(words[2], int(words[3]), words[4])
            break
    else:
        raise FlashError("what answers is no MicroPython: install it first, docs/flashing.md")
    if info.mpy & 0xFF != _MPY_MAJOR or (info.mpy >> 8) & 3 != _MPY_MINOR:
        raise FlashError(
            f"the board's MicroPython {info.version} cannot load .mpy {image.MPY_VERSION}: needs 1.29, docs/flashing.md"
        )
    return info


def on_board(remote: Mpremote) -> tuple[dict[str, str], list[str]]:
    """sha256 by path of the files the image may own, and the folders, parents first."""
    files, folders, ended = {}, [], False
    for line in remote.exec(onboard.LIST):
        kind, _, rest = line.partition(" ")
        if kind == "FILE":
            digest, _, path = rest.partition(" ")
            files[path] = digest
        elif kind == "DIR":
            folders.append(rest)
        ended = line == "END"
    if not ended:
        raise FlashError("the board did not finish listing its files: run make flash again")
    return files, folders


def plan(manifest: dict, files: dict[str, str]) -> tuple[list[dict], list[str]]:
    """What to copy (main.py last) and which files to remove, from what is on the board."""
    wanted = {"/" + file["path"]: file for file in manifest["files"]}
    copy = [
        file for path, file in wanted.items()
        if files.get(path) != file["sha256"] and not (file["keep"] and path in files)
    ]
    copy.sort(key=lambda file: (file["path"] == "main.py", file["path"]))
    stale = sorted(path for path in files if path not in wanted)
    return copy, stale


def copy_all(remote: Mpremote, folder: pathlib.Path, files: list[dict]) -> None:
    """Copy, verify and install the files in order. Raises FlashError."""
    done = 0
    for batch in batches(files):
        _copy_batch(remote, folder, batch)
        for file in batch:
            done += 1
            print(f"  {done:>3}/{len(files)}  {file['path']}  {file['bytes']} bytes", flush=True)


def batches(files: list[dict]) -> list[list[dict]]:
    """Files for one run of mpremote each; main.py is alone."""
    result: list[list[dict]] = []
    size = 0
    for file in files:
        size += file["bytes"]
        if not result or len(result[-1]) == _BATCH_FILES or size > _BATCH_BYTES or file["path"] == "main.py":
            result.append([])
            size = file["bytes"]
        result[-1].append(file)
    return result


def _copy_batch(remote: Mpremote, folder: pathlib.Path, batch: list[dict]) -> None:
    wanted = {"/" + file["path"]: file["sha256"] for file in batch}
    for _ in range(_TRIES):
        for line in _send(remote, folder, wanted):
            if line.startswith("OK "):
                wanted.pop(line[3:], None)
        if not wanted:
            return
    raise FlashError(f"{next(iter(wanted))} arrives damaged: check the cable, run make flash again")


def _send(remote: Mpremote, folder: pathlib.Path, wanted: dict[str, str]) -> list[str]:
    """One run of mpremote that writes the files and installs those with the right hash; what the board says."""
    size = 0
    arguments: list[str] = []
    with tempfile.TemporaryDirectory(prefix="flash-") as scratch:
        for path in wanted:
            data = (folder / path[1:]).read_bytes()
            size += len(data)
            for program in onboard.pieces(path, data):
                script = pathlib.Path(scratch) / f"{len(arguments)}.py"
                script.write_text(program)
                arguments += ["run", str(script), "+"]
        arguments += ["exec", onboard.install(wanted)]
        return remote.run(*arguments, timeout_s=_EXEC_TIMEOUT_S + size / _SLOWEST_BYTES_S).splitlines()


def flash(remote: Mpremote, folder: pathlib.Path, manifest: dict) -> None:
    """Bring the board's files to the image's, and verify them. Raises FlashError."""
    files, folders = on_board(remote)
    copy, stale = plan(manifest, files)
    if copy or stale:
        main_py = next(file for file in manifest["files"] if file["path"] == "main.py")
        if main_py not in copy:
            copy.append(main_py)
        print(f"{len(copy)} files to copy, {len(stale)} to remove", flush=True)
        wanted = _folders(manifest)
        empty = [path for path in reversed(folders) if path not in wanted]
        remote.exec(onboard.prepare(["/main.py", *stale, *empty], wanted))
        copy_all(remote, folder, copy)
        copy, stale = plan(manifest, on_board(remote)[0])
    if copy or stale:
        raise FlashError(f"{len(copy)} files on the board are still wrong: its flash may be worn out, try again")
    print(f"all {len(manifest['files'])} files verified on the board", flush=True)


def _folders(manifest: dict) -> list[str]:
    """The image's folders, parents first."""
    found = {"/" + parent.as_posix() for f in manifest["files"] for parent in pathlib.PurePosixPath(f["path"]).parents}
    return sorted(found - {"/."})


def _image_for(info: BoardInfo, folder: pathlib.Path | None, scratch: pathlib.Path) -> tuple[pathlib.Path, dict]:
    """The image to flash: the one given, or a fresh one for the board's processor."""
    if folder is None:
        manifest = image.build(scratch / "image", info.arch or image.BOARD_ARCH)
        return scratch / "image", manifest
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError):
        raise FlashError(f"no image in {folder}: make image") from None
    if manifest["arch"] not in ("", info.arch):
        raise FlashError(f"the image is for {manifest['arch']}, the board is {info.arch or 'of another kind'}")
    return folder, manifest


def _check_port(port: str) -> None:
    if not port:
        raise FlashError("no PORT: connect the board by USB, then make flash PORT=/dev/ttyACM0 (mpremote connect list)")
    if port.startswith("/") and not os.path.exists(port):
        raise FlashError(f"no device {port}: connect the board by USB; mpremote connect list shows its name")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make flash", description="Put the firmware on a board.")
    parser.add_argument("port", nargs="?", default="", help="serial port of the board, /dev/ttyACM0 or COM5")
    parser.add_argument("--image", type=pathlib.Path, help="an image made before; without it one is made now")
    options = parser.parse_args(argv)
    try:
        _check_port(options.port)
        remote = Mpremote(options.port)
        info = probe(remote)
        print(f"MicroPython {info.version} on {info.platform}, {info.arch or 'no machine code'}", flush=True)
        with tempfile.TemporaryDirectory(prefix="flash-") as scratch:
            folder, manifest = _image_for(info, options.image, pathlib.Path(scratch))
            flash(remote, folder, manifest)
        remote.run("reset")
    except (FlashError, image.ImageError) as error:
        print(f"flash: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("flash: interrupted; the board starts nothing until make flash was run again", file=sys.stderr)
        return 130
    print("the board restarts into the firmware")
    return 0


if __name__ == "__main__":
    sys.exit(main())
