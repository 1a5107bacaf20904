"""Days of a home of eight sensors in which somebody lives: gets up, moves, goes out, has a temperature.

Job: `days`. Prints, beside what is asked of the timeline, a line `memory` a day: heap in use with all garbage
collected, without the cells of the simulated queue's flash, and what the store's took since the start.
"""

import gc
import random

from host_tests.proofs.port import watched
from host_tests.proofs.port.watched import SCHED, Watched

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SAMPLE_MS = 4 * HOUR_MS + 2 * MINUTE_MS  # at night, the day's records sent


class Days(Watched):
    keep = ("relay", "boot", "dial")

    def __init__(self, *args) -> None:
        Watched.__init__(self, *args)
        random.seed(self.job["scenario"]["seed"])
        self.wear: dict = {}
        self._count(self.store_flash)
        SCHED.at(0, self.morning, 0)
        SCHED.at(SAMPLE_MS, self.sample)

    def _count(self, flash) -> None:
        """Erases of each sector."""
        erase = flash.erase

        def counted(sector: int) -> None:
            self.wear[sector] = self.wear.get(sector, 0) + 1
            erase(sector)

        flash.erase = counted

    def morning(self, day: int) -> None:
        """What will happen on this day."""
        begin = day * DAY_MS
        for hour in range(7, 23):
            for _ in range(3):
                at = begin + hour * HOUR_MS + random.randrange(HOUR_MS)
                SCHED.at(at, self.ncp.move, random.choice(("거실", "침실")), random.randrange(2000, 300_000))
            if random.randrange(4) == 0:
                at = begin + hour * HOUR_MS + random.randrange(HOUR_MS)
                door = random.choice(("door", "balcony"))
                SCHED.at(at, self.ncp.door, door, True)
                SCHED.at(at + random.randrange(2000, 600_000), self.ncp.door, door, False)
        SCHED.at(begin + DAY_MS, self.morning, day + 1)

    def piece(self) -> int:
        """The largest piece of memory that can be had, bytes: what is saved in one piece has to find one."""
        low, high = 0, 1 << 21
        while high - low > 512:
            middle = (low + high) // 2
            try:
                bytearray(middle)
                low = middle
            except MemoryError:
                high = middle
        return low

    def sample(self) -> None:
        gc.collect()
        self.say("memory", bytes=gc.mem_alloc() - self.queue_flash.held, piece=self.piece(),
                 programs=self.store_flash.programs,
                 erases=self.store_flash.erases, wear=max(self.wear.values()) if self.wear else 0)
        SCHED.after(DAY_MS, self.sample)


watched.live(Days)
