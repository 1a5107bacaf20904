"""The board's file system: a folder of the host, as MicroPython sees it at "/"."""

import vfs


class BoardFiles(vfs.VfsPosix):
    """VfsPosix without the fault of some builds, whose rename loses the first of two absolute paths."""

    def rename(self, old: str, new: str) -> None:
        here = self.getcwd() or "/"  # it says "" for its root
        names = [name if name.startswith("/") else here + "/" + name for name in (old, new)]
        self.chdir("/")
        try:
            super().rename(names[0].lstrip("/"), names[1].lstrip("/"))
        finally:
            self.chdir(here)
