"""The emergency service: feeds events into the machine and carries its actions out.

Owns the way from a trigger to the phone. It waits for nothing but its own inbox and the clock: speech, lamps,
records, journal and phone are calls that return at once. A failure in one of them is counted and passed over;
what the call itself needs is tried again until it worked. It must never raise out of `step`.
"""

import asyncio
import gc

from micropython import const

from firmware.emergency import events as ev
from firmware.emergency import machine as m
from firmware.emergency.inbox import Inbox
from firmware.emergency.ladder import Ladder
from firmware.emergency.narrator import Narrator
from firmware.numbers import EMERGENCY_NUMBER

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_OPEN_TICK_MS = 20  # how often time is looked at while an emergency is open
_IDLE_TICK_MS = 5000
# What must happen for the call to go out: these stay pending until they worked. The rest is skipped when it fails.
_JOURNAL_BIT = 2
_VITAL = m.HANG_UP | m.DIAL | m.RESTART_PHONE | m.REPORT | m.FIND_CALL


class Emergency:
    """parts: has machine, journal, phone, speaker, recorder, outputs, test_mode, settings, clock, log and sensors."""

    def __init__(self, parts: "Any") -> None:
        self._parts = parts
        self._clock = parts.clock
        self._log = parts.log
        self.machine = parts.machine
        self.inbox = Inbox()
        self.ladder = Ladder()
        self._narrator = Narrator(parts, self.ladder)
        self._phone = parts.phone
        self._phone.sink = self.inbox.put
        self._pending = 0
        self._last_boot = 0  # as the journal had it at the start
        self._said = 0  # light, sound and connected as last given to the outputs, + 1
        self.beat: Callable[[], None] | None = None  # called once a pass: the task lives
        self.failures = 0
        # From the lowest bit up; the index is the bit's number.
        self._acts = (
            self._narrator.superseded, self._narrator.triggered, self._save, self._narrator.hush, self._hang_up,
            self._narrator.prompt, self._restart_phone, self._dial, self._report, self._narrator.dialled,
            self._narrator.answered, self._narrator.attempt_failed, self._narrator.reported, self._narrator.cancelled,
            self._narrator.ended, self._narrator.silenced, self._narrator.fire_held, self._find_call,
            self._narrator.test_over, self._narrator.withdrawn,
        )

    # ------------------------------------------------------------------ the task
    async def run(self) -> None:
        """For ever: step when something comes, and when `tick` says so."""
        while True:
            self.step()
            await self._wait()

    async def _wait(self) -> None:
        """Until the inbox has something; in an emergency, or when that cannot be waited for, by the clock alone."""
        try:
            if not self.machine.open() and not self._narrator.speaking():
                await self.inbox.flag.wait()
                return
        except Exception:  # noqa: BLE001 - no memory to wait with, for one
            gc.collect()
        await asyncio.sleep_ms(_OPEN_TICK_MS)

    async def tick(self) -> None:
        """For ever, as a task of its own: wake `run` when the machine's next time has come."""
        while True:
            due = self.machine.next_ms()
            wait = due - self._clock.ms() if due else _IDLE_TICK_MS
            await asyncio.sleep_ms(min(max(wait, _OPEN_TICK_MS), _IDLE_TICK_MS))
            self.inbox.flag.set()

    def step(self) -> None:
        """Handle all that waits, then the time. Never raises."""
        try:
            self._carry_out()
            while self.inbox.peek():
                self._handle(self.inbox.event, self.inbox.arg)
                self.inbox.pop()
                self._carry_out()
            due = self.machine.next_ms()
            if due and self._clock.ms() >= due:
                self._handle(ev.TICK, 0)
                self._carry_out()
            self._narrator.tick(self._clock.ms())
            self._show()
            self._quiet_work()
        except Exception as error:  # noqa: BLE001 - the event is still in the inbox, or its action still pending
            self._failed("step", error)
        if self.beat is not None:
            self.beat()

    def _handle(self, event: int, arg: int) -> None:
        if event == ev.REAL:
            self._leave_test()
        self.machine.test_mode = bool(self._parts.test_mode.active)
        self._pending |= self.machine.handle(event, arg, self._clock.ms())
        self._parts.changed()

    def _leave_test(self) -> None:
        try:
            self._parts.test_mode.leave("real")
        except Exception as error:  # noqa: BLE001 - it is no test, whatever became of the record of it
            self._parts.test_mode.active = False
            self._failed("test mode", error)

    def _carry_out(self) -> None:
        """The pending actions in order. One that fails is dropped, unless the call needs it: that one stays."""
        if self._pending & m.JOURNAL:  # first of all: whatever hangs after this, the emergency is known
            self._act(_JOURNAL_BIT)
            self._pending &= ~m.JOURNAL
        bit = 0
        while self._pending >> bit:
            mask = 1 << bit
            if self._pending & mask and self._act(bit):
                self._pending &= ~mask
            bit += 1

    def _act(self, bit: int) -> bool:
        try:
            self._acts[bit]()
        except Exception as error:  # noqa: BLE001
            self._failed(bit, error)
            return not _VITAL >> bit & 1
        return True

    def _failed(self, what: object, error: Exception) -> None:
        self.failures += 1
        gc.collect()
        self._log.failed("emergency", what, error)

    def withdraw(self, sensor: int) -> str:
        """The care system takes the alarm of one sensor back (EMG-14). Empty when that is done, else why not."""
        machine = self.machine
        if not machine.open():
            return "no emergency is open"
        if machine.connected():
            return "119 has answered"
        if not machine.may_withdraw(sensor):
            return "the emergency is not this sensor's"
        self.inbox.put(ev.CARE_CANCEL, sensor)
        self.step()
        return "too late" if machine.may_withdraw(sensor) or machine.connected() else ""

    def acknowledged(self, seq: int) -> None:
        """The relay committed record seq of this boot."""
        self._narrator.acknowledged(seq)

    # ------------------------------------------------------------------ actions on the call
    def number(self) -> str:
        """Whom this emergency dials."""
        return self._parts.settings.get("tester") if self.machine.test else EMERGENCY_NUMBER

    def _dial(self) -> None:
        self._phone.call(self.number())
        try:
            self._narrator.dialling()
        except Exception as error:  # noqa: BLE001 - or the action would stay pending, and dial again after the call
            self._failed("dialling", error)

    def _hang_up(self) -> None:
        self._phone.hang_up()
        self.inbox.forget_phone()

    def _restart_phone(self) -> None:
        self._log.error("the phone did not end its attempt: restarted")
        self._phone.restart()
        self.inbox.forget_phone()

    def _report(self) -> None:
        self._phone.report("report_fire" if self.machine.fire() else "report_call")

    def _find_call(self) -> None:
        self._phone.find(self.number())

    # ------------------------------------------------------------------ what is kept
    def _save(self) -> None:
        machine = self.machine
        now_s = self._clock.wall_s()
        left_s = max(machine.hold_off_ms - self._clock.ms(), 0) // 1000
        self._parts.journal.save(machine, now_s + left_s if left_s else 0, now_s)

    def resume(self) -> None:
        """After boot: take up what the journal says. A test is not taken up: every boot is normal mode."""
        machine = self.machine
        now = self._clock.ms()
        again = False
        try:
            again = self._recall(now)
        except Exception as error:  # noqa: BLE001 - a memory that cannot be read must not stop the next emergency
            self._failed("resume", error)
        if machine.open():
            self.ladder.begin(now)
        self._pending |= machine.resume(now, again) | m.JOURNAL

    def _recall(self, now: int) -> bool:
        """Put what was kept into its places; True when this emergency was resumed before."""
        machine = self.machine
        journal = self._parts.journal
        last = journal.load(machine)
        again = journal.resumptions > 0
        machine.fire_levels = 0  # the detectors say it again
        dropped = machine.open() and machine.test
        if dropped:
            machine.state = m.IDLE
        journal.resumptions = journal.resumptions + 1 if machine.open() else 0
        self._last_boot = journal.boot
        if journal.boot:
            journal.boot += 1  # this boot's, unless the queue knows of later ones
        if last and last[0]:
            # Both were written at one instant. Without a clock, then or now, how long it was off is not counted.
            left_s = last[0] - (self._clock.wall_s() if last[1] and self._clock.wall_s() else last[1])
            machine.hold_off_ms = now + left_s * 1000 if 0 < left_s <= m.HOLD_OFF_MS // 1000 else 0
        if dropped:
            self._narrator.test_dropped()
        return again

    def number_boot(self) -> None:
        """The queue knows its flash: this boot gets its number, and the journal has it before the relay does."""
        journal = self._parts.journal
        boot = self._parts.recorder.begin(self._last_boot)
        if boot > journal.boot:  # else it has it, or a later one of a gateway that was taken over
            journal.boot = boot
            self._act(_JOURNAL_BIT)

    # ------------------------------------------------------------------ what is seen
    def _show(self) -> None:
        machine = self.machine
        self._phone.refusing = machine.open()
        light, sound = machine.light(), machine.sound() and not self._narrator.speaking()
        state = 1 + (1 if light else 0) + (2 if sound else 0)
        if state != self._said:
            self._parts.outputs.alarm(light, sound)
            self._said = state

    def _quiet_work(self) -> None:
        """What takes time is done while nothing goes on."""
        if not self.machine.open() and not self._narrator.speaking():
            self._parts.journal.resumptions = 0
            self._parts.journal.prepare(self._clock.ms())

