"""A home whose firmware can be looked into while it runs: one process, one job on the first line of stdin.

Owns which timeline lines are printed (`keep`) and the parts of the gateway of the present boot. MicroPython only;
import it before anything that imports `time` or `asyncio`. Must never change what the firmware does.
"""

import json
import sys

from hal_sim.sched import Scheduler
from hal_sim.vtime import install

SCHED = Scheduler()
KERNEL = install(SCHED)

from firmware import app  # noqa: E402
from hal_sim.ends import BoardReset, PowerCut, SimEnd  # noqa: E402
from hal_sim.home import Home  # noqa: E402
from hal_sim.run import run  # noqa: E402

_LOOK_MS = 5
_HOLD_MS = 200


class Watched(Home):
    """keep: what is printed of the timeline. `began()` is called in each boot when the gateway is built."""

    keep: tuple = ()
    gateway = None

    def emit(self, what: str, **fields) -> None:
        if what in self.keep or (what == "log" and fields["level"] == "error"):
            Home.emit(self, what, **fields)

    def say(self, what: str, **fields) -> None:
        """A line of the proof's own."""
        Home.emit(self, what, **fields)

    def began(self) -> None:
        """The gateway of this boot is built; its tasks are not started yet."""

    def power_cut(self, for_ms: int = 1000) -> None:
        raise PowerCut(for_ms)

    def watchdog(self) -> None:
        raise BoardReset("watchdog")

    def end(self) -> None:
        raise SimEnd

    def push(self, button: str) -> None:
        """A button of the gateway is pressed."""
        self.do({"do": "press", "button": button, "hold_ms": _HOLD_MS})

    def touch(self, name: str, **fields) -> None:
        self.do({"do": "monitor", "touch": name, "with": fields})

    def when_chip_runs(self, call) -> None:
        """call() at the moment from which the coprocessor answers; its network it serves when the gateway says so."""
        if self.ncp.running:
            call()
        else:
            SCHED.after(_LOOK_MS, self.when_chip_runs, call)


def live(make) -> None:
    """Build make(sched, kernel, scenario, root, write) and run the firmware in it to its end. Job: scenario, root and
    what make wants; the home has it as `job`."""
    job = json.loads(sys.stdin.readline())

    class Seen(app.Gateway):
        def __init__(self, board) -> None:
            super().__init__(board)
            home.gateway = self
            home.began()

    make.job = job
    home = make(SCHED, KERNEL, job["scenario"], job["root"], print)
    app.Gateway = Seen
    run(home, app.run)
