"""A run of the fleet from the first connection to the last answer, with an outage in the middle if one is wanted.

Owns the order of things and their limits in time. One event loop; what the stand does is waited for in a thread.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import pathlib
import random
import resource
import time
from collections.abc import Callable
from typing import Any

from tools.fleet import FleetError
from tools.fleet.gateway import Gateway, Place
from tools.fleet.home import Home, hash_of, new_boot
from tools.fleet.judge import Verdict, from_answers, from_database
from tools.fleet.stand import Stand
from tools.fleet.tally import Tally

START_RATE = 100.0  # gateways a second begin
_LOOK_S = 0.5
_FILES_BESIDE = 200


@dataclasses.dataclass
class Result:
    """What was held. seconds: from the first connection to the end of the drain; cpu: s of CPU of each process."""

    tally: Tally
    verdict: Verdict
    seconds: float
    cpu: dict[str, float]


def numbers(count: int) -> list[str]:
    """Of the gateways."""
    return [f"FL-{n:06d}" for n in range(1, count + 1)]


def make_room(gateways: int) -> None:
    """Allow this process that many sockets. Raises FleetError."""
    wanted = gateways + _FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise FleetError(f"{gateways} gateways need {wanted} open files, {hard} are allowed: see `ulimit -Hn`")
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Fleet:
    """options: of tools.fleet.options; certs: a folder a gateway; stand: None when the broker is somebody else's."""

    def __init__(self, options: argparse.Namespace, place: Place, certs: list[pathlib.Path], stand: Stand | None,
                 show: Callable[[Tally, float], None]) -> None:
        self.tally = Tally()
        self._options = options
        self._stand = stand
        self._show = show
        self.boot = new_boot(time.time())
        now = time.monotonic()
        rate = options.rate / options.gateways
        self.gateways: list[Gateway] = []
        for number, folder in zip(numbers(options.gateways), certs, strict=True):
            dice = random.Random(options.seed << 40 | hash_of(number))
            home = Home(number, self.boot, rate, options.events / 100, now, dice)
            self.gateways.append(Gateway(number, place, folder, home, self.tally, dice))

    async def run(self) -> Result:
        """Raises FleetError when a process of the stand dies."""
        began, cpu = time.monotonic(), time.process_time()
        tasks = [asyncio.create_task(gateway.run(n / START_RATE)) for n, gateway in enumerate(self.gateways)]
        try:
            await self._live(began)
            for gateway in self.gateways:
                gateway.leave()
            drain_s = self._options.drain + 3 * (self._options.outage or 0)
            await self._until(time.monotonic() + drain_s, began, tasks)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error  # a mistake of this program: it is to be seen
        return Result(self.tally, Verdict(), time.monotonic() - began, {"fleet": time.process_time() - cpu})

    async def _live(self, began: float) -> None:
        end = began + self._options.minutes * 60
        if self._options.outage is not None:
            await self._until((began + end) / 2, began)
            await self._outage(began)
        await self._until(end, began)

    async def _until(self, end: float, began: float, tasks: list[asyncio.Task[None]] | None = None) -> None:
        """Look at the stand and show the progress until then, or until all of the tasks are done."""
        while time.monotonic() < end and not (tasks and all(task.done() for task in tasks)):
            dead = self._stand.died() if self._stand else ""
            if dead:
                raise FleetError(dead)
            self._show(self.tally, time.monotonic() - began)
            await asyncio.sleep(max(0.0, min(_LOOK_S, end - time.monotonic())))

    async def _outage(self, began: float) -> None:
        assert self._stand is not None
        stand, broker = self._stand, self._options.outage_of == "broker"
        for name in ["broker"] if broker else stand.relays():
            await asyncio.to_thread(stand.end, name, self._options.kill)
        await self._until(time.monotonic() + self._options.outage, began)
        if broker:
            self.tally.reconnects.since = time.monotonic()
        for name in ["broker"] if broker else stand.relays():
            stand.begin(name)
            await asyncio.to_thread(stand.ready, name)

    def judge(self, result: Result, database: str | None) -> Result:
        """The verdict: from the relay's database where there is one. Raises FleetError."""
        if self._stand is not None:
            result.cpu.update(self._stand.cpu)
        made = {gateway.number: gateway.home.made for gateway in self.gateways}
        if database is not None:
            result.verdict = from_database(database, self.boot, made)
        else:
            result.verdict = from_answers(self.tally.waiting(), self.tally.overtaken, self.tally.answered)
        return result


def summary(result: Result, options: argparse.Namespace) -> dict[str, Any]:
    """Everything, for a program to read."""
    tally, verdict = result.tally, result.verdict
    found = {
        "gateways": options.gateways, "rate": options.rate, "seconds": round(result.seconds, 1),
        "cpu_s": {name: round(seconds, 2) for name, seconds in result.cpu.items()},
        "connected": tally.most_up, "connects": tally.connects,
        "connect_ms": tally.connecting.summary(), "failed": tally.failures, "ended": tally.ends,
        "records": tally.made, "records_per_s": round(tally.answered / max(result.seconds, 0.001), 1),
        "batches": tally.batches, "records_per_batch": round(tally.made / max(tally.batches, 1), 2),
        "answer_ms": tally.answering.summary(), "event_ms": tally.events.summary(), "beats": tally.beats,
        "commands": tally.commands, "again": tally.again, "strange_answers": tally.strange,
        "unanswered": tally.waiting(),
        "committed": verdict.committed, "lost": verdict.lost, "doubled": verdict.doubled,
        "out_of_order": verdict.out_of_order, "any_order": options.any_order,
        "good": verdict.good(options.any_order),
    }
    if options.outage is not None:
        found["outage_s"] = options.outage
        found["reconnects_by_s"] = {str(second): tally.reconnects.seconds[second]
                                    for second in sorted(tally.reconnects.seconds)}
        found["reconnects_busiest_s"] = tally.reconnects.busiest()
    return found
