"""Which records the relay has: a bit for each, so that what lasts for months takes little memory.

Owns the bits, in pages of 512 records of a boot. Bounded: the oldest page goes when there are too many.
"""

_PAGE_BITS = 9
_PAGES = 4096  # two million records


class Committed:
    """add(boot, seq): whole numbers, 0 or more."""

    def __init__(self) -> None:
        self._pages: dict = {}  # boot << 32 | page -> bits
        self._order: list = []

    def add(self, boot: int, seq: int) -> bool:
        """Take it; False: it is there already."""
        key = boot << 32 | seq >> _PAGE_BITS
        bits = self._pages.get(key)
        if bits is None:
            bits = self._pages[key] = bytearray(1 << _PAGE_BITS - 3)
            self._order.append(key)
            if len(self._order) > _PAGES:
                del self._pages[self._order.pop(0)]
        at, bit = seq >> 3 & (1 << _PAGE_BITS - 3) - 1, 1 << (seq & 7)
        is_new = not bits[at] & bit
        bits[at] |= bit
        return is_new
