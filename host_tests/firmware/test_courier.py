"""What goes under way to the relay, and what its answers mean."""

import json
import random

import pytest
from queued import Kept

from firmware.uplink.courier import WINDOW, Courier

SIZE = 4608


class Desk:
    """A courier over a queue, and the relay's side of it. heard: it answered on this connection already."""

    def __init__(self, sectors=64, heard=True):
        self.kept = Kept(sectors)
        self.made = self.kept.boot()
        self.courier = Courier(self.kept.queue, self.kept.clock, lambda: self.made.boot)
        self.courier.begin()
        if heard:
            self.hear()
        self.buf = memoryview(bytearray(SIZE))
        self.got = []  # (topic, message) as sent

    def hear(self):
        """Of each lane the relay has answered something since it was begun."""
        self.courier._heard = [self.kept.queue.alarms, self.kept.queue.events, self.kept.queue.data]

    def send(self, count=1000):
        """Send all that may go out, at most so many; the messages."""
        sent = []
        while len(sent) < count:
            found = self.courier.fill(self.buf)
            if found is None:
                break
            topic, length, batch = found
            message = json.loads(bytes(self.buf[:length]))
            batch.packet = message["batch"]
            sent.append((topic, message))
        self.got += sent
        return sent

    def taken(self, sent):
        for _, message in sent:
            self.courier.taken(message["batch"], self.kept.clock.now)

    def answer(self, message):
        return self.courier.acknowledged(message["boot"], message["batch"])


def fill(desk, events=0, data=0, **fields):
    for index in range(events):
        desk.made.event("door.opened", index=index, **fields)
    for index in range(data):
        desk.made.periodic("status", index=index, **fields)
    desk.kept.work()


@pytest.mark.req("TEL-02")
def test_ten_records_a_message_in_order_and_the_window_is_kept():
    desk = Desk()
    fill(desk, events=45)
    sent = desk.send()
    assert [len(message["records"]) for _, message in sent] == [10, 10, 10, 10, 5]
    assert [record["index"] for _, message in sent for record in message["records"]] == list(range(45))
    assert [message["batch"] for _, message in sent] == [1, 2, 3, 4, 5]
    assert {(topic, message["boot"]) for topic, message in sent} == {("event", desk.made.boot)}
    fill(desk, events=300)
    assert len(desk.send()) == WINDOW - 2 - 5 and desk.send() == []
    for attempt in range(20):
        desk.made.event("emergency.dialled", attempt=attempt)
    assert len(desk.send()) == 2, "two places are kept for alarms"


@pytest.mark.req("TEL-03")
def test_events_pass_the_backlog_and_the_backlog_passes_a_flood_of_events():
    desk = Desk(128)
    fill(desk, data=500)
    assert len(desk.send()) == 12, "four places are kept for events"
    fill(desk, events=1)
    assert [topic for topic, _ in desk.send()] == ["event"]
    desk = Desk(128)
    fill(desk, events=400, data=100)
    topics = [topic for topic, _ in desk.send()]
    assert 3 <= topics.count("data") <= 6 and topics[0] == "event"


def test_a_message_is_never_longer_than_the_buffer():
    desk = Desk(64)
    fill(desk, events=30, filling="x" * 1200)
    fill(desk, events=2, filling="x" * 2800)
    sent = []
    for _ in range(40):
        now = desk.send()
        sent += now
        for _, message in now:
            desk.answer(message)
    assert [len(message["records"]) for _, message in sent[:3]] == [3, 3, 3]
    assert sum(len(message["records"]) for _, message in sent) == 32
    assert not desk.kept.queue.waiting()


@pytest.mark.req("TEL-02")
@pytest.mark.fault(13)
def test_an_answer_delivers_only_what_has_no_gap_in_front_of_it():
    desk = Desk()
    fill(desk, events=40)
    sent = [message for _, message in desk.send()]
    acked = desk.kept.queue.events
    assert desk.answer(sent[1]) and acked.acked == 0
    assert desk.answer(sent[3]) and acked.acked == 0
    assert desk.answer(sent[0])
    assert acked.acked & 0xFFFFFFFF == sent[1]["records"][-1]["seq"]
    assert desk.answer(sent[2])
    assert acked.acked & 0xFFFFFFFF == 40 and desk.kept.queue.waiting() == 0


@pytest.mark.fault(14)
def test_answers_twice_for_others_and_for_nothing_are_counted_and_change_nothing():
    desk = Desk()
    fill(desk, events=20)
    sent = [message for _, message in desk.send()]
    for boot, batch in ((desk.made.boot, 99), (desk.made.boot + 1, 1), ("x", 1), (desk.made.boot, None), (None, [1])):
        assert not desk.courier.acknowledged(boot, batch)
    assert desk.courier.strange == 5 and desk.kept.queue.events.acked == 0
    assert desk.answer(sent[0]) and not desk.answer(sent[0])
    assert desk.courier.strange == 6
    assert desk.kept.queue.events.acked & 0xFFFFFFFF == 10


@pytest.mark.req("TEL-02")
@pytest.mark.fault(13)
def test_without_an_answer_the_same_records_go_again_and_a_late_answer_counts():
    desk = Desk()
    fill(desk, events=20)
    first = desk.send()
    assert not desk.courier.look(desk.kept.clock.now + 60_000), "the broker has not taken it yet: no storm"
    desk.taken(first)
    assert not desk.courier.look(desk.kept.clock.now + 19_000)
    assert desk.courier.look(desk.kept.clock.now + 20_000)
    again = desk.send()
    assert [m["records"] for _, m in again] == [first[0][1]["records"]], "one, until the relay answers"
    assert desk.answer(first[0][1]), "late, but it says that these are committed"
    assert desk.kept.queue.events.acked & 0xFFFFFFFF == 10
    again += desk.send()
    assert [m["records"] for _, m in again] == [m["records"] for _, m in first]
    assert not {m["batch"] for _, m in again} & {m["batch"] for _, m in first}
    assert desk.answer(again[1][1])
    assert desk.kept.queue.waiting() == 0
    assert not desk.answer(first[1][1])


@pytest.mark.fault(68)
def test_a_relay_that_does_not_answer_is_asked_less_and_less():
    desk = Desk()
    fill(desk, events=200)
    now, rounds = desk.kept.clock.now, 0
    desk.taken(desk.send())
    for second in range(3600):
        desk.kept.clock.now = now + second * 1000
        if desk.courier.look(desk.kept.clock.now):
            rounds += 1
            desk.taken(desk.send())
    assert 12 <= rounds <= 16, "20, 40, ... 300 s"
    desk.answer(desk.got[-1][1])
    desk.taken(desk.send())
    desk.kept.clock.now += 25_000
    assert desk.courier.look(desk.kept.clock.now)


@pytest.mark.req("TEL-02")
def test_a_new_connection_begins_at_the_first_that_was_not_answered():
    desk = Desk()
    fill(desk, events=60, data=30)
    sent = desk.send()
    desk.answer(next(message for topic, message in sent if topic == "event"))
    desk.courier.begin()
    desk.hear()
    again = desk.send()
    seqs = [record["seq"] for topic, message in again if topic == "event" for record in message["records"]]
    assert seqs == list(range(11, 61))


@pytest.mark.req("TEL-02")
def test_any_loss_and_order_of_answers_delivers_everything_once_in_order():
    """A relay behind a bad line: every message and answer may be lost, late or doubled. Seeded."""
    for seed in range(10):
        dice = random.Random(seed)
        desk = Desk(128)
        committed, order, made, waiting = set(), [], 0, []
        for _round in range(400):
            for _ in range(dice.randrange(0, 4)):
                made += 1 if desk.made.event("door.opened", index=made) else 0
            desk.kept.work()
            for _, message in desk.send(dice.randrange(0, 5)):
                desk.courier.taken(message["batch"], desk.kept.clock.now)
                if dice.random() < 0.8:
                    for record in message["records"]:
                        if record["seq"] not in committed:
                            committed.add(record["seq"])
                            order.append(record["seq"])
                    waiting += [message] * dice.choice((0, 1, 1, 1, 2))
            dice.shuffle(waiting)
            while waiting and dice.random() < 0.7:
                desk.answer(waiting.pop())
            assert desk.kept.queue.events.acked & 0xFFFFFFFF <= _whole(committed), "told as delivered, and is not"
            desk.kept.clock.now += dice.choice((100, 1000, 21_000))
            desk.courier.look(desk.kept.clock.now)
            if dice.random() < 0.03:
                desk.courier.begin()
                waiting = []
        for _ in range(200):
            desk.courier.begin()
            for _, message in desk.send():
                committed |= {record["seq"] for record in message["records"]}
                desk.answer(message)
        assert committed == set(range(1, made + 1)), seed
        assert desk.kept.queue.waiting() == 0


def _whole(committed):
    """Up to which number everything is there."""
    count = 0
    while count + 1 in committed:
        count += 1
    return count


@pytest.mark.req("EMG-21")
def test_who_waits_for_an_event_is_told_when_the_relay_has_it():
    desk = Desk()
    told = []
    desk.courier.on_ack = told.append
    for attempt in range(15):
        desk.made.event("emergency.dialled", attempt=attempt)
    fill(desk, events=5, data=10)
    for _, message in desk.send():
        desk.answer(message)
    assert told == [10, 15]


@pytest.mark.req("TEL-02")
@pytest.mark.parametrize("topic", ["event", "data"])
def test_nothing_overtakes_what_a_broker_took_before_the_relay_listened(topic):
    """Who is not there gets nothing, and the broker says that it has it: the first of it is waited for."""
    desk = Desk(heard=False)
    fill(desk, **{"events" if topic == "event" else "data": 100})
    [first] = desk.send()
    desk.taken([first])
    fill(desk, **{"events" if topic == "event" else "data": 1})
    assert desk.send() == [], "the relay may listen by now"
    assert desk.courier.look(desk.kept.clock.now + 20_000)
    [again] = desk.send()
    assert again[1]["records"] == first[1]["records"]
    assert desk.answer(again[1])
    assert len(desk.send()) == 10, "it is there: the window is used"


@pytest.mark.req("TEL-02")
def test_the_lanes_do_not_wait_for_each_other():
    desk = Desk(heard=False)
    fill(desk, events=20, data=20)
    assert sorted(topic for topic, _ in desk.send()) == ["data", "event"]
    assert desk.answer(next(message for topic, message in desk.got if topic == "event"))
    assert [topic for topic, _ in desk.send()] == ["event"]


@pytest.mark.req("TEL-03")
def test_what_an_emergency_says_does_not_wait_for_the_next_try():
    desk = Desk(heard=False)
    desk.made.event("emergency.triggered", index=0)
    fill(desk, events=1, data=1)
    desk.taken(desk.send())
    desk.made.event("emergency.dialled", index=1)
    desk.courier.urgent = True
    now = desk.kept.clock.now
    assert not desk.courier.look(now + 2_999)
    assert desk.courier.look(now + 3_000) and not desk.courier.urgent
    [(topic, message)] = desk.send()
    assert topic == "event" and [record["index"] for record in message["records"]] == [0, 1]
    desk.taken([(topic, message)])
    assert not desk.courier.look(now + 19_999), "once: no storm"


@pytest.mark.req("TEL-03")
@pytest.mark.fault(65)
def test_an_emergency_goes_before_all_the_events_that_wait():
    desk = Desk(256)
    fill(desk, events=1500, data=500)
    first = desk.send()
    desk.made.event("emergency.triggered")
    [(topic, message)] = desk.send()
    assert topic == "event" and [record["event"] for record in message["records"]] == ["emergency.triggered"]
    assert len(first) == WINDOW - 2


@pytest.mark.req("TEL-07")
def test_what_was_made_before_the_time_was_known_is_dated_when_it_goes_out():
    desk = Desk()
    fill(desk, events=1)
    desk.kept.clock.offset = 1_800_000_000_000
    [(_, message)] = desk.send()
    assert message["records"][0]["at"] == 1_800_000_001_000 and message["records"][0]["clock"] == "late"
