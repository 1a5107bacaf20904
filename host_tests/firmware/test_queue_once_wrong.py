"""What was once found wrong in the queue and the flash log beneath it, each shown by a test."""

import random

import pytest
from queued import Kept, drain


def told_of(kept):
    """As the gateway does it: a fault of the queue is a record."""
    made = kept.boot()
    kept.queue.on_fault = lambda what: made.event("gateway.fault", fault="queue", what=what)
    return made


def doors(kept):
    return [record["index"] for _, record in drain(kept.queue.events) if record["event"] == "door.opened"]


@pytest.mark.req("TEL-02")
@pytest.mark.fault(10)
def test_the_record_that_finds_the_flash_dead_is_not_overtaken_by_the_record_of_that():
    """The fault was recorded before the record that met it was kept: behind its successor it was never delivered."""
    kept = Kept(32)
    made = told_of(kept)
    for index in range(10):
        made.event("door.opened", index=index)
        if index == 4:
            kept.flash.fault = "silent"
    found = [record for _, record in drain(kept.queue.events)]
    assert [record["seq"] for record in found] == list(range(1, len(found) + 1))
    assert [record["index"] for record in found if record["event"] == "door.opened"] == list(range(10))
    assert [record["event"] for record in found].count("gateway.fault") >= 1


@pytest.mark.req("TEL-02")
@pytest.mark.fault(9)
@pytest.mark.parametrize("how", ["raises", "no_program"])
@pytest.mark.parametrize("since", [0, 20])
def test_a_sector_that_fails_while_it_is_opened_costs_no_record_when_that_is_told(how, since):
    kept = Kept(48)
    made = told_of(kept)
    for index in range(200):
        if index == since:
            for sector in range(1, 48, 3):
                kept.flash.sick[sector] = how
        made.event("door.opened", index=index, filling="x" * 150)
        kept.work()
    assert doors(kept) == list(range(200))
    kept.boot()
    assert doors(kept) == list(range(200))


def test_who_is_told_of_a_new_record_and_fails_does_not_have_it_made_twice():
    kept = Kept(32)
    made = kept.boot()

    def fails():
        raise MemoryError

    kept.queue.on_record = fails
    assert made.event("door.opened", index=0) == 1
    assert made.event("door.opened", index=1) == 2
    assert doors(kept) == [0, 1]


@pytest.mark.req("EMG-19")
@pytest.mark.fault(8)
def test_a_partition_full_of_rubbish_is_not_searched_until_the_watchdog_bites():
    """Never erased before: a search of all of it took 10 s on the board, at each start, with the buttons dead."""
    dice = random.Random(1)
    kept = Kept(256)
    kept.flash.cells[:] = dice.randbytes(len(kept.flash.cells))
    made = kept.boot(settle=False)
    assert kept.flash.read_bytes < 256 * 52 + 20 * 4096
    assert kept.queue.last_boot() == 0, "nothing of it is taken for a record"
    kept.work()
    for index in range(30):
        made.event("door.opened", index=index)
    kept.boot()
    assert doors(kept) == list(range(30))


@pytest.mark.fault(8)
def test_among_some_rubbish_a_sector_with_a_rotten_header_is_still_found():
    kept = Kept(64)
    made = kept.boot()
    made.event("door.opened", index=0)
    used = next(at for at in range(64) if kept.flash.cells[at * 4096] != 0xFF)
    kept.flash.cells[used * 4096 + 4] ^= 0x10
    for sector in range(15):
        at = (used + 20 + sector) % 64 * 4096
        kept.flash.cells[at:at + 4096] = random.Random(sector).randbytes(4096)
    kept.boot()
    assert doors(kept) == [0]


@pytest.mark.req("TEL-02")
@pytest.mark.fault(9)
def test_a_sector_that_failed_at_its_first_record_does_not_give_back_the_one_that_took_it():
    """Both begin with the same record; after a start the failed one stood behind, and an answer freed the other."""
    kept = Kept(16)
    made = kept.boot()
    program, failed = kept.partition._program, []

    def fails_once(start, data):
        if start == 15 * 4096 + 52 and not failed:  # the last one: the next in turn has a lower number
            failed.append(start)
            raise OSError(5)
        program(start, data)

    kept.partition._program = fails_once
    index = 0
    while not failed:
        found = drain(kept.queue.events)
        if found:
            kept.queue.events.acknowledge(found[-1][0], len(found))
        made.event("door.opened", index=index, filling="x" * 300)
        kept.work()
        index += 1
    for more in range(6):
        made.event("door.opened", index=index + more, filling="x" * 300)
    assert doors(kept) == list(range(index - 1, index + 6))
    made = kept.boot()
    made.event("door.closed")
    kept.work()
    found = drain(kept.queue.events)
    sent = next(at for at, (_, record) in enumerate(found) if record.get("index") == index - 1)
    kept.queue.events.acknowledge(found[sent][0], sent + 1)
    kept.work()
    kept.queue.events.rewind()
    assert doors(kept) == list(range(index, index + 6))
    kept.boot()
    assert doors(kept)[-6:] == list(range(index, index + 6))
