"""A simulated NOR flash partition: esp32.Partition, with time, wear and torn writes.

Programming only clears bits; erasing sets a sector to FF. A power cut that falls into an operation
leaves it half done: a prefix written, the byte under way with some of its bits, an erase mixed.
Times: typical of a W25Q128 (data sheet 9.6: page program 0.7 ms, sector erase 45 ms).
"""

from hal_sim.ends import PowerCut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECTOR = 4096
PAGE = 256
_PROGRAM_MS = 1
_ERASE_MS = 45
_IOCTL_BLOCKS = 4
_IOCTL_SIZE = 5
_IOCTL_ERASE = 6


class Flash:
    """The chip: outlives resets and power cuts. `cut_at` tears the n-th operation from now (tests)."""

    def __init__(self, sectors: int, seed: int = 1) -> None:
        self.cells = bytearray(b"\xff" * (sectors * SECTOR))
        self.erases = 0
        self.programs = 0
        self.cut_at = None
        self.fault = ""  # "": works; "dead": every operation raises OSError; "silent": writes do nothing
        self._noise = seed

    def noise(self) -> int:
        """The next byte of a small repeatable generator (what a torn cell reads as)."""
        self._noise = (self._noise * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._noise >> 16) & 0xFF


class Partition:
    """esp32.Partition over a Flash; `block(ms)` holds the controller while the flash works."""

    def __init__(self, flash: Flash, block: "Any") -> None:
        self._flash = flash
        self._block = block

    def readblocks(self, block: int, buf: "Any", offset: int = 0) -> None:
        self._check(block, offset, len(buf))
        start = block * SECTOR + offset
        buf[:] = self._flash.cells[start : start + len(buf)]

    def writeblocks(self, block: int, buf: "Any", offset: "int | None" = None) -> None:
        """Program buf at block and offset; without an offset the sectors are erased first."""
        if offset is None:
            for sector in range(block, block + (len(buf) + SECTOR - 1) // SECTOR):
                self._erase(sector)
        self._check(block, offset or 0, len(buf))
        start = block * SECTOR + (offset or 0)
        data = bytes(buf)
        for at in range(0, len(data), PAGE):
            self._program(start + at, data[at : at + PAGE])

    def ioctl(self, op: int, arg: int) -> int:
        if op == _IOCTL_BLOCKS:
            return len(self._flash.cells) // SECTOR
        if op == _IOCTL_SIZE:
            return SECTOR
        if op == _IOCTL_ERASE:
            self._erase(arg)
        return 0

    def _check(self, block: int, offset: int, size: int) -> None:
        if self._flash.fault == "dead":
            raise OSError(5)
        start = block * SECTOR + offset
        if block < 0 or offset < 0 or start + size > len(self._flash.cells):
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
        flash = self._flash
        if flash.fault == "silent":
            return
        try:
            self._operate(_PROGRAM_MS)
        except BaseException:
            self._tear(start, data)
            raise
        flash.programs += 1
        for index, byte in enumerate(data):
            flash.cells[start + index] &= byte

    def _tear(self, start: int, data: bytes) -> None:
        flash = self._flash
        whole = flash.noise() % (len(data) + 1)
        for index in range(whole):
            flash.cells[start + index] &= data[index]
        if whole < len(data):
            flash.cells[start + whole] &= data[whole] | flash.noise()

    def _erase(self, sector: int) -> None:
        self._check(sector, 0, SECTOR)
        flash = self._flash
        if flash.fault == "silent":
            return
        start = sector * SECTOR
        try:
            self._operate(_ERASE_MS)
        except BaseException:
            for index in range(start, start + SECTOR, 1 + flash.noise() % 7):
                flash.cells[index] |= flash.noise()
            raise
        flash.erases += 1
        flash.cells[start : start + SECTOR] = b"\xff" * SECTOR
