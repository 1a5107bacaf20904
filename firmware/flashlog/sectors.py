"""The sectors of the log's partition: what each is good for, and the flash operations on them.

Owns the states, the order in which sectors are used (round and round, so that all wear alike), and the one sector that
is held in memory for reading. Must never give out one that was not found blank.
"""

from array import array

from micropython import const

from firmware.flashlog import layout
from firmware.flashlog.layout import SECTOR

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DIRTY = const(0)  # to be erased before use
READY = const(1)  # erased and marked
USED = const(2)
BAD = const(3)  # cannot be erased, in this boot
_COUNT = const(4)  # ioctl: number of sectors
_ERASE = const(6)  # ioctl: erase a sector
_TRIES = const(2)
_READS = const(3)


class Sectors:
    """partition: esp32.Partition; trouble(text): what is wrong with it."""

    def __init__(self, partition: "Any", trouble: "Callable[[str], Any]") -> None:
        self._flash = partition
        self._trouble = trouble
        self.total = self._size()
        self._states = bytearray(self.total)
        self._counts = [self.total, 0, 0, 0]
        self._boots = array("I", bytes(4 * self.total))  # identity of the first record of a used one
        self._seqs = array("I", bytes(4 * self.total))
        self._next = 0  # sector that is looked at first for use
        self._buf = bytearray(SECTOR)
        self._view = memoryview(self._buf)
        self._loaded = -1  # sector that the buffer has
        self._forgiven: list = []  # did not take a header once

    def _size(self) -> int:
        try:
            return self._flash.ioctl(_COUNT, 0)
        except Exception as error:  # noqa: BLE001 - a flash that does not even answer has no sectors
            self._trouble("cannot be read: %r" % error)
            return 0

    def forget(self) -> None:
        """Nothing is known of any."""
        self._states = bytearray(self.total)  # all DIRTY
        self._counts = [self.total, 0, 0, 0]
        self._loaded = -1

    # ------------------------------------------------------------------ what is known
    def count(self, state: int) -> int:
        return self._counts[state]

    def put(self, sector: int, state: int) -> None:
        self._counts[self._states[sector]] -= 1
        self._counts[state] += 1
        self._states[sector] = state

    def state(self, sector: int) -> int:
        return self._states[sector]

    def holds(self, sector: int, first: int) -> bool:
        """It is in use and begins with this identity: it is still the sector that it was."""
        return self._states[sector] == USED and self.first(sector) == first

    def first(self, sector: int) -> int:
        """Identity of its first record."""
        return self._boots[sector] << 32 | self._seqs[sector]

    def use(self, sector: int, first: int) -> None:
        """It belongs to a stream from now on."""
        self.put(sector, USED)
        self._boots[sector] = first >> 32
        self._seqs[sector] = first & 0xFFFFFFFF

    def unreadable(self, sector: int, error: OSError) -> None:
        """Its head cannot be read: it is left as it is, for another start may find better."""
        self.put(sector, BAD)
        self._trouble("cannot be read: %r" % error)

    def go_on_after(self, sector: int) -> None:
        """The round goes on behind this one."""
        self._next = (sector + 1) % max(self.total, 1)

    def _following(self, state: int) -> int:
        wanted = bytes((state,))
        sector = self._states.find(wanted, self._next)
        return sector if sector >= 0 else self._states.find(wanted)

    # ------------------------------------------------------------------ reading
    def head(self, sector: int, buf: "Any") -> None:
        """The header of a sector. OSError."""
        self._read(sector, buf, 0)

    def _read(self, sector: int, buf: "Any", at: int) -> None:
        """One failure is not believed: what is passed over would be acknowledged with what follows it. OSError."""
        for _ in range(_READS - 1):
            try:
                self._flash.readblocks(sector, buf, at)
                return
            except OSError:
                pass
        self._flash.readblocks(sector, buf, at)

    def load(self, sector: int) -> memoryview:
        """The whole sector; valid until the next one is loaded. What cannot be read is blank."""
        if self._loaded != sector:
            try:
                self._read(sector, self._buf, 0)
                self._loaded = sector
            except OSError as error:
                self._loaded = -1
                self._view[:] = b"\xff" * SECTOR
                self._trouble("cannot be read: %r" % error)
        return self._view

    # ------------------------------------------------------------------ writing
    def program(self, sector: int, at: int, data: "Any", back: bytearray) -> bool:
        """Program data (a memoryview) and read it back into `back`; whether it is there. OSError."""
        if self._loaded == sector:
            self._loaded = -1
        self._flash.writeblocks(sector, data, at)
        got = memoryview(back)[: len(data)]
        self._read(sector, got, at)
        return bool(got == data)

    def take(self, head: bytes, first: int) -> int:
        """Open the next erased sector with this header; its number, -1: none is ready.

        One that does not give it back may have been torn while being opened and looked blank: it is erased again once.
        """
        back = bytearray(len(head))
        while self._counts[READY]:
            sector = self._following(READY)
            self.go_on_after(sector)
            try:
                if self.program(sector, 0, memoryview(head), back):
                    self.use(sector, first)
                    return sector
                if self._forgive(sector):
                    continue
                self._trouble("a sector does not keep what is written: storage worn")
            except OSError as error:
                self._trouble("cannot be written: %r" % error)
            self.put(sector, BAD)
        return -1

    def _forgive(self, sector: int) -> bool:
        if sector in self._forgiven:
            return False
        self._forgiven.append(sector)
        self.put(sector, DIRTY)
        return True

    def kill(self, sector: int) -> None:
        """Nothing in it counts any more."""
        self.put(sector, DIRTY)
        try:
            if self._loaded == sector:
                self._loaded = -1
            self._flash.writeblocks(sector, bytes(layout.KILL_BYTES), layout.KILL_AT)
        except OSError as error:
            self._trouble("cannot be written: %r" % error)

    def erase_next(self) -> bool:
        """Erase the next sector that may be, and mark it. False: there is none."""
        sector = self._following(DIRTY)
        if sector < 0:
            return False
        for _ in range(_TRIES):
            if self._erase(sector):
                self.put(sector, READY)
                return True
        self._trouble("a sector cannot be erased: storage worn")
        self.put(sector, BAD)
        return True

    def _erase(self, sector: int) -> bool:
        try:
            self._loaded = -1
            head = bytearray(layout.HEAD)
            self.head(sector, head)
            erases = layout.read_erases(head) + 1
            self._flash.ioctl(_ERASE, sector)
            if not layout.is_blank(self.load(sector), 0, SECTOR):
                return False
            mark = layout.pack_mark(erases)
            return self.program(sector, layout.MARK_AT, memoryview(mark), bytearray(len(mark)))
        except OSError as error:
            self._trouble("cannot be erased: %r" % error)
            return False
