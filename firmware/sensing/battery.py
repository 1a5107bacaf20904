"""How full a sensor's battery is: classes by its voltage, how many days are left (ZB-10, ZB-18, fault 38).

Owns what one sensor said of its batteries, and a few points of their history. Pure: time comes in with each call. Must
never change its mind for fewer than three reports, and never call a battery good because a percentage says so while the
voltage or the low bit says otherwise.

The class goes by percent of the rated voltage: from the millivolts where there are any. A percentage that agrees with
the voltage within its 100 mV step is the same thing told finer (our own profile). Where there is no voltage, the
percentage is a maker's estimate of what is left: 0 to 100 % of it stand for 70 to 100 % of the rated voltage, which is
how far a lithium or alkaline cell falls. Where there is neither, the low bit of the zone status is all there is.
"""

from array import array

from micropython import const

from zigbee import told

GOOD = const(0)
LOW = const(1)
REPLACE = const(2)
UNKNOWN = const(3)
NAMES = ("good", "low", "replace", None)

_GOOD_FROM = const(950)  # thousandths of the rated voltage, ZB-10
_LOW_FROM = const(900)
_BACK = const(15)  # so much more to come back to a better class
_REPORTS = const(3)  # that say so, before the class changes
_ASKS = const(6)  # questions for the other two; a sensor that answers none of them tells again by itself
_STEP_MV = const(50)  # a voltage in steps of 100 mV, rounded
_NEW_MV = const(150)  # risen so far, it is another battery
FULL = const(990)

_QUERIES = const(2)

POINTS = const(8)
_GAP_DAYS = const(7)  # between two points, doubled when all are taken
_SPAN_DAYS = const(14)  # a slope needs as much, and as great a fall
_FALL_MV = const(30)
_FAR_DAYS = const(1500)
WARN_DAYS = const(30)
_CALM_DAYS = const(45)

# Highest voltage seen, rated voltage, mV: a cell; two cells or CR2; 3.6 V lithium; three; four; 9 V
_RATED = ((1700, 1500), (3450, 3000), (4000, 3600), (5000, 4500), (6800, 6000), (0xFFFF, 9000))


class Battery:
    """Values as told; `state` is UNKNOWN until something was told."""

    def __init__(self) -> None:
        self.state = UNKNOWN
        self.reported = UNKNOWN  # the class the last event or status told
        self.mv = 0  # 0: not told
        self.radio_mv = 0
        self.half_percent = -1
        self.low_bit: bool | None = None
        self.highest_mv = 0  # tells what kind of battery it is; so does the radio's own
        self.radio_highest_mv = 0
        self.suspected = False
        self.warned = False
        self.asks = 0  # questions it is still worth: the class may be about to change
        self.queries = _QUERIES  # questions left for who has told nothing yet
        self.fresh = False  # something came since the last report()
        self._likely = UNKNOWN
        self._times = 0
        self.count = 0
        self.days = array("H", [0] * POINTS)
        self.mvs = array("H", [0] * POINTS)

    def heard(self, kind: int, value: int) -> None:
        """VOLTS, RADIO_VOLTS or PERCENT of zigbee.told came."""
        if kind == told.PERCENT:
            if value > 200:
                return  # 255 is "unknown"
            self.half_percent = value
        elif value <= 0 or value >= 0xFFFF:
            return
        elif kind == told.VOLTS:
            self.highest_mv = _highest(self.highest_mv, self.mv, value)
            self.mv = value
        else:
            self.radio_highest_mv = _highest(self.radio_highest_mv, self.radio_mv, value)
            self.radio_mv = value
        self.fresh = True

    def heard_bit(self, low: bool) -> None:
        """The low battery bit came. Where something better is told it counts only while it is set."""
        if self.low_bit is not low or (not self.mv and self.half_percent < 0) or low:
            self.fresh = True
        self.low_bit = low

    def untold(self) -> bool:
        """Neither a voltage nor a percentage is known, and asking may still help."""
        return self.queries > 0 and not self.mv and not self.radio_mv and self.half_percent < 0

    @property
    def rated_mv(self) -> int:
        """Of the sensing part's battery; of the radio's where only that tells a voltage."""
        return _rated(self.highest_mv or self.radio_highest_mv)

    def permille(self) -> int:
        """The worse battery in thousandths of its rated voltage; -1: nobody knows."""
        if not self.mv and not self.radio_mv:
            return 700 + self.half_percent * 3 // 2 if self.half_percent >= 0 else -1
        rated = self.rated_mv
        found = self.mv * 1000 // rated if self.mv else 2000
        if self.mv and self.half_percent >= 0 and abs(rated * self.half_percent // 200 - self.mv) <= _STEP_MV:
            found = self.half_percent * 5
        return min(found, self.radio_mv * 1000 // _rated(self.radio_highest_mv)) if self.radio_mv else found

    @property
    def percent(self) -> "int | None":
        """Of the rated voltage where a voltage is told, else as its maker estimates."""
        if not self.mv and not self.radio_mv:
            return self.half_percent // 2 if self.half_percent >= 0 else None
        return self.permille() // 10

    def report(self) -> bool:
        """Call every few seconds: what came since is one report. True: the class has changed."""
        if not self.fresh:
            return False
        self.fresh = False
        now = self._class()
        if now == UNKNOWN or now == self.state:
            self._times = self.asks = 0
            return False
        self._times = self._times + 1 if now == self._likely else 1
        self._likely = now
        first = self.state == UNKNOWN and now != REPLACE
        if self._times < _REPORTS and not first:
            self.asks = _ASKS if self._times == 1 else self.asks
            return False
        self._times = self.asks = 0
        self.state = now
        return True

    def _class(self) -> int:
        level = self.permille()
        if self.low_bit:
            return REPLACE
        if level < 0:
            return UNKNOWN if self.low_bit is None else GOOD
        if level < _LOW_FROM + (_BACK if self.state == REPLACE else 0):
            return REPLACE
        behind = self.state == REPLACE or self.state == LOW
        return LOW if level < _GOOD_FROM + (_BACK if behind else 0) else GOOD

    # ------------------------------------------------------------------ history
    def note(self, day: int) -> None:
        """Keep a point of history when it is time. day: since 1970."""
        if not self.mv and not self.radio_mv:
            return
        mv = self.permille() * self.rated_mv // 1000
        if self.count and (day < self.days[self.count - 1] or mv >= self.mvs[self.count - 1] + _NEW_MV):
            self.count = 0  # another battery, or another calendar
            self.warned = False
        gap = _GAP_DAYS
        if self.count > 1:
            gap = max(gap, self.days[1] - self.days[0])
        if self.count and day - self.days[self.count - 1] < gap:
            return
        if self.count >= POINTS:
            self._thin()
        self.days[self.count] = day
        self.mvs[self.count] = mv
        self.count += 1

    def _thin(self) -> None:
        """Every second point, the newest among them."""
        for place in range(POINTS // 2):
            self.days[place] = self.days[2 * place + 1]
            self.mvs[place] = self.mvs[2 * place + 1]
        self.count = POINTS // 2

    def days_left(self, day: int) -> "int | None":
        """Until `replace`, by the straight line through the history; None: not enough of it, or no end in sight."""
        count = self.count
        if count < 3 or self.days[count - 1] - self.days[0] < _SPAN_DAYS:
            return None
        first = self.days[0]
        total_x = total_y = total_xx = total_xy = 0
        for place in range(count):
            x, y = self.days[place] - first, self.mvs[place]
            total_x += x
            total_y += y
            total_xx += x * x
            total_xy += x * y
        below = count * total_xx - total_x * total_x
        slope = count * total_xy - total_x * total_y  # mV a day, times `below`
        if slope >= 0 or -slope * (self.days[count - 1] - first) < _FALL_MV * below:
            return None
        floor_mv = self.rated_mv * _LOW_FROM // 1000
        # the line at that day, times `below` and `count`, above the floor
        above = (total_y - count * floor_mv) * below + slope * (count * (day - first) - total_x)
        left = above // (-slope * count)
        return None if left > _FAR_DAYS else max(left, 0)

    def warns(self, day: int) -> bool:
        """Once, when `replace` is a month away."""
        left = self.days_left(day)
        if left is None or left > _CALM_DAYS:
            self.warned = False
            return False
        if left > WARN_DAYS or self.warned or self.state == REPLACE:
            return False
        self.warned = True
        return True


def _highest(highest_mv: int, before_mv: int, value: int) -> int:
    """A higher voltage than ever is believed when it is told twice running: it stays for the battery's life."""
    return max(highest_mv, min(before_mv, value) if before_mv else value)


def _rated(highest_mv: int) -> int:
    for limit, rated in _RATED:
        if highest_mv <= limit:
            return rated
    return _RATED[-1][1]
