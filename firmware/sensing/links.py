"""How well a sensor is heard: good, weak or lost, from its signal and from its own rhythm (ZB-11, fault 36).

Owns the link of one sensor: when it was heard, how strongly, and from when on silence means something. Pure: time comes
in with each call. Must never call a sensor lost for a time in which the gateway was deaf (`excuse`), and never ask or
record anything itself.

Signal: TI's Z-Stack gives no RSSI to the host; its LQI is the energy of the last hop on a straight line, 0 at -87 dBm
and 255 at -10 dBm (radioComputeED of its MAC: MAC_SPEC_ED_MAX * (dBm - ED_RF_POWER_MIN_DBM) / (MAX - MIN); the range as
zigbee-on-host states it for Z-Stack). A CC2652P hears down to about -100 dBm (its data sheet, receiver sensitivity at
250 kbps): weak begins 23 dB above that, which is what people, doors and furniture may take away.
"""

from micropython import const

GOOD = const(0)
WEAK = const(1)
LOST = const(2)
NAMES = ("good", "weak", "lost")

NEVER_MS = const(-(1 << 29))  # a small integer on the board: comparing it takes no memory
_FLOOR_DBM = const(-87)
_RANGE_DB = const(77)
_WEAK_DBM = const(-77)  # at this or under
_GOOD_DBM = const(-73)  # at this or over; between the two nothing changes
_SIGNAL_MS = const(300_000)  # every frame for so long on the other side, two at least: then the signal has changed

_MINUTE = const(60_000)
_EACH_MINUTE_S = const(120)  # who reports at least this often is late after minutes
_ASK_SOONEST_MS = const(150_000)
_ASK_LATEST_MS = const(36_000_000)  # however lazy it says it is: asked after 10 h, lost after 11.5 h
_WEAK_AFTER_MS = const(900_000)  # asked so long without an answer
_LOST_AFTER_MS = const(5_400_000)  # some poll once an hour
_WEAK_SOONEST_MS = const(1_800_000)  # fault 36: a warning at 30 min, a fault at 2 h
_LOST_SOONEST_MS = const(7_200_000)
_AGAIN_MS = const(600_000)  # between two questions
_UNHEARD_MS = const(60_000)  # after the start, before who was not heard is asked
_ANSWER_MS = const(30_000)
_MISSED_WEAK = const(2250)  # who does not listen is not asked: weak when two reports are missing, lost when three are
_MISSED_LOST = const(3250)  # (ms of silence a second of its rhythm)
USUAL_S = const(14_400)  # of a sensor that does not say: status every 4 h


def dbm_of(lqi: int) -> int:
    """Signal of the last hop in dBm, -87 (or less) to -10."""
    return _FLOOR_DBM + (min(max(lqi, 0), 255) * _RANGE_DB + 127) // 255


class Link:
    """now_ms: when supervision of it began; rhythm_s: how often it is heard of by itself; brisk: it owes a report a
    minute, and its silence is told in minutes (an activity sensor); unasked: it does not listen between its reports."""

    def __init__(self, now_ms: int, rhythm_s: int, brisk: bool, unasked: bool = False) -> None:
        self.state = GOOD  # it counted as registered because it did its job
        self.reported = GOOD  # what the last record said
        self.dbm: int | None = None
        self.heard_ms: int | None = None  # of the last frame; before this boot it is negative
        self.quiet_ms = now_ms  # from here silence counts: the last frame, later if the gateway was deaf
        self.asked_ms = NEVER_MS
        self.answers = False  # it has answered a question soon: its silence then means something
        self.fresh = False  # heard since the start
        self._since_ms = now_ms
        self._worse_ms = NEVER_MS
        self._faint = False
        self._turned_ms = NEVER_MS
        self.unasked = unasked
        self.pace(rhythm_s, brisk)

    def pace(self, rhythm_s: int, brisk: bool) -> None:
        """When it is asked, weak and lost, in ms of silence."""
        self.brisk = brisk and rhythm_s <= _EACH_MINUTE_S
        if self.unasked:
            self.ask_ms = self.weak_ms = min(rhythm_s * _MISSED_WEAK, _ASK_LATEST_MS)
            self.lost_ms = min(rhythm_s * _MISSED_LOST, _ASK_LATEST_MS + _LOST_AFTER_MS)
            return
        if self.brisk:
            self.ask_ms, self.weak_ms, self.lost_ms = _ASK_SOONEST_MS, 5 * _MINUTE, 10 * _MINUTE
            return
        self.ask_ms = min(max(rhythm_s * 1250, _ASK_SOONEST_MS), _ASK_LATEST_MS)
        self.weak_ms = max(self.ask_ms + _WEAK_AFTER_MS, _WEAK_SOONEST_MS)
        self.lost_ms = max(self.ask_ms + _LOST_AFTER_MS, _LOST_SOONEST_MS)

    def heard(self, now_ms: int, lqi: int) -> None:
        """A whole frame of it came."""
        if now_ms - self.asked_ms <= _ANSWER_MS and not self.unasked:
            self.answers = True
        self.heard_ms = self.quiet_ms = now_ms
        self.fresh = True
        self.dbm = dbm = dbm_of(lqi)
        if dbm < _GOOD_DBM if self._faint else dbm > _WEAK_DBM:
            self._turned_ms = NEVER_MS
        elif self._turned_ms == NEVER_MS:
            self._turned_ms = now_ms
        elif now_ms - self._turned_ms >= _SIGNAL_MS:
            self._faint = not self._faint
            self._turned_ms = NEVER_MS

    def silence_ms(self, now_ms: int) -> int:
        """How long it has been silent while the gateway could hear."""
        return now_ms - self.quiet_ms

    def overdue(self, now_ms: int) -> bool:
        """It should have been heard by now, and is not known to be lost."""
        return self.state != LOST and now_ms - self.quiet_ms >= self.ask_ms

    def excuse(self, blind_ms: int, now_ms: int) -> None:
        """The gateway could not hear for blind_ms, until now: the silence of that time means nothing."""
        self.quiet_ms = min(self.quiet_ms + blind_ms, max(now_ms, self.quiet_ms))

    def judge(self, now_ms: int) -> bool:
        """Work out the state. True: it is another one than before."""
        silent_ms = now_ms - self.quiet_ms
        if silent_ms >= self.lost_ms:
            state = LOST
        elif silent_ms >= self.weak_ms or self._faint:
            state = WEAK
        else:
            state = GOOD
        if state == self.state:
            return False
        if state > self.state:
            self._worse_ms = now_ms
        elif self.heard_ms is None or self.heard_ms < self._worse_ms:
            return False  # excused, not heard
        self.state = state
        return True

    def recall(self, state: int, silent_ms: int, heard_ms: "int | None", now_ms: int) -> None:
        """What was kept over a restart: the state, how long it had been silent then, when it was heard (negative)."""
        self.state = self.reported = state
        self.quiet_ms = now_ms - silent_ms
        self.heard_ms = heard_ms
        self._worse_ms = now_ms

    def wants_question(self, now_ms: int) -> bool:
        """It is to be asked now: overdue, not heard since the start, or its signal needs a second look."""
        if self.unasked or now_ms - self.asked_ms < (_MINUTE if self.brisk and self.state != LOST else _AGAIN_MS):
            return False
        if now_ms - self.quiet_ms >= self.ask_ms or not self.fresh and now_ms - self._since_ms >= _UNHEARD_MS:
            return True
        return self._turned_ms != NEVER_MS and now_ms - self._turned_ms > _SIGNAL_MS

    def asked(self, now_ms: int) -> None:
        """A question went out to it."""
        self.asked_ms = now_ms
