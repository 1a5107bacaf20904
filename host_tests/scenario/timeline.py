"""Runs the real firmware in the simulated home and asks the timeline what happened."""

import io
import json

from tools import scenario, simulator

ARMED = 20_000  # the modem needs 12 s from power on; by now every way to 119 is there
SENSORS = [
    {"name": "kitchen", "kind": "smoke", "place": "부엌"},
    {"name": "bedroom", "kind": "smoke", "place": "침실"},
    {"name": "pendant", "kind": "call_button", "place": "욕실"},
    {"name": "door", "kind": "door", "place": "현관"},
]
FIRE = "화재가 감지되었습니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오"
CALL = "응급호출이 감지되었습니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오"
MANUAL = "119로 연결합니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오"
REPORT_FIRE = "화재발생! 안심콜 시스템 확인 요청"
REPORT_CALL = "응급호출! 안심콜 시스템 확인 요청"


class Timeline:
    """The lines of one run."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = [json.loads(line) for line in text.splitlines()]

    def all(self, what: str, **fields) -> list:
        wanted = {"what": what, **fields}
        return [line for line in self.lines if all(line.get(k) == v for k, v in wanted.items())]

    def first(self, what: str, **fields) -> dict:
        found = self.all(what, **fields)
        assert found, f"no {what} {fields} in\n" + "\n".join(json.dumps(line, ensure_ascii=False) for line in self.lines
                                                         if line["what"] != "screen")
        return found[0]

    def times(self, what: str, **fields) -> list:
        return [line["t"] for line in self.all(what, **fields)]

    def records(self, event: str) -> list:
        """What the relay committed under that event name."""
        return [line["record"] for line in self.all("relay") if line["record"].get("event") == event]

    def record(self, event: str) -> dict:
        found = self.records(event)
        assert found, f"the relay has no {event}: {[line['record'].get('event') for line in self.all('relay')]}"
        return found[0]

    def faults(self) -> list:
        """Error lines of the log: a scenario that expects none has none."""
        return [line["text"] for line in self.all("log", level="error")]


def play(steps: list, until: int, heap: str = simulator.HEAP, **fields) -> Timeline:
    """Run a scenario. A traceback or a dead process fails the test."""
    out = io.StringIO()
    whole = {"seed": 1, "until": until, "sensors": SENSORS, "steps": steps, **fields}
    scenario.run(whole, out, heap)
    return Timeline(out.getvalue())


def press(at: int, button: str = "119", hold_ms: int = 200) -> dict:
    return {"at": at, "do": "press", "button": button, "hold_ms": hold_ms}


def smoke(at: int, on: bool = True, sensor: str = "kitchen") -> dict:
    return {"at": at, "do": "smoke", "sensor": sensor, "on": on}


def pendant(at: int, button: str = "call") -> dict:
    return {"at": at, "do": "call_button", "sensor": "pendant", "button": button}


def step(at: int, do: str, **fields) -> dict:
    return {"at": at, "do": do, **fields}


TRIGGERS = {"button": press, "fire": smoke, "call": pendant}
PROMPTS = {"button": MANUAL, "fire": FIRE, "call": CALL}
REPORTS = {"button": REPORT_CALL, "fire": REPORT_FIRE, "call": REPORT_CALL}
