"""Identity and times of records."""

import json

import pytest
from queued import Kept, all_events, drain

from firmware.flashlog.layout import MAX_DATA
from firmware.records import dated

YEAR_S = 1_767_225_600


@pytest.mark.req("TEL-07")
@pytest.mark.req("EMG-11")
def test_identity_has_no_gaps_over_both_lanes_and_time_says_how_far_it_can_be_trusted():
    kept = Kept()
    made = kept.boot()
    for name in ("a", "b", "c"):
        made.event(name, extra=1)
    kept.clock.offset = 5_000_000
    kept.clock.now += 500
    made.event("d", test=True)
    made.periodic("status", sensor="kitchen")
    records = sorted((record for lane in (kept.queue.events, kept.queue.data) for _, record in drain(lane)),
                     key=lambda record: record["seq"])
    assert [(r["boot"], r["seq"]) for r in records] == [(made.boot, seq) for seq in (1, 2, 3, 4, 5)]
    assert [(r["at"], r["clock"]) for r in records[:4]] == [(None, "unset")] * 3 + [(5_001_500, "set")]
    assert [r["up"] for r in records] == [1000, 1000, 1000, 1500, 1500]
    assert records[0]["kind"] == "event" and records[0]["event"] == "a" and records[0]["extra"] == 1
    assert records[4]["kind"] == "status" and "event" not in records[4]


@pytest.mark.req("TEL-06")
def test_what_is_made_in_test_mode_says_so():
    kept = Kept()
    made = kept.boot()
    made.event("door.opened")
    kept.test = True
    made.event("door.closed")
    made.periodic("status")
    made.event("emergency.ended", test=False)
    assert [record["test"] for _, record in all_events(kept.queue)] == [False, True, False]
    assert [record["test"] for _, record in drain(kept.queue.data)] == [True]


@pytest.mark.req("TEL-07")
def test_the_number_of_a_boot_is_larger_than_every_one_before():
    kept = Kept()
    kept.clock.offset = (YEAR_S + 5_000_000) * 1000
    first = kept.boot().boot
    assert first == 5_000_001
    kept.recorder.event("gateway.booted")
    boots = [first]
    for _ in range(5):
        boots.append(kept.boot().boot)
        kept.recorder.event("gateway.booted")
    assert boots == list(range(first, first + 6))
    kept.journal = first + 100
    assert kept.boot().boot == first + 101, "what the journal knows counts too"


@pytest.mark.req("TEL-07")
@pytest.mark.fault(80)
def test_a_boot_that_knows_of_none_takes_a_number_that_was_not_used():
    """Flash wiped or dead: the second it is, and without a clock a random one above all of those."""
    kept = Kept()
    kept.clock.offset = (YEAR_S + 1000) * 1000
    assert kept.boot().boot == 1001
    kept.clock.offset = None
    numbers = {Kept().boot().boot for _ in range(50)}
    assert len(numbers) == 50 and all(number >= 1 << 31 for number in numbers)
    assert all(number < 1 << 32 for number in numbers)


def test_what_cannot_be_encoded_or_is_too_long_is_counted_and_never_raised():
    kept = Kept()
    made = kept.boot()
    assert made.event("a", bad={1, 2}) == 0
    assert made.event("a", text="x" * MAX_DATA) == 0
    assert made.failures == 2 and drain(kept.queue.events) == []
    assert made.event("b") == 1


@pytest.mark.req("TEL-07")
def test_late_dating_is_of_this_boot_only_and_of_the_record_itself():
    kept = Kept()
    made = kept.boot()
    made.event("sensor.refused", value='"clock":"unset"', at_home=None)
    made.periodic("activity", **{"from": None, "from_up": 400})
    event = kept.queue.events.peek()[1]
    assert dated(event, made.boot, kept.clock) == event, "the time is not known"
    kept.clock.offset = 7_000_000
    late = json.loads(dated(event, made.boot, kept.clock))
    assert (late["at"], late["clock"], late["up"]) == (7_001_000, "late", 1000)
    assert late["value"] == '"clock":"unset"'
    assert dated(event, made.boot + 1, kept.clock) == event, "another boot's clock is not this one's"
    activity = json.loads(dated(kept.queue.data.peek()[1], made.boot, kept.clock))
    assert activity["from"] == 7_000_400 and "from_up" not in activity
    made.event("set")
    now = drain(kept.queue.events)[-1][1]
    assert (now["clock"], now["at"]) == ("set", 7_001_000)
