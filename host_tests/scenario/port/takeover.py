"""A gateway is replaced, chip and all: `micropython takeover.py FOLDER MODE CUT < scenario`, the files in FOLDER.

MODE old: the scenario as it is. MODE new: another gateway for the same home: nothing in its flash, no list of sensors
in its files, a blank radio chip; the sensors remember the old network. CUT: flash operation of the store that the power
is cut in (-1: none).
"""

import json
import sys

from hal_sim.sched import Scheduler
from hal_sim.vtime import install

folder, mode, cut = sys.argv[1], sys.argv[2], int(sys.argv[3])
scenario = json.loads(sys.stdin.readline())
sched = Scheduler()
kernel = install(sched)

from hal_sim.home import Home  # noqa: E402
from hal_sim.run import run  # noqa: E402


class NewHome(Home):
    def _write_files(self, _scenario: dict) -> None:
        for name, value in (("settings", self.settings), ("sensors", [])):
            with open(folder + "/" + name + ".json", "w") as file:
                file.write(json.dumps(value))


home = (NewHome if mode == "new" else Home)(sched, kernel, scenario, folder, print)
if mode == "new":
    home.ncp.set_fault("replace")
if cut >= 0:
    home.store_flash.cut_at = cut
run(home, __import__("firmware.app", None, None, ("run",)).run)
