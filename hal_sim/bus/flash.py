"""A simulated NOR flash chip: its cells, its wear, and what goes wrong in one.

Owns the cells and what programs, erases and cuts make of them; what a cut leaves is in hal_sim/bus/tear.py, the
interface the firmware sees in hal_sim/bus/partition.py. Must never know what is kept in it.

Programming only clears bits, erasing sets a sector to FF. A cell that a cut left half done is *shaky*: it reads
differently each time, until it is programmed to 0 or its sector is erased. A sector can be sick:

    silent      programs and erases do nothing         raises      they raise OSError and do nothing
    no_program  programs do nothing                    unreadable  reads raise OSError
    no_erase    erases do nothing                      stuck       some of its bits are 0 for ever
"""

_TYPE_CHECKING = False
if _TYPE_CHECKING:
    from typing import Any

SECTOR = 4096
PAGE = 256
SICK = ("silent", "no_program", "no_erase", "raises", "unreadable", "stuck")
_FF = b"\xff" * PAGE
_BESIDE = 80  # an object and a place in a dictionary that is half empty
_CHUNK = 61  # bytes of noise that are drawn; more is these over again, and falls on no page's or record's beat


class FlashMisuse(BaseException):
    """A 1 was programmed over a 0 (strict mode). No firmware handler may catch it."""


class Flash:
    """The chip: outlives resets and power cuts.

    cut_at: the n-th program or erase from now is torn, as `tear` says: one of hal_sim.bus.tear.TEARS, or "any".
    read_error_at: the n-th read from now raises OSError, once.
    read_us: how long a read takes; 0: no time, which is near enough where few are made.
    stall_at: the n-th read from now takes stall_ms, once.
    fault: "" works; "dead": every operation raises OSError; "silent": programs and erases do nothing.
    sick: {sector: one of SICK}. strict: programming a 1 over a 0 raises FlashMisuse.
    """

    def __init__(self, sectors: int, seed: int = 1) -> None:
        self.cells = bytearray(b"\xff" * (sectors * SECTOR))
        self.erases = self.programs = self.reads = 0
        self.programmed = 0  # bytes
        self.read_bytes = 0
        self.bits = 0  # cleared by programming; counted while count_bits
        self.count_bits = False
        self.wear: dict = {}  # erases by sector
        self.cut_at: int | None = None
        self.tear = "prefix"
        self.read_error_at: int | None = None
        self.read_us = 0
        self.stall_at: int | None = None
        self.stall_ms = 0
        self.fault = ""
        self.sick: dict = {}
        self.strict = False
        self.shaky: dict = {}  # sector: (mask of its bits, lean of what they read as, see leaning())
        self._limits: dict = {}
        self._noise = seed

    @property
    def sectors(self) -> int:
        return len(self.cells) // SECTOR

    @property
    def operations(self) -> int:
        """Programs and erases that were finished."""
        return self.programs + self.erases

    def wear_out(self, sector: int, erases: int, how: str) -> None:
        """After so many erases from now on the sector is sick."""
        self._limits[sector] = (self.wear.get(sector, 0) + erases, how)

    # ------------------------------------------------------------------ storage
    def get(self, start: int, count: int) -> bytes:
        """What the cells hold, as if none were shaky; within one sector."""
        return bytes(self.cells[start : start + count])

    def put(self, start: int, data: bytes) -> None:
        """Make the cells hold this; within one sector."""
        self.cells[start : start + len(data)] = data

    def blank(self, number: int) -> None:
        self.cells[number * SECTOR : (number + 1) * SECTOR] = b"\xff" * SECTOR

    def snapshot(self) -> tuple:
        """What the cells hold now, for restore(); counters and faults are no part of it."""
        return bytes(self.cells), dict(self.shaky)

    def restore(self, image: tuple) -> None:
        self.cells[:] = image[0]
        self.shaky = dict(image[1])

    # ------------------------------------------------------------------ operations
    def read(self, start: int, buf: "Any") -> None:
        """Fill buf. OSError: unreadable."""
        count = len(buf)
        self.reads += 1
        self.read_bytes += count
        if self.read_error_at is not None:
            self.read_error_at -= 1
            if self.read_error_at < 0:
                self.read_error_at = None
                raise OSError(5)
        done = 0
        while done < count:
            number, inside = divmod(start + done, SECTOR)
            part = min(SECTOR - inside, count - done)
            buf[done : done + part] = self._look(number, inside, part)
            done += part

    def reading_us(self) -> int:
        """How long the read takes that comes next."""
        if self.stall_at is not None:
            self.stall_at -= 1
            if self.stall_at < 0:
                self.stall_at = None
                return self.stall_ms * 1000
        return self.read_us

    def _look(self, number: int, inside: int, count: int) -> bytes:
        if self.sick.get(number) == "unreadable":
            raise OSError(5)
        data = self.get(number * SECTOR + inside, count)
        if number not in self.shaky:
            return data
        mask, lean = self.shaky[number]
        mask = (mask >> 8 * inside) & ((1 << 8 * count) - 1)
        if not mask:
            return data
        value = int.from_bytes(data, "little") | mask
        return (value ^ (mask & self.leaning(count, -lean))).to_bytes(count, "little")

    def program(self, start: int, data: bytes) -> None:
        """Clear bits; within one page. OSError: a sick sector that says so."""
        number = start // SECTOR
        self.programs += 1
        self.programmed += len(data)
        how = self._refusal(number, "no_program")
        if how == "ignores":
            return
        old = self.get(start, len(data))
        if old != _FF[: len(data)] or number in self.shaky or self.count_bits:
            data = self._and(start, old, data, how)
        self.put(start, data)

    def _and(self, start: int, old: bytes, data: bytes, how: str) -> bytes:
        number, inside = divmod(start, SECTOR)
        before, wanted = int.from_bytes(old, "little"), int.from_bytes(data, "little")
        cleared = (before | wanted) ^ wanted
        if number in self.shaky:
            mask, lean = self.shaky[number]
            ours = (mask >> 8 * inside) & ((1 << 8 * len(data)) - 1)
            before |= ours
            certain = (ours | wanted) ^ wanted
            self.shaky[number] = (mask ^ (certain << 8 * inside), lean)
            if mask == certain << 8 * inside:
                del self.shaky[number]
        if self.strict and how != "stuck" and (before | wanted) != before:
            raise FlashMisuse("a 1 over a 0 in sector %d, bytes %d to %d" % (number, inside, inside + len(data) - 1))
        if self.count_bits:
            self.bits += bin(cleared).count("1")
        return (before & wanted).to_bytes(len(data), "little")

    def erase(self, number: int) -> None:
        """Set a sector to FF. OSError: a sick one that says so."""
        self.erases += 1
        wear = self.wear[number] = self.wear.get(number, 0) + 1
        if number in self._limits and wear > self._limits[number][0]:
            self.sick[number] = self._limits.pop(number)[1]
        how = self._refusal(number, "no_erase")
        if how == "ignores":
            return
        self.shaky.pop(number, None)
        self.blank(number)
        if how == "stuck":
            self.put(number * SECTOR, self._stuck(number))

    def ignores(self, number: int, what: str) -> bool:
        """what: "no_program" or "no_erase": the sector does nothing and says nothing."""
        return self.fault == "silent" or self.sick.get(number) in ("silent", what)

    def _refusal(self, number: int, what: str) -> str:
        if self.ignores(number, what):
            return "ignores"
        how = self.sick.get(number, "")
        if how == "raises":
            raise OSError(5)
        return how

    def _stuck(self, number: int) -> bytes:
        """A blank sector with the bits that this sector has lost: eight, always the same."""
        cells = bytearray(b"\xff" * SECTOR)
        for nth in range(8):
            cells[(number * 977 + nth * 509 + 3) % SECTOR] &= ~(1 << nth)
        return bytes(cells)

    # ------------------------------------------------------------------ chance
    def noise(self) -> int:
        """The next byte of a small repeatable generator (what a torn cell reads as)."""
        self._noise = (self._noise * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._noise >> 16) & 0xFF

    def reseed(self, seed: int) -> None:
        self._noise = seed

    def leaning(self, count: int, lean: int) -> int:
        """count bytes of noise as one number: a bit is 1 once in 2, 4, 8 for lean 0, -1, -2; likewise 0 for +."""
        value = self._bits(count)
        for _ in range(lean):
            value |= self._bits(count)
        for _ in range(-lean):
            value &= self._bits(count)
        return value

    def _bits(self, count: int) -> int:
        chunk = bytearray(min(count, _CHUNK))
        noise = self._noise
        for at in range(len(chunk)):
            noise = (noise * 1103515245 + 12345) & 0x7FFFFFFF
            chunk[at] = (noise >> 16) & 0xFF
        self._noise = noise
        return int.from_bytes((bytes(chunk) * (count // max(len(chunk), 1) + 1))[:count], "little")


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

    def get(self, start: int, count: int) -> bytes:
        inside = start % SECTOR
        return bytes(self._written.get(start // SECTOR, self._blank)[inside : inside + count])

    def put(self, start: int, data: bytes) -> None:
        number, inside = divmod(start, SECTOR)
        if number not in self._written:
            self._written[number] = bytearray(self._blank)
        self._written[number][inside : inside + len(data)] = data

    def blank(self, number: int) -> None:
        self._written.pop(number, None)

    @property
    def held(self) -> int:
        """Bytes of memory that its sectors take, with what each needs beside its cells."""
        return len(self._written) * (SECTOR + _BESIDE)

    def snapshot(self) -> tuple:
        return {number: bytes(cells) for number, cells in self._written.items()}, dict(self.shaky)

    def restore(self, image: tuple) -> None:
        self._written = {number: bytearray(cells) for number, cells in image[0].items()}
        self.shaky = dict(image[1])
