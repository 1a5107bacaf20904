"""What a person in the room hears from the loudspeaker: which text, how often, and whether to its end.

Owns the recognition, from the samples alone: a known text is found by its first bytes that are not silence,
then its bytes are counted and their CRC compared. Must never be told by the firmware what it says, and
loops over no samples.
"""

import json
from binascii import crc32, unhexlify

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler

_BYTES_A_MS = 32
_STARVED_MS = 1000  # no samples for so long after the last ones: what was spoken broke off; less is a stutter
_FORGET_MS = 5000  # so much later the same text counts from 1 again
_UNKNOWN_END_MS = 200  # silence that ends a sound nobody knows


class _Text:
    """One known text, or (without fields) a sound nobody knows."""

    def __init__(self, fields: "dict | None" = None) -> None:
        self.known = fields is not None
        fields = fields or {"text": "", "head": "", "head_at": 0, "bytes": 0, "crc32": 0}
        self.text = fields["text"]
        self.head = unhexlify(fields["head"])
        self.bytes = fields["bytes"] - fields["head_at"]  # from the head on
        self.crc_before = crc32(bytes(fields["head_at"]))  # of the zeros before the head
        self.crc = fields["crc32"]


def _entries(index: "Any") -> list:
    if isinstance(index, str):
        with open(index, "rb") as file:
            index = json.load(file)
    return list((index or {}).values())


class RoomSpeaker:
    """emit(what, **fields); index: path of build/sound/index.json, its content, or None (all is unknown).

    Emits `prompt` (text, play, to="room", and unknown=True) when the first sound of a text is audible, and
    `prompt_end` (the same, and cut=True when it broke off, damaged=True when samples were wrong).
    gaps counts the times the samples ran out in the middle of a text.
    """

    def __init__(self, sched: "Scheduler", emit: "Callable[..., None]", index: "str | dict | None" = None) -> None:
        self._sched = sched
        self._emit = emit
        self._texts = [_Text(fields) for fields in _entries(index)]
        self._unknown = _Text()
        self._margin = max([len(text.head) for text in self._texts] + [1]) - 1
        self._on = False
        self._last: _Text = self._unknown  # the text a person hears or heard last
        self._playing = False
        self._play = 0
        self._ended_ms = 0
        self._marks: list = []  # handles of what is still to be emitted
        self._watch: list | None = None
        self.gaps = 0
        self._reset()

    def _reset(self) -> None:
        self._held = b""  # heard, not yet judged: a head may begin in it
        self._tick = 0  # end of what was heard, in 1/32 ms
        self._now: _Text | None = None  # the text whose samples come
        self._left = 0
        self._crc = 0
        self._sounded = 0  # tick of the last sound of an unknown one

    def set_amp(self, on: int) -> None:
        """The amplifier's enable pin."""
        self._on = bool(on)
        self._reset()
        if not on:
            self._silence()

    def lost(self) -> None:
        """The output restarts: samples already handed over are not played to their end."""
        self._reset()
        self._silence()

    def hear(self, data: bytes, tick: int) -> None:
        """Samples whose first byte is audible at tick, in 1/32 ms."""
        if not self._on:
            return
        if self._now is not None and tick > self._tick:
            self.gaps += 1
        buf = self._held + data
        at = tick - len(self._held)
        self._tick = tick + len(data)
        start, text = self._find(buf)
        while text is not None:
            self._consume(buf[:start], at)
            at += start
            self._begin(text, at)
            self._consume(text.head, at)
            at += len(text.head)
            buf = buf[start + len(text.head):]
            start, text = self._find(buf)
        # A head may begin in the last bytes, unless they end a text: every text begins with more zeros than that.
        keep = min(self._margin, len(buf) - self._left if 0 < self._left <= len(buf) else len(buf))
        self._consume(buf[:len(buf) - keep], at)
        self._held = buf[len(buf) - keep:]
        if self._now is not None and self._watch is None:
            self._look_later()

    def _find(self, buf: bytes) -> "tuple[int, _Text | None]":
        """Where the first known text begins in buf, and which; (0, None) when none does."""
        found, which = len(buf), None
        for text in self._texts:
            at = buf.find(text.head)
            if 0 <= at < found:
                found, which = at, text
        return (found, which) if which else (0, None)

    def _begin(self, text: _Text, tick: int) -> None:
        self._now = text
        self._left = text.bytes
        self._crc = text.crc_before
        self._mark(tick // _BYTES_A_MS, self._show, text)

    def _consume(self, data: bytes, tick: int) -> None:
        """Judge samples in which no known text begins."""
        if self._now is not None and self._left:
            count = min(self._left, len(data))
            self._crc = crc32(data[:count], self._crc)
            self._left -= count
            tick += count
            data = data[count:]
            if not self._left:
                self._finish(tick, self._crc != self._now.crc)
        if data and not self._left:
            self._judge_unknown(data, tick)

    def _judge_unknown(self, data: bytes, tick: int) -> None:
        sound = data.lstrip(b"\0")
        if sound:
            if self._now is None:
                self._now = self._unknown
                self._mark((tick + len(data) - len(sound)) // _BYTES_A_MS, self._show, self._unknown)
            self._sounded = tick + len(data.rstrip(b"\0"))
        elif self._now is self._unknown and tick + len(data) - self._sounded > _UNKNOWN_END_MS * _BYTES_A_MS:
            self._finish(tick + len(data), False)

    def _finish(self, tick: int, damaged: bool) -> None:
        self._now = None
        self._mark((tick + _BYTES_A_MS - 1) // _BYTES_A_MS, self._end, False, damaged)

    def _mark(self, when_ms: int, fn: "Callable[..., None]", *args: "Any") -> None:
        now_ms = self._sched.now_ms
        self._marks = [handle for handle in self._marks if handle[0] >= now_ms and handle[2] is not None]
        self._marks.append(self._sched.at(when_ms, fn, *args))

    def _show(self, text: _Text) -> None:
        """A text begins to be heard now."""
        self._end(True, False)
        now_ms = self._sched.now_ms
        again = text is self._last and now_ms - self._ended_ms <= _FORGET_MS
        self._play = self._play + 1 if again else 1
        self._last = text
        self._playing = True
        self._emit("prompt", **self._fields())

    def _end(self, cut: bool, damaged: bool) -> None:
        if not self._playing:
            return
        self._playing = False
        self._ended_ms = self._sched.now_ms
        fields = self._fields()
        if cut:
            fields["cut"] = True
        if damaged:
            fields["damaged"] = True
        self._emit("prompt_end", **fields)

    def _fields(self) -> dict:
        fields = {"text": self._last.text, "play": self._play, "to": "room"}
        if not self._last.known:
            fields["unknown"] = True
        return fields

    def _silence(self) -> None:
        """Nothing is heard from now on, whatever was on its way."""
        for handle in self._marks:
            self._sched.cancel(handle)
        self._marks = []
        self._sched.cancel(self._watch)
        self._watch = None
        self._end(True, False)

    def _look_later(self) -> None:
        self._watch = self._sched.at(self._tick // _BYTES_A_MS + _STARVED_MS, self._look)

    def _look(self) -> None:
        """The samples ran out in the middle of a text: it is over."""
        self._watch = None
        if self._now is None:
            return
        if self._tick // _BYTES_A_MS + _STARVED_MS > self._sched.now_ms:
            self._look_later()
            return
        self._silence()
        self._reset()
