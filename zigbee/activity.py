"""The activity mask, the one cluster of our own profile (docs/zigbee-profile.md).

Owns how a report becomes a minute's 30 bits. No I/O. Must never make up a bit: a report that is wrong in anything it
should say is refused whole.
"""

from array import array

from micropython import const

from zigbee.scan import ENTRY_SIZE, ID, NEXT, TYPE, VALUE, attribute

CLUSTER = const(0xFC30)
MINUTE = const(0x0000)  # whole minutes since the sensor started
MASK = const(0x0001)  # bit i: activity in the i-th two seconds
BEFORE = const(0x0002)  # the same of the minute before
STATE = const(0x0003)
BITS = const(0x3FFFFFFF)
NO_MASK = const(-1)

# state
TAMPER = const(0x01)
BATTERY_LOW = const(0x02)  # under 90 % of the rated voltage
FAULT = const(0x04)  # of the sensing part: the mask means nothing
WALK_TEST = const(0x08)  # the mask is not a person's doing
COVERED = const(0x10)  # it sees nothing

_TYPES = bytes((0x23, 0x1B, 0x1B, 0x18))  # of the four attributes
_MINUTE_LIMIT = const(0x3FFFFFFF)  # 2,000 years


class Report:
    """What the last good report said. before: NO_MASK when the report has none, and at minute 0."""

    def __init__(self) -> None:
        self._entry = array("I", [0] * ENTRY_SIZE)
        self._values = array("I", [0] * 4)
        self.minute = 0
        self.mask = 0
        self.before = NO_MASK
        self.state = 0

    def read(self, buf: bytearray, at: int, end: int) -> int:
        """Read the attribute list buf[at:end]. 1: done; 0: whole, but without minute or mask; -1: refused.

        Attributes come in any order; one that is repeated must say the same again, ones unknown are passed over.
        """
        entry, values = self._entry, self._values
        seen = 0
        while True:  # each entry takes three bytes at least
            more = attribute(buf, at, end, 0, entry)
            if more < 0:
                return -1
            if not more:
                break
            at = entry[NEXT]
            number = entry[ID]
            if number > STATE:
                continue
            if entry[TYPE] != _TYPES[number] or (seen >> number & 1 and values[number] != entry[VALUE]):
                return -1
            values[number] = entry[VALUE]
            seen |= 1 << number
        if values[MASK] > BITS and seen & 2 or values[BEFORE] > BITS and seen & 4:
            return -1
        return self._keep(seen)

    def _keep(self, seen: int) -> int:
        values = self._values
        if seen & 3 != 3:
            return 0
        if values[MINUTE] > _MINUTE_LIMIT:
            return -1
        self.minute = values[MINUTE]
        self.mask = values[MASK]
        self.before = values[BEFORE] if seen & 4 and self.minute else NO_MASK
        self.state = values[STATE] if seen & 8 else 0
        return 1
