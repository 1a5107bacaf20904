"""A register-level PCF8563 clock with its own coin cell (NXP PCF8563 Rev. 11, section 8.4).

Owns the wall time of the simulated home. Registers 02h-08h: seconds with VL, minutes, hours,
days, weekdays, century and months, years, all BCD. It keeps UTC.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler

ADDRESS = 0x51
_VL = 0x80  # seconds register: the clock lost its power, time is not to be trusted


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a Gregorian date."""
    year -= month <= 2
    era = year // 400
    yoe = year - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


def civil_from_days(days: int) -> tuple:
    """(year, month, day) of a number of days since 1970-01-01."""
    days += 719468
    era = days // 146097
    doe = days - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + (3 if mp < 10 else -9)
    return yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) // 5 + 1


def bcd(value: int) -> int:
    return (value // 10) << 4 | value % 10


def from_bcd(value: int) -> int:
    return (value >> 4) * 10 + (value & 15)


class Pcf8563:
    """The chip: `epoch_s` is UTC in seconds since 1970 at world time 0."""

    def __init__(self, sched: "Scheduler", epoch_s: int) -> None:
        self._sched = sched
        self._epoch_s = epoch_s
        self.lost = False

    def lose(self) -> None:
        """The coin cell was out: VL is set and the time starts from 2000."""
        self.lost = True
        self._epoch_s = days_from_civil(2000, 1, 1) * 86400 - self._sched.now_ms // 1000

    def read(self, register: int, count: int) -> bytes:
        registers = self._registers()
        return bytes(registers[(register + index) % len(registers)] for index in range(count))

    def write(self, register: int, data: bytes) -> None:
        """A write that covers 02h-08h sets the time and clears VL."""
        if register == 2 and len(data) >= 7:
            days = days_from_civil(2000 + from_bcd(data[6]), from_bcd(data[5] & 0x1F), from_bcd(data[3] & 0x3F))
            seconds = from_bcd(data[2] & 0x3F) * 3600 + from_bcd(data[1] & 0x7F) * 60 + from_bcd(data[0] & 0x7F)
            self._epoch_s = days * 86400 + seconds - self._sched.now_ms // 1000
            self.lost = bool(data[0] & _VL)

    def _registers(self) -> list:
        seconds = self._epoch_s + self._sched.now_ms // 1000
        days, rest = divmod(seconds, 86400)
        year, month, day = civil_from_days(days)
        vl = _VL if self.lost else 0
        return [0, 0, bcd(rest % 60) | vl, bcd(rest // 60 % 60), bcd(rest // 3600), bcd(day), (days + 4) % 7,
                bcd(month), bcd(year % 100)] + [0] * 7
