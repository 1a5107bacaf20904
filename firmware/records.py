"""Records of what happened, and the queue they wait in until the relay has committed them.

Owns the identity (boot, seq) of every record. `record` returns at once and never raises: nothing waits for it.
The queue is in memory and bounded. When it is full the oldest periodic record goes first, then the oldest event, an
emergency's record last. What was dropped is counted.
"""

import gc
import json

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.clock import Clock
    from firmware.log import Log

_MAX_RECORDS = 250
_MAX_BYTES = 64 * 1024

_PERIODIC = const(0)  # ranks: the lowest goes first
_EVENT = const(1)
_EMERGENCY = const(2)


class Queue:
    """Encoded records in order of seq: append, look at the oldest, acknowledge one."""

    def __init__(self) -> None:
        self._items: list = []  # [seq, bytes, rank]
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def append(self, seq: int, data: bytes, rank: int) -> None:
        self._items.append([seq, data, rank])
        self._bytes += len(data)
        while len(self._items) > _MAX_RECORDS or self._bytes > _MAX_BYTES:
            self._drop()

    def _drop(self) -> None:
        victim = 0
        lowest = _EMERGENCY
        for index, item in enumerate(self._items):
            if item[2] < lowest:
                victim, lowest = index, item[2]
                if lowest == _PERIODIC:
                    break
        self._bytes -= len(self._items.pop(victim)[1])
        self.dropped += 1

    def window(self, count: int) -> list:
        """Up to count of the oldest (seq, bytes)."""
        return [(item[0], item[1]) for item in self._items[:count]]

    def ack(self, seq: int) -> bool:
        """The relay committed seq. False: unknown or long gone (ignored by the caller, counted)."""
        for index, item in enumerate(self._items):
            if item[0] == seq:
                self._bytes -= len(self._items.pop(index)[1])
                return True
        return False


class Recorder:
    """Makes records. boot: number of this boot, never repeated; is_test(): whether test mode is on."""

    def __init__(self, clock: "Clock", queue: Queue, boot: int, is_test: "Callable[[], bool]", log: "Log") -> None:
        self._clock = clock
        self._queue = queue
        self._is_test = is_test
        self._log = log
        self.boot = boot
        self._seq = 0
        self.failures = 0
        self.on_record: Callable[[], None] | None = None  # called with nothing when the queue has something new

    def event(self, name: str, **fields: "Any") -> int:
        """An event record; returns its seq, 0 when it could not be made."""
        test = fields.pop("test", None)
        fields["event"] = name
        rank = _EMERGENCY if name.startswith("emergency.") else _EVENT
        return self._make("event", fields, self._is_test() if test is None else test, rank)

    def periodic(self, kind: str, **fields: "Any") -> int:
        """A periodic record (status, activity); returns its seq, 0 when it could not be made."""
        return self._make(kind, fields, self._is_test(), _PERIODIC)

    def _make(self, kind: str, fields: dict, test: bool, rank: int) -> int:
        try:
            return self._append(kind, fields, test, rank)
        except MemoryError:
            gc.collect()
        except Exception as error:  # noqa: BLE001
            return self._failed(error)
        try:
            return self._append(kind, fields, test, rank)
        except Exception as error:  # noqa: BLE001
            return self._failed(error)

    def _append(self, kind: str, fields: dict, test: bool, rank: int) -> int:
        at = self._clock.wall_ms(self._clock.ms())
        seq = self._seq + 1
        fields.update(boot=self.boot, seq=seq, at=at, clock="unset" if at is None else "set", kind=kind, test=test)
        self._queue.append(seq, json.dumps(fields).encode(), rank)
        self._seq = seq
        if self.on_record is not None:
            self.on_record()
        return seq

    def _failed(self, error: Exception) -> int:
        self.failures += 1
        gc.collect()
        self._log.error("record: %r" % error)
        return 0
