"""A store on a simulated flash, boot after boot, under CPython: asyncio's board calls stand on a clock of their own."""

import asyncio

from firmware.store import Store
from hal_sim.bus.partition import Flash, Partition
from hal_sim.ends import PowerCut

SECTORS = 48


class Log:
    def __init__(self):
        self.lines = []
        self.info = self.warning = self.error = self.lines.append

    def failed(self, where, what, error):
        self.lines.append(f"{where}: {what}: {error!r}")


class Clock:
    def __init__(self):
        self.now = 0

    def ms(self):
        return self.now

    def wall_s(self):
        return 0


class Chip:
    """The flash that outlives boots; `longest` is the longest that it held the controller, in ms."""

    def __init__(self, seed=1):
        self.flash = Flash(SECTORS, seed)
        self.clock = Clock()
        self.longest = 0

    def block(self, ms):
        self.clock.now += ms
        self.longest = max(self.longest, ms)

    def partition(self):
        return Partition(self.flash, self.block)

    def boot(self):
        store = Store(self.partition(), self.clock, Log())
        store.log = store._log
        return store


def patch(monkeypatch, clock):
    async def sleep_ms(ms):
        clock.now += ms
        await asyncio.sleep(0)

    async def wait_for_ms(what, ms):
        waiting = asyncio.ensure_future(what)
        until = clock.now + ms
        while not waiting.done():
            if clock.now >= until:
                waiting.cancel()
                raise asyncio.TimeoutError
            await sleep_ms(max(1, min(1000, ms)))
        return waiting.result()

    monkeypatch.setattr(asyncio, "sleep_ms", sleep_ms, raising=False)
    monkeypatch.setattr(asyncio, "wait_for_ms", wait_for_ms, raising=False)


def live(store, act=None, limit_ms=60_000, settle=True):
    """Run the store's task and `act(store)` beside it until all is in flash; a power cut comes out of here."""

    async def main():
        task = asyncio.ensure_future(store.run())
        try:
            result = await _either(task, act(store)) if act else None
            if settle:
                await _either(task, store.flush(limit_ms))
                for _ in range(2000):
                    if task.done():
                        break
                    await asyncio.sleep(0)
            if task.done():
                task.result()
            return result
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return asyncio.run(main())


async def _either(task, what):
    other = asyncio.ensure_future(what)
    await asyncio.wait({task, other}, return_when=asyncio.FIRST_COMPLETED)
    if other.done():
        return other.result()
    other.cancel()
    task.result()
    raise AssertionError("the store's task ended")


def saved(chip, **values):
    """A boot that saves these values."""
    store = chip.boot()
    for name, value in values.items():
        assert store.save(name, value)
    live(store)
    return store


__all__ = ["Chip", "Clock", "Log", "PowerCut", "live", "patch", "saved"]
