"""The IEEE address a simulated sensor has when none is given: derived from its name, everywhere the same."""

from binascii import crc32

_PREFIX = "00124b00"  # so that it looks like an address of the trade; the rest is the name's CRC32


def ieee_of(name: str) -> str:
    """16 hexadecimal digits, as printed on a device."""
    return "%s%08x" % (_PREFIX, crc32(name.encode()) & 0xFFFFFFFF)


def wire_of(ieee: str) -> bytes:
    """The eight bytes as they travel: the last one first."""
    return bytes(int(ieee[at:at + 2], 16) for at in range(14, -2, -2))
