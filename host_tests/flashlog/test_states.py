"""The flash log against a plain model: Hypothesis appends, acknowledges, cuts, restarts, rots, wears and fills it."""

import os
import random

from flashlog.ledger import STREAMS, Gateway
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from firmware.flashlog import layout
from hal_sim.bus.partition import SECTOR
from hal_sim.bus.tear import TEARS
from hal_sim.ends import PowerCut

SOAK = bool(os.environ.get("SOAK"))
SECTORS = 14
SICK = ("silent", "no_program", "no_erase", "raises", "stuck")
streams = st.sampled_from(STREAMS)


def record_at(cells, address):
    """Identity of the record that has this byte, None: none has."""
    sector = address // SECTOR
    view = memoryview(cells)[sector * SECTOR : (sector + 1) * SECTOR]
    at = layout.find(view, layout.HEAD)
    while at >= 0:
        kind, ident, length = layout.read_entry(view, at)
        end = at + layout.size_of(length)
        if at <= address % SECTOR < end:
            return (ident >> 32, ident & 0xFFFFFFFF) if kind < layout.ACK else None
        at = layout.find(view, end)
    return None


class Life(RuleBasedStateMachine):
    @initialize(seed=st.integers(1, 1 << 20))
    def begin(self, seed):
        self.gateway = Gateway(SECTORS, random.Random(seed))
        self.flash = self.gateway.flash
        self.flash.reseed(seed)
        self.flash.tear = "any"
        self.start()

    # ------------------------------------------------------------------ the world
    def start(self):
        """Until a start comes to its end; each may be cut."""
        while True:
            try:
                log = self.gateway.boot()
                break
            except PowerCut:
                pass
        self.gateway.ledger.settle(log)
        self.judge(True)

    def act(self, what):
        """Whatever is done, the power may go in it."""
        try:
            what()
        except PowerCut:
            self.gateway.was_cut()
            self.start()

    def judge(self, fresh):
        self.gateway.ledger.judge(self.gateway.log, fresh=fresh)

    # ------------------------------------------------------------------ what happens
    @rule(stream=streams, count=st.integers(1, 12))
    def append(self, stream, count):
        self.act(lambda: [self.gateway.append(stream) for _ in range(count)])

    @rule(stream=streams)
    def append_too_long(self, stream):
        assert not self.gateway.log.append(stream, self.gateway.boots, 1 << 20, bytes(layout.MAX_DATA + 1))

    @rule(stream=streams, share=st.sampled_from((0.1, 0.5, 0.9, 1)))
    def acknowledge(self, stream, share):
        self.gateway.acknowledge(stream, share)

    @rule(stream=streams, seq=st.integers(0, 1 << 32 - 1))
    def acknowledge_the_past(self, stream, seq):
        self.gateway.log.acknowledge(stream, 0, seq)

    @rule()
    def flush(self):
        self.act(self.gateway.log.flush_acks)

    @rule(steps=st.integers(1, 15))
    def work(self, steps):
        self.act(lambda: [self.gateway.log.work() for _ in range(steps)])

    @rule()
    def fill(self):
        """Until nothing is ready any more."""
        def until_full():
            for _ in range(400):
                if not self.gateway.append(0, bytes(900)):
                    return
            raise AssertionError("400 records of 900 bytes fit into 56 KB")

        self.act(until_full)

    @rule(at=st.integers(0, 40), mode=st.sampled_from((*TEARS, "any")))
    def cut(self, at, mode):
        """That many operations from now."""
        self.flash.cut_at, self.flash.tear = at, mode

    @rule()
    def restart(self):
        self.start()

    @rule(address=st.integers(0, SECTORS * SECTOR - 1), bit=st.integers(0, 7))
    def rot(self, address, bit):
        self.flash.strict = False  # what rot sets is cleared again by who programs the same once more
        self.gateway.ledger.rotten.add(record_at(self.flash.cells, address))
        self.flash.cells[address] ^= 1 << bit

    @rule(pick=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), place=st.integers(0, layout.HEAD - 1))
    def rot_in_a_head(self, pick, bit, place):
        self.rot(int(pick * SECTORS) * SECTOR + place, bit)

    @precondition(lambda self: len(self.flash.sick) < 3)
    @rule(sector=st.integers(0, SECTORS - 1), how=st.sampled_from(SICK), now=st.booleans())
    def wear(self, sector, how, now):
        if now:
            self.flash.sick[sector] = how
        else:
            self.flash.wear_out(sector, 1, how)

    @invariant()
    def all_is_there(self):
        if hasattr(self, "gateway"):
            self.judge(False)


Life.TestCase.settings = settings(
    max_examples=1500 if SOAK else 60, stateful_step_count=50, deadline=None, database=None, derandomize=not SOAK,
    suppress_health_check=list(HealthCheck),
)
test_any_life = Life.TestCase
