"""The simulated board's `esp32`: its partitions, each a file beside the board's files, its cells the file's bytes.

Owns what a cell holds between two starts of the interpreter: what is written is kept at once, it outlives a power cut.
"""

import board_end
import machine

from hal_sim.bus.flash import SECTOR, Flash
from hal_sim.bus.partition import Partition as _SimPartition

# label: (address, sectors), as in firmware/boards/partitions-16MB.csv
_TABLE = {"journal": (0x200000, 16), "store": (0x210000, 48), "queue": (0x400000, 1024)}
_BLANK = b"\xff" * SECTOR
_END = 2  # of seek()


class FileFlash(Flash):
    """A chip whose cells are a file: 4 MB of them take no heap. A file that is too short is blank from there on."""

    def __init__(self, name: str, sectors: int) -> None:
        super().__init__(0)
        self._count = sectors
        self._file = board_end.cells(name)
        size = self._file.seek(0, _END)
        for _ in range(size // SECTOR, sectors):
            self._file.write(_BLANK)

    @property
    def sectors(self) -> int:
        return self._count

    def get(self, start: int, count: int) -> bytes:
        self._file.seek(start)
        return self._file.read(count)

    def put(self, start: int, data: bytes) -> None:
        self._file.seek(start)
        self._file.write(data)

    def blank(self, number: int) -> None:
        self.put(number * SECTOR, _BLANK)


class Partition(_SimPartition):
    """A data partition."""

    TYPE_APP, TYPE_DATA = 0, 1
    BOOT, RUNNING = 0, 1

    def __init__(self, label: str) -> None:
        self._label = label
        super().__init__(FileFlash(label + ".bin", _TABLE[label][1]), machine.parts.block)

    @staticmethod
    def find(type: int = 0, subtype: int = 0xFF, label: "str | None" = None, block_size: int = SECTOR) -> list:
        """A list of what is asked for."""
        if type != Partition.TYPE_DATA:
            return []
        return [Partition(name) for name in sorted(_TABLE) if label in (None, name)]

    def info(self) -> tuple:
        address, sectors = _TABLE[self._label]
        return (1, 6, address, sectors * SECTOR, self._label, False)
