"""What was once found wrong in the link to the relay, each shown by a test."""

import json

import pytest
from queued import Kept

from firmware.uplink.courier import Courier

AGAIN_MS = 20_000


class Desk:
    """A courier over a queue, to which the relay has answered already."""

    def __init__(self, sectors=256):
        self.kept = Kept(sectors)
        self.made = self.kept.boot()
        queue = self.queue = self.kept.queue
        self.courier = Courier(queue, self.kept.clock, lambda: self.made.boot)
        self.courier.begin()
        self.courier._heard = [queue.events, queue.data]
        self.buf = memoryview(bytearray(4608))

    def fill(self, events=0, data=0):
        for index in range(max(events, data)):
            if index < events:
                self.made.event("door.opened", index=index)
            if index < data:
                self.made.periodic("status", index=index)
            self.kept.work()

    def send(self):
        """All that may go out now; the broker takes it."""
        sent = []
        while True:
            found = self.courier.fill(self.buf)
            if found is None:
                return sent
            message = json.loads(bytes(self.buf[:found[1]]))
            found[2].packet = message["batch"]
            self.courier.taken(message["batch"], self.kept.clock.now)
            sent.append(message)

    def answer(self, message):
        return self.courier.acknowledged(message["boot"], message["batch"])


@pytest.mark.req("TEL-02")
@pytest.mark.fault(13)
@pytest.mark.parametrize("lane", ["events", "data"])
def test_a_batch_without_an_answer_is_not_forgotten_while_many_behind_it_are_answered(lane):
    """One of two relays died with a batch; after 64 more nobody knew of it, and its lane was never delivered."""
    desk = Desk()
    desk.fill(**{lane: 1200})
    sent = desk.send()
    lost = sent[0]
    while sent:
        for message in sent:
            if message is not lost:
                assert desk.answer(message)
        sent = desk.send()
    assert len(desk.courier._batches) <= 96
    desk.kept.clock.now += AGAIN_MS
    assert desk.courier.look(desk.kept.clock.now), "the one that was lost comes again"
    seqs = []
    while True:
        sent = desk.send()
        if not sent:
            break
        for message in sent:
            seqs += [record["seq"] for record in message["records"]]
            desk.answer(message)
    assert seqs[:10] == [record["seq"] for record in lost["records"]]
    assert desk.queue.waiting() == 0 and getattr(desk.queue, lane).acked & 0xFFFFFFFF == 1200


@pytest.mark.req("TEL-03")
@pytest.mark.fault(13)
def test_events_go_on_while_a_batch_of_data_waits_for_its_answer_and_the_other_way_round():
    desk = Desk()
    desk.fill(events=600, data=600)
    lost = None
    while True:
        sent = desk.send()
        if not sent:
            break
        for message in sent:
            if message["records"][0]["kind"] != "event" and lost is None:
                lost = message
            elif message is not lost:
                desk.answer(message)
    assert desk.queue.events.acked >= 600
    assert [batch for batch in desk.courier._batches if batch.number == lost["batch"]], "still known"
    for _ in range(20):  # events sent again and again do not push it out
        desk.fill(events=160)
        desk.send()
        desk.courier._again(desk.queue.events)
        desk.courier._heard.append(desk.queue.events)
    assert [batch for batch in desk.courier._batches if batch.number == lost["batch"]]
    assert len(desk.courier._batches) <= 96
