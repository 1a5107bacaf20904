"""The token bucket of a sender: a device that floods, mad or hostile, costs nobody else anything (fault 40).

Owns what one sender may still send. Must never keep the first frame of an incident back: an alarm bit newly set, the
first alarm or restore after a pause, a command of the pendant; those of the flooder itself too. Takes no memory.
"""

from micropython import const

from zigbee import told
from zigbee.ias import ACE_DISARM, ANY_ALARM, TEST
from zigbee.tsn import LEFT, gate

BURST = const(60)  # frames at once: an interview answers with about 30 in a few seconds
RATE = const(10)  # frames a second for as long as one likes; the liveliest radar sensors send 2 or 3
PAUSE_MS = const(1000)  # while it floods, alarms of one sort, and restores, pass this far apart
FLOOD = const(20)  # frames cut off between two looks that make it a flood

_CLEAR = const(4)  # places in _passed_ms: alarm notified, alarm reported, call, cancel, and all clear


class Flow:
    """One sender, or all strangers together (counted: False).

    gate[LEFT] goes down by one with each frame (zigbee.scan.follows()); at 0 refill() decides, and then incident() of
    each event.
    """

    def __init__(self, counted: bool) -> None:
        self.gate = gate(counted)
        self.gate[LEFT] = BURST
        self.dropped = 0  # frames over the limit, since the start
        self.flooding = False
        self._looked = 0  # `dropped` at the last look
        self._lossy = False
        self.doubtful = False  # what it said last was not taken
        self._since_ms = 0
        self._bits = 0
        self._passed_ms = [-PAUSE_MS] * (_CLEAR + 1)

    def refill(self, now_ms: int) -> bool:
        """Nothing is left: True when time has brought something."""
        fresh = (now_ms - self._since_ms) * RATE // 1000
        if fresh > 0:
            self._since_ms = now_ms
            self.gate[LEFT] = fresh if fresh < BURST else BURST
            return True
        self.dropped += 1
        return False

    def spend(self, now_ms: int) -> bool:
        """Count something that came. False: over the limit."""
        if not self.gate[LEFT] and not self.refill(now_ms):
            return False
        self.gate[LEFT] -= 1
        return True

    @property
    def calm(self) -> bool:
        """It did not flood of late: it gets the answers it asks for."""
        return self.dropped == self._looked and not self.flooding

    def incident(self, kind: int, value: int, now_ms: int) -> bool:
        """Whether this event (zigbee.told) passes although its sender floods."""
        if kind == told.NOTIFIED or kind == told.LEVEL:
            bits = value & (ANY_ALARM | TEST)
            fresh = bits & ~self._bits
            place = kind - told.NOTIFIED if bits else _CLEAR
            if not fresh and now_ms - self._passed_ms[place] < PAUSE_MS:
                return False
            self._bits = self._bits | bits if bits else 0
        elif kind == told.BUTTON:
            place = 3 if value == ACE_DISARM else 2
            if now_ms - self._passed_ms[place] < PAUSE_MS:
                return False
        else:
            return False
        self._passed_ms[place] = now_ms
        return True

    def look(self) -> int:
        """To be called every 10 s or so. 1: a flood has begun; -1: it is over; 2: it is to be asked what was cut off or
        not taken; 0: no news.
        """
        cut = self.dropped - self._looked
        self._looked = self.dropped
        if cut:
            self._lossy = True
            if cut >= FLOOD and not self.flooding:
                self.flooding = True
                return 1
            return 0
        if not self._lossy:
            doubtful, self.doubtful = self.doubtful, False
            return 2 if doubtful else 0
        self._lossy = self.doubtful = False
        if not self.flooding:
            return 2
        self.flooding = False
        return -1
