"""What the attached monitor shows, sent as JSON lines; and what is touched there.

Owns the monitor link. Best effort: a monitor that is slow, noisy or gone changes nothing else (faults 103, 104).
"""

import asyncio
import json

from micropython import const

from firmware.calendar import clock_text
from firmware.commands import TOUCH
from firmware.emergency import machine as m
from firmware.emergency.narrator import CAUSES
from firmware.jsonlines import JsonLines
from firmware.sensorlist import SensorList
from firmware.texts import TEXTS

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_OPEN_MS = 250  # in an emergency the view is looked at this often
_IDLE_MS = 20000  # else when something changed, and for the clock's sake
_MAX_LINE = 640
_TICKING = ("clock", "dials_in_s", "test_ends_min", "register_left_s")
_NOTICE_MS = 10000  # how long it is shown why something touched was not done

_VIEWS = {m.PROMPT: "prompt", m.DIALLING: "dialling", m.REPORTING: "reporting", m.TALKING: "talking"}
_TITLES = {
    "home": "정상 작동 중입니다", "prompt": "곧 119로 연결합니다", "dialling": "119에 전화를 걸고 있습니다",
    "reporting": "119가 받았습니다", "talking": "119와 통화 중입니다", "cancelled": "취소되었습니다",
    "ended": "119 통화가 끝났습니다", "starting": "준비 중입니다",
}
_TEST_TITLES = {"dialling": "시험 전화를 걸고 있습니다", "reporting": "시험 전화를 받았습니다",
                "talking": "시험 통화 중입니다", "ended": "시험 통화가 끝났습니다", "prompt": "곧 시험 전화를 겁니다"}
_AFTER_MS = 60000  # how long the outcome of an emergency stays on the screen
_REASONS = {
    "unknown command": "알 수 없는 명령입니다", "unknown sensor": "그런 감지기가 없습니다",
    "name taken": "같은 이름이 있습니다",
    "bad name": "쓸 수 없는 이름입니다", "bad place": "쓸 수 없는 장소 이름입니다", "not now": "지금은 할 수 없습니다",
    "an emergency is open": "비상 중에는 할 수 없습니다", "the radio is not ready": "감지기 연결을 준비하고 있습니다",
    "unknown radio firmware": "무선 칩의 펌웨어를 알 수 없어 등록할 수 없습니다",
    "no file waits": "넘겨받을 파일이 없습니다", "the code is mistyped": "코드를 다시 확인해 주세요",
    "no such smoke detector": "그런 화재감지기가 없습니다", "not available": "지금은 쓸 수 없습니다",
}
_PROMPT_TEXTS = {m.CAUSE_FIRE: "prompt_fire", m.CAUSE_CALL: "prompt_call", m.CAUSE_BUTTON: "prompt_manual"}


class Screen:
    """stream: the monitor's byte stream or None; parts: the gateway, with `commands` for what is touched."""

    def __init__(self, stream: "Any", parts: "Any") -> None:
        self._stream = stream
        self._parts = parts
        self._shown = ""
        self._notice = ""
        self._notice_ms = 0
        self._list = SensorList(parts, lambda line: stream is not None and stream.write(line))
        self._changed = asyncio.Event()
        self.lines = JsonLines(stream, self._message, _MAX_LINE)

    def changed(self) -> None:
        """There may be something new to show."""
        self._changed.set()

    def show_sensors(self, on: bool) -> None:
        """The list of sensors is looked at, or no more."""
        self._list.show(on)
        self.changed()

    def notice(self, text: str) -> None:
        """Show this line for a while."""
        self._notice = text
        self._notice_ms = self._parts.clock.ms()
        self.changed()

    # ------------------------------------------------------------------ out
    async def show(self) -> None:
        """Send the view whenever it changed."""
        while self._stream is not None:
            self._send(self.view())
            self._changed.clear()
            try:
                await asyncio.wait_for_ms(self._changed.wait(), self._pause_ms())
            except asyncio.TimeoutError:
                pass
            if not self._parts.machine.open():
                self._list.tick()
        await asyncio.Event().wait()

    def _pause_ms(self) -> int:
        if self._busy():
            return _OPEN_MS
        return min(self._list.due_ms() or _IDLE_MS, _NOTICE_MS if self._notice else _IDLE_MS)

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
        if name in ("home", "starting"):
            self._add_panels(seen)
        if name == "prompt":
            seen["dials_in_s"] = max(0, machine.deadline_ms - parts.clock.ms() + 999) // 1000
        return seen

    def _add_panels(self, seen: dict) -> None:
        """What an installer does: shown while nothing else matters."""
        panel = self._parts.registration.panel()
        if panel:
            seen["register"] = panel
            seen["register_left_s"] = self._parts.registration.left_s()
        if self._notice and self._parts.clock.ms() - self._notice_ms < _NOTICE_MS:
            seen["notice"] = self._notice
        else:
            self._notice = ""

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
        if "hello" in message:
            self._shown = ""
        elif "touch" in message:
            reason = self._parts.commands.run(message["touch"], message, TOUCH)
            if reason:
                if reason.startswith("install code: "):  # what is wrong with it is for who speaks English
                    reason = "the code is mistyped"
                self.notice(_REASONS.get(reason) or "할 수 없습니다: " + reason)
                return False
        else:
            return False
        self.changed()
        return True
