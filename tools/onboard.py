"""Small MicroPython programs that flash.py sends to the board's REPL.

Owns what runs on the board while it is flashed: read only until `install`, which puts a file in place only after its
hash is right. Must stay within what a bare MicroPython has, and never touch a file the image does not own.
"""

# Folders that belong to the image as a whole: what is in them and not in the image is left from an older one.
OWNED = ("firmware", "drivers", "zigbee", "sound")
# Files in the root that may be the image's. Everything else there is left alone.
ROOT_FILES = ("boot.py", "main.py", "settings.json", "sensors.json")
TEMPORARY = ".new"
_HOLD_MS = 20 * 60 * 1000

# The firmware's watchdog runs on when the firmware was interrupted. On esp32 it can be set again, to a longer time: it
# is the board's own way back should the flashing be given up. Then: what is this board, and what is on it?
# The folder of an mpremote that was killed may still be mounted.
PROBE = f"""
import sys
try:
    import machine
    machine.WDT(timeout={_HOLD_MS})
except Exception:
    pass
try:
    import os, vfs
    os.chdir('/')
    vfs.umount('/remote')
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


# mpremote's mount shows the image's folder on the computer as /remote.
REMOTE = "/remote"


def install(files: dict[str, str]) -> str:
    """Copy each path from REMOTE to `path + TEMPORARY`; move it into place if what was written has the sha256 given.

    Prints OK or BAD and the path for each. A file is read back from the board's flash for the hash, not from memory.
    """
    return _HASH + f"""
def fetch(path):
    b = bytearray(4096)
    m = memoryview(b)
    with open({REMOTE!r} + path, 'rb') as source, open(path + {TEMPORARY!r}, 'wb') as target:
        while True:
            n = source.readinto(b)
            if not n:
                return
            target.write(m[:n])
for path, wanted in {list(files.items())!r}:
    try:
        fetch(path)
        good = digest(path + {TEMPORARY!r}) == wanted
        if good:
            os.rename(path + {TEMPORARY!r}, path)
    except OSError as error:
        print('ERROR', path, error)
        good = False
    print('OK' if good else 'BAD', path)
print('END')
"""
