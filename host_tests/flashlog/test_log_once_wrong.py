"""What was once found wrong in the flash log."""

import random

import pytest
from flashlog.ledger import Gateway, false_alarms, read_all

from firmware.flashlog import layout
from hal_sim.bus.partition import SECTOR
from hal_sim.ends import PowerCut


def started(seed=1, sectors=14):
    gateway = Gateway(sectors, random.Random(seed), sizes=(300,))
    gateway.flash.reseed(seed)
    gateway.boot()
    gateway.rest()
    return gateway


def cut(gateway, mode, act, at=0):
    gateway.flash.tear, gateway.flash.cut_at = mode, at
    with pytest.raises(PowerCut):
        act()
    gateway.was_cut()
    gateway.flash.tear, gateway.flash.cut_at = "any", None


@pytest.mark.fault(3)
def test_a_sector_whose_opening_was_torn_and_looked_blank_is_not_called_worn():
    """It took the next header badly, and the maintenance people would have been sent."""
    again = 0
    for seed in range(60):
        gateway = started(seed)
        cut(gateway, "early", lambda gateway=gateway: gateway.append(1))
        gateway.boot()
        gateway.ledger.settle(gateway.log)
        gateway.rest()
        erases = gateway.flash.erases
        for _ in range(40):
            assert gateway.append(1)
            gateway.rest()
        again += gateway.flash.wear[0] == 2 and gateway.flash.erases > erases
        assert not false_alarms(gateway.troubles)
        gateway.ledger.judge(gateway.log, fresh=False)
        gateway.ledger.judge(gateway.boot())
    assert again > 5, "it was erased once more before it was used"


@pytest.mark.fault(3)
def test_what_was_torn_so_early_that_it_looked_blank_does_not_come_up_later_as_rot():
    for seed in range(60):
        gateway = started(seed)
        assert gateway.append(1)
        cut(gateway, "early", lambda gateway=gateway: gateway.append(1))
        gateway.boot()
        gateway.ledger.settle(gateway.log)
        for _ in range(10):
            gateway.log.sectors.load(13)  # so that the sector is read anew
            gateway.ledger.judge(gateway.log)
        assert not false_alarms(gateway.troubles)


@pytest.mark.fault(6)
def test_a_cut_in_settling_behind_a_sector_that_was_opened_in_vain_is_settled_by_the_next_start():
    """The opened sector is seen by one start and not by the next; the one before it was left half struck out."""
    shaky = 0
    for seed in range(40):
        gateway = started(seed)
        while gateway.log.chains[1][1:] == []:
            before = gateway.flash.snapshot(), len(gateway.ledger.must[1])
            assert gateway.append(1)
        gateway.flash.restore(before[0])
        del gateway.ledger.must[1][before[1] :]
        gateway.boot()
        for mode in ("late", "shaky", "late"):
            for at in range(5):
                gateway.flash.tear, gateway.flash.cut_at = mode, at
                try:
                    gateway.boot()
                    gateway.append(1)
                except PowerCut:
                    gateway.was_cut()
                    shaky += bool(gateway.flash.shaky)
                gateway.flash.cut_at = None
                gateway.boot()
                gateway.ledger.settle(gateway.log)
                gateway.ledger.judge(gateway.log)
        assert not false_alarms(gateway.troubles)
    assert shaky > 20


@pytest.mark.fault(7)
def test_data_of_ff_do_not_end_a_sector():
    """A record that rots is searched through; 16 bytes of FF in it were taken for the end, and hid what follows."""
    for bit in range(0, 8 * 60, 7):
        gateway = started()
        for data in (b"first", b"\xff" * 80, b"third", b"\xff" * 16 + b"fourth" + b"\xff" * 40, b"fifth"):
            assert gateway.append(0, data)
        sector = gateway.log.chains[0][0]
        start = layout.HEAD + layout.size_of(5)
        gateway.flash.cells[sector * SECTOR + start + bit // 8] ^= 1 << bit % 8
        gateway.ledger.rotten.add((1, 2))
        gateway.ledger.judge(gateway.boot())
        assert [record[1] for record in read_all(gateway.log, 0) if record[1] != 2] == [1, 3, 4, 5]
