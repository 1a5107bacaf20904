"""The resynchronising reader: bytes in, whole ZNP frames out, at once and in order.

Owns its buffer and its counters. Must never lose a good frame because of the bytes before it: whatever cannot be a
frame costs one byte, and the search goes on inside what is held. No I/O and no waiting; the caller tells the time.
"""

from array import array

from micropython import const

from zigbee.frames import EXPECTED
from zigbee.scan import AT, BAD_FCS, BAD_FORM, DROPPED, LENGTH, RESUME, SCAN_SIZE, START, move, scan

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

GAP_MS = const(100)  # silence inside a frame after which it is given up (fault 24)
_SIZE = const(512)  # bytes: the longest unfinished frame (254) and a piece of input of the same size
_PIECE = const(256)


class Reader:
    """Calls on_frame(buffer, payload_at, payload_size, command) for every good frame; the buffer is only lent."""

    def __init__(self, on_frame: "Callable[[bytearray, int, int, int], None]") -> None:
        self._on_frame = on_frame
        self._buf = bytearray(_SIZE)
        self._end = 0
        self._state = array("I", [0] * SCAN_SIZE)
        self._last_ms = 0
        self.frames = 0
        self.timeouts = 0

    @property
    def dropped(self) -> int:
        """Bytes given up since the start."""
        return self._state[DROPPED]

    @property
    def bad_fcs(self) -> int:
        """Candidates with a wrong checksum since the start."""
        return self._state[BAD_FCS]

    @property
    def bad_form(self) -> int:
        """Candidates with an impossible length or a command nobody expects since the start."""
        return self._state[BAD_FORM]

    @property
    def held(self) -> int:
        """Bytes of an unfinished frame that are kept."""
        return self._end - self._state[AT]

    def push(self, data: bytearray, count: int, now_ms: int) -> None:
        """Take data[:count], received at now_ms (ms, any origin)."""
        if self._end and now_ms - self._last_ms >= GAP_MS:
            self._give_up()
        self._last_ms = now_ms
        if self._end + count <= _SIZE:
            self._end = move(self._buf, self._end, data, 0, count)
            self._deliver()
        else:
            self._push_pieces(data, count)

    def _push_pieces(self, data: bytearray, count: int) -> None:
        start = 0
        while start < count:
            piece = min(count - start, _PIECE)
            if self._end + piece > _SIZE:
                self._compact()
            self._end = move(self._buf, self._end, data, start, piece)
            start += piece
            self._deliver()

    def poll(self, now_ms: int) -> int:
        """Give an unfinished frame up after GAP_MS of silence. Returns ms until the next poll, 0: nothing is held."""
        if not self.held:
            return 0
        left = GAP_MS - (now_ms - self._last_ms)
        if left <= 0:
            self._give_up()
            return 0
        return left

    def _deliver(self) -> None:
        """Hand every whole frame on; afterwards _end is 0 unless something is held."""
        state, buf = self._state, self._buf
        while scan(buf, self._end, EXPECTED, state):
            at = state[START]
            self.frames += 1
            self._on_frame(buf, at + 4, state[LENGTH], buf[at + 2] << 8 | buf[at + 3])
            if state[AT] >= self._end:
                break
        if state[AT] >= self._end:
            state[AT] = state[RESUME] = self._end = 0

    def _give_up(self) -> None:
        """The line went silent: nothing held can still be completed, but whole frames may lie inside it."""
        state = self._state
        if state[AT] >= state[RESUME]:
            self.timeouts += 1
        while self.held:
            if state[AT] < state[RESUME]:
                state[AT] = state[RESUME]
            else:
                state[AT] += 1
                state[DROPPED] += 1
            self._deliver()

    def _compact(self) -> None:
        state, held = self._state, self.held
        move(self._buf, 0, self._buf, state[AT], held)
        state[RESUME] = max(state[RESUME] - state[AT], 0)
        state[AT] = 0
        self._end = held
