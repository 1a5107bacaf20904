"""Identity and order of records, and what goes first when the queue is full."""

import json

import pytest

from firmware.records import Queue, Recorder


class Clock:
    now = 1000
    offset = None

    def ms(self):
        return self.now

    def wall_ms(self, at_ms):
        return None if self.offset is None else self.offset + at_ms


class Log:
    lines: list = []

    def error(self, text):
        self.lines.append(text)


def recorder():
    queue = Queue()
    return Recorder(Clock(), queue, 7, lambda: False, Log()), queue


@pytest.mark.req("EMG-11")
def test_identity_has_no_gaps_and_time_says_how_far_it_can_be_trusted():
    made, queue = recorder()
    for name in ("a", "b", "c"):
        made.event(name, extra=1)
    made._clock.offset = 5_000_000
    made.event("d", test=True)
    records = [json.loads(data) for _, data in queue.window(9)]
    assert [(r["boot"], r["seq"]) for r in records] == [(7, 1), (7, 2), (7, 3), (7, 4)]
    assert [(r["at"], r["clock"]) for r in records] == [(None, "unset")] * 3 + [(5_001_000, "set")]
    assert [r["test"] for r in records] == [False, False, False, True]
    assert records[0]["kind"] == "event" and records[0]["event"] == "a" and records[0]["extra"] == 1


def test_a_full_queue_drops_the_oldest_that_is_no_emergency_and_counts():
    made, queue = recorder()
    made.event("emergency.triggered")
    for index in range(400):
        made.event("door.opened", index=index)
    kept = [json.loads(data) for _, data in queue.window(1000)]
    assert kept[0]["event"] == "emergency.triggered"
    assert len(kept) + queue.dropped == 401
    assert kept[-1]["index"] == 399


def test_an_unknown_acknowledgement_changes_nothing():
    made, queue = recorder()
    made.event("a")
    assert not queue.ack(99) and len(queue) == 1
    assert queue.ack(1) and len(queue) == 0


def test_what_cannot_be_encoded_is_counted_and_never_raised():
    made, queue = recorder()
    assert made.event("a", bad={1, 2}) == 0
    assert made.failures == 1 and len(queue) == 0
    assert made.event("b") == 1


@pytest.mark.req("ZB-12")
def test_periodic_records_go_before_events_and_emergencies_last():
    made, queue = recorder()
    made.event("emergency.triggered")
    made.event("door.opened")
    for index in range(300):
        made.periodic("status", index=index)
    kept = [json.loads(data) for _, data in queue.window(1000)]
    assert [one["kind"] for one in kept[:3]] == ["event", "event", "status"]
    for index in range(300):
        made.event("door.closed", index=index)
    kept = [json.loads(data) for _, data in queue.window(1000)]
    assert {one["kind"] for one in kept} == {"event"}
    assert kept[0]["event"] == "emergency.triggered" and kept[-1]["index"] == 299
    for index in range(300):
        made.event("emergency.dialled", attempt=index)
    made.periodic("activity")
    kept = [json.loads(data) for _, data in queue.window(1000)]
    assert {one["event"] for one in kept} <= {"emergency.triggered", "emergency.dialled"}
    assert len(kept) + queue.dropped == 903 and kept[-1]["attempt"] == 299


def test_a_periodic_record_has_its_kind_and_identity():
    made, queue = recorder()
    made.event("a")
    assert made.periodic("status", sensor="kitchen") == 2
    record = json.loads(queue.window(2)[1][1])
    assert record["kind"] == "status" and record["seq"] == 2 and "event" not in record
