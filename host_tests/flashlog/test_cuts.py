"""Power cuts at every flash operation of the log, torn in every way, in pairs and chains: nothing accepted is lost."""

import os

import pytest
from flashlog.cutter import SECTORS, ChainCutter, Cutter, PairCutter, quiet

SOAK = 25 if os.environ.get("SOAK") else 1
SINGLE = {seed: 22_000 * SOAK for seed in (1, 2)}
PAIRS = {3: 14_000 * SOAK, 4: 14_000 * SOAK}
CHAINS = {seed: 15_000 * SOAK for seed in (5, 6)}


def test_there_are_a_hundred_thousand_cuts():
    assert sum(count for each in (SINGLE, PAIRS, CHAINS) for count in each.values()) >= 100_000 * SOAK


def show(capsys, what, cutter, more):
    with capsys.disabled():
        print(f"\nflash log, {what}: {cutter.cuts} power cuts, {more}")


@pytest.mark.req("TEL-02")
@pytest.mark.fault(1)
@pytest.mark.fault(2)
@pytest.mark.fault(3)
@pytest.mark.fault(4)
@pytest.mark.fault(5)
@pytest.mark.parametrize("seed", SINGLE)
def test_a_cut_at_every_operation_torn_in_every_way(seed, capsys):
    cutter = Cutter(seed, dice=3).run(SINGLE[seed])
    gateway = cutter.gateway
    assert gateway.flash.erases >= 3 * SECTORS and gateway.ledger.told_dropped, "it went round and ran out of room"
    assert quiet(cutter.troubles | gateway.troubles)
    show(capsys, "each operation", cutter, f"{cutter.operations} operations, {gateway.flash.erases} erases")


@pytest.mark.req("TEL-02")
@pytest.mark.fault(6)
@pytest.mark.parametrize("seed", PAIRS)
def test_a_second_cut_in_every_operation_of_the_start_after_it(seed, capsys):
    cutter = PairCutter(seed, every=2).run(PAIRS[seed])
    assert quiet(cutter.troubles | cutter.gateway.troubles)
    show(capsys, "pairs", cutter, f"first of them at {cutter.operations // 2} operations")


@pytest.mark.req("TEL-02")
@pytest.mark.fault(5)
@pytest.mark.fault(6)
@pytest.mark.fault(17)
@pytest.mark.parametrize("seed", CHAINS)
def test_chains_of_up_to_five_cuts(seed, capsys):
    cutter = ChainCutter(seed).run(CHAINS[seed])
    assert cutter.in_starts > cutter.cuts // 5
    assert quiet(cutter.gateway.troubles)
    show(capsys, "chains", cutter, f"{cutter.in_starts} of them while starting, {cutter.gateway.boots} starts")
