"""The board's partition table: reads the CSV and writes the binary the boot loader reads.

Owns the checks a wrong table would only show on a board (overlap, alignment, end of flash). Format: ESP-IDF Programming
Guide, "Partition Tables": 32-byte entries, then an MD5 entry, padded with FF to 3072 bytes.
"""

import hashlib
import pathlib
import struct
from typing import NamedTuple

CSV = pathlib.Path(__file__).resolve().parent.parent / "firmware" / "boards" / "partitions-16MB.csv"
FLASH_BYTES = 16 << 20
TABLE_OFFSET = 0x8000
_TABLE_BYTES = 0xC00
_SECTOR = 0x1000
_APP_ALIGN = 0x10000
_MAGIC = b"\xaa\x50"
_MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14
_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {
    ("app", "factory"): 0, ("data", "phy"): 1, ("data", "nvs"): 2, ("data", "undefined"): 6, ("data", "fat"): 0x81,
}


class Entry(NamedTuple):
    name: str
    kind: str
    subtype: str
    offset: int
    size: int


def read(text: str) -> list[Entry]:
    """Entries of a partition CSV, checked. Raises ValueError with one line that names what is wrong."""
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if line:
            entries.append(_entry(line, number))
    _check(entries)
    return entries


def _entry(line: str, number: int) -> Entry:
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != 5 or (fields[1], fields[2]) not in _SUBTYPES or not 0 < len(fields[0]) <= 16:
        raise ValueError(f"partitions line {number}: name, type, subtype, offset, size expected, not {line!r}")
    try:
        return Entry(fields[0], fields[1], fields[2], int(fields[3], 0), int(fields[4], 0))
    except ValueError:
        raise ValueError(f"partitions line {number}: offset and size are numbers, not {line!r}") from None


def _check(entries: list[Entry]) -> None:
    end = TABLE_OFFSET + _SECTOR
    for entry in sorted(entries, key=lambda entry: entry.offset):
        align = _APP_ALIGN if entry.kind == "app" else _SECTOR
        if entry.offset % align or entry.size % _SECTOR or entry.size <= 0:
            raise ValueError(f"partition {entry.name} is not aligned to {align:#x}")
        if entry.offset < end:
            raise ValueError(f"partition {entry.name} overlaps what is before it")
        end = entry.offset + entry.size
    if end > FLASH_BYTES:
        raise ValueError("the last partition ends behind the flash")


def size_of(name: str) -> int:
    """Size in bytes of a partition of the board's own table."""
    return next(entry.size for entry in read(CSV.read_text()) if entry.name == name)


def binary(entries: list[Entry]) -> bytes:
    """The table as it is flashed at TABLE_OFFSET."""
    body = b"".join(
        _MAGIC
        + struct.pack("<BBII16sI", _TYPES[e.kind], _SUBTYPES[e.kind, e.subtype], e.offset, e.size, e.name.encode(), 0)
        for e in entries
    )
    return (body + _MD5_MAGIC + hashlib.md5(body).digest()).ljust(_TABLE_BYTES, b"\xff")
