"""The simulated board's `esp32`: its partitions, kept in a file beside the board's files."""

import board_end
import machine
from micropython import const

from hal_sim.bus.partition import SECTOR, Flash
from hal_sim.bus.partition import Partition as _SimPartition

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

# label: (address, sectors), as in firmware/boards/partitions-16MB.csv
_TABLE = {"journal": (0x200000, 16), "store": (0x210000, 32)}
_ERASE = 6


class Partition(_SimPartition):
    """A data partition. What is written is kept at once: it outlives a power cut."""

    TYPE_APP, TYPE_DATA = 0, 1
    BOOT, RUNNING = 0, 1

    def __init__(self, label: str) -> None:
        self._label = label
        flash = Flash(_TABLE[label][1])
        kept = board_end.load(label + ".bin")
        if len(kept) == len(flash.cells):
            flash.cells[:] = kept
        super().__init__(flash, machine.parts.block)

    @staticmethod
    def find(type: int = 0, subtype: int = 0xFF, label: "str | None" = None, block_size: int = SECTOR) -> list:
        """A list of what is asked for."""
        if type != Partition.TYPE_DATA:
            return []
        return [Partition(name) for name in sorted(_TABLE) if label in (None, name)]

    def info(self) -> tuple:
        address, sectors = _TABLE[self._label]
        return (1, 6, address, sectors * SECTOR, self._label, False)

    def writeblocks(self, block: int, buf: "Any", offset: "int | None" = None) -> None:
        super().writeblocks(block, buf, offset)
        board_end.keep(self._label + ".bin", self._flash.cells)

    def ioctl(self, op: int, arg: int) -> int:
        result = super().ioctl(op, arg)
        if op == _ERASE:
            board_end.keep(self._label + ".bin", self._flash.cells)
        return result
