"""What waits for the relay: three lanes over the flash log, and memory for what flash cannot take at the moment.

Owns the order in which records go out, the housekeeping of the flash log, and what is dropped. `append` returns at once
and never raises: a record is in flash when it returns, or, while no sector is erased or the flash is dead, in memory,
where the least important go first when that is full. What was dropped is counted and told as a record. Must never give
a record out of order within a lane, and never erase while `hold()` is true.
"""

import asyncio

from micropython import const

from firmware.flashlog.layout import EMERGENCY, EVENT, PERIODIC, STREAMS
from firmware.flashlog.log import FlashLog
from firmware.lane import Lane

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.clock import Clock
    from firmware.log import Log

STREAM_NAMES = ("periodic", "event", "emergency")
_MAX_RECORDS = const(250)  # in memory
_MAX_BYTES = const(64 * 1024)
_STEP_MS = const(20)  # left to the others after each step of housekeeping
_LOOK_MS = const(60_000)
_NOTE_MS = const(3_600_000)  # acknowledgements of few records are written down this often


def _never() -> bool:
    return False


class Queue:
    """partition: esp32.Partition or None; clock, log: the gateway's.

    `hold()`: while true nothing is erased. `on_record()` is called when there is something new. `on_drop(stream name,
    count, first, last)` and `on_fault(what)` make records of it.
    """

    def __init__(self, partition: "Any", clock: "Clock", log: "Log") -> None:
        self._clock = clock
        self._log = log
        self.hold: Callable[[], bool] = _never
        self.on_record: Callable[[], Any] | None = None
        self.on_drop: Callable[..., Any] | None = None
        self.on_fault: Callable[[str], Any] | None = None
        self.faults: list = []
        self._untold: list = []  # faults: told when nothing is half done
        self.dropped = 0
        self._memory: list = []  # [identity, bytes, stream] in order of identity
        self._bytes = 0
        self._lost: list = [None, None, None]  # of each stream: [count, first, last] dropped from memory, not told yet
        self._noted_ms = 0
        self._news = asyncio.Event()
        self.flash = self._open(partition)
        self.alarms = Lane(self, EMERGENCY)
        self.events = Lane(self, EVENT)
        self.data = Lane(self, PERIODIC)

    def _open(self, partition: "Any") -> "FlashLog | None":
        try:
            if partition is not None:
                return FlashLog(partition, lambda: self.hold(), self._trouble, self._dropped_in_flash)
            self._trouble("there is no flash for it")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, memory is there
            self._trouble(repr(error))
        return None

    def _trouble(self, what: str) -> None:
        """Each once a boot. It is told later: a record of it now would get in front of the one that is being kept."""
        if what in self.faults or len(self.faults) >= 16:
            return
        self.faults.append(what)
        self._log.error("queue: " + what)
        if self.on_fault is not None:
            self._untold.append(what)
            self._news.set()

    def _tell_faults(self) -> None:
        while self._untold:
            self.on_fault(self._untold.pop(0))  # type: ignore[misc]

    def last_boot(self) -> int:
        """Boot of the newest record that the flash had at the start; 0: it had none."""
        return self.flash.highest[0] if self.flash is not None else 0

    # ------------------------------------------------------------------ in
    def append(self, boot: int, seq: int, data: bytes, stream: int) -> None:
        """Keep a record. stream: PERIODIC, EVENT or EMERGENCY of firmware.flashlog.layout; identities only grow."""
        if self._behind(stream) or not self._to_flash(stream, boot << 32 | seq, data):
            self._memory.append([boot << 32 | seq, data, stream])
            self._bytes += len(data)
            while len(self._memory) > _MAX_RECORDS or self._bytes > _MAX_BYTES:
                self._drop()
        self._news.set()
        try:
            if self.on_record is not None:
                self.on_record()
        except Exception as error:  # noqa: BLE001 - or the record would be made a second time
            self._log.failed("queue", "a new record", error)
        self._tell_faults()

    def _behind(self, stream: int) -> bool:
        """Memory has some of this stream that must get to flash first."""
        for item in self._memory:
            if item[2] == stream:
                return True
        return False

    def _to_flash(self, stream: int, ident: int, data: bytes) -> bool:
        if self.flash is None:
            return False
        try:
            return self.flash.append(stream, ident >> 32, ident & 0xFFFFFFFF, data)
        except Exception as error:  # noqa: BLE001 - no memory, for one: it is kept where it is
            self._trouble(repr(error))
            return False

    def _drop(self) -> None:
        """The oldest of the least important in memory."""
        victim = 0
        lowest = EMERGENCY
        for index, item in enumerate(self._memory):
            if item[2] < lowest:
                victim, lowest = index, item[2]
                if lowest == PERIODIC:
                    break
        ident, data, stream = self._memory.pop(victim)
        self._bytes -= len(data)
        self.dropped += 1
        lost = self._lost[stream]
        if lost is None:
            self._lost[stream] = [1, ident, ident]
        else:
            lost[0] += 1
            lost[2] = ident

    def _dropped_in_flash(self, stream: int, count: int, first: tuple, last: tuple) -> None:
        self.dropped += count
        if self.on_drop is not None:
            self.on_drop(STREAM_NAMES[stream], count, first, last)

    def _tell_lost(self) -> None:
        """What memory dropped is told once there is room to tell it."""
        for stream in range(STREAMS):
            lost, self._lost[stream] = self._lost[stream], None
            if lost is not None and self.on_drop is not None:
                count, first, last = lost
                self.on_drop(STREAM_NAMES[stream], count, (first >> 32, first & 0xFFFFFFFF),
                             (last >> 32, last & 0xFFFFFFFF))

    # ------------------------------------------------------------------ out
    def kept(self, stream: int, after: int) -> "list | None":
        """[identity, bytes, stream] of the next one in memory behind this identity."""
        for item in self._memory:
            if item[2] == stream and item[0] > after:
                return item
        return None

    def acknowledge(self, stream: int, ident: int) -> None:
        """The relay has everything of this stream up to this identity."""
        if self.flash is not None:
            self.flash.acknowledge(stream, ident >> 32, ident & 0xFFFFFFFF)
        index = 0
        while index < len(self._memory):
            item = self._memory[index]
            if item[2] == stream and item[0] <= ident:
                self._bytes -= len(item[1])
                self._memory.pop(index)
            else:
                index += 1
        self._news.set()

    def waiting(self) -> int:
        """Records not yet acknowledged, roughly."""
        count = len(self._memory) + self.alarms.taken + self.events.taken + self.data.taken
        return count + (self.flash.depth() if self.flash is not None else 0)

    # ------------------------------------------------------------------ the task
    async def run(self) -> None:
        """For ever: keep sectors erased ahead, bring what is in memory to flash, write acknowledgements down."""
        while True:
            self._news.clear()
            while self._step():
                await asyncio.sleep_ms(_STEP_MS)
            try:
                await asyncio.wait_for_ms(self._news.wait(), _LOOK_MS)
            except asyncio.TimeoutError:
                pass

    def _step(self) -> bool:
        """One step; whether there is more to do."""
        self._tell_faults()
        flash = self.flash
        if len(self._memory) <= _MAX_RECORDS // 2:
            self._tell_lost()
        if flash is None:
            return False
        moved = self._empty_memory()
        if self._clock.ms() - self._noted_ms >= _NOTE_MS and not self.hold():
            self._noted_ms = self._clock.ms()
            flash.flush_acks()
        return flash.work() or moved

    def _empty_memory(self) -> bool:
        """As much of memory as flash takes; whether it was anything."""
        moved = False
        while self._memory:
            ident, data, stream = self._memory[0]
            if not self._to_flash(stream, ident, data):
                break
            self._memory.pop(0)
            self._bytes -= len(data)
            moved = True
        return moved
