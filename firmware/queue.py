"""What waits for the relay: three lanes over the flash log, and memory for what flash cannot take at the moment.

Owns the opening of the flash log, the order in which records go out, the housekeeping, and what is dropped. `append`
returns at once and never raises: a record is in flash when it returns, or, while the flash is not open yet, no sector
is erased or it is dead, in memory (firmware/stage.py). What was dropped is counted and told as a record. Must never
give a record out of order within a lane, so none before it is known what flash has; never erase while `hold()` is
true; and never hold the event loop for longer than one piece of the opening or one flash operation takes.
"""

import asyncio

from micropython import const

from firmware.flashlog.layout import EMERGENCY, EVENT, PERIODIC, STREAMS
from firmware.flashlog.log import FlashLog
from firmware.lane import Lane
from firmware.stage import MAX_RECORDS, Stage

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from firmware.clock import Clock
    from firmware.log import Log

STREAM_NAMES = ("periodic", "event", "emergency")
_STEP_MS = const(20)  # left to the others after each step of housekeeping
_MOVED = const(8)  # records brought from memory to flash in one step: some 25 ms of flash
_LOOK_MS = const(60_000)
_NOTE_MS = const(3_600_000)  # acknowledgements of few records are written down this often


def _never() -> bool:
    return False


def _nothing() -> None:
    return


class Queue:
    """partition: esp32.Partition or None; clock, log: the gateway's. Its flash is not open before `run` opened it.

    `hold()`: while true nothing is erased. `on_open()` is called once it is known what flash has, before a lane gives
    a record: `last_boot` is right by then. `on_record()` is called when there is something new. `on_drop(stream name,
    count, first, last)` and `on_fault(what)` make records of it.
    """

    def __init__(self, partition: "Any", clock: "Clock", log: "Log") -> None:
        self._clock = clock
        self._log = log
        self.hold: Callable[[], bool] = _never
        self.on_open: Callable[[], Any] = _nothing
        self.on_record: Callable[[], Any] | None = None
        self.on_drop: Callable[..., Any] | None = None
        self.on_fault: Callable[[str], Any] | None = None
        self.faults: list = []
        self._untold: list = []  # faults: told when nothing is half done
        self._dropped = 0  # from flash
        self._last_boot = 0
        self._memory = Stage()
        self._noted_ms = 0
        self._news = asyncio.Event()
        self.opened = asyncio.Event()  # set for ever once it is known what flash has, if only that it has nothing
        self.flash: FlashLog | None = None  # once it is open
        self._closed = self._made(partition)
        self.alarms = Lane(self, EMERGENCY)
        self.events = Lane(self, EVENT)
        self.data = Lane(self, PERIODIC)

    def _made(self, partition: "Any") -> "FlashLog | None":
        """The log with all its memory, which is had best at the start; nothing of it is read yet."""
        try:
            if partition is not None:
                return FlashLog(partition, lambda: self.hold(), self._trouble, self._dropped_in_flash, False)
            self._trouble("there is no flash for it")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, memory is there
            self._trouble(repr(error))
        return None

    # ------------------------------------------------------------------ opening
    def opening(self) -> "Iterator[None]":
        """Find out what flash has; gives back after each bounded piece of work. What is wrong with it is told, and then
        there is memory. May be begun once more when it was left in the middle.
        """
        if self.opened.is_set():
            return
        flash = self._closed
        try:
            if flash is not None:
                yield from flash.opening()
                self._last_boot = flash.highest[0]
        except Exception as error:  # noqa: BLE001
            flash = self._closed = None
            self._trouble(repr(error))
        self.on_open()  # what is made of it goes to memory: to flash it would go at one go
        for lane in (self.alarms, self.events, self.data):
            lane.attach(flash)
        self.flash = flash
        self.opened.set()

    async def open(self) -> None:
        """Open the flash beside everything else that runs, and bring to it what was made meanwhile."""
        for _ in self.opening():
            await asyncio.sleep_ms(0)
        self._tell_faults()
        while self._empty_memory():
            await asyncio.sleep_ms(_STEP_MS)

    def last_boot(self) -> int:
        """Boot of the newest record that the flash had at the start; 0: it had none, or that is not known."""
        return self._last_boot

    # ------------------------------------------------------------------ troubles
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

    # ------------------------------------------------------------------ in
    def append(self, boot: int, seq: int, data: bytes, stream: int) -> None:
        """Keep a record. stream: PERIODIC, EVENT or EMERGENCY of firmware.flashlog.layout; identities only grow."""
        ident = boot << 32 | seq
        if self.flash is None or self._memory.has(stream) or not self._to_flash(self.flash, stream, ident, data):
            self._memory.put(ident, data, stream)
        self._news.set()
        try:
            if self.on_record is not None:
                self.on_record()
        except Exception as error:  # noqa: BLE001 - or the record would be made a second time
            self._log.failed("queue", "a new record", error)
        self._tell_faults()

    def _to_flash(self, flash: FlashLog, stream: int, ident: int, data: bytes) -> bool:
        try:
            return flash.append(stream, ident >> 32, ident & 0xFFFFFFFF, data)
        except Exception as error:  # noqa: BLE001 - no memory, for one: it is kept where it is
            self._trouble(repr(error))
            return False

    # ------------------------------------------------------------------ what goes
    @property
    def dropped(self) -> int:
        """Records that went for lack of room, since the start."""
        return self._dropped + self._memory.dropped

    def missed(self, stream: int, count: int, first: int, last: int) -> None:
        """So many records, from one identity to the other, never got here: it is told like what memory dropped."""
        self._memory.lose(stream, count, first, last)

    def _dropped_in_flash(self, stream: int, count: int, first: tuple, last: tuple) -> None:
        self._dropped += count
        if self.on_drop is not None:
            self.on_drop(STREAM_NAMES[stream], count, first, last)

    def _tell_lost(self) -> None:
        """What memory dropped is told once there is room to tell it."""
        for stream in range(STREAMS):
            lost = self._memory.take_lost(stream)
            if lost is not None and self.on_drop is not None:
                count, first, last = lost
                self.on_drop(STREAM_NAMES[stream], count, (first >> 32, first & 0xFFFFFFFF),
                             (last >> 32, last & 0xFFFFFFFF))

    # ------------------------------------------------------------------ out
    def kept(self, stream: int, after: int) -> "list | None":
        """[identity, bytes, stream] of the next one in memory behind this identity."""
        return self._memory.after(stream, after)

    def acknowledge(self, stream: int, ident: int) -> None:
        """The relay has everything of this stream up to this identity."""
        if self.flash is not None:
            self.flash.acknowledge(stream, ident >> 32, ident & 0xFFFFFFFF)
        self._memory.forget(stream, ident)
        self._news.set()

    def waiting(self) -> int:
        """Records not yet acknowledged, roughly; before the flash is open only those in memory."""
        count = len(self._memory) + self.alarms.taken + self.events.taken + self.data.taken
        return count + (self.flash.depth() if self.flash is not None else 0)

    # ------------------------------------------------------------------ the task
    async def run(self) -> None:
        """For ever: open the flash, keep sectors erased ahead, empty memory into it, write acknowledgements down."""
        await self.open()
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
        if len(self._memory) <= MAX_RECORDS // 2:
            self._tell_lost()
        if flash is None:
            return False
        moved = self._empty_memory()
        if self._clock.ms() - self._noted_ms >= _NOTE_MS and not self.hold():
            self._noted_ms = self._clock.ms()
            flash.flush_acks()
        return flash.work() or moved

    def _empty_memory(self) -> bool:
        """Some of memory, if flash takes it; whether it was anything."""
        flash = self.flash
        for moved in range(_MOVED):
            item = self._memory.first()
            if item is None or flash is None or not self._to_flash(flash, item[2], item[0], item[1]):
                return moved > 0
            self._memory.pop()
        return True
