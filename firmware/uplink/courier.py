"""Which records go to the relay, in which message, and what its answers mean. Pure: no I/O, no await.

Owns the batches under way (docs/relay-protocol.md): at most 16; data leave events a place, and both leave alarms one,
which go before everything else; of each lane one until the relay answers, for a broker takes what no relay listens to,
and what came behind that would be there before it. What is not answered is sent again from flash, with the same
identities. Must never tell the queue that a record was delivered before everything in front of it in its lane was.
"""

from micropython import const

from firmware.records import dated

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.clock import Clock
    from firmware.lane import Lane
    from firmware.queue import Queue

WINDOW = const(16)
_EVENT_WINDOW = const(14)  # an alarm always finds a place
_DATA_WINDOW = const(12)  # and an event
_RECORDS = const(10)  # of a batch
_AGAIN_MS = const(20_000)  # without an answer of the relay, though the broker has the message
_AGAIN_MOST_MS = const(300_000)
_AGAIN_URGENT_MS = const(3000)  # when an emergency has something new to say
_SPAN = const(24)  # batches of a lane from the first without an answer on: what is answered behind it is kept in mind
_REMEMBERED = const(96)  # batches, those too that were sent again: more than three spans
_FAIR = const(4)  # every so many batches the data go first, however many events there are
EVENT_TOPIC = "event"
DATA_TOPIC = "data"


class Batch:
    """One message with records: of which lane, from behind which identity up to which."""

    def __init__(self, lane: "Lane", number: int, after: int) -> None:
        self.lane = lane
        self.number = number
        self.after = after
        self.last = after
        self.count = 0
        self.seq = 0  # of its last record of this boot, for who waits for it
        self.packet = 0  # of MQTT, until the broker has it
        self.taken_ms = -1  # when the broker had it
        self.done = False  # the relay has it
        self.current = True  # not sent again since


class Courier:
    """queue: firmware.queue.Queue; boot(): number of this boot. on_ack(seq): the relay has the alarms up to it."""

    def __init__(self, queue: "Queue", clock: "Clock", boot: "Callable[[], int]") -> None:
        self._queue = queue
        self._clock = clock
        self._boot = boot
        self._batches: list = []
        self._number = 0
        self._again_ms = _AGAIN_MS
        self._since_ms = -1  # something is under way, and the relay answers nothing; -1: all is well
        # Each lane: its topic, and how many batches under way, of all lanes, leave it a place.
        self._lanes = {queue.alarms: (EVENT_TOPIC, WINDOW), queue.events: (EVENT_TOPIC, _EVENT_WINDOW),
                       queue.data: (DATA_TOPIC, _DATA_WINDOW)}
        self._tails = {lane: 0 for lane in self._lanes}  # identity of the last record under way
        self._heard: list = []  # lanes of which the relay answered a batch since they were begun
        self.urgent = False  # the alarms do not wait long for an answer
        self.on_ack: Callable[[int], object] | None = None
        self.strange = 0  # answers for what is not under way
        self.repeated = 0  # times a lane was sent again

    # ------------------------------------------------------------------ out
    def fill(self, buf: "memoryview") -> "tuple | None":
        """Put the next message into buf; (topic, length, batch). None: nothing to send, or enough under way."""
        lane = self._choose()
        if lane is None:
            return None
        self._number += 1
        boot = self._boot()
        batch = Batch(lane, self._number, self._tails[lane])
        at = _put(buf, 0, b'{"boot":%d,"batch":%d,"records":[' % (boot, batch.number))
        while batch.count < _RECORDS:
            found = lane.peek()
            if found is None:
                break
            data = dated(found[1], boot, self._clock)
            if at + len(data) + 3 > len(buf):
                break
            if batch.count:
                at = _put(buf, at, b",")
            at = _put(buf, at, data)
            lane.take()
            batch.count += 1
            batch.last = found[0]
            if found[0] >> 32 == boot:
                batch.seq = found[0] & 0xFFFFFFFF
        at = _put(buf, at, b"]}")
        self._tails[lane] = batch.last
        self._remember(batch)
        if self._since_ms < 0:
            self._since_ms = self._clock.ms()
        return self._lanes[lane][0], at, batch

    def _choose(self) -> "Lane | None":
        """Alarms first, then events, but these never without end."""
        current = [batch for batch in self._batches if batch.current]
        waiting = self._under_way()
        queue = self._queue
        fair = self._number % _FAIR == _FAIR - 1
        for lane in (queue.alarms, queue.data, queue.events) if fair else (queue.alarms, queue.events, queue.data):
            if lane not in self._heard and [batch for batch in waiting if batch.lane is lane]:
                continue
            if len([batch for batch in current if batch.lane is lane]) >= _SPAN:
                continue  # the first of them comes again before more follow
            if len(waiting) < self._lanes[lane][1] and lane.peek() is not None:
                return lane
        return None

    def _remember(self, batch: Batch) -> None:
        """One that counts is never forgotten: its lane could not go on."""
        self._batches.append(batch)
        if len(self._batches) > _REMEMBERED:
            for index, old in enumerate(self._batches):
                if not old.current:
                    self._batches.pop(index)
                    return

    # ------------------------------------------------------------------ answers
    def taken(self, packet: int, now_ms: int) -> None:
        """The broker has this packet."""
        for batch in self._batches:
            if batch.packet == packet:
                batch.packet = 0
                batch.taken_ms = now_ms
                return

    def acknowledged(self, boot: object, number: object) -> bool:
        """The relay has committed a batch. False: none that is known."""
        if boot == self._boot():
            for batch in self._batches:
                if batch.number == number and not batch.done:
                    batch.done = True
                    self._again_ms = _AGAIN_MS
                    self._hear(batch)
                    self._advance()
                    self._since_ms = self._clock.ms() if self._under_way() else -1
                    return True
        self.strange += 1
        return False

    def _hear(self, batch: Batch) -> None:
        if batch.lane is self._queue.alarms:
            self.urgent = False
        if batch.current and batch.lane not in self._heard:
            self._heard.append(batch.lane)

    def _advance(self) -> None:
        """Tell the queue of what is delivered without a gap; forget what is over."""
        moved = True
        while moved:
            moved = False
            for batch in self._batches:
                if batch.done and batch.after <= batch.lane.acked < batch.last:
                    batch.lane.acknowledge(batch.last, batch.count)
                    moved = True
                    if self.on_ack is not None and batch.lane is self._queue.alarms and batch.seq:
                        self.on_ack(batch.seq)
        self._batches = [batch for batch in self._batches if batch.last > batch.lane.acked]

    # ------------------------------------------------------------------ again
    def look(self, now_ms: int) -> bool:
        """Send a lane again whose oldest batch the relay does not answer. True: something is to be sent."""
        for batch in self._batches:
            if not batch.current or batch.done or batch.taken_ms < 0:
                continue
            if batch.taken_ms <= now_ms - self._again_ms:
                self._again_ms = min(self._again_ms * 2, _AGAIN_MOST_MS)
                self._again(batch.lane)
                return True
            if self.urgent and batch.lane is self._queue.alarms and batch.taken_ms <= now_ms - _AGAIN_URGENT_MS:
                self._again(batch.lane)
                return True
        return False

    def begin(self) -> None:
        """A new connection: what was under way on the old one is sent again."""
        self._again_ms = _AGAIN_MS
        self._since_ms = -1
        for lane in self._lanes:
            self._again(lane)
        for batch in self._batches:
            batch.packet = 0  # packet numbers begin anew

    def _again(self, lane: "Lane") -> None:
        for batch in self._batches:
            if batch.lane is lane and batch.current:
                batch.current = False
                self.repeated += 1
        if lane in self._heard:
            self._heard.remove(lane)
        if lane is self._queue.alarms:
            self.urgent = False
        lane.rewind()
        self._tails[lane] = lane.acked

    def _under_way(self) -> list:
        return [batch for batch in self._batches if batch.current and not batch.done]

    def unanswered_ms(self) -> int:
        """How long the relay has answered nothing on this connection, although something is under way."""
        return 0 if self._since_ms < 0 else self._clock.ms() - self._since_ms

    def is_taken(self) -> bool:
        """The broker has all that is under way."""
        return not [batch for batch in self._under_way() if batch.taken_ms < 0]

    def oldest_ms(self) -> int:
        """When the broker took the oldest batch that waits for the relay; -1: none does."""
        for batch in self._under_way():
            if batch.taken_ms >= 0:
                return batch.taken_ms
        return -1


def _put(buf: "memoryview", at: int, data: bytes) -> int:
    end = at + len(data)
    buf[at:end] = data
    return end
