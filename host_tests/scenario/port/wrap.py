"""Runs a scenario on a controller whose ticks_ms wraps soon after boot: `micropython wrap.py ROOT TICKS < scenario`."""

import json
import sys

from hal_sim.sched import Scheduler
from hal_sim.vtime import Kernel, install

_boot = Kernel.boot
Kernel.boot = lambda self: _boot(self, int(sys.argv[2]))
scenario = json.loads(sys.stdin.readline())
sched = Scheduler()
kernel = install(sched)

from hal_sim.home import Home  # noqa: E402
from hal_sim.run import run  # noqa: E402

home = Home(sched, kernel, scenario, sys.argv[1], print)
run(home, __import__("firmware.app", None, None, ("run",)).run)
