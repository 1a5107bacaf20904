"""The gateway's front: its four buttons, what a press or a long press means, and the lamps.

Owns the buttons. An edge wakes it at once; it also looks by itself, in case an interrupt is lost. Must never wait
for anything but a button.
"""

import asyncio
import gc

from micropython import const

from drivers.button import PRESSED, STUCK, Button
from firmware.emergency import events as ev
from firmware.emergency import machine as m

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from machine import Pin

    from firmware.boards.board import Board

_FAST_MS = 10
_SLOW_MS = 5000  # should interrupts fail, a press of the 119 button longer than this still counts
_TEST_MS = 1000  # test mode ends by the clock
HOLD_REAL_MS = 5000  # TST-08
HOLD_TEST_MS = 5000  # call and cancel together: enter or leave test mode without a monitor
HOLD_REGISTER_MS = 5000  # centre and call together: let sensors join
NAMES = ("119", "centre", "call", "cancel")


class Front:
    """parts: emergency, test_mode, recorder, outputs, phone, clock, log; board: its button pins."""

    def __init__(self, board: "Board", parts: "Any") -> None:
        self._parts = parts
        self._clock = parts.clock
        self._buttons = [Button(getattr(board, "button_" + name)) for name in NAMES]
        self._flag = asyncio.ThreadSafeFlag()
        self._real_said = False
        self._chord_done = False
        self._register_done = False
        self._armed = False
        self._stuck = ""  # the button that was found to be stuck
        self.beat: Callable[[], None] | None = None
        for button in self._buttons:  # noqa: SIM110 - any() would take memory
            button.pin.irq(self._edge)

    def _edge(self, _pin: "Pin") -> None:
        self._flag.set()

    def wake(self) -> None:
        """The lamps may have to change."""
        self._flag.set()

    async def run(self) -> None:
        """For ever: sample fast while a button is down, else wait for an edge or the slow look."""
        while True:
            self.look()
            try:
                if not self._unsettled():
                    await self._flag.wait()
                    continue
            except Exception:  # noqa: BLE001 - no memory to wait with: look by the clock, which needs none
                gc.collect()
            await asyncio.sleep_ms(_FAST_MS)

    def _unsettled(self) -> bool:
        for button in self._buttons:  # noqa: SIM110 - any() would take memory
            if button.unsettled():
                return True
        return False

    async def tick(self) -> None:
        """For ever, as a task of its own: wake `run` in case an interrupt was lost, and for the clock's sake."""
        while True:
            await asyncio.sleep_ms(_TEST_MS if self._parts.test_mode.active else _SLOW_MS)
            self._flag.set()

    def look(self) -> None:
        """One pass over the buttons and the lamps; a press is taken without any memory."""
        now = self._clock.ms()
        for index in range(len(NAMES)):
            what = self._buttons[index].sample(now)
            if what == PRESSED:
                self._pressed(NAMES[index])
            elif what == STUCK:
                self._stuck = NAMES[index]
        try:
            self._beside(now)
        except Exception as error:  # noqa: BLE001 - whatever the other parts do, the buttons are looked at
            self._parts.log.failed("front", "beside the buttons", error)
        if self.beat is not None:
            self.beat()

    def _beside(self, now: int) -> None:
        """What the 119 button does not need."""
        stuck, self._stuck = self._stuck, ""
        self._lamps()
        self._holds(now)
        self._parts.test_mode.tick()
        if stuck:
            self._parts.recorder.event("gateway.fault", fault="button_stuck", button=stuck)

    def _pressed(self, name: str) -> None:
        if name == "119":
            self._real_said = False
            self._parts.emergency.inbox.put(ev.BUTTON)
        elif name == "cancel":
            self._parts.cancel_pressed()
        elif name == "call":
            self._parts.phone.answer()

    def _holds(self, now: int) -> None:
        if self._buttons[0].held_ms(now) >= HOLD_REAL_MS and not self._real_said:
            self._real_said = True
            if self._parts.testing.active:
                self._parts.emergency.inbox.put(ev.REAL)
        both = min(self._buttons[2].held_ms(now), self._buttons[3].held_ms(now))
        if both < HOLD_TEST_MS:
            self._chord_done = False
        elif not self._chord_done:
            self._chord_done = True
            self._parts.toggle_test()
        both = min(self._buttons[1].held_ms(now), self._buttons[2].held_ms(now))
        if both < HOLD_REGISTER_MS:
            self._register_done = False
        elif not self._register_done:
            self._register_done = True
            self._parts.register_held()

    def _lamps(self) -> None:
        """119: armed; cancel: a cancel still counts; call: somebody calls; centre: test mode."""
        outputs = self._parts.outputs
        armed = self._parts.armed()
        if armed != self._armed:
            self._armed = armed
            self._parts.changed()
        outputs.lamp("119", armed)
        outputs.lamp("cancel", self._parts.emergency.machine.state in (m.PROMPT, m.DIALLING))
        outputs.lamp("call", self._parts.phone.incoming())
        outputs.lamp("centre", self._parts.test_mode.active)
