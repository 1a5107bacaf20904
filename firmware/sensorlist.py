"""The list of sensors for the monitor: sent when asked for, and while it is looked at again when it changed.

Owns which lines of it go out and when: four sensors a line, at most every 2 s, only for 10 min.
Must never make a line longer than the monitor takes, nor hold anything but what the sensors know of themselves.
"""

import binascii
import json

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_A_LINE = const(4)  # sensors; about 1 KB
_EVERY_MS = const(10_000)
_SOONEST_MS = const(2_000)  # after something was done; also when the monitor did not take it
_ANYWAY_MS = const(60_000)  # minutes go by
_OPEN_MS = const(600_000)  # then nobody looks any more
_FLOWING = ("heard_min", "dbm", "temperature")  # always another: no reason to send


class SensorList:
    """parts: registry, sensors, clock; write(bytes): one line to the monitor, false when it was not taken."""

    def __init__(self, parts: "Any", write: "Callable[[bytes], Any]") -> None:
        self._parts = parts
        self._write = write
        self._until_ms = 0  # 0: not looked at
        self._sent_ms = 0
        self._due_ms = 0  # when it is looked at next: making the rows costs far too much to do it in every round,
        self._soonest_ms = 0  # and when at the earliest
        self._sum = -1

    def show(self, on: bool) -> None:
        """Somebody looks at it, or no more."""
        self._soonest_ms = self._due_ms = now = self._parts.clock.ms()
        self._until_ms = now + _OPEN_MS if on else 0
        self._sum = -1

    def due_ms(self) -> int:
        """In how many ms it has to be looked at again; 0: not at all."""
        if not self._until_ms:
            return 0
        return max(1, self._due_ms - self._parts.clock.ms())

    def tick(self) -> None:
        """Send it when it is due and another than before."""
        now = self._parts.clock.ms()
        if not self._until_ms:
            return
        if now < self._soonest_ms:
            self._due_ms = self._soonest_ms
            return
        self._soonest_ms = now + _SOONEST_MS
        self._due_ms = now + _EVERY_MS
        if now >= self._until_ms:
            self._until_ms = 0
            return
        indices = [index for index, entry in enumerate(self._parts.registry.entries) if entry is not None]
        total = 0
        for index in indices:
            row = self._row(index)
            for name in _FLOWING:
                row.pop(name, None)
            for name in sorted(row):
                total = binascii.crc32(repr(row[name]).encode(), total) & 0x3FFFFFFF
        if total == self._sum and now - self._sent_ms < _ANYWAY_MS:
            return
        if self._send(indices):
            self._sent_ms, self._sum = now, total
        else:
            self._sum = -1
            self._due_ms = self._soonest_ms

    def _send(self, indices: list) -> bool:
        """In parts, each with where it begins and how many sensors there are; one line even when there is none."""
        for first in range(0, max(1, len(indices)), _A_LINE):
            rows = [self._row(index) for index in indices[first : first + _A_LINE]]
            line = json.dumps({"sensors": rows, "first": first, "count": len(indices)}).encode() + b"\n"
            if not self._write(line):
                return False
        return True

    def _row(self, index: int) -> dict:
        entry = self._parts.registry.entries[index]
        row: dict = {"name": entry["name"], "kind": entry["kind"], "place": entry["place"]}
        row.update(self._parts.sensors.summary(index) or {})
        heard_s = row.pop("heard_s", None)
        row["heard_min"] = None if heard_s is None else heard_s // 60
        facts = entry["facts"]
        row["ieee"] = entry["ieee"]
        row["model"] = facts.get("model", "")
        row["ready"] = bool(facts.get("ready", True))  # imported ones were never interviewed
        return row
