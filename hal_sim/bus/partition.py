"""A simulated flash partition: esp32.Partition over a Flash, with its times and power cuts.

Owns the interface: blocks of 4 KB, pages of 256 B, what is out of range. What the cells do is in hal_sim/bus/flash.py,
what a cut leaves in hal_sim/bus/tear.py. Times: typical of a W25Q128 (data sheet 9.6: page program 0.7 ms, sector
erase 45 ms); reading takes none unless the Flash says so.
"""

from hal_sim.bus import tear
from hal_sim.bus.flash import PAGE, SECTOR, Flash, SparseFlash
from hal_sim.ends import PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["PAGE", "SECTOR", "Flash", "Partition", "SparseFlash"]
_PROGRAM_MS = 1
_ERASE_MS = 45
_IOCTL_BLOCKS = 4
_IOCTL_SIZE = 5
_IOCTL_ERASE = 6


class Partition:
    """esp32.Partition over a Flash; `block(ms)` holds the controller while the flash works."""

    def __init__(self, flash: Flash, block: "Any") -> None:
        self._flash = flash
        self._block = block
        self._owed_us = 0  # of reading: time moves by the millisecond

    def readblocks(self, block: int, buf: "Any", offset: int = 0) -> None:
        self._check(block, offset, len(buf))
        self._owed_us += self._flash.reading_us()
        if self._owed_us >= 1000:
            ms, self._owed_us = divmod(self._owed_us, 1000)
            self._block(ms)
        self._flash.read(block * SECTOR + offset, buf)

    def writeblocks(self, block: int, buf: "Any", offset: "int | None" = None) -> None:
        """Program buf at block and offset; without an offset the sectors are erased first."""
        if offset is None:
            for sector in range(block, block + (len(buf) + SECTOR - 1) // SECTOR):
                self._erase(sector)
        self._check(block, offset or 0, len(buf))
        start = block * SECTOR + (offset or 0)
        data = bytes(buf)
        done = 0
        while done < len(data):
            count = min(PAGE - (start + done) % PAGE, len(data) - done)  # as the chip: never over a page's end
            self._program(start + done, data[done : done + count])
            done += count

    def ioctl(self, op: int, arg: int) -> int:
        if op == _IOCTL_BLOCKS:
            return self._flash.sectors
        if op == _IOCTL_SIZE:
            return SECTOR
        if op == _IOCTL_ERASE:
            self._erase(arg)
        return 0

    def _check(self, block: int, offset: int, size: int) -> None:
        if self._flash.fault == "dead":
            raise OSError(5)
        start = block * SECTOR + offset
        if block < 0 or offset < 0 or start + size > self._flash.sectors * SECTOR:
            raise OSError(22)

    def _operate(self, duration_ms: int) -> None:
        flash = self._flash
        if flash.cut_at is not None:
            flash.cut_at -= 1
            if flash.cut_at < 0:
                flash.cut_at = None
                raise PowerCut(1000)
        self._block(duration_ms)

    def _program(self, start: int, data: bytes) -> None:
        try:
            self._operate(_PROGRAM_MS)
        except BaseException:
            tear.program(self._flash, start, data)
            raise
        self._flash.program(start, data)

    def _erase(self, sector: int) -> None:
        self._check(sector, 0, SECTOR)
        try:
            self._operate(_ERASE_MS)
        except BaseException:
            tear.erase(self._flash, sector)
            raise
        self._flash.erase(sector)
