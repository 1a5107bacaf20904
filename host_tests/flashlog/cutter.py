"""Cuts the power at each flash operation of a living log: on a flash of its own, which is given what was there before,
half the operation, and a start. So one life of the log serves for thousands of cuts.
"""

import random

from flashlog.ledger import STREAMS, Gateway, Partition, false_alarms, no_wait

from firmware.flashlog.log import FlashLog
from hal_sim.bus import tear
from hal_sim.bus.partition import Flash
from hal_sim.ends import PowerCut

SECTORS = 12  # the smallest that has room for three streams, what is erased ahead, and some to lose
SIZES = (0, 20, 300, 700, 1500, 2500)  # few records a sector: a start is quick to judge
CERTAIN = ("none", "done")  # ways to tear in which there is no chance
LIVES = 20  # steps of a gateway between two looks at the count


class Probed(Partition):
    """Calls probe(act) before each operation; act(flash) tears that operation on another flash."""

    probe = None

    def _program(self, start, data):
        if self.probe:
            self.probe(lambda flash: tear.program(flash, start, data))
        super()._program(start, data)

    def _erase(self, sector):
        if self.probe:
            self.probe(lambda flash: tear.erase(flash, sector))
        super()._erase(sector)


class Cutter:
    """dice: seeds of each tear that has chance in it. every: only every so many operations are cut."""

    def __init__(self, seed, dice=1, every=1):
        self.gateway = Gateway(SECTORS, random.Random(seed), Probed, SIZES)
        self.flash = Flash(SECTORS)
        self.flash.strict = True
        self.dice, self.every = dice, every
        self.operations = self.cuts = self.rounds = 0
        self.troubles = set()

    def run(self, cuts):
        """Live until so many cuts were made."""
        self.gateway.boot()
        self.gateway.rest()
        Probed.probe = staticmethod(self._probe)
        try:
            while self.cuts < cuts:
                self.gateway.live(LIVES)
                self._deliver()
        finally:
            Probed.probe = None
        return self

    def _deliver(self):
        """What waits is read after each cut: mostly little does, now and then so much that room runs out."""
        self.rounds += 1
        if self.rounds % 12 < 8:
            for stream in STREAMS:
                self.gateway.acknowledge(stream, 0.8)

    def _probe(self, act):
        self.operations += 1
        if self.operations % self.every:
            return
        image = self.gateway.flash.snapshot()
        for mode in tear.TEARS:
            for seed in range(1 if mode in CERTAIN else self.dice):
                self.flash.restore(image)
                self.flash.reseed(self.operations * 7919 + seed * 104729 + 1)
                self.flash.tear = mode
                act(self.flash)
                self.cuts += 1
                self.after(self.gateway.ledger.fork(self.gateway.pending))

    def boot(self):
        return FlashLog(Partition(self.flash, no_wait), on_trouble=self.troubles.add)

    def after(self, ledger):
        """What one start makes of it; every third time another start, which must find the same."""
        log = self.boot()
        ledger.judge(log)
        if self.cuts % 3 == 0 and any(ledger.begun):
            ledger.settle(log)
            ledger.judge(self.boot())


class PairCutter(Cutter):
    """Each cut is followed by one in each operation of the start and of the first housekeeping after it."""

    def after(self, ledger):
        image = self.flash.snapshot()
        at, whole = 0, False
        while not whole:
            self.flash.restore(image)
            self.flash.reseed(self.cuts * 31 + at)
            self.flash.tear = "any"
            self.flash.cut_at = at
            at += 1
            whole = self._second(ledger)
        self.flash.cut_at = None

    def _second(self, ledger):
        """True: it came to its end without a cut."""
        try:
            log = self.boot()
            for _ in range(2):
                log.work()
        except PowerCut:
            self.cuts += 1
            ledger.judge(self.boot())
            return False
        ledger.judge(log)
        return True


class ChainCutter:
    """A gateway whose power is cut up to five times in a row, while it starts, tidies up or works; then it lives on."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.gateway = Gateway(SECTORS, self.rng, Partition, SIZES)
        self.gateway.flash.tear = "any"
        self.gateway.flash.reseed(seed)
        self.cuts = 0
        self.in_starts = 0

    def run(self, cuts):
        self.gateway.boot()
        self.gateway.rest()
        while self.cuts < cuts:
            self._life(self.rng.randrange(40))
            for _ in range(self.rng.randrange(5)):
                self._life(self.rng.choice((0, 1, 2, 3, 4, 6, 9, 14)))
            self._start()
        return self

    def _life(self, until):
        """One start and what follows, cut at that operation."""
        gateway = self.gateway
        gateway.flash.cut_at = until
        try:
            if gateway.log is None:
                self._start()
            while True:
                gateway.live(10)
        except PowerCut:
            self.cuts += 1
            self.in_starts += gateway.log is None
            gateway.was_cut()
            gateway.log = None

    def _start(self):
        """A start that came to its end is judged; a cut that has not come yet stays ahead."""
        log = self.gateway.boot()
        if any(self.gateway.ledger.begun):
            self.gateway.ledger.settle(log)
        self.gateway.ledger.judge(log)


def quiet(troubles):
    """Nothing was told but that room ran out."""
    return not false_alarms(troubles)
