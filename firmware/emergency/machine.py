"""The emergency machine: what follows from what, and nothing else.

Owns the state of the one emergency there can be, and the fire hold-off beside it. Pure: time comes
in with each event, what is to be done goes out as a bit mask. It must never wait, do I/O, raise, or
allocate anything that grows; every change of state is complete when `handle` returns.

Rules where the documents are silent: *answered* is the modem's active call; a call that drops before
the report was spoken twice was not answered; once a 119 call is active only people hang up; the
hold-off runs from the answer, for the whole home, for fire only, and never from a test. The care system takes back the
alarm of one sensor: what another sensor or the 119 button said goes on, and an answered call is not touched.
"""

from micropython import const

from firmware.emergency import events as ev
from firmware.phone import events as ph

# States. Their numbers are kept in the journal: never reuse one.
IDLE = const(0)
PROMPT = const(1)  # the cancel prompt is spoken twice
DIALLING = const(2)  # an attempt runs, or the gap before the next one
REPORTING = const(3)  # answered; the report message is spoken twice into the call
TALKING = const(4)  # open two-way call, without a limit

# Causes, a bit each.
CAUSE_FIRE = const(1)
CAUSE_CALL = const(2)
CAUSE_BUTTON = const(4)

# Actions, a bit each; the service carries them out from the lowest bit up.
SUPERSEDED = const(1 << 0)  # record: the test emergency before this one is over
TRIGGERED = const(1 << 1)  # record: a cause joined (`cause`, `source`)
JOURNAL = const(1 << 2)  # save the state before it is acted on
STOP_SPEECH = const(1 << 3)
HANG_UP = const(1 << 4)
SPEAK_PROMPT = const(1 << 5)
RESTART_PHONE = const(1 << 6)  # the phone did not say how its attempt ended; before it is asked for the next one
DIAL = const(1 << 7)  # one attempt
REPORT = const(1 << 8)  # one play of the report into the call
DIALLED = const(1 << 9)  # record: ATD went out
ANSWERED = const(1 << 10)  # record
ATTEMPT_FAILED = const(1 << 11)  # record: the attempt ended unanswered, or before it was reported (`outcome`)
REPORTED = const(1 << 12)  # the report was spoken twice
CANCELLED = const(1 << 13)  # record: who cancelled (`source`)
ENDED = const(1 << 14)  # record: the answered call is over
SILENCED = const(1 << 15)  # record
FIRE_HELD = const(1 << 16)  # fire within the hold-off: noted, not dialled
FIND_CALL = const(1 << 17)  # after a reset: the open call may still be there; never dial
TEST_OVER = const(1 << 18)  # record: test mode ended, and this test emergency with it
WITHDRAWN = const(1 << 19)  # record: the care system took one sensor's alarm back (`source`); the emergency goes on

REDIAL_GAP_MS = 2000  # EMG-06 asks for gaps of at most 5 s; busy is redialled within 3 s
PAUSE_LEAST_MS = 1000  # left of the gap for what holds the controller up: an erase takes 45 to 400 ms
ATTEMPT_GUARD_MS = 150000  # the phone ends an attempt after 60 s of ringing and 45 s of recovery; this is its watchman
REPORT_GUARD_MS = 10000  # EMG-06: twice within 10 s, also when nothing can be played
REPORT_PLAYS = 2
REPORT_TRIES = 4  # a file that cannot be played is not asked for again and again
HOLD_OFF_MS = 15 * 60 * 1000  # EMG-08
TEST_GRACE_MS = 60000  # a test emergency outlives test mode so long: it can still be said to be real
ALARM_MS = 10 * 60 * 1000  # EMG-10: light and sound for at least 10 min
WINDOW_MS = 14500  # both prompts and their gap; EMG-02, EMG-03: at most 15.0 s. The same when nothing can be spoken

_CAUSE_OF_EVENT = {ev.FIRE: CAUSE_FIRE, ev.CALL: CAUSE_CALL, ev.BUTTON: CAUSE_BUTTON}


class Machine:
    """One emergency at a time, with all its causes; times are monotonic ms."""

    def __init__(self) -> None:
        self.state = IDLE
        self.incident = 0  # number of the emergency since manufacture, as far as the journal goes
        self.test = False  # this emergency is a test: it dials the tester
        self.test_mode = False  # what a trigger now would be
        self.causes = 0
        self.prompt_cause = 0  # the cause the spoken prompt names
        self.sources = 0  # bit per sensor that joined; bit 31 stands for the 119 button
        self.fire_sources = 0  # of `sources`, those that joined with fire
        self.fire_levels = 0  # bit per smoke detector whose alarm is on now
        self.fire_told = False  # a detector reported fire since the hold-off began
        self.cause = 0  # of the last TRIGGERED
        self.source = 0  # of the last TRIGGERED, CANCELLED or WITHDRAWN
        self.by_care = False  # the last CANCELLED was the care system's, `source` the sensor
        self.outcome = 0  # cause of the last failed attempt
        self.attempt = 0
        self.attempting = False
        self.reported = False
        self.plays = 0
        self.tries = 0
        self.started_ms = 0
        self.answered_ms = 0
        self.deadline_ms = 0
        self.report_ms = 0  # in REPORTING: from when on a live call counts as reported, whatever was played
        self.hold_off_ms = 0  # end of the hold-off; 0: none
        self.alarm_ms = 0  # end of light and sound; 0: off
        self.test_over_ms = 0  # when a test emergency that outlived test mode is closed; 0: not
        self.silenced = False

    # ------------------------------------------------------------------ what is so now
    def open(self) -> bool:
        """An emergency is going on."""
        return self.state != IDLE

    def occupied(self, now_ms: int) -> bool:
        """An emergency is going on, and not just waiting for its next attempt with time for a flash erase."""
        waits = self.state == DIALLING and not self.attempting and self.deadline_ms - now_ms >= PAUSE_LEAST_MS
        return self.open() and not waits

    def connected(self) -> bool:
        """An emergency call is active."""
        return self.state >= REPORTING

    def light(self) -> bool:
        return self.alarm_ms != 0

    def sound(self) -> bool:
        """Sound is due; the service still ducks it under the voice."""
        return self.alarm_ms != 0 and not self.silenced and not self.connected()

    def fire(self) -> bool:
        return bool(self.causes & CAUSE_FIRE)

    def next_ms(self) -> int:
        """When a TICK is due next, in ms; 0: not before something happens."""
        if self.state != IDLE:
            deadline_ms = 0 if self.state == TALKING else self.deadline_ms
            if self.test_over_ms and (not deadline_ms or self.test_over_ms < deadline_ms):
                return self.test_over_ms
            return deadline_ms
        if self.alarm_ms and self.hold_off_ms:
            return min(self.alarm_ms, self.hold_off_ms)
        return self.alarm_ms or self.hold_off_ms

    # ------------------------------------------------------------------ what happens
    def handle(self, event: int, arg: int, now_ms: int) -> int:
        """One event; returns the actions. An event that means nothing now returns 0."""
        if event in _CAUSE_OF_EVENT:
            return self._trigger(event, arg, now_ms)
        if event == ev.FIRE_CLEAR:
            self.fire_levels &= ~(1 << arg)
            return 0
        if event == ev.CANCEL:
            return self._cancel(arg, now_ms)
        if event == ev.CARE_CANCEL:
            return self._withdraw(arg)
        if event == ev.REAL:
            return self._real(now_ms)
        if event == ev.SILENCE:
            return self._silence()
        if event == ev.TICK:
            return self._tick(now_ms)
        if event == ev.TEST_LEFT:
            self.test_over_ms = now_ms + TEST_GRACE_MS if self.open() and self.test else 0
            return 0
        return self._phone(event, arg, now_ms)

    def _trigger(self, event: int, arg: int, now_ms: int) -> int:
        cause = _CAUSE_OF_EVENT[event]
        bit = 1 << (31 if cause == CAUSE_BUTTON else arg)
        if cause == CAUSE_FIRE:
            self.fire_levels |= bit
            self.fire_told = True
            if self._held(now_ms):
                return FIRE_HELD
        if self.state == IDLE:
            return self._start(cause, arg, bit, now_ms)
        if self.test and not self.test_mode:
            return SUPERSEDED | self._start(cause, arg, bit, now_ms)
        proof = self._prove(cause, now_ms)
        if self.causes & cause and self.sources & bit:
            return proof
        return proof | self._join(cause, arg, bit, now_ms)

    def _prove(self, cause: int, now_ms: int) -> int:
        """Pressed in an open call that may be dead already: it is told only if the call is seen alive after this."""
        if self.state != TALKING or cause == CAUSE_FIRE:
            return 0
        self.report_ms = now_ms
        self.deadline_ms = now_ms + ATTEMPT_GUARD_MS
        self.state = REPORTING
        return JOURNAL

    def _held(self, now_ms: int) -> bool:
        """Fire within 15 min of a connected fire call does not dial (EMG-08); a test is never held."""
        return not self.test_mode and now_ms < self.hold_off_ms and not (self.open() and self.fire() and not self.test)

    def _start(self, cause: int, arg: int, bit: int, now_ms: int) -> int:
        """A new emergency: whatever call goes on is ended now (EMG-09, EMG-12)."""
        deadline_ms = now_ms + WINDOW_MS
        self._begin(cause, arg, bit, now_ms)
        self.deadline_ms = deadline_ms
        self.state = PROMPT
        return TRIGGERED | JOURNAL | STOP_SPEECH | HANG_UP | SPEAK_PROMPT

    def _begin(self, cause: int, arg: int, bit: int, now_ms: int) -> None:
        self.incident += 1
        self.test = self.test_mode
        self.causes = self.prompt_cause = self.cause = cause
        self.sources = bit
        self.fire_sources = bit if cause == CAUSE_FIRE else 0
        self.source = arg
        self.attempt = self.plays = self.tries = 0
        self.attempting = self.reported = False
        self.started_ms = now_ms
        self.answered_ms = 0
        self.test_over_ms = 0
        self.alarm_ms = now_ms + ALARM_MS
        self.silenced = False

    def _join(self, cause: int, arg: int, bit: int, now_ms: int) -> int:
        """A further cause: it never restarts the window nor delays the dialling (EMG-18)."""
        untold = cause == CAUSE_FIRE and not self.fire()
        self.causes |= cause
        self.sources |= bit
        if cause == CAUSE_FIRE:
            self.fire_sources |= bit
        self.cause = cause
        self.source = arg
        self.silenced = False
        if untold and self.connected():  # 119 was told of a call; it must hear of the fire
            return TRIGGERED | JOURNAL | self._report_anew(now_ms)
        return TRIGGERED | JOURNAL

    def _cancel(self, source: int, now_ms: int) -> int:
        if self.state == IDLE:
            return self._silence()
        if self.connected() and not self.test:
            return 0  # an answered 119 call is ended by people only
        actions = CANCELLED | JOURNAL | STOP_SPEECH | HANG_UP
        self.source = source
        self.by_care = False
        self._close()
        self.alarm_ms = 0
        return actions

    def may_withdraw(self, sensor: int) -> bool:
        """The sensor is a source of the open emergency, and nobody has answered yet."""
        if sensor == 31 and self.causes & CAUSE_BUTTON:
            return False  # it shares the button's bit: the button wins
        return self.open() and not self.connected() and bool(self.sources >> sensor & 1)

    def _withdraw(self, sensor: int) -> int:
        """EMG-14. The last source takes the emergency with it; else only its own cause goes, if nobody shares it.

        A cause whose sources are not known any more (after a reset) stays: rather one too many in the report.
        """
        if not self.may_withdraw(sensor):
            return 0
        self.source = sensor
        self.by_care = True
        if not self.sources & ~(1 << sensor):
            actions = CANCELLED | JOURNAL | STOP_SPEECH | HANG_UP
            self._close()
            self.alarm_ms = 0
            return actions
        was_fire = self.fire_sources >> sensor & 1
        self.sources &= ~(1 << sensor)
        self.fire_sources &= ~(1 << sensor)
        if was_fire and not self.fire_sources:
            self.causes &= ~CAUSE_FIRE
        callers = self.sources & ~self.fire_sources
        if not (callers & ~(1 << 31) if self.causes & CAUSE_BUTTON else callers):
            self.causes &= ~CAUSE_CALL
        return WITHDRAWN | JOURNAL

    def _silence(self) -> int:
        if not self.sound():
            return 0
        self.silenced = True
        return SILENCED

    def _real(self, now_ms: int) -> int:
        """TST-08: somebody says it is no test; 119 is dialled without another prompt."""
        self.test_mode = False
        if self.open() and not self.test:
            return 0
        ended = SUPERSEDED | HANG_UP if self.open() else 0
        causes, sources, fires = (self.causes, self.sources, self.fire_sources) if self.open() else (0, 0, 0)
        self._begin(CAUSE_BUTTON, 0, 1 << 31, now_ms)
        self.causes |= causes
        self.sources |= sources
        self.fire_sources |= fires
        return ended | TRIGGERED | STOP_SPEECH | self._dial(now_ms)

    def _tick(self, now_ms: int) -> int:
        if self.state == IDLE:
            return self._idle_tick(now_ms)
        if self.test_over_ms and now_ms >= self.test_over_ms:
            self._close()
            self.alarm_ms = 0
            return TEST_OVER | JOURNAL | STOP_SPEECH | HANG_UP
        if self.state == TALKING or now_ms < self.deadline_ms:
            return 0
        restart = RESTART_PHONE if self.attempting or self.connected() else 0
        return restart | self._dial(now_ms)

    def _idle_tick(self, now_ms: int) -> int:
        if self.alarm_ms and now_ms >= self.alarm_ms:
            self.alarm_ms = 0
        if not self.hold_off_ms or now_ms < self.hold_off_ms:
            return 0
        self.hold_off_ms = 0
        if not self.fire_levels or self.test_mode:
            return JOURNAL
        detector = 0
        while not self.fire_levels >> detector & 1:
            detector += 1
        self._begin(CAUSE_FIRE, detector, self.fire_levels, now_ms)
        if not self.fire_told:  # fallen silent since: dialled once more, not for ever
            self.fire_levels = 0
        return TRIGGERED | self._dial(now_ms)

    # ------------------------------------------------------------------ the call
    def _dial(self, now_ms: int) -> int:
        self.deadline_ms = now_ms + ATTEMPT_GUARD_MS
        self.state = DIALLING
        self.attempt += 1
        self.attempting = True
        return JOURNAL | DIAL

    def _phone(self, event: int, arg: int, now_ms: int) -> int:
        if event == ph.CALL_ENDED and arg == ph.HUNG_UP:
            return 0  # our own doing, decided already
        if self.state == DIALLING and self.attempting:
            if event == ph.CALL_PLACED:
                return DIALLED
            if event == ph.CALL_ANSWERED:
                self.answered_ms = now_ms
                return ANSWERED | STOP_SPEECH | self._report_anew(now_ms) | JOURNAL
            if event == ph.CALL_ENDED:
                return self._attempt_failed(arg, now_ms)
        elif self.connected():
            if event == ph.CALL_ENDED:
                return self._call_over(arg, now_ms)
            if event == ph.REPORT_DONE and self.state == REPORTING:
                return self._played(arg, now_ms)
            if event == ph.CALL_ALIVE and self.state == REPORTING and now_ms >= self.report_ms:
                return self._talk(now_ms)
        return 0

    def _attempt_failed(self, outcome: int, now_ms: int) -> int:
        self.state = DIALLING
        self.outcome = outcome
        self.attempting = False
        self.deadline_ms = now_ms + REDIAL_GAP_MS
        return ATTEMPT_FAILED

    def _report_anew(self, now_ms: int) -> int:
        self.state = REPORTING
        self.reported = False
        self.plays = self.tries = 0
        self.report_ms = now_ms + REPORT_GUARD_MS
        self.deadline_ms = now_ms + ATTEMPT_GUARD_MS
        return REPORT

    def _played(self, failed: int, now_ms: int) -> int:
        """failed: 1 when that play could not be made. The window then runs its full length, and the call must
        still be there at its end: a modem that restarted under the call has reported nothing."""
        self.tries = min(self.tries + 1, REPORT_TRIES)
        if not failed:
            self.plays += 1
        if self.plays >= REPORT_PLAYS:
            return self._talk(now_ms)
        return REPORT if self.tries < REPORT_TRIES else 0

    def _talk(self, now_ms: int) -> int:
        self.state = TALKING
        self.reported = True
        if self.fire() and not self.test and not self.hold_off_ms > now_ms:
            self.fire_told = False
        if self.fire() and not self.test:
            self.hold_off_ms = max(self.hold_off_ms, self.answered_ms + HOLD_OFF_MS)
        return REPORTED | JOURNAL

    def _call_over(self, outcome: int, now_ms: int) -> int:
        if self.state == REPORTING:
            return self._attempt_failed(outcome, now_ms) | JOURNAL
        self.outcome = outcome
        self._close()
        return ENDED | JOURNAL

    def _close(self) -> None:
        self.state = IDLE
        self.attempting = False
        self.deadline_ms = self.test_over_ms = 0

    # ------------------------------------------------------------------ after a reset
    def resume(self, now_ms: int, again: bool) -> int:
        """Go on with what the journal put into the fields; `again`: not the first resumption of this emergency.

        A prompt is spoken anew once, so that it can still be cancelled; after a second reset 119 is dialled at once.
        """
        if self.state == IDLE:
            return 0
        self.started_ms = now_ms
        self.alarm_ms = now_ms + ALARM_MS
        self.fire_sources = 0 if self.causes & CAUSE_CALL else self.sources & ~(1 << 31)  # not in the journal
        if self.state == TALKING:
            return JOURNAL | FIND_CALL
        if self.state == PROMPT and not again:
            self.deadline_ms = now_ms + WINDOW_MS
            return JOURNAL | SPEAK_PROMPT
        return self._dial(now_ms)
