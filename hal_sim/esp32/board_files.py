"""The board's file system: a folder of the host, as MicroPython sees it at "/".

Owns one more thing: HOME, a name that is not listed, under which the simulated chips find their own files. Must never
let a file name of the board reach anything else of the host.
"""

import board_end
import vfs
from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

HOME = "/.home"


class BoardFiles(vfs.VfsPosix):  # type: ignore[name-defined]
    """VfsPosix, without the fault of some builds whose rename loses the first of two absolute paths."""

    def open(self, path: str, mode: str) -> "Any":
        return board_end.state.open(path[len(HOME):], mode) if path.startswith(HOME) else super().open(path, mode)

    def ilistdir(self, path: str) -> "Any":
        return board_end.state.ilistdir(path[len(HOME):]) if path.startswith(HOME) else super().ilistdir(path)

    def mkdir(self, path: str) -> None:
        board_end.state.mkdir(path[len(HOME):]) if path.startswith(HOME) else super().mkdir(path)

    def remove(self, path: str) -> None:
        board_end.state.remove(path[len(HOME):]) if path.startswith(HOME) else super().remove(path)

    def stat(self, path: str) -> tuple:
        return board_end.state.stat(path[len(HOME):]) if path.startswith(HOME) else super().stat(path)

    def rename(self, old: str, new: str) -> None:
        here = self.getcwd() or "/"  # it says "" for its root
        names = [name if name.startswith("/") else here + "/" + name for name in (old, new)]
        self.chdir("/")
        try:
            super().rename(names[0].lstrip("/"), names[1].lstrip("/"))
        finally:
            self.chdir(here)
