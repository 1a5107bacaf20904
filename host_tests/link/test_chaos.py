"""Everything that can fail between gateway and database fails at random, seeded; the invariants hold afterwards.

SOAK: ten minutes of it.
"""

import os
import random
import signal
import time

import pytest

SOAK = bool(os.environ.get("SOAK"))
LENGTH_S = 600 if SOAK else 35
HEAL_S = 300  # I11
HEAP_GROWTH = 256 * 1024
FLASH_BYTES = 500  # a record, in the simulated flash, which is in the same heap


class Chaos:
    """One fault at a time, each healed before the next; `played`: what there was."""

    def __init__(self, home, seed):
        self.home = home
        self.dice = random.Random(seed)
        self.played = []
        self.faults = [self.cut, self.stall, self.broker_dies, self.broker_hangs, self.relay_dies, self.network_lost,
                       self.power_cut, self.emergency]

    def play(self, until):
        """Each once in random order, then whatever comes."""
        first = self.dice.sample(self.faults, len(self.faults))
        while time.monotonic() < until or first:
            fault = first.pop() if first else self.dice.choice(self.faults)
            self.played.append(fault.__name__)
            fault()
            self.wait(1, 6)

    def wait(self, least_s, most_s):
        time.sleep(self.dice.uniform(least_s, most_s))

    def cut(self):
        self.home.line.cut()

    def stall(self):
        self.home.line.stall()
        self.wait(1, 5)
        self.home.line.flow()

    def broker_dies(self):
        self.home.kill_broker()
        self.wait(0, 3)
        self.home.lab.start_broker()

    def broker_hangs(self):
        self.home.lab.broker.signal(signal.SIGSTOP)
        self.wait(1, 5)
        self.home.lab.broker.signal(signal.SIGCONT)

    def relay_dies(self):
        self.home.relay.signal(signal.SIGKILL)
        self.home.relay.ended()
        self.wait(0, 3)
        self.home.relay = self.home.lab.start_relay()

    def network_lost(self):
        self.home.network(False)
        self.wait(1, 5)
        self.home.network(True)

    def power_cut(self):
        self.home.step("power_cut", for_ms=self.dice.randrange(500, 2000))

    def emergency(self):
        self.home.step("press", button="119")
        self.wait(1, 2)
        self.home.step("press", button="cancel")


@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-03")
@pytest.mark.req("TEL-07")
@pytest.mark.fault(65)
@pytest.mark.fault(67)
def test_the_invariants_hold_whatever_fails(rig):
    """I5 no loss, I6 no invention, I7 order, I10 bounded, I11 alive again within five minutes."""
    home = rig(job={"rate": 10})
    home.start()
    chaos = Chaos(home, seed=7)
    chaos.play(time.monotonic() + LENGTH_S)
    print(chaos.played)
    healed = time.monotonic()
    home.wait_up(HEAL_S)
    count = home.judge(HEAL_S)
    print(f"{count} records; all there {time.monotonic() - healed:.0f} s after the last fault")
    assert count >= 5 * LENGTH_S
    assert len(home.gateway.all("boot")) == 1 + chaos.played.count("power_cut")
    in_memory = [line for line in home.gateway.all("made") if line["memory"]]
    assert len(in_memory) <= 0.1 * count, "accepted is: in flash"
    home.bounded()
    heap = [pulse["heap"] for pulse in home.gateway.all("pulse")]
    middle = len(heap) // 2
    assert max(heap[middle:]) - max(heap[:middle]) <= HEAP_GROWTH + FLASH_BYTES * len(home.gateway.all("made"))
    assert [record for record in home.records("gateway.fault") if record["fault"] == "task"] == []
