"""The store on MicroPython, in virtual time: save, boot again, flip a bit in each copy."""

import sys

sys.path.append(".")

from hal_sim import vtime  # noqa: E402
from hal_sim.bus.partition import Flash, Partition  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402

sched = Scheduler()
kernel = vtime.install(sched)

import asyncio  # noqa: E402

from firmware.store import Store  # noqa: E402


class Clock:
    def ms(self) -> int:
        return sched.now_ms


class Log:
    def error(self, text: str) -> None:
        pass


flash = Flash(48)


def boot() -> Store:
    return Store(Partition(flash, kernel.block), Clock(), Log())


async def main() -> None:
    store = boot()
    task = asyncio.create_task(store.run())
    store.save("sensors", b"0123456789ab" * 1000)
    print(await store.flush(10_000))
    print(len(boot().load("sensors") or b""))
    flash.cells[2 * 4096 + 300] ^= 1
    print(boot().load("sensors") == b"0123456789ab" * 1000)
    flash.cells[9 * 4096 + 300] ^= 1
    print(boot().load("sensors"))
    task.cancel()


asyncio.run(main())
