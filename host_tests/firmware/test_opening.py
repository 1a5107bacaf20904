"""The queue while its flash is being opened: what is made before, meanwhile and after, and with which identity."""

import asyncio
import json
import random

import flashed
import pytest
from lanes import check_order, identity
from queued import Kept, all_events, drain

from hal_sim.bus.partition import Partition
from hal_sim.ends import PowerCut

NAMES = ("door.opened", "emergency.dialled", "status")


class Opening(Kept):
    """A gateway that makes records while its queue is opened; `made` are the identities of all, told when numbered."""

    def __init__(self, sectors=32, seed=1):
        super().__init__(sectors)
        self.dice = random.Random(seed)
        self.numbered = []

    def boot(self, **more):
        super().boot(**more)
        append = self.queue.append

        def told(boot, seq, data, stream):
            self.numbered.append((boot, seq))
            append(boot, seq, data, stream)

        self.queue.append = told
        return self.recorder

    def some(self, most=4):
        """Up to so many records of all sorts; their seqs."""
        made = []
        for _ in range(self.dice.randrange(most)):
            name = self.dice.choice(NAMES)
            make = self.recorder.periodic if name == "status" else self.recorder.event
            made.append(make(name, filling="x" * self.dice.choice((0, 50, 300))))
        return made


def lanes(queue):
    return queue.alarms, queue.events, queue.data


def everything(queue):
    return [record for lane in lanes(queue) for _, record in drain(lane)]


# ---------------------------------------------------------------------------------- order
@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-07")
@pytest.mark.parametrize("seed", range(12))
def test_boot_after_boot_each_record_once_and_in_order_whatever_was_made_before_during_and_after(seed):
    home = Opening(128, seed)
    made, delivered = [], []
    for _ in range(12):
        home.boot(settle=False, opened=False)
        seqs = home.some(3)
        for _ in home.queue.opening():
            seqs += home.some(2)
            assert [lane.peek() for lane in lanes(home.queue)] == [None] * 3, "older ones may be in flash"
        boot = home.recorder.boot
        under_way = {lane: [] for lane in lanes(home.queue)}
        for _ in range(8):
            seqs += home.some()
            home.queue._step()
            for lane in lanes(home.queue):
                if home.dice.random() < 0.3:
                    lane.rewind()
                    under_way[lane].clear()
                found = under_way[lane]
                found += drain(lane, home.dice.randrange(4))
                if found and home.dice.random() < 0.5:
                    delivered += [record for _, record in found]
                    lane.acknowledge(found[-1][0], len(found))
                    found.clear()
        assert seqs == list(range(1, len(seqs) + 1))
        home.work()
        assert not home.queue._memory
        home.queue.flash.flush_acks()
        made += [(boot, seq) for seq in seqs]
    assert home.numbered == made
    for lane in lanes(home.queue):
        lane.rewind()
    delivered += everything(home.queue)
    check_order(_once(delivered))
    assert {identity(record) for record in delivered} == set(made)


def _once(records):
    seen, once = set(), []
    for record in records:
        if identity(record) not in seen:
            seen.add(identity(record))
            once.append(record)
    return once


@pytest.mark.req("TEL-02")
def test_what_is_in_memory_is_not_given_before_it_is_known_what_flash_has():
    """An answer for it would be one for all older ones."""
    kept = Kept()
    boot = kept.boot().boot
    kept.recorder.event("door.opened", index=0)
    kept.work()
    kept.boot(opened=False, settle=False)
    queue = kept.queue
    queue.append(boot + 1, 1, b'{"index":1}', 1)
    for _ in queue.opening():
        assert queue.events.peek() is None and queue.waiting() == 1
    queue.append(boot + 1, 2, b'{"index":2}', 1)
    assert [record["index"] for _, record in drain(queue.events)] == [0, 1, 2]


@pytest.mark.req("TEL-02")
@pytest.mark.fault(1)
def test_a_power_cut_at_any_operation_of_the_opening_costs_only_what_was_in_memory():
    cuts = 0
    for operation in range(60):
        home = Opening(seed=operation)
        home.boot()
        for _ in range(40):
            home.some()
            home.work()
        before = [identity(record) for record in everything(home.queue)]
        boot = home.recorder.boot
        home.flash.tear, home.flash.cut_at = "any", operation
        home.boot(settle=False, opened=False)
        try:
            for _ in home.queue.opening():
                home.some(2)
            home.work()
        except PowerCut:
            cuts += 1
        home.flash.cut_at = None
        home.boot()
        found = [identity(record) for record in everything(home.queue)]
        assert set(before) <= set(found) and len(found) == len(set(found))
        assert home.recorder.boot > boot
        assert {one for one in found if one not in before} <= set(home.numbered)
    assert cuts > 20


# ---------------------------------------------------------------------------------- identity
@pytest.mark.req("TEL-07")
def test_a_record_made_before_the_number_is_known_has_the_time_it_was_made_at_and_what_it_was_made_of():
    kept = Kept()
    kept.boot()
    kept.boot(opened=False, settle=False)
    last = kept.recorder
    causes = ["fire"]
    kept.clock.now = 1234
    assert last.event("emergency.triggered", causes=causes) == 1 and last.boot == 0 and last.unnumbered() == 1
    causes.append("button")
    kept.clock.now, kept.clock.offset = 9999, 5_000_000
    assert last.event("emergency.dialled") == 2
    for _ in kept.queue.opening():
        pass
    assert last.event("emergency.answered") == 3 and last.unnumbered() == 0
    first, second, third = (record for _, record in drain(kept.queue.alarms))
    assert (first["up"], first["at"], first["clock"], first["causes"]) == (1234, None, "unset", ["fire"])
    assert (second["up"], second["at"], second["clock"]) == (9999, 5_009_999, "set")
    assert {record["boot"] for record in (first, second, third)} == {last.boot} and last.boot > 0
    assert sorted(first) == sorted([*second, "causes"]) and sorted(second) == sorted(third)


@pytest.mark.req("TEL-07")
@pytest.mark.fault(80)
@pytest.mark.parametrize("journal, flash, number", [(0, 7, 8), (7, 0, 8), (7, 9, 10), (9, 7, 10)])
def test_the_number_is_larger_than_what_either_knows(journal, flash, number):
    kept = Kept()
    if flash:
        kept.journal = flash - 1
        kept.boot().event("door.opened")
        assert kept.recorder.boot == flash
    kept.journal = journal
    assert kept.boot().boot == number


@pytest.mark.req("TEL-02")
@pytest.mark.fault(11)
def test_what_found_no_room_before_the_number_was_known_is_counted_and_told_with_its_identity():
    kept = Kept(64)
    kept.boot(opened=False, settle=False)
    made = kept.recorder
    made.event("emergency.triggered")
    for index in range(300):
        made.periodic("status", index=index)
        made.event("door.opened", index=index)
    assert made.unnumbered() == 250
    for _ in kept.queue.opening():
        pass
    kept.work()
    found = all_events(kept.queue)
    told = [record for _, record in found if record["event"] == "queue.dropped"]
    boot = made.boot
    assert [(one["stream"], one["count"], one["first"], one["last"]) for one in told] == [
        ("periodic", 300, [boot, 2], [boot, 600]), ("event", 51, [boot, 3], [boot, 103])]
    assert kept.queue.dropped == 351
    assert [record.get("index") for _, record in found][:250] == [None, *range(51, 300)]
    assert drain(kept.queue.data) == []


def test_the_bytes_kept_before_the_number_is_known_are_bounded_too():
    kept = Kept()
    made = kept.boot(opened=False, settle=False)
    for _ in range(200):
        made.periodic("status", filling="x" * 2500)
    assert made._stage._bytes <= 64 * 1024 and 20 <= made.unnumbered() <= 26


def test_a_record_that_is_too_long_with_the_number_is_refused_without_it_too():
    kept = Kept()
    made = kept.boot(opened=False, settle=False)
    longest = next(size for size in range(2990, 0, -1) if made.event("a", text="x" * size))
    for _ in kept.queue.opening():
        pass
    kept.work()
    [(_, record)] = drain(kept.queue.events)
    assert len(json.dumps(record, separators=(",", ":"))) <= 3072 and len(record["text"]) == longest > 2900


@pytest.mark.req("TEL-02")
@pytest.mark.fault(82)
def test_a_failure_in_the_middle_of_numbering_loses_nothing_and_the_number_stays():
    kept = Kept()
    kept.clock.offset = 1_767_225_600_000 + 10_000_000
    made = kept.boot(opened=False, settle=False)
    for index in range(5):
        made.event("door.opened", index=index)
    append, left = kept.queue.append, [2]

    def fails(*args):
        left[0] -= 1
        if left[0] == -1:
            raise MemoryError
        append(*args)

    kept.queue.append = fails
    with pytest.raises(MemoryError):
        list(kept.queue.opening())
    assert not kept.queue.opened.is_set() and made.boot == 0
    kept.clock.now += 60_000
    made.event("door.opened", index=5)
    list(kept.queue.opening())
    kept.work()
    found = [record for _, record in drain(kept.queue.events)]
    assert [record["index"] for record in found] == list(range(6))
    assert {record["boot"] for record in found} == {made.boot}


@pytest.mark.req("TEL-02")
@pytest.mark.fault(10)
def test_a_fault_that_is_recorded_while_the_first_records_get_their_number_comes_behind_them():
    kept = Kept()
    made = kept.boot(opened=False, settle=False)
    kept.queue.on_fault = lambda what: made.event("gateway.fault", fault="queue", what=what)
    for index in range(3):
        made.event("door.opened", index=index)
    kept.queue._trouble("something")
    list(kept.queue.opening())
    kept.queue._trouble("and more")
    made.event("door.opened", index=3)
    found = [record for _, record in drain(kept.queue.events)]
    assert [record["seq"] for record in found] == [1, 2, 3, 4, 5, 6]
    assert [record.get("index") for record in found] == [0, 1, 2, None, 3, None]


# ---------------------------------------------------------------------------------- what goes wrong
class Bad(Partition):
    """A partition whose n-th read raises."""

    raises = RuntimeError
    after = 10

    def readblocks(self, *args):
        self.after -= 1
        if self.after < 0:
            raise self.raises("broken")
        super().readblocks(*args)


@pytest.mark.req("EMG-19")
@pytest.mark.fault(85)
@pytest.mark.parametrize("raises", [RuntimeError, MemoryError])
def test_an_opening_that_raises_leaves_a_queue_in_memory_and_a_number_from_the_journal(raises):
    kept = Kept()
    made = kept.boot()
    made.event("door.opened", index=0)
    kept.work()
    kept.journal = made.boot
    made = kept.boot(opened=False, settle=False)
    bad = kept.queue._closed.sectors._flash = Bad(kept.flash, lambda ms: None)
    bad.raises = raises
    told = []
    kept.queue.on_fault = told.append
    made.event("door.opened", index=1)
    list(kept.queue.opening())
    made.event("door.opened", index=2)
    kept.work()
    assert made.boot == kept.journal + 1 and kept.queue.flash is None
    assert told and raises.__name__ in told[0]
    found = drain(kept.queue.events)
    assert [record["index"] for _, record in found] == [1, 2] and kept.queue.waiting() == 4
    kept.queue.events.acknowledge(found[-1][0], 2)
    assert kept.queue.waiting() == 0
    kept.journal = made.boot
    kept.boot()
    assert [record["index"] for _, record in drain(kept.queue.events)] == [0], "what flash has waits for another start"


# ---------------------------------------------------------------------------------- the task
def play(monkeypatch, kept, turns, act=None):
    """Run the queue's task for so many turns of the loop; act(turn) is called before each."""
    clock = flashed.Clock()
    flashed.patch(monkeypatch, clock)

    async def live():
        task = asyncio.ensure_future(kept.queue.run())
        try:
            for turn in range(turns):
                if act:
                    act(turn)
                await asyncio.sleep(0)
                if task.done():
                    task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(live())


@pytest.mark.req("EMG-19")
def test_others_run_between_the_pieces_and_an_emergency_does_not_hold_it_back(monkeypatch):
    kept = Kept(256)
    kept.boot(settle=False, opened=False)
    kept.queue.hold = lambda: True
    reads = [kept.flash.reads]
    play(monkeypatch, kept, 280, lambda turn: reads.append(kept.flash.reads))
    assert kept.queue.opened.is_set() and reads[-1] >= 256
    assert max(after - before for before, after in zip(reads, reads[1:], strict=False)) <= 2
    assert kept.flash.erases == 0


@pytest.mark.req("EMG-19")
def test_what_waited_for_the_opening_goes_to_flash_some_at_a_time(monkeypatch):
    """Each is some milliseconds of flash, in which no button is read."""
    kept = Kept(64)
    kept.boot()
    kept.boot(settle=False, opened=False)
    for index in range(70):
        kept.recorder.event("door.opened", index=index, filling="x" * 200)
    programs = [kept.flash.programs]
    play(monkeypatch, kept, 160, lambda turn: programs.append(kept.flash.programs))
    steps = [after - before for before, after in zip(programs, programs[1:], strict=False)]
    assert not kept.queue._memory and sum(steps) >= 140
    assert max(steps) <= 8 * 4
    assert [record["index"] for _, record in drain(kept.queue.events)] == list(range(70))


@pytest.mark.req("TEL-02")
@pytest.mark.fault(85)
def test_a_task_that_died_in_the_middle_opens_anew(monkeypatch):
    kept = Kept(128)
    kept.boot().event("door.opened", index=0)
    kept.work()
    kept.boot(settle=False, opened=False)
    kept.recorder.event("door.opened", index=1)
    for turns in (3, 12, 25):
        play(monkeypatch, kept, turns)
        assert not kept.queue.opened.is_set()
    kept.recorder.event("door.opened", index=2)
    play(monkeypatch, kept, 200)
    assert [record["index"] for _, record in drain(kept.queue.events)] == [0, 1, 2]
    assert kept.queue.opened.is_set() and not kept.queue._memory
