"""The PCF8563 real-time clock (NXP data sheet Rev. 11, section 8.4), kept in UTC.

Owns its seven time registers. Must never raise: a clock that does not answer is a clock that is not set.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from machine import I2C

_TIME = 0x02  # registers 02h-08h: VL_seconds, minutes, hours, days, weekdays, century_months, years
_VL = 0x80  # the clock's supply was lost: its time cannot be trusted
ADDRESS = 0x51


def _from_bcd(value: int) -> int:
    return (value >> 4) * 10 + (value & 15)


def _bcd(value: int) -> int:
    return (value // 10) << 4 | value % 10


class Pcf8563:
    """i2c: machine.I2C, or None when the board could not open it."""

    def __init__(self, i2c: "I2C | None") -> None:
        self._i2c = i2c

    def read(self) -> "tuple | None":
        """(year, month, day, hour, minute, second) in UTC, or None when lost, out of range or not answering."""
        if self._i2c is None:
            return None
        try:
            raw = self._i2c.readfrom_mem(ADDRESS, _TIME, 7)
        except OSError:
            return None
        if raw[0] & _VL:
            return None
        date = (
            2000 + _from_bcd(raw[6]), _from_bcd(raw[5] & 0x1F), _from_bcd(raw[3] & 0x3F),
            _from_bcd(raw[2] & 0x3F), _from_bcd(raw[1] & 0x7F), _from_bcd(raw[0] & 0x7F),
        )
        valid = 1 <= date[1] <= 12 and 1 <= date[2] <= 31 and date[3] < 24 and date[4] < 60 and date[5] < 60
        return date if valid else None

    def write(self, date: tuple, weekday: int) -> bool:
        """Set the clock and clear VL; weekday 0 is Sunday. False when it does not answer."""
        if self._i2c is None:
            return False
        year, month, day, hour, minute, second = date
        raw = bytes((_bcd(second), _bcd(minute), _bcd(hour), _bcd(day), weekday, _bcd(month), _bcd(year % 100)))
        try:
            self._i2c.writeto_mem(ADDRESS, _TIME, raw)
        except OSError:
            return False
        return True
