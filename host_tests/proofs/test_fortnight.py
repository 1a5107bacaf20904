"""TEL-02 as it is written: 15 days without data, a power cut a day, at the rate of a full home of 32 sensors.

SOAK: with the whole firmware, radio and all.
"""

import pytest
from lanes import check_order, identity, lane
from proofs.watched import DAY_MS, HOUR_MS, SECOND_MS, SOAK, watched

DAYS = 15
DOWN_MS = HOUR_MS
UP_MS = DOWN_MS + DAYS * DAY_MS
PRESSES = [UP_MS + 2500]
KINDS = [("smoke", 10), ("call_button", 6), ("door", 14), ("activity", 2)]
SENSORS = [{"name": f"{kind} {number}", "kind": kind, "place": "방"}
           for kind, count in KINDS for number in range(count)]


@pytest.fixture(scope="module")
def home():
    cuts = [DOWN_MS + day * DAY_MS + (day * 7 + 3) % 24 * HOUR_MS + day * 12_345 for day in range(DAYS)]
    return watched("reported", {"seed": 1, "until": UP_MS + 90 * SECOND_MS, "sensors": SENSORS if SOAK else []},
                   heap="64M", whole=SOAK, sensors=len(SENSORS), masks=2, events=100, gaps=[[DOWN_MS, UP_MS]],
                   cuts=cuts, press_ms=PRESSES)


@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-07")
@pytest.mark.fault(65)
def test_everything_arrives_nothing_twice_and_each_lane_in_order(home):
    made = [identity(line) for line in home.all("made")]
    got = [identity(line["record"]) for line in home.all("relay")]
    assert len(home.all("boot")) == DAYS + 1
    assert len(made) >= DAYS * 800
    assert len(set(made)) == len(made), "an identity was used twice"
    assert set(made) - set(got) == set(), "lost"
    assert set(got) - set(made) == set(), "invented"
    assert len(set(got)) == len(got), "the relay took a repeat for a new record"
    check_order([line["record"] for line in home.all("relay")])
    assert home.records("queue.dropped") == [] and home.faults() == []


@pytest.mark.req("TEL-02")
def test_seq_has_no_gaps_within_a_boot(home):
    of_boot: dict = {}
    for line in home.all("relay"):
        of_boot.setdefault(line["record"]["boot"], []).append(line["record"]["seq"])
    assert all(sorted(seqs) == list(range(1, len(seqs) + 1)) for seqs in of_boot.values())


@pytest.mark.req("TEL-02")
@pytest.mark.fault(65)
def test_it_arrives_as_soon_as_the_link_is_back(home):
    """Within a minute of virtual time at 60 ms round trip, which counts no processor time."""
    backlog = [line["t"] for line in home.all("relay") if line["t"] >= UP_MS]
    made_before = [line for line in home.all("made") if line["t"] < UP_MS]
    assert len(backlog) >= len(made_before) - 200
    times = sorted(backlog)[: len(made_before) - 200]
    print(f"{len(times)} records within {times[-1] - UP_MS} ms of the link's return")
    assert times[-1] - UP_MS <= 60_000


@pytest.mark.req("TEL-03")
@pytest.mark.req("EMG-11")
def test_an_emergency_in_the_middle_of_it_does_not_wait(home):
    pressed = [line["t"] for line in home.all("pressed")]
    told = [line["t"] for line in home.all("relay") if line["record"].get("event") == "emergency.triggered"]
    busy = [line["t"] for line in home.all("relay") if lane(line["record"]) == "data"]
    assert len(told) == len(pressed) and max(busy) > max(told), "the backlog was still being sent"
    assert all(at - before <= 3000 for before, at in zip(pressed, told, strict=True))
    assert home.all("dial") or not SOAK


@pytest.mark.req("TEL-02")
def test_fifteen_days_of_a_full_home_fit(home):
    [stored] = home.all("stored")
    used = sum(stored["sectors"])
    print(f"{used} of {stored['total']} sectors")
    assert used <= stored["total"] - 11, "what is kept erased"
