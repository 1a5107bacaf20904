"""How the simulated controller ends: the interpreter stops at once and the supervisor starts it again.

Owns the folder of what outlives the interpreter (flash, RTC memory, the note that says why it ended). A board that
resets runs no handler, no `finally` and no `except`: so does this.
"""

import os

import vfs
from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

FOLDER = os.getenv("BOARD_DIR")
CAUSE = os.getenv("BOARD_CAUSE") or "power"
RAW = bool(os.getenv("BOARD_RAW"))
state = vfs.VfsPosix(os.getenv("BOARD_STATE"))  # type: ignore[attr-defined]  # by this object, whatever is mounted where


def load(name: str) -> bytes:
    """What was kept under this name, b"" when nothing was."""
    try:
        file = state.open("/" + name, "rb")
    except OSError:
        return b""
    data = file.read()
    file.close()
    return data


def append(name: str) -> "Any":
    """A text file kept there, open for more."""
    return state.open("/" + name, "a")


def cells(name: str) -> "Any":
    """A file of bytes kept there, made when it is not there, to read and change in place."""
    append(name).close()
    return state.open("/" + name, "r+b")


def keep(name: str, data: "Any") -> None:
    """Keep data for the next start of the interpreter."""
    file = state.open("/" + name, "wb")
    file.write(data)
    file.close()


def end(cause: str) -> None:
    """Stop here: cause is power, reset, watchdog or soft. Does not return."""
    keep("cause", cause.encode())
    os.system("kill -9 $PPID")
