"""A home whose list of sensors is in the store only, and cannot be had: `micropython doubt.py FOLDER WHAT < scenario`.

WHAT: dead (the store's flash does not answer), silent, absent (the store cannot be built), registry (the list cannot be
built), form (another firmware's list), entry (one entry of it is bad), lost (both copies are rotten), whole.
The files have no sensors. The last lines say which network the coprocessor has and who is on it.
"""

import json
import sys

from hal_sim.sched import Scheduler
from hal_sim.vtime import install

folder, what = sys.argv[1], sys.argv[2]
scenario = json.loads(sys.stdin.readline())
sched = Scheduler()
kernel = install(sched)

from firmware.slots import Slot  # noqa: E402
from hal_sim.bus.partition import Partition  # noqa: E402
from hal_sim.home import Home  # noqa: E402
from hal_sim.run import run  # noqa: E402
from hal_sim.zigbee import network as memory  # noqa: E402

app = __import__("firmware.app", None, None, ("run",))


class Emptied(Home):
    def _write_files(self, _scenario: dict) -> None:
        for name, value in (("settings", self.settings), ("sensors", scenario.get("listed", []))):
            with open(folder + "/" + name + ".json", "w") as file:
                file.write(json.dumps(value))


def refuse(*_args):
    raise MemoryError("broken")


def network(home):
    found = memory.identity(home.ncp.nv.items)
    return None if found is None else ["".join("%02x" % byte for byte in part) for part in found[2:4]]


home = Emptied(sched, kernel, scenario, folder, print)
entries = [dict(entry, facts={}) for entry in home.sensors]
whole = {"format": 2 if what == "form" else 1, "sensors": entries}
if what == "entry":
    entries[0]["kind"] = "toaster"
partition = Partition(home.store_flash, lambda ms: None)
for start in (2, 9):  # the block `sensors` in firmware/store.py
    for _ in Slot(partition, start, 7, 1).write(json.dumps(whole).encode(), 1):
        pass
    if what == "lost":
        partition.writeblocks(start, bytes(40), 256)
if what in ("dead", "silent"):
    home.store_flash.fault = what
if what == "absent":
    app.Store = refuse
if what == "registry":
    app.Registry = refuse
if scenario.get("chip"):
    home.ncp.set_fault(scenario["chip"])
before = network(home)
run(home, app.run)
print(json.dumps({"what": "network", "t": 0, "same": network(home) == before, "any": network(home) is not None,
                  "members": sorted(one.name for one in home.ncp.air.devices.values() if one.member is not None)}))
