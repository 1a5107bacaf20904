"""A queue on a simulated flash under CPython, with a clock that is moved by hand."""

import json

from firmware.queue import Queue
from firmware.records import Recorder
from hal_sim.bus.partition import Flash, Partition


class Clock:
    now = 1000
    offset = None

    def ms(self):
        return self.now

    def wall_ms(self, at_ms):
        return None if self.offset is None else self.offset + at_ms

    def wall_s(self):
        return 0 if self.offset is None else (self.offset + self.now) // 1000

    def sure_s(self):
        return self.wall_s()

    def quality(self):
        return "unset" if self.offset is None else "set"


class Log:
    def __init__(self):
        self.lines = []
        self.error = self.info = self.warning = self.lines.append

    def failed(self, where, what, error):
        self.lines.append(f"{where}: {what}: {error!r}")


class Kept:
    """One gateway's memory: its flash lives over boots. sectors 0: it has none."""

    def __init__(self, sectors=32):
        self.flash = Flash(sectors) if sectors else None
        self.clock = Clock()
        self.test = False
        self.journal = 0  # number of the last boot that the journal knows

    def boot(self, settle=True, opened=True):
        """opened: the flash is open and the boot has its number, as a while after a start."""
        self.partition = None if self.flash is None else Partition(self.flash, lambda ms: None)
        self.queue = Queue(self.partition, self.clock, Log())
        self.recorder = Recorder(self.clock, self.queue, 0, lambda: self.test, Log())
        self.queue.on_drop = lambda stream, count, first, last: self.recorder.event(
            "queue.dropped", stream=stream, count=count, first=list(first), last=list(last))
        self.queue.on_open = lambda: self.recorder.begin(self.journal)
        if opened:
            for _ in self.queue.opening():
                pass
        if settle:
            self.work()
        return self.recorder

    def work(self):
        """All housekeeping there is."""
        while self.queue._step():
            pass


def all_events(queue):
    """Alarms and events that wait, in the order they were made: [(identity, record)]."""
    return sorted(drain(queue.alarms) + drain(queue.events), key=lambda found: found[0])


def drain(lane, count=100_000):
    """Take up to so many records from a lane: [(identity, record)]."""
    found = []
    while len(found) < count:
        got = lane.peek()
        if got is None:
            break
        lane.take()
        found.append((got[0], json.loads(got[1])))
    return found
