"""Every state the emergency machine can reach, every event in it, time at every boundary; the invariants in each.

Times are kept relative to now. An event comes at this millisecond, or one before, at, or one after each time the
machine waits for. What is left of a running time is kept by class (over, 1 ms, short, long, all of it), each class
tried, and counters that only count are left out: so the space is finite and no order of times is missed.
"""

import collections
import os

import pytest

from firmware.emergency import events as ev
from firmware.emergency import machine as m
from firmware.phone import events as ph

KITCHEN, BEDROOM, PENDANT = 0, 1, 2
EVENTS = [
    (ev.FIRE, KITCHEN), (ev.FIRE_CLEAR, KITCHEN), (ev.CALL, PENDANT), (ev.BUTTON, 0),
    (ev.CANCEL, 0), (ev.CANCEL, 1 + PENDANT), (ev.REAL, 0), (ev.SILENCE, 0), (ev.TICK, 0),
    (ph.CALL_PLACED, 0), (ph.CALL_RINGING, 0), (ph.CALL_ANSWERED, 0), (ph.CALL_ENDED, ph.BUSY),
    (ph.CALL_ENDED, ph.HUNG_UP),
    (ev.CARE_CANCEL, KITCHEN), (ev.CARE_CANCEL, PENDANT),
    (ph.REPORT_DONE, 0), (ph.REPORT_DONE, 1), (ph.CALL_ALIVE, 0), ("test_on", 0), ("test_off", 0),
]
if os.environ.get("SOAK"):  # a second detector makes it four times as many states
    EVENTS.append((ev.FIRE, BEDROOM))
TRIGGERS = (ev.FIRE, ev.CALL, ev.BUTTON)
NOW = 10_000_000  # any time; everything is relative to it
TIMES = ("deadline_ms", "report_ms", "hold_off_ms", "alarm_ms", "answered_ms", "test_over_ms")
# What cannot change what follows: identities, counters, and what was last told of.
UNSEEN = ("incident", "started_ms", "outcome", "cause", "source", "attempt", "by_care")
# What only counts in some states, and is set anew on the way into them.
OPEN = (m.PROMPT, m.DIALLING, m.REPORTING, m.TALKING)
ONLY_IN = {
    "plays": (m.REPORTING,), "tries": (m.REPORTING,), "prompt_cause": (m.PROMPT,), "attempting": (m.DIALLING,),
    "reported": (m.REPORTING, m.TALKING), "test": OPEN, "causes": OPEN, "sources": OPEN,
    "fire_sources": OPEN,
}


SOON, LATER = 700, 200_000  # what is left of a time that runs: less and more than the machine's other times


def left(value: int, now: int, full: int) -> tuple:
    """The classes a running time stands for: not running, over, a millisecond, all of it; else short and long."""
    rest = value - now
    if not value:
        return (None,)
    if rest <= 0:
        return (0,)
    if rest in (1, full):
        return (rest,)
    return (SOON, LATER) if full > LATER else (SOON,)


def frozen(machine: m.Machine, now: int) -> list:
    """The states this one stands for, times relative to now and by class."""
    fields = dict(machine.__dict__)
    for name in UNSEEN + TIMES:
        del fields[name]
    for name, states in ONLY_IN.items():
        if machine.state not in states:
            fields[name] = 0
    waiting = machine.state not in (m.IDLE, m.TALKING)
    full = m.WINDOW_MS if machine.state == m.PROMPT else m.ATTEMPT_GUARD_MS if machine.attempting else m.REDIAL_GAP_MS
    deadlines = left(machine.deadline_ms, now, full) if waiting else (None,)
    # Light and sound: while it is open only that they are on counts; closed, how long they have.
    alarms = (1,) if machine.open() else left(machine.alarm_ms, now, m.ALARM_MS)
    pairs = [(deadline, None) for deadline in deadlines]
    if machine.state == m.REPORTING:  # both times begin together
        pairs = [(deadline, 0) for deadline in deadlines] if machine.report_ms <= now else [
            (rest + m.ATTEMPT_GUARD_MS - m.REPORT_GUARD_MS, rest)
            for rest in left(machine.report_ms, now, m.REPORT_GUARD_MS)]
    answers = (0,) if machine.state == m.REPORTING and machine.answered_ms else (None,)
    held = left(machine.hold_off_ms, now, m.HOLD_OFF_MS)
    if machine.open():  # sound and hold-off: only what is so now counts; how much is left is tried at the end
        held = (LATER,) if machine.hold_off_ms > now else held
        fields["silenced"] = fields["silenced"] and not machine.connected()
    if not machine.hold_off_ms:
        fields["fire_told"] = False  # asked only at the end of a hold-off
    overs = left(machine.test_over_ms, now, m.TEST_GRACE_MS) if machine.open() and machine.test else (None,)
    rest = tuple(fields.items())  # always in the order of Machine.__init__
    return [
        (*rest, ("deadline_ms", d), ("report_ms", r), ("hold_off_ms", h), ("alarm_ms", a), ("answered_ms", w),
         ("test_over_ms", o))
        for d, r in pairs for h in held for a in alarms for w in answers
        for o in overs
    ]


def thawed(state: tuple) -> dict:
    """The fields of a machine in that state, at NOW."""
    fields = {**m.Machine().__dict__, **dict(state), "attempt": 1}
    for name in TIMES:
        fields[name] = 0 if fields[name] is None else NOW + fields[name]
    return fields


def machine_of(fields: dict) -> m.Machine:
    machine = m.Machine.__new__(m.Machine)
    machine.__dict__ = fields.copy()
    return machine


def moments(machine: m.Machine) -> set:
    found = {0}
    for name in ("deadline_ms", "report_ms", "hold_off_ms", "alarm_ms", "test_over_ms"):
        value = getattr(machine, name)
        found |= {value - NOW + shift for shift in (-1, 0, 1) if value and value - NOW + shift > 0}
    return found


def check(before: m.Machine, after: m.Machine, event, arg: int, actions: int, now: int) -> None:
    was_open, is_open = before.open(), after.open()
    # I1: an open emergency always has its next step in time, or an open call; the window's end dials.
    if is_open and after.state != m.TALKING:
        assert after.next_ms() and after.next_ms() - now <= m.ATTEMPT_GUARD_MS
        # What holds the controller up for a moment is done only where nobody speaks, dials or talks.
        if not after.occupied(now):
            assert after.state == m.DIALLING and not after.attempting and after.deadline_ms - now >= m.PAUSE_LEAST_MS
    assert is_open or not after.occupied(now)
    if event == ev.TICK and before.state in (m.PROMPT, m.DIALLING) and now >= before.deadline_ms:
        assert actions & (m.DIAL | m.TEST_OVER)
    if event in TRIGGERS and after.state == m.PROMPT and before.state == m.PROMPT and before.test == after.test:
        assert after.deadline_ms == before.deadline_ms  # EMG-18: a second trigger never restarts the window
    if after.state == m.DIALLING and not after.attempting:
        assert after.deadline_ms - now <= 5000 or before.state == m.DIALLING
    # I2: only a cancel before the answer, or the end of a call that was reported, closes it.
    if was_open and not is_open:
        cancelled = event == ev.CANCEL and (before.test or not before.connected())
        cancelled |= event == ev.TICK and before.test and 0 < before.test_over_ms <= now  # test mode is long over
        cancelled |= event == ev.CARE_CANCEL and not before.connected() and before.sources == 1 << arg
        reported = event == ph.CALL_ENDED and before.state == m.TALKING and before.reported
        assert cancelled or reported
        assert actions & (m.CANCELLED | m.ENDED | m.TEST_OVER)
    # I4: one attempt at a time, none while a call is up, and a repeat of a cause opens nothing.
    if actions & m.DIAL and was_open:
        over = not before.attempting and not before.connected()
        assert over or actions & (m.RESTART_PHONE | m.SUPERSEDED)
    if was_open and is_open and event in TRIGGERS and not actions & m.SUPERSEDED:
        assert after.incident == before.incident
    # I14: what dials 119 is not a test, and what was said in normal mode is not dialled to the tester.
    if before.test_mode and event in TRIGGERS and not was_open and is_open:
        assert after.test
    if not before.test_mode and event in TRIGGERS and actions & m.TRIGGERED:
        assert not after.test
    if actions & m.DIAL and after.test_mode and not before.test and was_open:
        assert not after.test  # a real emergency stays real when test mode is entered beside it
    # EMG-05, EMG-09: people hang up an answered call, the cancel button does not.
    if event == ev.CANCEL and before.connected() and not before.test:
        assert after.state == before.state and not actions & m.HANG_UP
    # EMG-14: the care system takes back one sensor's alarm, never another's, and never hangs up an answered call.
    if event == ev.CARE_CANCEL and was_open:
        others = before.sources & ~(1 << arg)
        if before.connected() or before.sources == others:
            assert after.__dict__ == before.__dict__ and not actions
        elif others:
            assert is_open and after.sources == others and after.causes and not after.causes & ~before.causes
            assert (after.state, after.deadline_ms) == (before.state, before.deadline_ms)
            assert not actions & (m.HANG_UP | m.DIAL | m.STOP_SPEECH)
            assert bool(after.causes & m.CAUSE_BUTTON) == bool(others >> 31)
            assert bool(after.causes & m.CAUSE_FIRE) == bool(others & 3)
            assert bool(after.causes & m.CAUSE_CALL) == bool(others >> PENDANT & 1)
    # EMG-08: within the hold-off fire starts nothing.
    if event == ev.FIRE and not before.test_mode and now < before.hold_off_ms and not was_open:
        assert not is_open and not actions & (m.DIAL | m.SPEAK_PROMPT)
    # EMG-10: sound never while connected, light for as long as an emergency is open.
    assert not (after.sound() and after.connected())
    assert after.light() or not is_open


def explore(limit: int = 3_000_000):
    seen = set(frozen(m.Machine(), NOW))
    todo = collections.deque(seen)
    known = set()  # machines of which it was worked out what states they stand for
    steps = 0
    while todo:
        state = todo.popleft()
        fields = thawed(state)
        before = machine_of(fields)
        for delay in moments(before):
            for event, arg in EVENTS:
                after = machine_of(fields)
                now = NOW + delay
                if event == "test_on":
                    if after.open():
                        continue  # the gateway refuses test mode in an emergency
                    after.test_mode = True
                    actions = 0
                elif event == "test_off":
                    after.test_mode = False
                    actions = after.handle(ev.TEST_LEFT, 0, now)
                else:
                    actions = after.handle(event, arg, now)
                check(before, after, event, arg, actions, now)
                steps += 1
                reached = (now, before.open(), *after.__dict__.values())
                if reached in known:
                    continue
                known.add(reached)
                for following in successors(before, after, now):
                    if following not in seen:
                        seen.add(following)
                        todo.append(following)
        assert len(seen) < limit
    return seen, steps


def successors(before: m.Machine, after: m.Machine, now: int) -> list:
    """An emergency open for any time leaves light, sound and hold-off none, some or all of theirs."""
    if not before.open() or after.open():
        return frozen(after, now)
    found = []
    held = [now + rest for rest in (1, SOON, LATER, m.HOLD_OFF_MS)] if after.hold_off_ms > now else [after.hold_off_ms]
    for after.silenced in (False, True):
        for alarm in (now, now + m.ALARM_MS // 2, now + m.ALARM_MS) if after.alarm_ms else (0,):
            after.alarm_ms = alarm
            for after.hold_off_ms in held:
                found += frozen(after, now)
    return found


@pytest.mark.req("EMG-05")
@pytest.mark.req("EMG-08")
@pytest.mark.req("EMG-14")
@pytest.mark.req("EMG-18")
@pytest.mark.fault(114)
def test_every_reachable_state_keeps_the_invariants(capsys):
    seen, steps = explore()
    states = collections.Counter(dict(state)["state"] for state in seen)
    with capsys.disabled():
        print(f"\nemergency machine: {len(seen)} reachable states, {steps} steps, by state {dict(states)}")
    assert set(states) == {m.IDLE, m.PROMPT, m.DIALLING, m.REPORTING, m.TALKING}
    assert len(seen) > 1000
