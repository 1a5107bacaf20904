"""Small MicroPython programs that flash.py sends to the board's REPL.

Owns what runs on the board while it is flashed: read only until `install`, which puts a file in place only after its
hash is right. Must stay within what a bare MicroPython has, and never touch a file the image does not own.
"""

import binascii

# Folders that belong to the image as a whole: what is in them and not in the image is left from an older one.
OWNED = ("firmware", "drivers", "zigbee", "sound")
# Files in the root that may be the image's. Everything else there is left alone.
ROOT_FILES = ("boot.py", "main.py", "settings.json", "sensors.json")
TEMPORARY = ".new"
_PIECE_BYTES = 12 * 1024  # as base64 text it must fit in the board's memory, beside a firmware that was interrupted
_LINE_BYTES = 768
_HOLD_MS = 20 * 60 * 1000

# The firmware's watchdog runs on when the firmware was interrupted. On esp32 it can be set again, to a longer time: it
# is the board's own way back should the flashing be given up. Then: what is this board, and what is on it?
PROBE = f"""
import sys
try:
    import machine
    machine.WDT(timeout={_HOLD_MS})
except Exception:
    pass
i = sys.implementation
print('BOARD', i.name, '.'.join(str(n) for n in i.version[:3]), getattr(i, '_mpy', 0), sys.platform)
"""

_HASH = """
import os, hashlib
def digest(path):
    h = hashlib.sha256()
    b = bytearray(4096)
    m = memoryview(b)
    with open(path, 'rb') as f:
        while True:
            n = f.readinto(b)
            if not n:
                return h.digest().hex()
            h.update(m[:n])
"""

LIST = _HASH + f"""
def walk(folder):
    for entry in os.ilistdir(folder):
        path = folder + '/' + entry[0]
        if entry[1] == 0x4000:
            print('DIR', path)
            walk(path)
        else:
            print('FILE', digest(path), path)
for entry in os.ilistdir('/'):
    name = entry[0]
    if entry[1] == 0x4000 and name in {OWNED!r}:
        print('DIR', '/' + name)
        walk('/' + name)
    elif name in {ROOT_FILES!r} or name in {tuple(name + TEMPORARY for name in ROOT_FILES)!r}:
        print('FILE', digest('/' + name), '/' + name)
print('END')
"""


def prepare(gone: list[str], folders: list[str]) -> str:
    """Remove files and folders that are empty by now, then make folders, parents first; what is so already is fine."""
    return f"""
import os
def attempt(*calls):
    for call, path in calls:
        try:
            call(path)
            return
        except OSError:
            pass
for path in {gone!r}:
    attempt((os.remove, path), (os.rmdir, path))
for path in {folders!r}:
    attempt((os.mkdir, path))
print('END')
"""


def pieces(path: str, data: bytes) -> list[str]:
    """Programs that write data to `path + TEMPORARY`, one after the other.

    Not by mpremote's `mount`, though that is faster: a board whose mpremote is killed in a transfer of it is deaf to
    Ctrl-C. Not by its `fs cp`, which waits for an answer every 256 bytes. These can be killed at any byte.
    """
    programs = []
    for start in range(0, max(len(data), 1), _PIECE_BYTES):
        mode = "ab" if start else "wb"
        lines = ["import binascii", "d=binascii.a2b_base64", f"f=open({path + TEMPORARY!r},{mode!r})"]
        for at in range(start, min(start + _PIECE_BYTES, len(data)), _LINE_BYTES):
            lines.append(f"f.write(d({binascii.b2a_base64(data[at : at + _LINE_BYTES], newline=False)!r}))")
        programs.append("\n".join([*lines, "f.close()", ""]))
    return programs


def install(files: dict[str, str]) -> str:
    """Move each `path + TEMPORARY` into place if it has the sha256 given; prints OK or BAD and the path for each."""
    return _HASH + f"""
for path, wanted in {list(files.items())!r}:
    try:
        good = digest(path + {TEMPORARY!r}) == wanted
        if good:
            os.rename(path + {TEMPORARY!r}, path)
    except OSError:
        good = False
    print('OK' if good else 'BAD', path)
print('END')
"""
