"""The queue: what goes first when there is no room, what a dead or worn flash costs, and the order of a lane."""

import asyncio
import json

import flashed
import pytest
from queued import Kept, all_events, drain

from firmware.queue import Queue
from hal_sim.ends import PowerCut


def names(found):
    return [record.get("event") or record["kind"] for _, record in found]


@pytest.mark.req("TEL-02")
@pytest.mark.fault(1)
def test_what_was_recorded_is_there_after_a_power_cut_at_any_flash_operation():
    """Records in flash when `event` returned; cut at the n-th operation, for every n of a busy start."""
    for operation in range(120):
        kept = Kept(16)
        made = kept.boot()
        kept.flash.cut_at = operation
        kept.flash.tear = "any"
        sure = []
        try:
            for index in range(60):
                seq = made.event("emergency.dialled" if index % 7 == 0 else "door.opened", index=index)
                if not kept.queue._memory:
                    sure.append(seq)
                kept.work()
        except PowerCut:
            pass
        kept.flash.cut_at = None
        kept.boot()
        found = [record["seq"] for _, record in all_events(kept.queue)]
        assert set(sure) <= set(found), operation
        assert len(set(found) - set(sure)) <= 1


@pytest.mark.req("TEL-02")
def test_each_lane_comes_in_the_order_it_was_made():
    kept = Kept()
    made = kept.boot()
    for index in range(100):
        made.event("emergency.dialled", index=index)
        made.event("door.opened", index=index)
        made.periodic("status", index=index)
        kept.work()
    made = kept.boot()
    made.event("door.closed", index=100)
    queue = kept.queue
    assert [record["index"] for _, record in drain(queue.alarms)] == list(range(100))
    assert [record["index"] for _, record in drain(queue.events)] == list(range(101))
    assert [record["index"] for _, record in drain(queue.data)] == list(range(100))


@pytest.mark.req("TEL-03")
@pytest.mark.fault(11)
def test_room_runs_out_periodic_goes_first_emergencies_last_and_what_goes_is_told():
    kept = Kept(24)
    made = kept.boot()
    made.event("emergency.triggered")
    for index in range(20):
        made.event("door.opened", index=index)
    for index in range(1000):
        made.periodic("status", index=index, filling="x" * 200)
        kept.work()
    events = all_events(kept.queue)
    told = [record for _, record in events if record["event"] == "queue.dropped"]
    left = [record["seq"] for _, record in drain(kept.queue.data)]
    assert names(events)[:21] == ["emergency.triggered"] + ["door.opened"] * 20
    assert told and {record["stream"] for record in told} == {"periodic"}
    assert sum(record["count"] for record in told) == kept.queue.dropped == 1000 - len(left)
    assert left == sorted(left) and left[-1] > 1000, "the newest are kept"
    gone = [seq for record in told for seq in range(record["first"][1], record["last"][1] + 1)]
    assert not set(gone) & set(left)


@pytest.mark.req("TEL-03")
@pytest.mark.fault(11)
def test_events_go_before_emergencies_when_nothing_else_is_left():
    kept = Kept(24)
    made = kept.boot()
    for index in range(5):
        made.event("emergency.dialled", index=index)
    for index in range(1500):
        made.event("door.opened", index=index, filling="x" * 150)
        kept.work()
    events = all_events(kept.queue)
    assert names(events)[:5] == ["emergency.dialled"] * 5
    dropped = [record for _, record in events if record["event"] == "queue.dropped"]
    assert dropped and dropped[-1]["stream"] == "event"


@pytest.mark.fault(10)
@pytest.mark.parametrize("sectors, fault", [(0, ""), (32, "dead"), (32, "silent")])
def test_without_flash_memory_keeps_what_matters_most(sectors, fault):
    kept = Kept(sectors)
    if kept.flash is not None:
        kept.flash.fault = fault
    made = kept.boot()
    assert kept.queue.faults, "it is said"
    made.event("emergency.triggered")
    for index in range(300):
        made.periodic("status", index=index)
        made.event("door.opened", index=index)
    found = all_events(kept.queue)
    assert names(found)[0] == "emergency.triggered" and found[-1][1]["index"] == 299
    assert names(drain(kept.queue.data)) == []
    assert kept.queue.dropped == 601 - 250
    kept.queue.alarms.acknowledge(found[0][0], 1)
    kept.queue.events.acknowledge(found[-1][0], len(found) - 1)
    assert not kept.queue._memory and kept.queue.waiting() == 0


@pytest.mark.req("EMG-19")
@pytest.mark.fault(16)
def test_nothing_is_erased_while_an_emergency_is_open_and_nothing_is_lost_then():
    kept = Kept(64)
    made = kept.boot()
    kept.queue.hold = lambda: True
    before = kept.flash.erases
    for index in range(200):
        made.event("emergency.dialled", attempt=index, filling="x" * 200)
        kept.work()
    assert kept.flash.erases == before
    assert kept.queue._memory, "the sectors that were erased ahead are full: the rest waits in memory"
    assert [record["attempt"] for _, record in drain(kept.queue.alarms)] == list(range(200))
    kept.queue.hold = lambda: False
    kept.work()
    assert not kept.queue._memory and kept.flash.erases > before
    kept.boot()
    assert [record["attempt"] for _, record in drain(kept.queue.alarms)] == list(range(200))


@pytest.mark.fault(10)
def test_what_memory_dropped_is_told_once_there_is_room():
    kept = Kept(32)
    made = kept.boot(settle=False)
    kept.queue.hold = lambda: True  # no sector is ready, and none gets ready
    for index in range(400):
        made.periodic("status", index=index)
    assert kept.queue.dropped == 150
    kept.queue.hold = lambda: False
    kept.work()
    told = drain(kept.queue.events)
    assert [(record["stream"], record["count"]) for _, record in told] == [("periodic", 150)]
    assert [record["index"] for _, record in drain(kept.queue.data)] == list(range(150, 400))


def test_a_reader_goes_on_where_it_was_when_memory_is_emptied_into_flash():
    kept = Kept(32)
    made = kept.boot(settle=False)
    for index in range(20):
        made.event("door.opened", index=index)
    assert [record["index"] for _, record in drain(kept.queue.events, 10)] == list(range(10))
    kept.work()
    assert not kept.queue._memory
    assert [record["index"] for _, record in drain(kept.queue.events)] == list(range(10, 20))
    kept.queue.events.rewind()
    assert [record["index"] for _, record in drain(kept.queue.events)] == list(range(20))


@pytest.mark.req("TEL-02")
def test_acknowledged_records_do_not_come_again_but_for_those_not_written_down():
    kept = Kept(32)
    made = kept.boot()
    for index in range(100):
        made.event("door.opened", index=index)
    found = drain(kept.queue.events)
    kept.queue.events.acknowledge(found[49][0], 50)
    kept.queue.events.rewind()
    assert drain(kept.queue.events, 1)[0][1]["index"] == 50
    kept.work()
    kept.boot()
    first = drain(kept.queue.events, 1)[0][1]["index"]
    assert 40 < first <= 50


def test_few_acknowledgements_are_written_down_within_the_hour(monkeypatch):
    kept = Kept(32)
    made = kept.boot()
    kept.clock.now = 0
    made.event("a")
    made.event("b")
    kept.queue.events.acknowledge(drain(kept.queue.events)[-1][0], 2)
    kept.work()
    kept.clock.now += 3_600_000
    kept.work()
    kept.boot()
    assert drain(kept.queue.events) == []


@pytest.mark.fault(9)
def test_a_worn_sector_is_passed_over_and_told():
    kept = Kept(32)
    for sector in range(0, 32, 3):
        kept.flash.sick[sector] = "no_program"
    told = []
    made = kept.boot(settle=False)
    kept.queue.on_fault = told.append
    kept.work()
    for index in range(150):
        made.event("door.opened", index=index, filling="x" * 100)
        kept.work()
    assert [record["index"] for _, record in drain(kept.queue.events)] == list(range(150))
    assert told and any("worn" in what for what in told)


def test_the_task_does_all_of_it(monkeypatch):
    clock = flashed.Clock()
    flashed.patch(monkeypatch, clock)
    kept = Kept(32)
    made = kept.boot(settle=False)
    made.event("a")
    assert kept.queue._memory, "no sector is erased yet"

    async def live():
        task = asyncio.ensure_future(kept.queue.run())
        for _ in range(200):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(live())
    assert not kept.queue._memory and kept.flash.erases >= 8


def test_a_queue_that_cannot_be_opened_is_one_in_memory():
    class Broken:
        def ioctl(self, *_):
            raise RuntimeError("no")

    kept = Kept(0)
    queue = Queue(Broken(), kept.clock, type("L", (), {"error": lambda self, text: None})())
    queue.append(1, 1, json.dumps({"a": 1}).encode(), 1)
    assert queue.events.peek() is None, "nobody knows yet what flash has"
    for _ in queue.opening():
        pass
    assert queue.events.peek() == (1 << 32 | 1, b'{"a": 1}')


@pytest.mark.fault(10)
def test_without_flash_too_what_was_dropped_is_told_once_there_is_room():
    kept = Kept(0)
    made = kept.boot()
    for index in range(400):
        made.periodic("status", index=index)
    kept.work()
    assert drain(kept.queue.events) == [], "telling it would drop one more"
    found = drain(kept.queue.data)
    kept.queue.data.acknowledge(found[199][0], 200)
    kept.work()
    assert [record["count"] for _, record in drain(kept.queue.events)] == [150]
