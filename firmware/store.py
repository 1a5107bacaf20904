"""What the gateway keeps for years: a few blocks by name in the `store` partition, each in two copies.

Owns that partition. A value is written to both copies, one after the other, the older one first: at any instant at
least one is whole, and either is enough. Nothing is erased or programmed while `hold()` is true, and nothing blocks
longer than one sector erase. Flash that is worn, dead or silent is said once and survived: what was saved is then kept
in memory and tried again. Must never raise into who saves, never give half a value, never let one be lost silently.
"""

import asyncio
import gc

from micropython import const

from firmware.slots import PAGE, SECTOR, Slot

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.clock import Clock
    from firmware.log import Log

_WHOLE = "whole"  # the store's own: whether the others belong together (`adopt`)
# name, sectors of a copy
_PLAN = ((_WHOLE, 1), ("sensors", 7), ("network", 5), ("settings", 1), ("state", 2), ("link", 1))
_COUNT = const(4)  # ioctl: number of sectors
_HOLD_MS = const(200)
_LOOK_MS = const(20)
_GATHER_MS = const(300)  # what is saved several times in a row is written once
_RETRY_MS = const(600_000)  # after a write that failed on both copies
_PLENTY = const(1000)  # writes of a block at once: 32 sensors registered one after the other take 400
_EARN_MS = const(3_600_000)  # and one more this often: 88,000 in 10 years
_BEGUN = b"begun"
_DONE = b"done"


def _never() -> bool:
    return False


class Store:
    """partition: esp32.Partition or None; clock, log: the gateway's.

    `hold()`: while True nothing is erased or programmed. `on_fault(block, what)` is told each trouble once.
    """

    def __init__(self, partition: "Any", clock: "Clock", log: "Log") -> None:
        self._clock = clock
        self._log = log
        self.hold: Callable[[], bool] = _never
        self.on_fault: Callable[[str, str], Any] | None = None
        self.faults: list = []  # "block: what", each once
        self.works = False  # there is a flash for it; whether it can be written is another matter
        self.lost: list = []  # blocks that were there, or may have been, and cannot be read
        self._slots: dict = {}
        self._pending: dict = {}  # what is not in flash yet
        self._budgets: dict = {}  # name: (writes left, since when)
        self._news = asyncio.Event()
        self._closed = False  # adopted: nobody saves any more
        self.writes = 0  # copies written in this boot
        self._open(partition)
        whole = self.load(_WHOLE)
        self._void = whole == _BEGUN  # an adoption was cut: nothing else counts
        self.adopted = whole == _DONE  # everything came from another gateway, and nobody called settled() since

    def _open(self, partition: "Any") -> None:
        total = 2 * sum([sectors for _, sectors in _PLAN])
        try:
            if partition is None or partition.ioctl(_COUNT, 0) < total:
                self._trouble("all", "there is no flash for it")
                return
        except Exception as error:  # noqa: BLE001 - a flash that does not even answer is none
            self._trouble("all", repr(error))
            return
        self.works = True
        start = 0
        for ident, (name, sectors) in enumerate(_PLAN):
            second = Slot(partition, start + sectors, sectors, ident)
            self._slots[name] = (Slot(partition, start, sectors, ident), second)
            start += 2 * sectors
            self._look(name)

    def _look(self, name: str) -> None:
        for slot in self._slots[name]:
            try:
                slot.look()
            except Exception as error:  # noqa: BLE001
                self._lose(name, repr(error))
        first, second = self._slots[name]
        # A first save that was cut touched the first copy only; what was wiped on purpose is killed.
        if not (first.good or second.good or (first.killed and second.killed)) and first.used and second.used:
            self._lose(name, "both copies are corrupt")

    def _lose(self, name: str, what: str) -> None:
        self._trouble(name, what)
        if self._newest(name) is None and name not in self.lost:
            self.lost.append(name)

    def _trouble(self, name: str, what: str) -> None:
        """Said once a boot, loudly."""
        line = name + ": " + what
        if line in self.faults or len(self.faults) >= 16:
            return
        self.faults.append(line)
        self._log.error("store: " + line)
        if self.on_fault is not None:
            self.on_fault(name, what)

    # ------------------------------------------------------------------ the interface
    def load(self, name: str) -> "bytes | None":
        """The last value saved; None: there is none, or neither copy is good. Never raises."""
        if name in self._pending:
            return self._made(name) or None
        if name not in self._slots or (name != _WHOLE and self._void):
            return None
        for _ in (0, 1):
            slot = self._newest(name)
            if slot is None:
                return None
            try:
                data = slot.read()
                if data is not None:
                    return data or None
            except Exception as error:  # noqa: BLE001
                self._trouble(name, repr(error))
                gc.collect()
            slot.good = False  # the other one, then
        return None

    def save(self, name: str, data: "bytes | Callable[[], bytes]") -> bool:
        """Keep this from now on; returns at once. A function makes it when it is written: what changes often is put
        into bytes once. False: unknown name, or too large (told; what a function makes too large is only told).
        """
        return not self._closed and name != _WHOLE and self._take(name, data)

    def _made(self, name: str) -> "bytes | None":
        """What waits to be written, as bytes. None: it could not be made (told)."""
        data = self._pending[name]
        if not isinstance(data, bytes):
            try:
                data = data()
            except Exception as error:  # noqa: BLE001 - whoever makes it
                gc.collect()
                self._trouble(name, "could not be made: %r" % error)
                return None
            if not self._fits(name, data):
                del self._pending[name]
                return None
            self._pending[name] = data
        return data

    def written(self, name: str) -> bool:
        """Nothing of this name waits to be written."""
        return name not in self._pending

    async def flush(self, limit_ms: int) -> bool:
        """Wait until all is in flash, at most limit_ms; while nothing may be written is not counted. `run` must be
        running.
        """
        while self._pending and limit_ms > 0:
            await asyncio.sleep_ms(_LOOK_MS)
            if not self.hold():
                limit_ms -= _LOOK_MS
        return not self._pending

    async def adopt(self, blocks: dict, limit_ms: int) -> bool:
        """Replace everything by these blocks, all or nothing, and take nothing more: the gateway restarts after this.

        False: it did not work; what was there is lost then, from the next start on the store is empty.
        """
        if not self._slots or not all([self._fits(name, blocks[name]) for name in blocks]):
            return False
        self._closed = True
        self._take(_WHOLE, _BEGUN)
        if not await self.flush(limit_ms):
            return False
        for name, _ in _PLAN[1:]:
            self._take(name, blocks.get(name, b""))
        if not await self.flush(limit_ms):
            return False
        self._take(_WHOLE, _DONE)
        return await self.flush(limit_ms)

    def settled(self) -> None:
        """What was adopted is in use."""
        self.adopted = False
        self._take(_WHOLE, b"settled")

    def _fits(self, name: str, data: bytes) -> bool:
        for known, sectors in _PLAN:
            if known == name and len(data) <= sectors * SECTOR - PAGE:
                return True
        self._trouble(name, "%d bytes do not fit" % len(data))
        return False

    def _take(self, name: str, data: "bytes | Callable[[], bytes]") -> bool:
        if not self._fits(name, data if isinstance(data, (bytes, bytearray)) else b""):
            return False
        self._pending[name] = bytes(data) if isinstance(data, bytearray) else data
        self._news.set()
        return True

    # ------------------------------------------------------------------ the task
    async def run(self) -> None:
        """For ever: mend what a cut or a rotten bit left behind, then write what is saved."""
        await self._mend()
        while True:
            self._news.clear()
            if self._pending:
                await self._rest(_GATHER_MS)
            failed = False
            for name, _ in _PLAN:
                if name in self._pending:
                    failed = not await self._write(name) or failed
            try:
                if failed:
                    await asyncio.wait_for_ms(self._news.wait(), _RETRY_MS)
                elif not self._pending:
                    await self._news.wait()
            except asyncio.TimeoutError:
                pass

    async def _mend(self) -> None:
        for name in sorted(self._slots):
            if self._void and name != _WHOLE:
                await self._each(name, self._kill)
            elif name not in self.lost:  # what cannot be read is left as it is: it is said at each start
                await self._each(name, self._settle)
                await self._even(name)
        if self._void:
            self._void = False
            self._take(_WHOLE, b"empty")

    async def _each(self, name: str, act: "Callable[[Slot], None]") -> None:
        for slot in self._slots[name]:
            await self._rest(2)
            try:
                act(slot)
            except Exception as error:  # noqa: BLE001
                self._trouble(name, repr(error))

    @staticmethod
    def _kill(slot: Slot) -> None:
        if slot.used and not slot.killed:
            slot.kill()

    @staticmethod
    def _settle(slot: Slot) -> None:
        """What a cut left uncertain becomes certain, one way or the other."""
        if slot.good and not slot.sealed:
            slot.seal()
        elif slot.used and not slot.good and not slot.killed:
            slot.kill()

    async def _even(self, name: str) -> None:
        """Both copies the same again, when one was torn or has rotted."""
        slot = self._newest(name)
        first, second = self._slots[name]
        if slot is None or name in self._pending or (first.good and second.good and first.sequence == second.sequence):
            return
        data = self.load(name)
        other = second if slot is first else first
        if data is not None:
            await self._put(name, other, data, slot.sequence)

    def _newest(self, name: str) -> "Slot | None":
        first, second = self._slots[name]
        if first.good and second.good:
            return second if second.sequence > first.sequence else first
        return first if first.good else second if second.good else None

    async def _write(self, name: str) -> bool:
        """Both copies, the one that is not the newest first. True: one at least has it."""
        data = self._made(name)
        if data is None or name not in self._slots:
            return False
        slots = self._slots[name]
        newest = self._newest(name)
        if slots[0].good and slots[1].good and self.load_flash(name) == data:
            done = 2  # nothing new: no wear
        elif not self._spend(name):
            return False
        else:
            sequence = max(slots[0].sequence, slots[1].sequence) + 1
            done = 0
            order = (1, 0) if newest is slots[0] else (0, 1)
            for which in order:
                done += await self._put(name, slots[which], data, sequence)
        if done and self._pending.get(name) is data:
            del self._pending[name]
        return done > 0

    def _spend(self, name: str) -> bool:
        """Whether the block may wear its sectors once more: they last for 100,000 times, and who saves may be mad."""
        now = self._clock.ms()
        left, since_ms = self._budgets.get(name, (_PLENTY, now))
        earned = (now - since_ms) // _EARN_MS
        left = min(left + earned, _PLENTY)
        may = left > 0 or self._closed
        self._budgets[name] = (left - 1 if may else 0, since_ms + earned * _EARN_MS)
        if not may:
            self._trouble(name, "is saved too often: now once an hour")
        return may

    def load_flash(self, name: str) -> "bytes | None":
        """What flash has, whatever waits to be written."""
        slot = self._newest(name)
        try:
            return None if slot is None else slot.read()
        except Exception:  # noqa: BLE001 - then it is not what is to be written
            return None

    async def _put(self, name: str, slot: Slot, data: bytes, sequence: int) -> bool:
        """Write one copy, twice if need be."""
        for _ in (0, 1):
            try:
                await self._rest(0)
                for pause_ms in slot.write(data, sequence):
                    await self._rest(pause_ms)
                self.writes += 1
                return True
            except OSError as error:
                self._trouble(name, "cannot be written: %r" % error)
        return False

    async def _rest(self, pause_ms: int) -> None:
        """Let the others run; go on only when nobody needs the controller."""
        await asyncio.sleep_ms(pause_ms)
        while self.hold():
            await asyncio.sleep_ms(_HOLD_MS)
