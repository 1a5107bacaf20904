"""Records: what happened and how things are, made once, with an identity that never repeats.

Owns the identity (boot, seq) of every record and its times, and the records that were made before the number of this
boot was known. `event` and `periodic` return at once and never raise: nothing waits for them. What becomes of a record
is the queue's (firmware/queue.py). Must never give two records one identity, nor let one pass another.
"""

import gc
import json
import os

from micropython import const

from firmware.flashlog.layout import EMERGENCY, EVENT, MAX_DATA, PERIODIC, STREAMS
from firmware.stage import Stage

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.clock import Clock
    from firmware.log import Log
    from firmware.queue import Queue

_SINCE_S = const(1_767_225_600)  # 2026-01-01: older than every gateway
_UNKNOWN = const(0x80000000)
_LIMIT = const(0xFFFFFFFF)
_COMPACT = (",", ":")
_BOOT_BYTES = const(18)  # "boot":4294967295,


class Recorder:
    """Makes records. boot: number of this boot, 0 until `begin`; is_test(): whether test mode is on.

    Until then they are kept here without it, in order, and go to the queue with it when it is known.
    """

    def __init__(self, clock: "Clock", queue: "Queue", boot: int, is_test: "Callable[[], bool]", log: "Log") -> None:
        self._clock = clock
        self._queue = queue
        self._is_test = is_test
        self._log = log
        self.boot = boot
        self._chosen = boot  # as boot, but while the first records get it nothing may pass them
        self._stage = Stage()
        self._seq = 0
        self.failures = 0

    def begin(self, kept: int) -> int:
        """Give this boot its number, larger than the last, once the queue is open. kept: the last one that the journal
        knows, 0: none.
        """
        if not self._chosen:
            self._chosen = self._choose(max(kept, self._queue.last_boot()))
        self._number()
        self.boot = self._chosen
        return self.boot

    def _choose(self, last: int) -> int:
        """When nothing is known, as on a new board or one whose flash was wiped, it is the second since 2026, without a
        clock a random number from 2^31 on: a number that this gateway used before would make the relay take new records
        for repeats.
        """
        if 0 < last < _LIMIT:
            return last + 1
        if self._clock.wall_s() > _SINCE_S:
            return self._clock.wall_s() - _SINCE_S
        return _UNKNOWN + (int.from_bytes(os.urandom(4), "little") >> 2)

    def _number(self) -> None:
        """What was made so far goes to the queue, in order. What is made of that meanwhile comes last."""
        while len(self._stage):
            item = self._stage.pop()
            try:
                whole = b'{"boot":%d,' % self._chosen + item[1][1:]
                self._queue.append(self._chosen, item[0], whole, item[2])
            except Exception:
                self._stage.put_back(item)
                raise
        for stream in range(STREAMS):
            lost = self._stage.take_lost(stream)
            if lost is not None:
                boot = self._chosen << 32
                self._queue.missed(stream, lost[0], boot | lost[1], boot | lost[2])

    def unnumbered(self) -> int:
        """Records that wait for the number of this boot."""
        return len(self._stage)

    def event(self, name: str, **fields: "Any") -> int:
        """An event record; returns its seq, 0 when it could not be made."""
        test = fields.pop("test", None)
        fields["event"] = name
        urgent = name.startswith("emergency.") or name == "call.ended"
        return self._make("event", fields, self._is_test() if test is None else test, EMERGENCY if urgent else EVENT)

    def periodic(self, kind: str, **fields: "Any") -> int:
        """A periodic record (status, activity); returns its seq, 0 when it could not be made."""
        return self._make(kind, fields, self._is_test(), PERIODIC)

    def _make(self, kind: str, fields: dict, test: bool, stream: int) -> int:
        try:
            return self._append(kind, fields, test, stream)
        except MemoryError:
            gc.collect()
        except Exception as error:  # noqa: BLE001
            return self._failed(error)
        try:
            return self._append(kind, fields, test, stream)
        except Exception as error:  # noqa: BLE001
            return self._failed(error)

    def _append(self, kind: str, fields: dict, test: bool, stream: int) -> int:
        up = self._clock.ms()
        at = self._clock.wall_ms(up)
        seq = self._seq + 1
        fields.update(seq=seq, at=at, up=up, clock=self._clock.quality(), kind=kind, test=bool(test))
        if self.boot:
            fields["boot"] = self.boot
        data = json.dumps(fields, separators=_COMPACT).encode()
        if len(data) > MAX_DATA - (0 if self.boot else _BOOT_BYTES):
            raise ValueError("%d bytes are too many" % len(data))
        self._seq = seq
        if self.boot:
            self._queue.append(self.boot, seq, data, stream)
        else:
            self._stage.put(seq, data, stream)
        return seq

    def _failed(self, error: Exception) -> int:
        self.failures += 1
        gc.collect()
        self._log.error("record: %r" % error)
        return 0


def dated(data: bytes, boot: int, clock: "Clock") -> bytes:
    """The record, with the time it was made at when that is known by now. boot: the present one."""
    if b'"clock":"unset"' not in data or clock.wall_ms(0) is None:
        return data
    record = json.loads(data)
    if record["boot"] != boot or record["clock"] != "unset":
        return data
    record["at"] = clock.wall_ms(record["up"])
    record["clock"] = "late" if clock.sure_s() else clock.quality()
    if "from_up" in record:
        record["from"] = clock.wall_ms(record.pop("from_up"))
    return json.dumps(record, separators=_COMPACT).encode()
