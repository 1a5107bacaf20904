"""Which records go out in which message, and what the relay's answers mean: as firmware/uplink/courier.py does it.

Owns what waits and the batches under way: at most 16, of them 12 of periodic data. What is not answered within 20 s is
sent again, all of its topic, in order. Until the first answer on a connection, and after one that did not come, only
one batch of each topic is under way: a broker takes what no relay listens to yet, and what came behind it would be
committed before it. Pure: time comes in with each call.
"""

from __future__ import annotations

import dataclasses
from collections import deque

from tools.fleet.home import DATA, EVENT, Record
from tools.fleet.tally import Tally

WINDOW = 16
DATA_WINDOW = 12
RECORDS = 10  # of a batch
LARGEST = 4608  # bytes of a payload
AGAIN_S = 20.0
FIRST_AGAIN_S = 5.0  # on a connection on which nothing was answered yet
AGAIN_MOST_S = 300.0
_FAIR = 4  # every so many batches the data go first
_REMEMBERED = 64


@dataclasses.dataclass
class Batch:
    """One message. after, last: numbers of the records before it and at its end."""

    lane: str
    number: int
    after: int
    last: int
    sent: float
    taken: float | None = None  # when the broker had it
    done: bool = False
    current: bool = True  # not sent again since


class Lane:
    """What waits for one topic, in order; the first `under_way` of it are in batches."""

    def __init__(self) -> None:
        self.waiting: deque[Record] = deque()
        self.under_way = 0
        self.acked = 0  # number of the last record that is delivered, and all before it
        self.heard = False  # the relay answered on this connection, and since something was sent again
        self.again_s = FIRST_AGAIN_S

    def next(self) -> Record | None:
        return self.waiting[self.under_way] if self.under_way < len(self.waiting) else None

    def answered(self) -> None:
        """By an answer on this connection: the relay listens to this topic."""
        self.heard = True
        self.again_s = AGAIN_S

    def rewind(self, again_s: float) -> None:
        """All of it goes out again; again_s: how long the next answer is waited for."""
        self.under_way = 0
        self.heard = False
        self.again_s = again_s

    def acknowledge(self, last: int) -> list[Record]:
        """Everything up to this number is delivered; what that was."""
        self.acked = last
        gone = []
        while self.waiting and self.waiting[0].seq <= last:
            gone.append(self.waiting.popleft())
        self.under_way = max(self.under_way - len(gone), 0)
        return gone


class Courier:
    """boot: that sends."""

    def __init__(self, boot: int, tally: Tally) -> None:
        self._boot = boot
        self._tally = tally
        self._lanes = {EVENT: Lane(), DATA: Lane()}
        self._batches: list[Batch] = []
        self._number = 0

    def put(self, record: Record) -> None:
        self._tally.made += 1
        self._lanes[record.lane].waiting.append(record)

    def waiting(self) -> int:
        """Records not answered yet."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    # ------------------------------------------------------------------ out
    def fill(self, now: float) -> tuple[str, bytes, Batch] | None:
        """The next message: topic, payload, batch. None: nothing to send, or enough under way."""
        name = self._choose()
        if name is None:
            return None
        lane = self._lanes[name]
        self._number += 1
        head = b'{"boot":%d,"batch":%d,"records":[' % (self._boot, self._number)
        parts: list[bytes] = []
        size = len(head) + 2
        after = last = lane.acked if lane.under_way == 0 else lane.waiting[lane.under_way - 1].seq
        while len(parts) < RECORDS:
            record = lane.next()
            if record is None or size + len(record.data) + 1 > LARGEST:
                break
            parts.append(record.data)
            size += len(record.data) + 1
            lane.under_way += 1
            last = record.seq
        batch = Batch(name, self._number, after, last, now)
        self._batches.append(batch)
        del self._batches[:-_REMEMBERED]
        self._tally.batches += 1
        return name, head + b",".join(parts) + b"]}", batch

    def _choose(self) -> str | None:
        """Events first, but never without end."""
        waiting = [batch.lane for batch in self._batches if batch.current and not batch.done]
        if len(waiting) >= WINDOW:
            return None
        order = (DATA, EVENT) if self._number % _FAIR == _FAIR - 1 else (EVENT, DATA)
        for name in order:
            limit = 1 if not self._lanes[name].heard else WINDOW if name == EVENT else DATA_WINDOW
            if waiting.count(name) < limit and self._lanes[name].next() is not None:
                return name
        return None

    # ------------------------------------------------------------------ answers
    def acknowledged(self, boot: object, number: object, now: float) -> bool:
        """The relay has committed a batch. False: none that is known."""
        for batch in self._batches:
            if boot == self._boot and batch.number == number and not batch.done:
                batch.done = True
                self._tally.answering.add(now - batch.sent)
                if batch.current:  # one of an earlier connection says nothing of who listens now
                    self._lanes[batch.lane].answered()
                    self._tally.overtaken += self._older(batch)
                self._advance(now)
                return True
        self._tally.strange += 1
        return False

    def _older(self, batch: Batch) -> bool:
        """A batch of the same topic that was sent before it has no answer yet."""
        return any(each.current and not each.done and each.lane == batch.lane and each.number < batch.number
                   for each in self._batches)

    def _advance(self, now: float) -> None:
        """What is delivered without a gap waits no more."""
        moved = True
        while moved:
            moved = False
            for batch in self._batches:
                lane = self._lanes[batch.lane]
                if batch.done and batch.after <= lane.acked < batch.last:
                    self._delivered(lane.acknowledge(batch.last), now)
                    moved = True
        self._batches = [batch for batch in self._batches if batch.last > self._lanes[batch.lane].acked]

    def _delivered(self, records: list[Record], now: float) -> None:
        self._tally.answered += len(records)
        for record in records:
            if record.lane == EVENT:
                self._tally.events.add(now - record.made)

    # ------------------------------------------------------------------ again
    def look(self, now: float) -> None:
        """Send a topic again whose oldest batch the relay does not answer."""
        for name, lane in self._lanes.items():
            if now >= self._due(name):
                self._again(name, min(lane.again_s * 2, AGAIN_MOST_S))

    def due(self) -> float:
        """When to look again."""
        return min(self._due(name) for name in self._lanes)

    def _due(self, name: str) -> float:
        taken = [batch.taken for batch in self._batches
                 if batch.current and not batch.done and batch.lane == name and batch.taken is not None]
        return min(taken) + self._lanes[name].again_s if taken else float("inf")

    def begin(self) -> None:
        """A new connection: what was under way on the old one is sent again."""
        for name in self._lanes:
            self._again(name, FIRST_AGAIN_S)

    def _again(self, name: str, again_s: float) -> None:
        for batch in self._batches:
            if batch.lane == name and batch.current:
                batch.current = False
                self._tally.again += not batch.done
        self._lanes[name].rewind(again_s)
