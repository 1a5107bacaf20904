"""Is a frame older than what its sender has sent already? Judged by the ZCL transaction sequence number (fault 41).

Owns what is remembered of one device's numbers. Must never decide on an alarm, which counts whatever its number.
Must never silence a device whose numbers say nothing: constant, random, or of several counters.

Only frames that a device sends by itself carry its own numbers; an answer carries the question's. The counter has 8
bits, so "older" needs a device that is known to count: SURE steps forward in a row. A device that restarts without
announcing itself is believed again at its third frame; what announces itself starts afresh. A frame that comes late but
was never seen (frames overtake each other in retries) is no replay, unless it would undo an alarm that overtook it.
"""

from array import array

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

# Places in a sender's gate, an array of unsigned 32-bit numbers; zigbee.scan.follows() knows them too
LAST = const(0)  # the newest number; NO_NUMBER: none yet
_SURE = const(1)  # steps forward in a row, up to SURE; NEVER: its numbers say nothing
_SEEN = const(2)  # bit i: number LAST - i was seen
_OTHER = const(3)  # the newest number of a row that does not go on from LAST
_RUN = const(4)  # its length
_MIXED = const(5)  # 1: a frame went on from LAST since that row began
ALARM = const(6)  # the newest alarm's number; NO_NUMBER: none of late
LEFT = const(7)  # frames that it may send at once: zigbee.bucket

NO_NUMBER = const(0x100)
SURE = const(8)  # random numbers look like this once in 16^8
NEVER = const(0xFF)
_NEAR = const(16)  # a step forward: so many frames less one may have been lost
_WINDOW = const(24)  # numbers remembered; 30 bits are an integer without memory
_FULL = const(0xFFFFFF)
_OVERTAKEN = const(8)  # by so many frames at most
_BELIEVED = const(3)  # frames in a row that make a new beginning
_SEVERAL = const(4)  # frames in a second row, the first one going on too: it has more counters than one
LATE_MS = const(10_000)  # a frame overtaken by others arrives within this time
_MINUTE_MS = const(60_000)
_AHEAD_LIMIT = const(127)


def gate(counted: bool) -> array:
    """For a sender that was never heard. counted: it is one device and its numbers are looked at."""
    return array("I", (NO_NUMBER, 0 if counted else NEVER, 0, 0, 0, 0, NO_NUMBER, 0))


def reset(gate: array) -> None:
    """The device announced itself: perhaps it counts anew."""
    _anew(gate, NO_NUMBER)
    gate[_SURE] = 0


def stale(gate: array, number: int, heard_ms: int, now: "Callable[[], int]") -> bool:
    """Whether a frame of which follows() is not sure is one from the past; takes its number into account.

    heard_ms: when the device was last heard, now(): the time.
    """
    last = gate[LAST]
    if last == NO_NUMBER:
        _anew(gate, number)
        return False
    if gate[_SURE] != SURE:
        if gate[_SURE] != NEVER:
            gate[_SURE] = 0
        _anew(gate, number)
        return False
    quiet_ms = now() - heard_ms
    if (number - last) & 0xFF <= _ahead(quiet_ms):
        _anew(gate, number)
        return False
    return _behind(gate, number, (last - number) & 0xFF, quiet_ms)


def _ahead(quiet_ms: int) -> int:
    """How far a device may have counted unheard: a frame a minute, and some."""
    return min(_NEAR + quiet_ms // _MINUTE_MS, _AHEAD_LIMIT)


def _anew(gate: array, number: int) -> None:
    gate[LAST] = number
    gate[_SEEN] = _FULL  # what came before counts as seen
    gate[_RUN] = 0
    gate[ALARM] = NO_NUMBER


def _behind(gate: array, number: int, back: int, quiet_ms: int) -> bool:
    if back <= _OVERTAKEN and quiet_ms < LATE_MS and not gate[_SEEN] >> back & 1:
        gate[_SEEN] |= 1 << back
        return gate[ALARM] != NO_NUMBER and 0 < (gate[ALARM] - number) & 0xFF < _WINDOW  # would undo that alarm
    step = (number - gate[_OTHER]) & 0xFF
    if not gate[_RUN] or step > _NEAR:
        gate[_OTHER] = number
        gate[_RUN] = 1
        gate[_MIXED] = 0
        return True
    if step == 0:
        return True
    gate[_OTHER] = number
    gate[_RUN] += 1
    if gate[_RUN] < (_SEVERAL if gate[_MIXED] else _BELIEVED):
        return True
    if gate[_MIXED]:
        gate[_SURE] = NEVER
    _anew(gate, number)
    return False
