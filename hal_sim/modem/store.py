"""Where the simulated modem's files are: in memory, or in a folder when the heap is small.

Owns the bytes of the files and nothing about commands. Names are those of the UFS, without its prefix.
"""

import os


class RamStore:
    """Files in memory."""

    def __init__(self) -> None:
        self._files: dict = {}

    def names(self) -> list:
        return sorted(self._files)

    def size(self, name: str) -> int:
        return len(self._files[name])

    def read(self, name: str, at: int, count: int) -> bytes:
        return bytes(self._files[name][at : at + count])

    def create(self, name: str) -> None:
        self._files[name] = bytearray()

    def write(self, name: str, at: int, data: bytes) -> None:
        self._files[name][at : at + len(data)] = data

    def delete(self, name: str) -> None:
        del self._files[name]


class FolderStore:
    """Files in a folder of the host; a name with a slash stays in it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._sizes: dict = {}
        try:
            os.mkdir(folder)
        except OSError:  # it is there: what an earlier run left is not this home's
            for name in os.listdir(folder):
                os.remove(folder + "/" + name)

    def _path(self, name: str) -> str:
        return self._folder + "/" + name.replace("/", "_")

    def names(self) -> list:
        return sorted(self._sizes)

    def size(self, name: str) -> int:
        return self._sizes[name]

    def read(self, name: str, at: int, count: int) -> bytes:
        with open(self._path(name), "rb") as file:
            file.seek(at)
            return file.read(count)

    def create(self, name: str) -> None:
        with open(self._path(name), "wb"):
            self._sizes[name] = 0

    def write(self, name: str, at: int, data: bytes) -> None:
        with open(self._path(name), "r+b") as file:
            file.seek(at)
            file.write(data)
        self._sizes[name] = max(self._sizes[name], at + len(data))

    def delete(self, name: str) -> None:
        os.remove(self._path(name))
        del self._sizes[name]
