"""What a program that is killed leaves behind: no process at once, and no folder once another one is started.

`python -m tools.owner PARENT PROGRAM ARGS` becomes that program, and the kernel ends it when PARENT, the number of the
process that started it, is gone, however that ended. Linux only. Must never end what somebody else started, or remove
a folder that has an owner.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2): kept over exec
_LOCK = "owner.lock"  # locked as long as the owner lives: the kernel gives it up, whatever happens


def end_with(parent: int) -> None:
    """Have the kernel end this process, and what it becomes, when its parent is gone.

    The parent's thread, to be exact: whoever wants this starts its children from one that lives to the end.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before that was asked for
        sys.exit(1)


@contextlib.contextmanager
def folder(prefix: str) -> Iterator[pathlib.Path]:
    """A temporary folder, removed at the end; those of owners that were killed are removed now. Raises OSError."""
    for left in pathlib.Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        _remove_if_left(left)
    with tempfile.TemporaryDirectory(prefix=prefix) as name, open(f"{name}/{_LOCK}.new", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.rename(lock.name, f"{name}/{_LOCK}")  # a folder has it locked, or not yet
        yield pathlib.Path(name)


def _remove_if_left(path: pathlib.Path) -> None:
    with contextlib.suppress(OSError):  # somebody else's, gone meanwhile, or owned
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            with open(path / _LOCK, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
