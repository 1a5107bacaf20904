"""The half of the home's benchmark that runs on MicroPython: firmware and simulated home, as hal_sim.play runs them.

`micropython -m tools.bench_home_port ROOT SAMPLE_MS`, scenario on the first line of stdin. Prints one JSON object:
wakes of the controller, lines and dials of the timeline, heap in use. SAMPLE_MS > 0: every so many virtual ms all
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
    from firmware import app
    from hal_sim.home import Home
    from hal_sim.run import run

    count = Count(sched, sample_ms)
    run(Home(sched, kernel, scenario, root, count.take), app.run)
    total = gc.mem_alloc() + gc.mem_free()
    print(json.dumps({"wakes": kernel.wakes, "lines": count.lines, "dials": count.dials, "peak": count.peak,
                      "heap": total}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
