"""JSON objects, one a line, out of a byte stream that others write to: the monitor's link and the relay's.

Owns the bound on a line. A line that is too long, not JSON or not an object is counted and dropped; nothing escapes.
"""

import asyncio
import gc
import json

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_CHUNK = const(128)
_NEWLINE = const(10)


class JsonLines:
    """stream: byte stream or None; handle(dict) for each object, False when it refuses; limit: bytes of a line."""

    def __init__(self, stream: "Any", handle: "Callable[[dict], bool]", limit: int) -> None:
        self._stream = stream
        self._handle = handle
        self._limit = limit
        self._line = bytearray()
        self._too_long = False
        self.refused = 0

    async def run(self) -> None:
        """For ever."""
        if self._stream is None:
            await asyncio.Event().wait()
        reader = asyncio.StreamReader(self._stream)
        chunk = bytearray(_CHUNK)
        while True:
            count = await reader.readinto(chunk)
            self.feed(memoryview(chunk)[: count or 0])

    def feed(self, data: "memoryview | bytes") -> None:
        for byte in data:
            if byte == _NEWLINE:
                self._end()
            elif len(self._line) < self._limit:
                self._line.append(byte)
            else:
                self._too_long = True

    def _end(self) -> None:
        line, self._line = self._line, bytearray()
        too_long, self._too_long = self._too_long, False
        try:
            message = None if too_long or has_halves(line) else json.loads(line)  # type: ignore[type-var]
        except ValueError:
            message = None
        try:
            if isinstance(message, dict) and self._handle(message):
                return
        except Exception:  # noqa: BLE001 - what a peer sends must not end the link
            gc.collect()
        self.refused += 1


def has_halves(line: "bytes | bytearray") -> bool:
    """Whether it has half of a surrogate pair, escaped or not: MicroPython would keep it, and what is written with it
    is no UTF-8 any more.
    """
    at = line.find(b"\\u")
    while at >= 0:
        if line[at + 2:at + 3] in (b"d", b"D") and line[at + 3:at + 4] > b"7":
            return True
        at = line.find(b"\\u", at + 2)
    at = line.find(b"\xed")
    while at >= 0:
        if line[at + 1:at + 2] > b"\x9f":
            return True
        at = line.find(b"\xed", at + 1)
    return False
