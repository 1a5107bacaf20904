"""A home whose queue has old records and takes long to be opened: `micropython opening.py FOLDER JOB < scenario`.

JOB, JSON: `sectors` of the queue's flash; `old`: so many records of boot 11 are in it beforehand, of `bytes` each;
`read_us`: what a read of it takes until it is open; `stall_at`, `stall_ms`, `cut_at`: as of the Flash, from the start;
`raises_at`: in the first boot its n-th read raises what no driver should; `dead_from`: from that boot on, 1 is the
first, it does not answer; `broken_boots`: so many boots that failed went before; `no_queue`: it cannot be built. Told:
`old` of each record that was there, `made` of each that got its identity, `opened` when the queue was, with the number
that the journal has by then, `alone` instead of it without a queue, with the records that wait for a number.
"""

import json
import sys

from hal_sim.sched import Scheduler
from hal_sim.vtime import install

folder, job = sys.argv[1], json.loads(sys.argv[2])
scenario = json.loads(sys.stdin.readline())
sched = Scheduler()
kernel = install(sched)

import asyncio  # noqa: E402

from firmware import app  # noqa: E402
from firmware.absent import Absent  # noqa: E402
from firmware.flashlog.log import FlashLog  # noqa: E402
from hal_sim.bus.partition import Partition, SparseFlash  # noqa: E402
from hal_sim.home import Home  # noqa: E402
from hal_sim.run import run  # noqa: E402

BOOT = 11
FILLING = "x" * 4000


class Bad(Partition):
    """One whose n-th read raises."""

    reads = 0

    def readblocks(self, *args) -> None:
        self.reads += 1
        if self.reads == job["raises_at"]:
            raise RuntimeError("broken")
        Partition.readblocks(self, *args)


class Seen(app.Gateway):
    """The gateway, of which is told which records got which identity, and when its queue was open."""

    def __init__(self, board) -> None:
        super().__init__(board)
        self._append = self.queue.append
        self.queue.append = self._told

    def _told(self, boot, seq, data, stream) -> None:
        home.emit("made", boot=boot, seq=seq, event=json.loads(data).get("event", ""))
        self._append(boot, seq, data, stream)

    def start_queue(self) -> None:
        super().start_queue()
        self._waits = asyncio.create_task(self._alone() if isinstance(self.queue, Absent) else self._opened())

    async def _alone(self) -> None:
        await asyncio.sleep_ms(10_000)
        home.emit("alone", boot=self.recorder.boot, journal=self.journal.boot, left=self.recorder.unnumbered())

    async def _opened(self) -> None:
        await self.queue.opened.wait()
        flash.read_us = 0
        home.emit("opened", boot=self.recorder.boot, journal=self.journal.boot, flash=self.queue.flash is not None)


def refuse(*_args):
    raise MemoryError("broken")


def record(seq: int) -> bytes:
    fields = {"boot": BOOT, "seq": seq, "at": None, "up": seq, "clock": "unset", "test": False}
    fields.update({"kind": "event", "event": "door.opened"} if seq % 3 == 0 else {"kind": "status"})
    size = len(json.dumps(fields)) + 20
    return json.dumps(dict(fields, filling=FILLING[: max(job["bytes"] - size, 0)])).encode()


def fill(flash) -> None:
    """As the gateway's earlier boots left it."""
    log = FlashLog(Partition(flash, lambda ms: None))
    for seq in range(1, job["old"] + 1):
        while not log.append(1 if seq % 3 == 0 else 0, BOOT, seq, record(seq)):
            if not log.work():
                raise ValueError("no room for so many")
        home.emit("old", boot=BOOT, seq=seq)
    while log.work():
        pass
    if log.dropped:
        raise ValueError("no room for so many")
    home.emit("filled", used=sum([len(chain) for chain in log.chains]), sectors=flash.sectors)


boots = 0


def prepared(cause: str):
    global boots
    boots += 1
    board = boot(cause)
    flash.read_us = job.get("read_us", 0)
    if boots >= job.get("dead_from", 1000):
        flash.fault = "dead"
    if boots == 1 and job.get("raises_at"):
        board.queue = Bad(flash, home.block)
    return board


home = Home(sched, kernel, scenario, folder, print)
boot = home.boot
home.boot = prepared
flash = home.queue_flash = SparseFlash(job["sectors"], 3)
fill(flash)
flash.stall_at, flash.stall_ms = job.get("stall_at"), job.get("stall_ms", 0)
flash.cut_at, flash.tear = job.get("cut_at"), "any"
if job.get("broken_boots"):
    home.rtc_cells[0] = bytes(128) + b"BC" + bytes((job["broken_boots"],))
if job.get("no_queue"):
    app.Queue = refuse
app.Gateway = Seen
run(home, app.run)
