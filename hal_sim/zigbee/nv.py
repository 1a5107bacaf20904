"""The chip's non-volatile memory: numbered items, old style (OSAL) and new style (system, item, sub-item).

Owns the items and the commands on them. Survives resets and power cuts. Must never know what an item means.
Source: TI "Z-Stack Monitor and Test API", SYS_OSAL_NV_* and SYS_NV_*; statuses as Z-Stack 3.x gives them.
"""

from hal_sim.zigbee.mt import INVALID_PARAMETER, SUCCESS, le16, put16, put32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CREATED = 0x09  # NV_ITEM_UNINIT
_FAILED = 0x0A  # NV_OPER_FAILED
_BAD_LENGTH = 0x0C
_PIECE = 246  # bytes of a value in one answer
_ITEM_LIMIT = 4096  # bytes
_OLD_POLL_RATE = 0x0024  # not an item: Z-Stack 3 reads and writes it in RAM, and says that its length is 0


class Nv:
    """items: key -> bytes; a key is a number (old style) or a tuple (system, item, sub-item)."""

    def __init__(self) -> None:
        self.items: dict = {}
        self._poll_rate = put16(0)

    def commands(self) -> dict:
        """SREQ -> (shortest payload, handler(payload) -> SRSP payload)."""
        return {
            0x2107: (5, self._osal_init),
            0x2108: (3, lambda p: self._read_old(le16(p, 0), p[2])),
            0x211C: (4, lambda p: self._read(le16(p, 0), le16(p, 2), _PIECE)),
            0x2109: (4, lambda p: self._write(le16(p, 0), p[2], p[4:4 + p[3]])),
            0x211D: (6, lambda p: self._write_long(p)),
            0x2112: (4, lambda p: self._delete(le16(p, 0), le16(p, 2))),
            0x2113: (2, lambda p: put16(len(self.items.get(le16(p, 0), b"")))),
            0x2130: (9, self._create),
            0x2131: (5, lambda p: self._delete(_key(p), None)),
            0x2132: (5, lambda p: put32(len(self.items.get(_key(p), b"")))),
            0x2133: (8, lambda p: self._read(_key(p), le16(p, 5), min(p[7], _PIECE))),
            0x2134: (8, lambda p: self._write(_key(p), le16(p, 5), p[8:8 + p[7]])),
            0x2135: (6, self._update),
        }

    def _osal_init(self, p: bytes) -> bytes:
        key, size = le16(p, 0), le16(p, 2)
        if key in self.items:
            return bytes((SUCCESS,))
        if not 0 < size <= _ITEM_LIMIT:
            return bytes((_FAILED,))
        value = p[5:5 + p[4]][:size]
        self.items[key] = value + bytes(size - len(value))
        return bytes((_CREATED,))

    def _create(self, p: bytes) -> bytes:
        key, size = _key(p), le16(p, 5) | le16(p, 7) << 16
        if key in self.items:
            return bytes((SUCCESS,))
        if not 0 < size <= _ITEM_LIMIT:
            return bytes((_FAILED,))
        self.items[key] = bytes(size)
        return bytes((_CREATED,))

    def _read(self, key: "Any", offset: int, limit: int) -> bytes:
        value = self.items.get(key)
        if value is None or offset > len(value):
            return bytes((INVALID_PARAMETER, 0))
        piece = value[offset:offset + limit]
        return bytes((SUCCESS, len(piece))) + piece

    def _read_old(self, key: int, offset: int) -> bytes:
        if key == _OLD_POLL_RATE:
            return bytes((SUCCESS, 2)) + self._poll_rate
        return self._read(key, offset, _PIECE)

    def _write_long(self, p: bytes) -> bytes:
        if le16(p, 0) == _OLD_POLL_RATE:
            self._poll_rate = p[6:8]
            return bytes((SUCCESS,))
        return self._write(le16(p, 0), le16(p, 2), p[6:6 + le16(p, 4)])

    def _write(self, key: "Any", offset: int, data: bytes) -> bytes:
        value = self.items.get(key)
        if value is None or offset + len(data) > len(value):
            return bytes((INVALID_PARAMETER if value is None else _BAD_LENGTH,))
        self.items[key] = value[:offset] + data + value[offset + len(data):]
        return bytes((SUCCESS,))

    def _update(self, p: bytes) -> bytes:
        self.items[_key(p)] = p[6:6 + p[5]]
        return bytes((SUCCESS,))

    def _delete(self, key: "Any", size: "int | None") -> bytes:
        value = self.items.get(key)
        if value is None:
            return bytes((_CREATED,))
        if size is not None and size != len(value):
            return bytes((_BAD_LENGTH,))
        del self.items[key]
        return bytes((SUCCESS,))


def _key(p: bytes) -> tuple:
    return (p[0], le16(p, 1), le16(p, 3))
