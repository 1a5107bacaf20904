"""The simulated NOR flash itself: what programs, erases, cuts and wear make of its cells."""

import random

import pytest

from hal_sim.bus import tear
from hal_sim.bus.flash import PAGE, SICK, FlashMisuse
from hal_sim.bus.partition import SECTOR, Flash, Partition, SparseFlash
from hal_sim.ends import PowerCut

ERASE = 6
KINDS = (Flash, SparseFlash)


def opened(kind=Flash, sectors=8, seed=1):
    flash = kind(sectors, seed)
    return flash, Partition(flash, lambda ms: None)


def read(part, sector=0, size=SECTOR, offset=0):
    buf = bytearray(size)
    part.readblocks(sector, buf, offset)
    return bytes(buf)


def torn(part, flash, mode, act):
    flash.tear, flash.cut_at = mode, 0
    with pytest.raises(PowerCut):
        act()


@pytest.mark.parametrize("kind", KINDS)
def test_programming_clears_bits_and_erasing_sets_them(kind):
    flash, part = opened(kind)
    part.writeblocks(1, b"\x0f" * 4, 10)
    part.writeblocks(1, b"\xf1" * 4, 12)
    assert read(part, 1, 8, 10) == b"\x0f\x0f\x01\x01\xf1\xf1\xff\xff"
    part.ioctl(ERASE, 1)
    assert read(part, 1) == b"\xff" * SECTOR
    assert (flash.programs, flash.programmed, flash.erases, flash.wear) == (2, 8, 1, {1: 1})
    assert (flash.reads, flash.read_bytes, flash.operations) == (2, 8 + SECTOR, 3)


def test_a_program_over_pages_is_one_operation_a_page():
    flash, part = opened()
    part.writeblocks(0, bytes(2 * PAGE), 100)
    assert flash.programs == 3
    for cut, whole in enumerate((0, 156, 412)):
        flash, part = opened()
        flash.cut_at, flash.tear = cut, "none"
        with pytest.raises(PowerCut):
            part.writeblocks(0, bytes(2 * PAGE), 100)
        assert read(part, 0).count(0) == whole
        assert flash.cut_at is None


def test_bits_that_were_cleared_are_counted():
    flash, part = opened()
    flash.count_bits = True
    part.writeblocks(0, b"\xfe\x00", 0)
    part.writeblocks(0, b"\xfc\x00", 0)
    assert flash.bits == 10


def test_a_one_over_a_zero_is_refused_when_strict_and_the_same_again_is_not():
    flash, part = opened()
    part.writeblocks(0, b"\x55\x55", 0)
    part.writeblocks(0, b"\xff", 0)
    flash.strict = True
    part.writeblocks(0, b"\x55\x55", 0)
    part.writeblocks(0, b"\x50\x55", 0)
    with pytest.raises(FlashMisuse, match="sector 0, bytes 0 to 1"):
        part.writeblocks(0, b"\x55\x55", 0)
    part.ioctl(ERASE, 0)
    part.writeblocks(0, b"\x55\x55", 0)
    assert not issubclass(FlashMisuse, Exception), "no handler of the firmware takes it for a flash that fails"


@pytest.mark.fault(2)
@pytest.mark.fault(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", tear.TEARS)
def test_a_torn_program_changes_its_own_bits_only_and_can_be_finished(kind, mode):
    seen = set()
    for seed in range(60):
        flash, part = opened(kind, seed=seed)
        flash.strict = True
        before, data = random.Random(seed).randbytes(40), bytes(range(seed, seed + 40))
        part.writeblocks(0, b"\x7f" * 4, 96)
        part.writeblocks(0, data[:3], 100)
        torn(part, flash, mode, lambda part=part, data=data: part.writeblocks(0, data, 100))
        looks = {read(part, 0, 40, 100) for _ in range(20)}
        seen |= {"whole"} if data in looks else set()
        seen |= {"steady" if len(looks) == 1 else "shaky"}
        for look in looks:
            assert look[:3] == data[:3] and all(one | two == one for one, two in zip(look, data, strict=True))
        assert read(part, 0, 4, 96) == b"\x7f" * 4 and read(part, 0, 60, 140) == b"\xff" * 60
        part.writeblocks(0, data, 100)
        assert {read(part, 0, 40, 100) for _ in range(20)} == {data} and not flash.shaky, before
    wanted = {"none": {"steady"}, "early": {"shaky"}, "prefix": {"steady", "whole"}, "bits": {"steady"},
              "shaky": {"shaky", "steady"}, "late": {"whole", "shaky", "steady"}, "done": {"whole", "steady"}}
    assert seen - {"whole"} <= wanted[mode] | {"whole"} and wanted[mode] - seen <= {"steady", "whole"}


@pytest.mark.fault(4)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", tear.TEARS)
def test_a_torn_erase_leaves_a_mix_that_another_erase_makes_good(kind, mode):
    for seed in range(20):
        flash, part = opened(kind, seed=seed)
        old = random.Random(seed).randbytes(SECTOR)
        part.writeblocks(3, old, 0)
        part.writeblocks(4, old, 0)
        torn(part, flash, mode, lambda part=part: part.ioctl(ERASE, 3))
        looks = {read(part, 3) for _ in range(12)}
        assert (len(looks) > 1) == (mode in ("shaky", "late"))
        changed = [look for look in looks if look != old]
        assert bool(changed) == (mode != "none")
        assert (b"\xff" * SECTOR in looks) == (mode == "done") or mode == "late"
        lost = any(one & ~two for look in looks for one, two in zip(old, look, strict=True))
        assert lost == (mode == "early"), "an erase clears bits only at its beginning"
        assert read(part, 4) == old
        part.ioctl(ERASE, 3)
        assert {read(part, 3) for _ in range(5)} == {b"\xff" * SECTOR} and not flash.shaky


@pytest.mark.fault(3)
def test_a_late_tear_is_mostly_read_as_whole_and_sometimes_not():
    good = bad = 0
    for seed in range(100):
        flash, part = opened(seed=seed)
        torn(part, flash, "late", lambda part=part: part.writeblocks(0, b"\x33" * 30, 0))
        for _ in range(10):
            whole = read(part, 0, 30) == b"\x33" * 30
            good, bad = good + whole, bad + (not whole)
    assert good > 200 and bad > 100


@pytest.mark.fault(4)
def test_an_early_torn_program_may_look_blank_and_spoil_what_is_written_over_it():
    """Why nobody may go on behind the last thing that reads well."""
    spoilt = 0
    for seed in range(50):
        flash, part = opened(seed=seed)
        torn(part, flash, "early", lambda part=part: part.writeblocks(0, bytes(60), 0))
        part.writeblocks(0, b"\xf0" * 60, 0)
        spoilt += any(read(part, 0, 60) != b"\xf0" * 60 for _ in range(20))
    assert spoilt > 40


@pytest.mark.parametrize("mode", [*tear.TEARS, "any"])
def test_what_chance_does_comes_from_the_seed(mode):
    def history(seed):
        flash, part = opened(seed=seed)
        part.writeblocks(0, b"old" * 1300, 0)
        torn(part, flash, mode, lambda: part.writeblocks(0, b"new" * 80, 256))
        torn(part, flash, mode, lambda: part.ioctl(ERASE, 0))
        return [read(part, 0) for _ in range(3)]

    assert history(5) == history(5)
    several = {tuple(history(seed)) for seed in range(9)}
    assert (len(several) == 1) == (mode in ("none", "done"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_brings_all_cells_back_the_shaky_too(kind):
    flash, part = opened(kind)
    torn(part, flash, "shaky", lambda: part.writeblocks(2, bytes(100), 50))
    image = flash.snapshot()
    looks = len({read(part, 2) for _ in range(9)})
    part.ioctl(ERASE, 2)
    part.writeblocks(5, bytes(9), 0)
    flash.restore(image)
    assert len({read(part, 2) for _ in range(9)}) > 1 < looks and read(part, 5) == b"\xff" * SECTOR


@pytest.mark.fault(9)
@pytest.mark.parametrize("how", SICK)
def test_a_sick_sector(how):
    flash, part = opened()
    part.writeblocks(1, b"\x0f" * 8, 0)
    flash.sick[1] = how
    if how == "unreadable":
        with pytest.raises(OSError):
            read(part, 0, 3 * SECTOR)
        assert read(part, 2) == b"\xff" * SECTOR
        return
    if how == "raises":
        for act in (lambda: part.writeblocks(1, bytes(8), 0), lambda: part.ioctl(ERASE, 1)):
            with pytest.raises(OSError):
                act()
        assert read(part, 1, 8) == b"\x0f" * 8
        return
    for mode in ("late", "bits"):
        if how == "silent":
            torn(part, flash, mode, lambda: part.ioctl(ERASE, 1))
    part.writeblocks(1, bytes(8), 0)
    assert read(part, 1, 8) == (bytes(8) if how in ("no_erase", "stuck") else b"\x0f" * 8)
    part.ioctl(ERASE, 1)
    lost = sum(bin(byte ^ 255).count("1") for byte in read(part, 1))
    assert {"silent": lost == 32, "no_program": lost == 0, "no_erase": lost == 64, "stuck": lost == 8}[how]


@pytest.mark.fault(15)
def test_a_sector_wears_out_after_its_erases():
    flash, part = opened()
    flash.wear_out(2, 5, "no_erase")
    for count in range(7):
        part.writeblocks(2, bytes(8), 0)
        part.ioctl(ERASE, 2)
        assert (read(part, 2, 8) == b"\xff" * 8) == (count < 5)
    assert flash.wear == {2: 7}


@pytest.mark.fault(10)
def test_a_dead_chip_raises_at_everything_and_a_read_may_fail_once():
    flash, part = opened()
    flash.read_error_at = 1
    read(part)
    with pytest.raises(OSError):
        read(part)
    read(part)
    flash.fault = "dead"
    for act in (lambda: read(part), lambda: part.writeblocks(0, b"x", 0), lambda: part.ioctl(ERASE, 0)):
        with pytest.raises(OSError):
            act()


def test_reading_takes_the_time_that_it_is_given_and_one_read_may_take_long():
    flash, waits = Flash(2), []
    part = Partition(flash, waits.append)
    read(part)
    assert waits == []
    flash.read_us = 300
    for _ in range(20):
        read(part, size=52)
    assert waits == [1] * 6
    flash.stall_at, flash.stall_ms = 1, 2500
    for _ in range(3):
        read(part)
    assert waits[6:] == [2500], "and what was left of the others"


@pytest.mark.parametrize("where", [(-1, 0), (8, 0), (7, 1), (0, -1)])
def test_out_of_range_is_an_error(where):
    _, part = opened()
    with pytest.raises(OSError):
        part.readblocks(where[0], bytearray(SECTOR), where[1])


def test_both_kinds_are_the_same_chip():
    for seed in range(4):
        pairs = [opened(kind, 8, seed) for kind in KINDS]
        rng = random.Random(seed)
        for _ in range(300):
            block, offset, data = rng.randrange(8), rng.randrange(SECTOR), rng.randbytes(rng.randrange(1, 700))
            what, cut = rng.randrange(3), 0 if rng.random() < 0.2 else None
            seen = []
            for flash, part in pairs:
                flash.tear, flash.cut_at = "any", cut
                try:
                    part.ioctl(ERASE, block) if what == 0 else part.writeblocks(block, data, offset)
                    seen.append("done")
                except (PowerCut, OSError) as error:
                    seen.append(type(error))
                flash.cut_at = None
            assert seen[0] == seen[1]
            assert len({read(part, block % 6, 3 * SECTOR) for _, part in pairs}) == 1
        assert pairs[0][0].programs == pairs[1][0].programs


def test_it_runs_on_the_board_s_python(micropython):
    """The same cuts, the same looks."""
    program = """
import sys
sys.path[:0] = ["."]
from hal_sim.bus.partition import Flash, Partition, SparseFlash
from hal_sim.ends import PowerCut
for kind in (Flash, SparseFlash):
    flash = kind(4, 9)
    part = Partition(flash, lambda ms: None)
    flash.tear = "any"
    total = 0
    for n in range(60):
        flash.cut_at = 0 if n % 3 == 0 else None
        try:
            if n % 7 == 6:
                part.ioctl(6, n % 4)
            else:
                part.writeblocks(n % 4, bytes([n]) * (n * 5 + 1), n * 9)
        except PowerCut:
            pass
        buf = bytearray(4096)
        part.readblocks(n % 4, buf)
        total = (total * 31 + sum(buf)) % 1000003
    print(total)
"""
    out = micropython(["-c", program]).split()
    spelled = []
    here = program.replace('import sys\nsys.path[:0] = ["."]\n', "").replace("print(total)", "told.append(str(total))")
    exec(compile(here, "here", "exec"), {"told": spelled})
    assert out == spelled and len(set(out)) == 1
