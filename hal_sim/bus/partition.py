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
        self.programmed = 0  # bytes
        self.cut_at = None
        self.fault = ""  # "": works; "dead": every operation raises OSError; "silent": writes do nothing
        self._noise = seed

    @property
    def sectors(self) -> int:
        return len(self.cells) // SECTOR

    def sector(self, number: int) -> "Any":
        """The cells of one sector."""
        return memoryview(self.cells)[number * SECTOR : (number + 1) * SECTOR]

    def writable(self, number: int) -> "Any":
        """As sector(), for who changes it."""
        return self.sector(number)

    def erase(self, number: int) -> None:
        self.sector(number)[:] = b"\xff" * SECTOR

    def noise(self) -> int:
        """The next byte of a small repeatable generator (what a torn cell reads as)."""
        self._noise = (self._noise * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._noise >> 16) & 0xFF


class SparseFlash(Flash):
    """A chip of which only the sectors that were written take memory: for a home that runs in a small heap."""

    def __init__(self, sectors: int, seed: int = 1) -> None:
        super().__init__(0, seed)
        self._count = sectors
        self._written: dict = {}
        self._blank = b"\xff" * SECTOR

    @property
    def sectors(self) -> int:
        return self._count

    def sector(self, number: int) -> "Any":
        return self._written.get(number, self._blank)

    def writable(self, number: int) -> "Any":
        if number not in self._written:
            self._written[number] = bytearray(self._blank)
        return self._written[number]

    def erase(self, number: int) -> None:
        self._written.pop(number, None)


class Partition:
    """esp32.Partition over a Flash; `block(ms)` holds the controller while the flash works."""

    def __init__(self, flash: Flash, block: "Any") -> None:
        self._flash = flash
        self._block = block

    def readblocks(self, block: int, buf: "Any", offset: int = 0) -> None:
        self._check(block, offset, len(buf))
        at = block * SECTOR + offset
        done = 0
        while done < len(buf):
            inside = (at + done) % SECTOR
            count = min(SECTOR - inside, len(buf) - done)
            buf[done : done + count] = self._flash.sector((at + done) // SECTOR)[inside : inside + count]
            done += count

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
        flash = self._flash
        if flash.fault == "silent":
            return
        try:
            self._operate(_PROGRAM_MS)
        except BaseException:
            self._tear(start, data)
            raise
        flash.programs += 1
        flash.programmed += len(data)
        cells, at = flash.writable(start // SECTOR), start % SECTOR  # a page lies within one sector
        for index, byte in enumerate(data):
            cells[at + index] &= byte

    def _tear(self, start: int, data: bytes) -> None:
        flash = self._flash
        whole = flash.noise() % (len(data) + 1)
        cells, at = flash.writable(start // SECTOR), start % SECTOR
        for index in range(whole):
            cells[at + index] &= data[index]
        if whole < len(data):
            cells[at + whole] &= data[whole] | flash.noise()

    def _erase(self, sector: int) -> None:
        self._check(sector, 0, SECTOR)
        flash = self._flash
        if flash.fault == "silent":
            return
        try:
            self._operate(_ERASE_MS)
        except BaseException:
            cells = flash.writable(sector)
            for index in range(0, SECTOR, 1 + flash.noise() % 7):
                cells[index] |= flash.noise()
            raise
        flash.erases += 1
        flash.erase(sector)
