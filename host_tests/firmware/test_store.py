"""The store: whatever is cut, torn, rotten, worn or dead, a block is its old or its new value, or said to be lost."""

import os
import random

import pytest
from flashed import Chip, PowerCut, live, patch, saved

from firmware import slots
from hal_sim.bus.partition import SECTOR, Flash, Partition, SparseFlash

SOAK = bool(os.environ.get("SOAK"))
# name: (offset of its first copy, bytes of a copy)
PLACES = {"sensors": (2 * SECTOR, 7 * SECTOR), "settings": (26 * SECTOR, SECTOR), "state": (28 * SECTOR, 2 * SECTOR)}


@pytest.fixture
def chip(monkeypatch):
    chip = Chip()
    patch(monkeypatch, chip.clock)
    return chip


def test_what_was_saved_is_there_after_a_boot(chip):
    values = {"sensors": b"s" * 20000, "network": bytes(range(256)) * 79, "settings": b"{}", "state": b"x" * 7936}
    saved(chip, **values)
    store = chip.boot()
    assert {name: store.load(name) for name in values} == values
    assert store.faults == []
    assert store.load("nothing") is None


def test_what_was_saved_last_counts_and_can_be_read_before_it_is_written(chip):
    store = chip.boot()
    for number in range(50):
        store.save("settings", b"%d" % number)
        assert store.load("settings") == b"%d" % number
    live(store)
    assert chip.boot().load("settings") == b"49"


def test_what_does_not_fit_or_has_no_name_is_refused_and_nothing_is_changed(chip):
    store = saved(chip, settings=b"good")
    assert not store.save("settings", bytes(SECTOR - 255))
    assert not store.save("other", b"x")
    assert not store.save("whole", b"begun")
    assert store.load("settings") == b"good" and chip.boot().load("settings") == b"good"
    assert store.save("settings", bytes(SECTOR - 256))


def test_what_changes_often_is_made_once_when_it_is_written(chip):
    store, made = chip.boot(), []

    def make():
        made.append(1)
        return b"made %d" % len(made)

    for _ in range(50):
        assert store.save("settings", make)
    live(store)
    assert made == [1] and chip.boot().load("settings") == b"made 1"
    store = chip.boot()
    store.save("settings", make)
    assert store.load("settings") == b"made 2" == store.load("settings")
    live(store)
    for bad in (lambda: bytes(5000), lambda: 1 // 0):
        store = chip.boot()
        store.save("settings", bad)
        live(store, limit_ms=3000)
        assert len(store.faults) == 1
        assert chip.boot().load("settings") == b"made 2"


def test_the_same_again_costs_no_wear(chip):
    saved(chip, sensors=b"a" * 5000)
    before = chip.flash.erases, chip.flash.programs
    saved(chip, sensors=b"a" * 5000)
    assert (chip.flash.erases, chip.flash.programs) == before


def test_nothing_holds_the_controller_longer_than_one_erase(chip):
    saved(chip, sensors=b"a" * 20000, state=b"b" * 7000)
    assert chip.longest == 45


# ---------------------------------------------------------------------------------- cuts
def cut_everywhere(chip, old, new, settle):
    """Tear each flash operation of a save in turn, on a fresh copy of the flash; the values found afterwards."""
    start = bytes(chip.flash.cells)
    found, at = [], 0
    while True:
        chip.flash.cells[:] = start
        chip.flash.cut_at = at
        chip.flash._noise = at * 7919 + 1
        store = chip.boot()
        store.save("settings", new)
        try:
            live(store)
        except PowerCut:
            settle(chip)
            found.append(chip.boot().load("settings"))
            at += 1
            continue
        chip.flash.cut_at = None
        assert chip.boot().load("settings") == new
        return found


@pytest.mark.fault(20)
@pytest.mark.fault(2)
@pytest.mark.fault(4)
@pytest.mark.parametrize("size", [40, 700])
def test_a_cut_at_any_operation_leaves_the_old_or_the_new_value(chip, size):
    old, new = b"o" * size, b"n" * size
    saved(chip, settings=old)
    found = cut_everywhere(chip, old, new, lambda _: None)
    assert len(found) > 10
    assert set(found) == {old, new}
    assert found == sorted(found, reverse=True), "once it is the new one it stays the new one"


@pytest.mark.fault(3)
def test_what_was_found_after_a_cut_is_found_for_ever(chip):
    """Bits that a cut left half programmed read one way once: the boot after it makes them certain."""
    saved(chip, settings=b"old" * 50)
    shaky = []

    def settle(chip):
        first = chip.boot()
        seen = first.load("settings")
        live(first)
        again = chip.boot()
        assert again.load("settings") == seen
        for name in ("settings",):
            a, b = again._slots[name]
            assert a.sealed and b.sealed and a.sequence == b.sequence, "both copies are mended"
        shaky.append(seen)

    cut_everywhere(chip, b"old" * 50, b"new" * 50, settle)
    assert len(set(shaky)) == 2


@pytest.mark.fault(6)
def test_chains_of_cuts_through_a_series_of_saves(monkeypatch):
    for seed in range(400 if SOAK else 40):
        chip = Chip(seed)
        patch(monkeypatch, chip.clock)
        rng = random.Random(seed)
        now = None  # what is certain to be there
        for number in range(12):
            value = b"%d:" % number + bytes([number]) * rng.randrange(1, 3000)
            chip.flash.cut_at = rng.randrange(60)
            store = chip.boot()
            assert store.load("settings") == now, (seed, number)
            store.save("settings", value)
            try:
                live(store)
                now = value
            except PowerCut:
                seen = chip.boot().load("settings")
                assert seen in (now, value), (seed, number)
                now = seen
            chip.flash.cut_at = None


@pytest.mark.fault(20)
def test_a_first_save_that_was_cut_is_no_loss(chip):
    for at in range(7):
        chip.flash.cells[:] = b"\xff" * len(chip.flash.cells)
        chip.flash.cut_at = at
        store = chip.boot()
        store.save("settings", b"first")
        with pytest.raises(PowerCut):
            live(store)
        again = chip.boot()
        assert again.load("settings") in (None, b"first")
        assert again.faults == []


# ---------------------------------------------------------------------------------- rot
@pytest.mark.fault(20)
@pytest.mark.fault(7)
def test_every_flipped_bit_of_a_copy_is_survived(chip):
    saved(chip, settings=b"value" * 20)
    start = bytes(chip.flash.cells)
    base, size = PLACES["settings"]
    for copy in (0, 1):
        for at in [*range(80), *range(256, 256 + 100)]:
            for bit in range(8):
                chip.flash.cells[base + copy * size + at] ^= 1 << bit
                assert chip.boot().load("settings") == b"value" * 20, (copy, at, bit)
                chip.flash.cells[base + copy * size + at] ^= 1 << bit
    assert bytes(chip.flash.cells) == start


@pytest.mark.fault(20)
def test_a_rotten_copy_is_made_good_again(chip):
    saved(chip, settings=b"v" * 300)
    base, size = PLACES["settings"]
    for copy in (0, 1):
        chip.flash.cells[base + copy * size + 300] ^= 4
        live(chip.boot())
        chip.flash.cells[base + (1 - copy) * size + 300] ^= 4
        assert chip.boot().load("settings") == b"v" * 300
        live(chip.boot())


@pytest.mark.fault(20)
def test_when_both_copies_are_corrupt_there_is_nothing_and_that_is_said_once(chip):
    saved(chip, settings=b"v" * 300, state=b"other")
    base, size = PLACES["settings"]
    for copy in (0, 1):
        chip.flash.cells[base + copy * size + 300] ^= 4
    told = []
    store = chip.boot()
    assert store.load("settings") is None and store.load("settings") is None
    assert store.load("state") == b"other"
    assert [line for line in store.log.lines if "corrupt" in line] == ["store: settings: both copies are corrupt"]
    store.on_fault = lambda name, what: told.append(name)
    live(store)
    assert store.lost == ["settings"] == chip.boot().lost, "said at each start until something is saved"
    saved(chip, settings=b"anew")
    assert chip.boot().load("settings") == b"anew" and chip.boot().faults == [] == chip.boot().lost


@pytest.mark.fault(20)
def test_noise_in_the_whole_partition_is_survived(monkeypatch):
    for seed in range(20):
        chip = Chip(seed)
        patch(monkeypatch, chip.clock)
        chip.flash.cells[:] = random.Random(seed).randbytes(len(chip.flash.cells))
        store = chip.boot()
        assert all(store.load(name) is None for name in ("sensors", "network", "settings", "state"))
        store.save("sensors", b"new")
        live(store)
        assert chip.boot().load("sensors") == b"new"


# ---------------------------------------------------------------------------------- worn, dead, silent
@pytest.mark.fault(10)
@pytest.mark.parametrize("fault", ["dead", "silent"])
def test_dead_or_silent_flash_is_told_and_survived(chip, fault):
    saved(chip, settings=b"old")
    chip.flash.fault = fault
    store = chip.boot()
    told = []
    store.on_fault = lambda name, what: told.append(name)
    assert store.save("settings", b"new") and store.load("settings") == b"new"
    live(store, limit_ms=5000)
    assert store.faults and len(store.faults) < 16
    assert told or store.faults
    assert store.load("settings") == b"new"
    chip.flash.fault = ""
    assert chip.boot().load("settings") == b"old"


@pytest.mark.fault(9)
def test_one_bad_sector_is_told_and_the_other_copy_is_enough(chip):
    saved(chip, settings=b"old")
    partition = chip.partition()
    program = partition._program
    base, _ = PLACES["settings"]

    def worn(start, data):
        if not base <= start < base + SECTOR:
            program(start, data)

    for value in (b"new", b"newer"):
        store = chip.boot()
        for slot in store._slots["settings"]:
            slot._flash = partition
        partition._program = worn
        store.save("settings", value)
        live(store)
        assert store.faults and all(line.startswith("settings: cannot be written") for line in store.faults)
        assert chip.boot().load("settings") == value


def test_without_flash_it_keeps_things_in_memory(chip):
    from firmware.store import Store

    store = Store(None, chip.clock, chip.boot().log)
    assert store.save("settings", b"x") and store.load("settings") == b"x"
    assert store.faults == ["all: there is no flash for it"]

    async def flush(store):
        return await store.flush(1000)

    assert live(store, flush, settle=False) is False


# ---------------------------------------------------------------------------------- an emergency
@pytest.mark.req("EMG-19")
def test_while_held_nothing_is_erased_or_programmed(chip):
    store = chip.boot()
    held = {"on": False, "at": None}
    store.hold = lambda: held["on"]

    async def act(store):
        import asyncio

        store.save("sensors", b"a" * 9000)
        while chip.flash.erases < 2:
            await asyncio.sleep_ms(1)
        held["on"] = True
        await asyncio.sleep_ms(0)
        before = chip.flash.erases, chip.flash.programs
        for _ in range(500):
            await asyncio.sleep_ms(20)
        assert (chip.flash.erases, chip.flash.programs) == before
        held["on"] = False
        return await store.flush(10_000)

    assert live(store, act)
    assert chip.boot().load("sensors") == b"a" * 9000


# ---------------------------------------------------------------------------------- everything at once
def adopt(blocks):
    async def act(store):
        return await store.adopt(blocks, 60_000)

    return act


NEW = {"sensors": b"S" * 3000, "network": b"N" * 3000, "settings": b"T"}


@pytest.mark.req("ZB-19")
def test_everything_is_adopted_or_nothing(chip):
    """Tear each operation of it: afterwards all is there or nothing is, now and at the boot after."""
    start = bytes(chip.flash.cells)
    at, seen = 0, []
    while True:
        chip.flash.cells[:] = start
        chip.flash.cut_at = at
        store = chip.boot()
        try:
            assert live(store, adopt(NEW))
            break
        except PowerCut:
            pass
        for _ in (0, 1):
            again = chip.boot()
            found = {name: again.load(name) for name in NEW}
            assert found in (NEW, dict.fromkeys(NEW)), at
            live(again)
        seen.append(found == NEW)
        at += 1 if at < 40 or SOAK else 7
    assert seen[0] is False and seen[-1] is True and seen == sorted(seen)
    chip.flash.cut_at = None
    assert not store.save("sensors", b"too late"), "it restarts now"


@pytest.mark.req("ZB-19")
def test_an_adoption_that_was_cut_leaves_a_store_that_works(chip):
    chip.flash.cut_at = 40
    with pytest.raises(PowerCut):
        live(chip.boot(), adopt(NEW))
    store = chip.boot()
    assert store.load("sensors") is None
    store.save("sensors", b"paired since")
    live(store)
    again = chip.boot()
    assert again.load("sensors") == b"paired since" and again.load("network") is None and again.faults == []
    assert live(chip.boot(), adopt(NEW)) and chip.boot().load("network") == NEW["network"]


def test_what_does_not_fit_is_not_begun(chip):
    saved(chip, settings=b"old")
    assert not live(chip.boot(), adopt({**NEW, "settings": bytes(5000)}))
    assert chip.boot().load("settings") == b"old"


def test_the_mark_is_programmed_last(chip):
    """The order in flash, seen from outside: data, header, mark, seal."""
    store = chip.boot()
    slot = store._slots["settings"][0]
    seen = []
    for _ in slot.write(b"x" * 300, 1):
        base, _ = PLACES["settings"]
        head = chip.flash.cells[base : base + 256]
        seen.append((head[32:48] == slots._MARK, head[48:64] == slots._MARK, head[:4] == b"GKST"))
    assert seen[-1] == (True, False, True) and seen[-2] == (False, False, True) and slot.sealed


def test_what_was_not_committed_does_not_count(chip):
    store = saved(chip, settings=b"old")
    for _ in store._slots["settings"][0].write(b"new", 9):
        if chip.boot()._slots["settings"][0]._look_header() is not None:
            break
    assert chip.boot().load("settings") == b"old"


@pytest.mark.fault(9)
def test_marks_that_did_not_take_are_noticed(chip):
    slot = chip.boot()._slots["settings"][0]
    partition = slot._flash
    program = partition._program
    partition._program = lambda start, data: None if data == slots._MARK else program(start, data)
    with pytest.raises(OSError, match="not as written"):
        list(slot.write(b"new", 1))
    assert not slot.good


def test_it_runs_on_the_board_s_python(micropython):
    out = micropython(["host_tests/firmware/port/store_run.py"])
    assert out.split() == ["True", "12000", "True", "None"]


def test_the_home_s_flash_takes_memory_for_what_is_written_only_and_is_the_same_flash():
    dense, sparse = Flash(8, 5), SparseFlash(8, 5)
    pair = [Partition(flash, lambda ms: None) for flash in (dense, sparse)]
    rng = random.Random(5)
    for _ in range(600):
        block, offset, data = rng.randrange(8), rng.randrange(SECTOR), rng.randbytes(rng.randrange(1, 700))
        dense.cut_at = sparse.cut_at = 0 if rng.random() < 0.1 else None
        what, seen = rng.randrange(3), []
        for part in pair:
            try:
                if what == 0:
                    part.ioctl(6, block)
                else:
                    part.writeblocks(block, data, offset)
                seen.append("done")
            except (PowerCut, OSError) as error:
                seen.append(type(error))
        assert seen[0] == seen[1]
        bufs = [bytearray(3 * SECTOR), bytearray(3 * SECTOR)]
        for part, buf in zip(pair, bufs, strict=True):
            part.readblocks(block % 6, buf)
        assert bufs[0] == bufs[1]
    for sector in range(8):
        sparse.erase(sector)
    assert not sparse._written
