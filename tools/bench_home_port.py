"""The half of the home's benchmark that runs on MicroPython: firmware and simulated home, as hal_sim.play runs them.

`micropython -m tools.bench_home_port ROOT SAMPLE_MS`, scenario on the first line of stdin. Prints one JSON object:
wakes of the controller, lines and dials of the timeline, heap in use (`world`: of the simulated home alone), what was
written to flash after the first hour, bytes of each block that is kept. SAMPLE_MS > 0: every so many virtual ms all
garbage is collected and what is left is counted. Must never change what the firmware does.
"""

import gc
import json
import sys

from hal_sim.sched import Scheduler
from hal_sim.vtime import install

_TYPE_CHECKING = False
if _TYPE_CHECKING:
    from typing import Any


_SETTLED_MS = 3_600_000  # by then what a new home writes once is written
_BLOCKS = ("sensors", "network", "settings", "state")


class Wear:
    """What is done to the home's two flashes from the first hour on."""

    def __init__(self, home: "Any", sched: Scheduler) -> None:
        self._flashes = (home.store_flash, home.flash)
        self._before = [0, 0, 0]
        self._sectors: dict = {}
        for flash in self._flashes:
            self._watch(flash)
        sched.at(_SETTLED_MS, self._settled)

    def _watch(self, flash: "Any") -> None:
        erase = flash.erase

        def counted(sector: int) -> None:
            key = (id(flash), sector)
            self._sectors[key] = self._sectors.get(key, 0) + 1
            erase(sector)

        flash.erase = counted

    def _sums(self) -> list:
        return [sum([getattr(flash, name) for flash in self._flashes]) for name in ("programs", "programmed", "erases")]

    def _settled(self) -> None:
        self._before = self._sums()
        self._sectors.clear()

    def told(self) -> dict:
        """Page programs, bytes, erases, and erases of the sector that has most."""
        programs, programmed, erases = [now - self._before[place] for place, now in enumerate(self._sums())]
        worst = max(self._sectors.values()) if self._sectors else 0
        return {"programs": programs, "programmed": programmed, "erases": erases, "worst": worst}


class Quiet:
    """Log and clock of a store that is only looked into."""

    def ms(self) -> int:
        return 0

    def error(self, text: str) -> None:
        raise RuntimeError(text)


def kept(home: "Any") -> dict:
    """Bytes of each block in the store; `ready`: how many sensors the list has that can do their job."""
    from firmware.store import Store
    from hal_sim.bus.partition import Partition

    store = Store(Partition(home.store_flash, lambda ms: None), Quiet(), Quiet())  # type: ignore[arg-type]
    sizes = {name: len(store.load(name) or b"") for name in _BLOCKS}
    listed = json.loads(store.load("sensors") or b"{}").get("sensors", [])
    sizes["ready"] = sum([1 for entry in listed if entry and entry["facts"].get("ready")])
    return sizes


class Count:
    """What the benchmark keeps of a run."""

    def __init__(self, sched: Scheduler, sample_ms: int) -> None:
        self._sched = sched
        self._sample_ms = sample_ms
        self.lines = 0
        self.dials = 0
        self.peak = 0
        if sample_ms:
            self._sample()

    def take(self, line: str) -> None:
        """One timeline line."""
        self.lines += 1
        if '"what": "dial"' in line:
            self.dials += 1

    def _sample(self) -> None:
        gc.collect()
        self.peak = max(self.peak, gc.mem_alloc())
        self._sched.after(self._sample_ms, self._sample)


def main(root: str, sample_ms: int) -> None:
    """See the module's text."""
    scenario = json.loads(sys.stdin.readline())
    sched = Scheduler()
    kernel: Any = install(sched)
    from hal_sim.home import Home
    from hal_sim.run import run

    count = Count(sched, sample_ms)
    home = Home(sched, kernel, scenario, root, count.take)
    wear = Wear(home, sched)
    gc.collect()
    world = gc.mem_alloc()
    from firmware import app

    run(home, app.run)
    total = gc.mem_alloc() + gc.mem_free()
    told = {"wakes": kernel.wakes, "lines": count.lines, "dials": count.dials, "peak": count.peak, "heap": total,
            "world": world, "kept": kept(home)}
    told.update(wear.told())
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
