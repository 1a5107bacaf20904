"""One sensor of the home as the gateway remembers it: its place, its levels, what it said last.

Owns the memory of one sensor. Must never act: what a level means is decided in `firmware.sensing.sensors`, what silence
means in `firmware.sensing.watch`.
"""

from micropython import const

from firmware.sensing.battery import Battery
from firmware.sensing.links import USUAL_S, Link
from firmware.sensing.masks import Mask
from zigbee.quirks import UNASKED, mark_s

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from zigbee.devices import Device

SMOKE = "smoke"
ACTIVITY = "activity"
CALL_BUTTON = "call_button"
DOOR = "door"
KINDS = (SMOKE, ACTIVITY, CALL_BUTTON, DOOR)

TAMPER = const(1)  # levels that are recorded, bits
TROUBLE = const(2)
COVERED = const(4)
OPEN = const(8)
FLOOD = const(16)

REPEAT_MS = const(10_000)  # the same frame within this time is a repeat (fault 31)
NEVER_MS = -3_600_000  # longer ago than anything that is remembered
_PAUSE_MS = const(10_000)  # a device held or stuck notifies more often than this
_RECENT = const(4)
_RECORDS = const(30)  # of its levels at once; a door that swings in the wind fills no queue
_RECORD_MS = const(60_000)  # one more in this time
_OWN_RHYTHM_S = const(60)  # of our own activity sensor, where the registry knows nothing of it


class Sensor:
    """`index` is its place in the registry; levels are None until they were heard. entry: the registry's dict of it."""

    def __init__(self, index: int, entry: dict, now_ms: int) -> None:
        self.index = index
        self.entry = entry
        self.kind: str = entry.get("kind", "")
        self.ieee: str = entry.get("ieee", "")
        self.device: Device | None = None  # None: its address is broken, it cannot be heard
        self.alarm: bool | None = None
        self.accepted_ms = NEVER_MS  # when a press last counted
        self._run_ms = NEVER_MS  # since when it notifies alarms without a pause
        self._notified_ms = NEVER_MS
        self.doubted_ms = NEVER_MS  # when it was last asked because of an old frame
        self.stuck = False
        self.tamper = False
        self.trouble = False
        self.covered = False
        self.floods = False
        self.recorded = 0  # the levels as the records have them
        self._records = _RECORDS
        self._record_ms = now_ms
        self.present: bool | None = None
        self.temperature: int | None = None  # hundredths of a degree Celsius
        self.link = Link(now_ms, self.rhythm_s, self.kind == ACTIVITY, bool(self.traits & UNASKED))
        self.battery = Battery()
        self.mask = Mask(now_ms, 1000 * mark_s(self.traits)) if self.kind == ACTIVITY else None
        self._keys = [-1] * _RECENT
        self._times = [0] * _RECENT
        self._next = 0

    @property
    def name(self) -> str:
        """As people call it; may change while it runs."""
        return self.entry.get("name", "")

    @property
    def place(self) -> str:
        return self.entry.get("place", "")

    @property
    def traits(self) -> int:
        """In which ways its frames differ: bits of zigbee.quirks."""
        facts = self.entry.get("facts")
        told = facts.get("traits") if isinstance(facts, dict) else None
        return told if isinstance(told, int) else 0

    @property
    def rhythm_s(self) -> int:
        """How often it is heard of by itself, s."""
        facts = self.entry.get("facts")
        told = facts.get("rhythm_s") if isinstance(facts, dict) else None
        if isinstance(told, int) and told > 0:
            return told
        return _OWN_RHYTHM_S if self.kind == ACTIVITY else USUAL_S

    def levels(self) -> int:
        """TAMPER, TROUBLE, COVERED, OPEN and FLOOD as they are now."""
        now = (TAMPER if self.tamper else 0) | (TROUBLE if self.trouble else 0) | (COVERED if self.covered else 0)
        now |= FLOOD if self.floods else 0
        return now | OPEN if self.kind == DOOR and self.alarm else now

    def may_record(self, now_ms: int) -> bool:
        """Whether one more change of a level is to be recorded now; else the latest is, in time."""
        earned = (now_ms - self._record_ms) // _RECORD_MS
        if earned > 0:
            self._record_ms = now_ms
            self._records = min(self._records + earned, _RECORDS)
        if not self._records:
            return False
        self._records -= 1
        return True

    def repeats(self, kind: int, value: int, tsn: int, now_ms: int) -> bool:
        """Whether this very frame (kind stands for its cluster and command) was dealt with in the last REPEAT_MS."""
        key = kind << 24 | tsn << 16 | value & 0xFFFF
        for place in range(_RECENT):  # no generator: it would take memory for every frame
            if self._keys[place] == key and now_ms - self._times[place] < REPEAT_MS:
                return True
        return False

    def remember(self, kind: int, value: int, tsn: int, now_ms: int) -> None:
        """This frame was dealt with to the end; had it failed, another try must not be taken for a repeat."""
        key = kind << 24 | tsn << 16 | value & 0xFFFF
        self._keys[self._next] = key
        self._times[self._next] = now_ms
        self._next = (self._next + 1) % _RECENT

    def forget(self, tsn: int = -1) -> None:
        """No frame with this number (-1: none at all) is a repeat any more."""
        for place in range(_RECENT):
            if tsn < 0 or self._keys[place] >> 16 & 0xFF == tsn:
                self._keys[place] = -1

    def notified(self, now_ms: int) -> bool:
        """An alarm was notified, be it a repeat. True: after a pause."""
        paused = now_ms - self._notified_ms > _PAUSE_MS
        if paused:
            self._run_ms = now_ms
        self._notified_ms = now_ms
        return paused

    def rested(self) -> None:
        """Restored: the next alarm comes after a pause."""
        self._notified_ms = NEVER_MS

    def notifies_since(self, now_ms: int, limit_ms: int) -> bool:
        """It still notifies alarms and has done so for limit_ms without a pause."""
        return now_ms - self._notified_ms <= _PAUSE_MS and now_ms - self._run_ms >= limit_ms
