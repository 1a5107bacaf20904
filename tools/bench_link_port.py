"""The firmware, and beside it somebody who makes records: APP of hal_sim.play for tools/bench_link.py and the tests.

Owns `job.json` in the board's folder: `backlog`: so many records at once, in the first boot; `rate`: records a second
from then on, until there is a file `quiet`; `pulse`: false: no pulses. Told on the timeline: `begun` and `made` of each
record that is to be kept, and that is (`memory`: how many wait for flash); `backlog` and `quiet` when that is made, and
when no more are; `handshake` with the longest time that one took the event loop from everybody else; `pulse` each
second with what must stay bounded. MicroPython only. Must never change what the firmware does.
"""

import asyncio
import gc
import json
import os

import utime  # the real clock: `time` is the simulated world's
from micropython import const

from firmware import app
from firmware.uplink.secure import Secure

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_REAL: "Any" = utime  # `clock`, the process's time, is in no stub
_ROOM = const(50)  # records in memory: then flash is waited for
_TURN_MS = const(10)
_PULSE_TURNS = const(100)
_EVENT_OF = const(8)  # one record of so many is an event, as in a full home
_SENSORS = const(32)
_IEEE = "00124b00%08x"


class Stall:
    """How long the event loop belonged to one turn of its tasks, at most: real time, and processor time, ms."""

    def __init__(self, emit: "Any") -> None:
        self._emit = emit
        self.shaking = False
        self._was = False
        self._wall_ms = self._cpu_ms = 0.0

    async def watch(self, pulse: "Any") -> None:
        turns = 0
        while True:
            wall_us, cpu_s = _REAL.ticks_us(), _REAL.clock()
            self._was = self._was or self.shaking
            await asyncio.sleep_ms(_TURN_MS)
            self._turn(_REAL.ticks_diff(_REAL.ticks_us(), wall_us) / 1000 - _TURN_MS, (_REAL.clock() - cpu_s) * 1000)
            turns += 1
            if turns % _PULSE_TURNS == 0:
                pulse()

    def _turn(self, wall_ms: float, cpu_ms: float) -> None:
        if not self._was and not self.shaking:
            return
        self._wall_ms = max(self._wall_ms, wall_ms)
        self._cpu_ms = max(self._cpu_ms, cpu_ms)
        if not self.shaking:
            self._emit("handshake", wall_ms=self._wall_ms, cpu_ms=self._cpu_ms)
            self._was = False
            self._wall_ms = self._cpu_ms = 0.0


class Maker:
    """Makes records as the firmware does, by size too; they are numbered in `n` over all boots."""

    made = 0  # of the class: it lives over boots
    backlog = -1  # left to make

    def __init__(self, gateway: "Any", job: dict, emit: "Any") -> None:
        self._recorder = gateway.recorder
        self._queue = gateway.queue
        self._job = job
        self._root = gateway.board.root
        self._emit = emit
        if Maker.backlog < 0:
            Maker.backlog = job.get("backlog", 0)

    async def run(self) -> None:
        while Maker.backlog:
            if len(self._queue._memory) + self._recorder.unnumbered() < _ROOM:
                self._one()
                Maker.backlog -= 1
            await asyncio.sleep_ms(1)
        if self._job.get("backlog"):
            self._emit("backlog", made=Maker.made)
        rate = self._job.get("rate", 0)
        while rate and not self._quiet():
            self._one()
            await asyncio.sleep_ms(1000 // rate)
        self._emit("quiet")

    def _quiet(self) -> bool:
        return "quiet" in os.listdir(self._root)

    def _one(self) -> None:
        number = Maker.made
        Maker.made += 1
        at = number % _SENSORS
        if number % _EVENT_OF == 0:
            self._recorder.event("door.opened", sensor="현관 %d" % at, ieee=_IEEE % at, place="현관", n=number)
            return
        self._recorder.periodic("status", sensor="출입감지기 %d" % at, ieee=_IEEE % at, place="화장실", type="door",
                                now="good", before="good", dbm=-60, value=False, days=None, heard=None, state="good",
                                percent=100, mv=3000, radio_mv=None, n=number)


class Seen(app.Gateway):
    """The gateway, of which every record is told when it is kept."""

    def __init__(self, board: "Any") -> None:
        super().__init__(board)
        self._emit = board._home.emit
        self._append = self.queue.append
        self.queue.append = self._kept
        with open(board.root + "/job.json") as file:
            job = json.loads(file.read())
        self._maker = Maker(self, job, self._emit)
        self._tells = job.get("pulse", True)
        self._stall = Stall(self._emit)
        _shaken(self._stall)

    def _kept(self, boot: int, seq: int, data: bytes, stream: int) -> None:
        self._emit("begun", record=data.decode())  # a power cut may come before the end of it
        self._append(boot, seq, data, stream)
        self._emit("made", boot=boot, seq=seq, memory=len(self.queue._memory))

    def start_rest(self) -> None:
        super().start_rest()
        self._tasks = [asyncio.create_task(self._maker.run()), asyncio.create_task(self._stall.watch(self._pulse))]

    def _pulse(self) -> None:
        if not self._tells:
            return
        gc.collect()
        courier = self.link.courier
        net: Any = self.board.net
        under_way = len([batch for batch in courier._batches if batch.current and not batch.done])
        self._emit("pulse", heap=gc.mem_alloc(), sockets=len(net._open), under_way=under_way,
                   batches=len(courier._batches), memory=len(self.queue._memory), waiting=self.queue.waiting(),
                   up=self.link.up)


def _shaken(stall: Stall) -> None:
    """Have it know when a handshake is going on."""

    async def opened(*args: "Any") -> "Any":
        stall.shaking = True
        try:
            return await _OPEN(*args)
        finally:
            stall.shaking = False

    Secure.open = opened  # type: ignore[method-assign, assignment]


_OPEN = Secure.open
app.Gateway = Seen  # type: ignore[misc]
run = app.run
