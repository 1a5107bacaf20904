"""One copy of one block in flash: how it lies there, and how it is written so that no cut leaves half of it.

Owns the layout of a copy. Every step of a write is one flash operation (a page program or a sector erase, 45 ms), so
that the store may stop between any two. Must never take for good what was not committed, nor wait.

Page 0 has the header (magic, format, block, sequence, length, CRC32 of the data, CRC32 of all that), the commit mark
and the seal; the data follow from page 1. A write first kills the header, so that an erase which is cut leaves nothing
that reads well by chance; then it erases, programs data and header, reads all of it back, and programs the commit mark,
the seal last. A copy that is committed but not sealed may read differently next time: the store programs both marks
again.
"""

import binascii
import struct

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SECTOR = const(4096)
PAGE = const(256)
_MAGIC = const(0x54534B47)
_FORMAT = const(1)
_LAYOUT = "<IBBHIII"  # magic, format, block, 0, sequence, length, CRC32 of the data
_HEAD = const(24)  # _LAYOUT and the CRC32 of it
_MARK_AT = const(32)
_SEAL_AT = const(48)
_MARKS = const(16)
_MARK = b"\x5a\xa5" * 8
_ERASE = const(6)  # ioctl: erase a sector


class Slot:
    """partition: esp32.Partition; start: its first sector; ident: number of the block it is a copy of."""

    def __init__(self, partition: "Any", start: int, sectors: int, ident: int) -> None:
        self._flash = partition
        self._start = start
        self._sectors = sectors
        self._ident = ident
        self.good = False  # it holds a whole, committed value
        self.sealed = False
        self.used = False  # something was once written here
        self.killed = False  # and said to count no more
        self.sequence = 0
        self.length = 0
        self.crc = 0

    @property
    def capacity(self) -> int:
        """Bytes of data that fit."""
        return self._sectors * SECTOR - PAGE

    # ------------------------------------------------------------------ reading
    def look(self) -> None:
        """Find out what is here. OSError: the flash cannot be read; then nothing good is."""
        self.good = self.sealed = False
        head = self._look_header()
        if head is not None:
            self.good = head[_MARK_AT : _MARK_AT + _MARKS] == _MARK and self._crc(self.length) == self.crc
            self.sealed = self.good and head[_SEAL_AT : _SEAL_AT + _MARKS] == _MARK

    def _look_header(self) -> "bytearray | None":
        """The header's page when the header itself is whole; takes sequence, length and CRC from it."""
        head = bytearray(_SEAL_AT + _MARKS)
        self._flash.readblocks(self._start, head, 0)
        self.used = any(byte != 0xFF for byte in head)
        magic, form, ident, _, sequence, length, crc = struct.unpack_from(_LAYOUT, head, 0)
        self.killed = magic == 0
        if magic != _MAGIC or form != _FORMAT or ident != self._ident or length > self.capacity:
            return None
        if struct.unpack_from("<I", head, _HEAD - 4)[0] != binascii.crc32(head[: _HEAD - 4]):
            return None
        self.sequence, self.length, self.crc = sequence, length, crc
        return head

    def _crc(self, length: int) -> int:
        page = bytearray(PAGE)
        view = memoryview(page)
        crc = 0
        for at in range(0, length, PAGE):
            self._page(at, page)
            crc = binascii.crc32(view[: min(PAGE, length - at)], crc)
        return crc & 0xFFFFFFFF

    def _page(self, at: int, buf: "Any") -> None:
        """Read from the data, from their byte `at` on (a multiple of PAGE)."""
        at += PAGE
        self._flash.readblocks(self._start + at // SECTOR, buf, at % SECTOR)

    def read(self) -> "bytes | None":
        """The data, checked once more; None when they are not good (any more)."""
        data = bytearray(self.length)
        view = memoryview(data)
        for at in range(0, self.length, PAGE):
            self._page(at, view[at : at + PAGE])
        return bytes(data) if binascii.crc32(data) & 0xFFFFFFFF == self.crc else None

    # ------------------------------------------------------------------ writing, a flash operation a step
    def kill(self) -> None:
        """Nothing that is here counts any more. OSError."""
        self.good = self.sealed = False
        self._flash.writeblocks(self._start, bytes(4), 0)
        self.killed = True

    def seal(self) -> None:
        """Program both marks again: bits that a cut left half programmed become certain. OSError."""
        self._flash.writeblocks(self._start, _MARK, _MARK_AT)
        self._flash.writeblocks(self._start, _MARK, _SEAL_AT)
        self.sealed = True

    def write(self, data: bytes, sequence: int) -> "Iterator[int]":
        """Step by step; yields the ms to leave others after each. OSError: it did not work, nothing good is here."""
        self.kill()
        yield 2
        for sector in range((PAGE + len(data) + SECTOR - 1) // SECTOR):
            self._flash.ioctl(_ERASE, self._start + sector)
            yield 20
        view = memoryview(data)
        for at in range(0, len(data), PAGE):
            place = at + PAGE
            self._flash.writeblocks(self._start + place // SECTOR, view[at : at + PAGE], place % SECTOR)
            yield 2
        crc = binascii.crc32(data) & 0xFFFFFFFF
        head = struct.pack(_LAYOUT, _MAGIC, _FORMAT, self._ident, 0, sequence, len(data), crc)
        self._flash.writeblocks(self._start, head + struct.pack("<I", binascii.crc32(head) & 0xFFFFFFFF), 0)
        yield 2
        if self._look_header() is None or (self.sequence, self.crc) != (sequence, crc) or self._crc(len(data)) != crc:
            raise OSError("not as written")
        self._flash.writeblocks(self._start, _MARK, _MARK_AT)
        yield 2
        self._flash.writeblocks(self._start, _MARK, _SEAL_AT)
        self.look()
        if not self.sealed:
            self.good = False
            raise OSError("not as written")
