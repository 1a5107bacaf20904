"""The simulated board's `esp32`: its partitions, kept in a file beside the board's files."""

import board_end
import machine
from micropython import const

from hal_sim.bus.partition import SECTOR, Flash
from hal_sim.bus.partition import Partition as _SimPartition

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_FILE = "journal.bin"
_SECTORS = 16  # firmware/boards/partitions-16MB.csv
_ERASE = 6


class Partition(_SimPartition):
    """The journal's partition. What is written is kept at once: it outlives a power cut."""

    TYPE_APP, TYPE_DATA = 0, 1
    BOOT, RUNNING = 0, 1

    @staticmethod
    def find(type: int = 0, subtype: int = 0xFF, label: "str | None" = None, block_size: int = SECTOR) -> list:
        """A list with the journal, when that is asked for."""
        if type != Partition.TYPE_DATA or label not in (None, "journal"):
            return []
        flash = Flash(_SECTORS)
        kept = board_end.load(_FILE)
        if len(kept) == len(flash.cells):
            flash.cells[:] = kept
        return [Partition(flash, machine.parts.block)]

    def info(self) -> tuple:
        return (1, 6, 0x200000, _SECTORS * SECTOR, "journal", False)

    def writeblocks(self, block: int, buf: "Any", offset: "int | None" = None) -> None:
        super().writeblocks(block, buf, offset)
        board_end.keep(_FILE, self._flash.cells)

    def ioctl(self, op: int, arg: int) -> int:
        result = super().ioctl(op, arg)
        if op == _ERASE:
            board_end.keep(_FILE, self._flash.cells)
        return result
