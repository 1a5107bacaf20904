"""What a scenario may say: its steps and fields, checked before anything runs.

Owns the contract's vocabulary. Used by the simulator and by the tools in front of it; runs under both Pythons.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BUTTONS = ("119", "centre", "call", "cancel")
KINDS = ("smoke", "activity", "call_button", "door")


class ScenarioError(Exception):
    """One line that names what is wrong."""


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one_of(*names: "Any") -> tuple:
    return (lambda value: value in names), "one of " + ", ".join(names)


_TEXT = ((lambda value: isinstance(value, str)), "a text")
_BOOL = ((lambda value: isinstance(value, bool)), "true or false")
_MS = ((lambda value: _is_number(value) and value >= 0), "a number of ms, 0 or more")
_NUMBER = (_is_number, "a whole number")
_PERCENT = ((lambda value: _is_number(value) and 0 <= value <= 120), "a percentage")
_OBJECT = ((lambda value: isinstance(value, dict)), "an object")

# do: {field: (check, required)}
STEPS = {
    "press": {"button": (_one_of(*BUTTONS), True), "hold_ms": (_MS, False)},
    "smoke": {"sensor": (_TEXT, True), "on": (_BOOL, True)},
    "call_button": {"sensor": (_TEXT, True), "button": (_one_of("call", "cancel"), True)},
    "door": {"sensor": (_TEXT, True), "open": (_BOOL, True)},
    "move": {"place": (_TEXT, True), "for_ms": (_MS, True)},
    "sensor": {"sensor": (_TEXT, True), "battery": (_PERCENT, False), "radio": (_BOOL, False), "lqi": (_NUMBER, False),
               "tamper": (_BOOL, False)},
    "line119": {"reply": (_one_of("answer", "busy", "no_answer", "drop"), True), "after_ms": (_MS, False)},
    "hang_up": {},
    "call_in": {"from": (_TEXT, True)},
    "modem": {"fault": (_one_of("hang", "reset", "no_sim", "none"), False), "voice": (_BOOL, False),
              "data": (_BOOL, False), "rssi": (_NUMBER, False)},
    "relay": {"up": (_BOOL, False), "command": (_OBJECT, False)},
    "mains": {"on": (_BOOL, True)},
    "power_cut": {"for_ms": (_MS, True)},
    "ncp": {"fault": (_one_of("hang", "reset", "garbage", "none"), True)},
    "monitor": {"attached": (_BOOL, False), "touch": (_TEXT, False)},
    "clock": {"lost": (_BOOL, True)},
}
# In the contract, but their parts are not simulated yet.
NOT_YET = ("radar", "pair")

_FIELDS = {"seed": _NUMBER, "start": _TEXT, "until": _MS, "settings": _OBJECT}


def check_step(step: "Any", where: str, sensors: "Any") -> None:
    """Raise ScenarioError unless the step is one the home can do. sensors: names that exist."""
    if not isinstance(step, dict):
        raise ScenarioError(where + ": a step is a JSON object")
    do = step.get("do")
    if do in NOT_YET:
        raise ScenarioError("%s: step '%s' is not simulated yet" % (where, do))
    if do not in STEPS:
        raise ScenarioError("%s: unknown step '%s' (known: %s)" % (where, do, ", ".join(sorted(STEPS))))
    fields = STEPS[do]
    for name in sorted(step):
        if name not in ("do", "at") and name not in fields:
            raise ScenarioError("%s: step '%s' has no field '%s'" % (where, do, name))
    for name in sorted(fields):
        check, required = fields[name]
        if name in step:
            _check_value(step[name], check, "%s: step '%s': '%s'" % (where, do, name))
        elif required:
            raise ScenarioError("%s: step '%s' needs '%s'" % (where, do, name))
    if "sensor" in fields and step["sensor"] not in sensors:
        raise ScenarioError("%s: there is no sensor '%s'" % (where, step["sensor"]))


def _check_value(value: object, check: tuple, what: str) -> None:
    if not check[0](value):
        raise ScenarioError("%s must be %s" % (what, check[1]))


def _check_sensor(item: "Any", where: str, seen: set) -> None:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not item["name"]:
        raise ScenarioError(where + ": a sensor needs a 'name'")
    if item.get("kind") not in KINDS:
        raise ScenarioError("%s: kind '%s' is not one of %s" % (where, item.get("kind"), ", ".join(KINDS)))
    for name in item:
        if name not in ("name", "kind", "place", "ieee"):
            raise ScenarioError("%s: a sensor has no field '%s'" % (where, name))
    ieee = item.get("ieee", "0" * 16)
    if not isinstance(ieee, str) or len(ieee) != 16 or not all(digit in "0123456789abcdefABCDEF" for digit in ieee):
        raise ScenarioError("%s: 'ieee' must be 16 hexadecimal digits" % where)
    if item["name"] in seen:
        raise ScenarioError("%s: there are two sensors named '%s'" % (where, item["name"]))
    seen.add(item["name"])


def check_scenario(scenario: "Any") -> None:
    """Raise ScenarioError at the first thing that is not in the contract."""
    if not isinstance(scenario, dict):
        raise ScenarioError("a scenario is a JSON object")
    for name in sorted(scenario):
        if name not in _FIELDS and name not in ("sensors", "steps"):
            raise ScenarioError("a scenario has no field '%s'" % name)
        if name in _FIELDS:
            _check_value(scenario[name], _FIELDS[name], "'%s'" % name)
    seen: set = set()
    for index, item in enumerate(_list(scenario, "sensors")):
        _check_sensor(item, "sensor %d" % (index + 1), seen)
    parse_start(scenario.get("start", DEFAULT_START))
    for index, step in enumerate(_list(scenario, "steps")):
        where = "step %d" % (index + 1)
        check_step(step, where, seen)
        if not _is_number(step.get("at")) or step["at"] < 0:
            raise ScenarioError("%s: 'at' must be a number of ms, 0 or more" % where)


def _list(scenario: dict, name: str) -> list:
    value = scenario.get(name, [])
    if not isinstance(value, list):
        raise ScenarioError("'%s' must be a list" % name)
    return value


DEFAULT_START = "2026-03-01T09:00:00"


def parse_start(text: str) -> tuple:
    """(year, month, day, hour, minute, second) of an ISO local time."""
    try:
        date, _, clock = text.partition("T")
        year, month, day = [int(part) for part in date.split("-")]
        hour, minute, second = [int(part) for part in (clock or "00:00:00").split(":")]
    except ValueError:
        raise ScenarioError("'start' must be a local time such as %s" % DEFAULT_START) from None
    if not (2000 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60):
        raise ScenarioError("'start' is not a time: " + text)
    return year, month, day, hour, minute, second
