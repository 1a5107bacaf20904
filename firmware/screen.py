"""What the attached monitor shows, sent as JSON lines; and what is touched there.

Owns the monitor link. Best effort: a monitor that is slow, noisy or gone changes nothing else (faults 103, 104).
"""

import asyncio
import json

from micropython import const

from firmware.calendar import clock_text
from firmware.emergency import machine as m
from firmware.emergency.narrator import CAUSES
from firmware.jsonlines import JsonLines
from firmware.texts import TEXTS

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_OPEN_MS = 250  # in an emergency the view is looked at this often
_IDLE_MS = 20000  # else when something changed, and for the clock's sake
_MAX_LINE = 256
_TICKING = ("clock", "dials_in_s", "test_ends_min")

_VIEWS = {m.PROMPT: "prompt", m.DIALLING: "dialling", m.REPORTING: "reporting", m.TALKING: "talking"}
_TITLES = {
    "home": "정상 작동 중입니다", "prompt": "곧 119로 연결합니다", "dialling": "119에 전화를 걸고 있습니다",
    "reporting": "119가 받았습니다", "talking": "119와 통화 중입니다", "cancelled": "취소되었습니다",
    "ended": "119 통화가 끝났습니다", "starting": "준비 중입니다",
}
_TEST_TITLES = {"dialling": "시험 전화를 걸고 있습니다", "reporting": "시험 전화를 받았습니다",
                "talking": "시험 통화 중입니다", "ended": "시험 통화가 끝났습니다", "prompt": "곧 시험 전화를 겁니다"}
_AFTER_MS = 60000  # how long the outcome of an emergency stays on the screen
_PROMPT_TEXTS = {m.CAUSE_FIRE: "prompt_fire", m.CAUSE_CALL: "prompt_call", m.CAUSE_BUTTON: "prompt_manual"}


class Screen:
    """stream: the monitor's byte stream or None; touches: action name -> function()."""

    def __init__(self, stream: "Any", parts: "Any", touches: dict) -> None:
        self._stream = stream
        self._parts = parts
        self._touches = touches
        self._shown = ""
        self._changed = asyncio.Event()
        self.lines = JsonLines(stream, self._message, _MAX_LINE)

    def changed(self) -> None:
        """There may be something new to show."""
        self._changed.set()

    # ------------------------------------------------------------------ out
    async def show(self) -> None:
        """Send the view whenever it changed."""
        while self._stream is not None:
            self._send(self.view())
            self._changed.clear()
            try:
                await asyncio.wait_for_ms(self._changed.wait(), _OPEN_MS if self._busy() else _IDLE_MS)
            except asyncio.TimeoutError:
                pass
        await asyncio.Event().wait()

    def _send(self, view: dict) -> None:
        """What only counts or tells the time is no reason to send: the monitor does that by itself."""
        whole = json.dumps(view).encode() + b"\n"
        for name in _TICKING:
            view.pop(name, None)
        shown = json.dumps(view)
        if shown != self._shown and self._stream.write(whole):
            self._shown = shown

    def _busy(self) -> bool:
        return self._parts.emergency.machine.open() or self._recent()

    def _recent(self) -> bool:
        """An emergency was closed less than a minute ago: its outcome is still shown."""
        ladder = self._parts.emergency.ladder
        closed = ladder.times[6]
        return closed >= 0 and self._parts.clock.ms() - ladder.start_ms - closed < _AFTER_MS

    def view(self) -> dict:
        """The present view: view, title, lines, test, and in an emergency its causes, countdown and ladder."""
        parts = self._parts
        machine = parts.emergency.machine
        name = self._name(machine)
        test = machine.test if machine.open() else parts.test_mode.active
        title = (_TEST_TITLES.get(name) if test else None) or _TITLES[name]
        seen = {"view": name, "title": title, "lines": self._lines(name, machine), "test": test,
                "clock": clock_text(parts.clock.wall_s()) if parts.clock.wall_s() else ""}
        if test and parts.test_mode.active:
            seen["test_ends_min"] = (parts.test_mode.ends_ms - parts.clock.ms() + 59999) // 60000
        if name not in ("home", "starting"):
            seen["causes"] = [CAUSES[bit] for bit in CAUSES if machine.causes & bit]
            seen["ladder"] = parts.emergency.ladder.as_list()
            seen["attempt"] = machine.attempt
        if name == "prompt":
            seen["dials_in_s"] = max(0, machine.deadline_ms - parts.clock.ms() + 999) // 1000
        return seen

    def _name(self, machine: "m.Machine") -> str:
        if machine.open():
            return _VIEWS[machine.state]
        if self._recent():
            return "ended" if self._parts.emergency.ladder.times[5] >= 0 else "cancelled"
        return "home" if self._parts.armed() else "starting"

    def _lines(self, name: str, machine: "m.Machine") -> list:
        if name == "prompt":
            return [TEXTS[_PROMPT_TEXTS[machine.prompt_cause]]]
        if name == "dialling":
            return ["%d번째 전화입니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오" % machine.attempt]
        if name in ("home", "starting"):
            return self._parts.troubles()
        return []

    # ------------------------------------------------------------------ in
    def _message(self, message: dict) -> bool:
        """{"touch": action} from the monitor, or {"hello": 1} that asks for the whole view; False: refused."""
        action = message.get("touch")
        if "hello" in message:
            self._shown = ""
        elif isinstance(action, str) and action in self._touches:
            self._touches[action]()
        else:
            return False
        self.changed()
        return True
