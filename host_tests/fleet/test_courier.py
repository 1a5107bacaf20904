"""The fleet's batches: window, answers end to end, everything sent again, and nothing that overtakes."""

import json
import random

import pytest

from tools import schema
from tools.fleet.courier import AGAIN_S, DATA_WINDOW, FIRST_AGAIN_S, LARGEST, WINDOW, Courier
from tools.fleet.home import DATA, EVENT, Home, Record
from tools.fleet.tally import Tally

BOOT = 7


class Relay:
    """What was committed, in which order, as docs/relay-protocol.md has it."""

    def __init__(self) -> None:
        self.committed: dict = {EVENT: [], DATA: []}
        self.repeats = 0

    def takes(self, lane: str, payload: bytes) -> tuple:
        batch = json.loads(payload)
        for record in batch["records"]:
            if record in self.committed[lane]:
                self.repeats += 1
            else:
                self.committed[lane].append(record)
        return batch["boot"], batch["batch"]


@pytest.fixture
def courier():
    return Courier(BOOT, Tally())


def put(courier: Courier, lane: str, *numbers: int) -> None:
    for seq in numbers:
        courier.put(Record(seq, lane, 0.0, b"%d" % seq))


def sent(courier: Courier, now: float = 0.0) -> list:
    """All that goes out now, taken by the broker at once: (lane, records, batch)."""
    found = []
    while (message := courier.fill(now)) is not None:
        lane, payload, batch = message
        batch.taken = now
        found.append((lane, json.loads(payload)["records"], batch))
    return found


def answer(courier: Courier, batch, now: float = 0.0) -> bool:
    return courier.acknowledged(BOOT, batch.number, now)


def listening(courier: Courier) -> None:
    """The relay has answered on both topics."""
    put(courier, EVENT, 1)
    put(courier, DATA, 2)
    for _, _, batch in sent(courier):
        assert answer(courier, batch)


def test_a_batch_has_ten_records_at_most_and_fits(courier):
    put(courier, EVENT, *range(1, 26))
    first = courier.fill(0.0)
    assert json.loads(first[1]) == {"boot": BOOT, "batch": 1, "records": list(range(1, 11))}
    long = Courier(BOOT, Tally())
    for seq in range(1, 11):
        long.put(Record(seq, DATA, 0.0, b'"' + 900 * b"x" + b'"'))
    _, payload, _ = long.fill(0.0)
    assert LARGEST - 903 < len(payload) <= LARGEST and len(json.loads(payload)["records"]) == 5


def test_until_the_relay_answers_one_batch_of_each_topic_is_under_way(courier):
    put(courier, EVENT, *range(1, 100))
    put(courier, DATA, *range(101, 200))
    out = sent(courier)
    assert [(lane, records[0]) for lane, records, _ in out] == [(EVENT, 1), (DATA, 101)]
    assert answer(courier, out[1][2])
    assert {lane for lane, _, _ in sent(courier)} == {DATA}  # an answer for the one says nothing of the other


def test_the_window_leaves_places_for_events(courier):
    listening(courier)
    put(courier, DATA, *range(101, 400))
    assert len(sent(courier)) == DATA_WINDOW
    put(courier, EVENT, *range(401, 600))
    assert [lane for lane, _, _ in sent(courier)] == (WINDOW - DATA_WINDOW) * [EVENT]


def test_data_do_not_wait_for_ever_behind_events(courier):
    listening(courier)
    put(courier, EVENT, *range(101, 400))
    put(courier, DATA, *range(401, 600))
    assert 3 <= [lane for lane, _, _ in sent(courier)].count(DATA) <= 5


@pytest.mark.fault(14)
def test_an_answer_for_none_under_way_is_counted(courier):
    put(courier, EVENT, 1)
    ((_, _, batch),) = sent(courier)
    assert not courier.acknowledged(BOOT, 99, 0.0) and not courier.acknowledged(BOOT - 1, batch.number, 0.0)
    assert answer(courier, batch) and not answer(courier, batch)
    assert courier._tally.strange == 3 and courier.waiting() == 0 and courier._tally.answered == 1


def test_nothing_is_forgotten_before_what_is_in_front_of_it(courier):
    listening(courier)
    put(courier, EVENT, *range(11, 41))
    out = sent(courier)
    assert len(out) == 3 and answer(courier, out[1][2]) and answer(courier, out[2][2])
    assert courier.waiting() == 30 and courier._tally.overtaken == 2
    assert answer(courier, out[0][2]) and courier.waiting() == 0


@pytest.mark.fault(13)
def test_what_is_not_answered_is_sent_again_in_order_and_waits_longer_each_time(courier):
    listening(courier)
    put(courier, EVENT, *range(11, 41))
    first = sent(courier, 100.0)
    assert courier.due() == 100 + AGAIN_S
    courier.look(100 + AGAIN_S - 0.01)
    assert sent(courier) == []
    courier.look(100 + AGAIN_S)
    again = sent(courier, 120.0)
    assert [records for _, records, _ in again] == [first[0][1]]  # one, until the relay answers
    assert courier.due() == 120 + 2 * AGAIN_S
    assert answer(courier, again[0][2]) and courier._tally.again == 3
    assert [records[0] for _, records, _ in sent(courier, 121.0)] == [21, 31]


def test_a_late_answer_counts_all_the_same_and_says_nothing_of_the_present_connection(courier):
    listening(courier)
    put(courier, EVENT, *range(11, 41))
    old = sent(courier)
    courier.begin()
    new = sent(courier)
    assert [records[0] for _, records, _ in new] == [11] and courier.due() == FIRST_AGAIN_S
    assert answer(courier, old[0][2]) and courier.waiting() == 20
    assert [records[0] for _, records, _ in sent(courier)] == [21]  # still one at a time
    assert answer(courier, old[2][2]) and courier.waiting() == 20  # 21 to 30 may have been lost


@pytest.mark.req("TEL-02")
@pytest.mark.fault(13)
@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_lost_on_the_way_the_relay_has_everything_once_and_in_order(seed):
    """Answers are lost, connections end, a broker comes back before the relay and takes what nobody reads: at the end
    nothing is missing."""
    dice = random.Random(seed)
    courier, relay = Courier(BOOT, Tally()), Relay()
    listens, now, seq = True, 0.0, 0
    wire: list = []
    for turn in range(600):
        now += dice.uniform(0, 3)
        for _ in range(dice.randrange(12) if turn < 400 else 0):
            seq += 1
            put(courier, dice.choice((EVENT, DATA)), seq)
        if dice.random() < 0.05:
            listens = dice.random() < 0.5
            if dice.random() < 0.7:
                wire.clear()
            courier.begin()
        if dice.random() < 0.1 or turn > 500:
            listens = True
        courier.look(now)
        while (message := courier.fill(now)) is not None:
            lane, payload, message[2].taken = message[0], message[1], now
            if listens:  # else the broker takes it and nobody is there
                wire.append(relay.takes(lane, payload))
        for _ in range(dice.randrange(8)):
            if wire:
                boot, number = wire.pop(0)
                if dice.random() < 0.9:
                    courier.acknowledged(boot, number, now)
        if turn > 500:
            now += AGAIN_S
    assert courier.waiting() == 0 and sum(map(len, relay.committed.values())) == seq and relay.repeats
    for lane, numbers in relay.committed.items():
        assert numbers == sorted(numbers), lane


def test_every_record_of_a_home_is_one_of_the_schemas():
    home = Home("FL-000001", BOOT, 5.0, 0.3, 100.0, random.Random(3))
    records = list(home.advance(200.0))
    assert 400 < len(records) < 600 and home.made == len(records)
    kinds = set()
    for number, each in enumerate(records, 1):
        record = json.loads(each.data)
        assert schema.check("record", record) == [] and record["seq"] == each.seq == number
        assert each.lane == (EVENT if record["kind"] == "event" else DATA) and 100 < each.made <= 200
        kinds.add(record["kind"])
    assert kinds == {"event", "status", "activity"}
    home.stop()
    assert list(home.advance(1e6)) == []
    other = Home("FL-000002", BOOT, 5.0, 0.3, 100.0, random.Random(4))
    mine, others = ({json.loads(each.data)["ieee"] for each in some} for some in (records, other.advance(200.0)))
    assert len(mine) == len(others) == 6 and not mine & others
