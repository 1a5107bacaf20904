"""Play mode's pace: real time as long as the computer keeps up, people are heard also when it does not."""

import io
import sys

from hal_sim.play import Pace


class Sched:
    def __init__(self):
        self.now_ms = 0

    def run_until(self, target_ms):
        self.now_ms = target_ms


class Clock:
    """Real time; what the computer has to do for a step of the world takes `busy_ms`."""

    def __init__(self):
        self.now = 0

    def ticks_ms(self):
        return self.now

    @staticmethod
    def ticks_diff(one, other):
        return one - other


class Poller:
    def __init__(self, clock):
        self.clock = clock
        self.lines = []
        self.registered = {}
        self.ready_at = None  # when the sockets are

    def register(self, what, events):
        self.registered[what] = events

    modify = register

    def unregister(self, what):
        del self.registered[what]

    def poll(self, timeout_ms):
        if not self.lines:
            self.clock.now += timeout_ms
        found = [(sys.stdin, 1)] if self.lines else []
        if self.ready_at is not None and self.clock.now >= self.ready_at:
            found += [(one, 1) for one in self.registered]
        return found


class Home:
    def __init__(self):
        self.steps = []

    def try_step(self, step):
        self.steps.append(step)


def world(monkeypatch, speed):
    sched, clock = Sched(), Clock()
    poller = Poller(clock)
    pace = Pace(sched, clock, poller)
    pace.home = Home()
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"readline": staticmethod(lambda: poller.lines.pop(0))}))
    poller.lines.append('{"do": "speed", "x": %d}\n' % speed)
    pace.wait(1)
    return sched, clock, poller, pace


def advance(sched, pace, by_ms):
    sched.run_until(pace.wait(sched.now_ms + by_ms))


def test_a_world_that_is_late_still_hears_people(monkeypatch):
    sched, clock, poller, pace = world(monkeypatch, 600)
    for _ in range(100):  # 10 ms of the world take the computer 20 ms: sixty times too slow
        clock.now += 20
        advance(sched, pace, 10)
    poller.lines.append('{"do": "press", "button": "119"}\n')
    clock.now += 20
    advance(sched, pace, 10)
    assert pace.home.steps == [{"do": "press", "button": "119"}]


def test_what_was_lost_is_not_made_up_for(monkeypatch):
    sched, clock, _, pace = world(monkeypatch, 10)
    clock.now += 60_000  # the computer slept for a minute
    advance(sched, pace, 1)
    before, real = sched.now_ms, clock.now
    for _ in range(100):
        advance(sched, pace, 100)
    assert sched.now_ms - before == 10_000
    assert 900 <= clock.now - real <= 1100, "x10 again, not as fast as it can"


def test_fast_time_is_told_and_real_time_is_not(monkeypatch):
    for speed, least in ((60, 10), (1, 0)):
        out = io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        sched, clock, _, pace = world(monkeypatch, speed)
        end = clock.now + 3000
        while clock.now < end:
            advance(sched, pace, 100)
        told = [line for line in out.getvalue().splitlines() if '"what": "now"' in line]
        assert len(told) <= 13 and (len(told) >= least if least else not told)


def test_a_socket_that_is_waited_for_wakes_once(monkeypatch):
    sched, clock, poller, pace = world(monkeypatch, 1)
    pace.watch("socket", 1)
    pace.watch("socket", 4)
    assert poller.registered == {"socket": 5}
    poller.ready_at = clock.now + 1000
    begun = sched.now_ms
    assert pace.wait(begun + 10_000) < begun + 2500
    assert poller.registered == {}
    assert pace.wait(begun + 10_000) == begun + 10_000
    pace.watch("socket", 1)
    poller.lines.append('{"do": "press", "button": "119"}\n')
    pace.wait(begun + 20_000)
    assert len(pace.home.steps) == 1 and poller.registered == {}
    pace.watch("socket", 1)
    pace.forget("socket")
    pace.forget("socket")
    assert poller.registered == {}


def test_fast_time_keeps_to_real_time_while_something_passes_on_a_socket(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    sched, clock, _, pace = world(monkeypatch, 600)
    clock.now += 100
    advance(sched, pace, 1000)
    told, before, real = out.getvalue().count("now"), sched.now_ms, clock.now
    pace.hold(200)
    assert out.getvalue().count("now") == told + 1, "the far end may want to know the time"
    pace.hold(40)  # less than is left: changes nothing
    while clock.now - real < 200:
        advance(sched, pace, 10)
    assert 150 <= sched.now_ms - before <= 250
    before, real = sched.now_ms, clock.now
    while clock.now - real < 200:
        advance(sched, pace, 600)
    assert sched.now_ms - before >= 100_000, "fast again"


def test_a_hold_is_cut_short_by_the_answer_and_none_is_needed_in_real_time(monkeypatch):
    sched, clock, _, pace = world(monkeypatch, 600)
    pace.hold(1500)
    advance(sched, pace, 10)
    pace.shorten(20)
    before, real = sched.now_ms, clock.now
    while clock.now - real < 200:
        advance(sched, pace, 600)
    assert sched.now_ms - before >= 80_000
    pace.hold(1500)
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"readline": staticmethod(lambda: '{"do": "speed", "x": 1}')}))
    pace._line = True
    pace._take_line()
    before, real = sched.now_ms, clock.now
    pace.hold(1500)
    advance(sched, pace, 1000)
    assert clock.now - real == 1000


def test_a_world_that_is_late_does_not_rush_while_it_is_held(monkeypatch):
    sched, clock, _, pace = world(monkeypatch, 600)
    advance(sched, pace, 600)
    clock.now += 400  # the computer was busy: 240 s of the world are to be made up for
    before = sched.now_ms
    pace.hold(200)
    for _ in range(20):
        advance(sched, pace, 10)
    assert sched.now_ms - before == 200
    assert clock.now >= 600
