"""What a scenario may say: its steps and fields, checked before anything runs.

Owns the contract's vocabulary. Used by the simulator and by the tools in front of it; runs under both Pythons.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BUTTONS = ("119", "centre", "call", "cancel")
KINDS = ("smoke", "activity", "call_button", "door")
RELAY_FAULTS = ("down", "mute", "silent", "no_connack", "mute_relay", "slow", "doubled", "kick", "none")
DNS = ("works", "fails", "silent", "slow", "lies", "stranger")
HOST_ONLY = "\"internet\": \"host\" is for the simulator's mode play only: leave it out, or say \"simulated\""
OUTSIDE = "step '%s' is for the simulated internet: with \"internet\": \"host\" the relay is outside"
NCP_FAULTS = ("hang", "reset", "garbage", "replace", "nv_lost", "unplugged", "version", "full", "none")


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
_LOSS = ((lambda value: _is_number(value) and 0 <= value <= 100), "a percentage, 0 to 100")
_OBJECT = ((lambda value: isinstance(value, dict)), "an object")


def _is_address(value: object) -> bool:
    return isinstance(value, str) and len(value) == 16 and all(digit in "0123456789abcdefABCDEF" for digit in value)


def _is_code(value: "Any") -> bool:
    from hal_sim.zigbee.codes import key_of_code

    try:
        key_of_code(value)
    except (AttributeError, ValueError):
        return False
    return True


def _is_noise(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    levels = all(_is_number(value[channel]) and 0 <= value[channel] <= 255 for channel in value)
    return levels and all(str(channel) in _CHANNELS for channel in value)


def _is_model(value: object) -> bool:
    from hal_sim.zigbee.makers import MODELS  # a home without bought sensors does not pay for them

    return value in MODELS


_CHANNELS = [str(channel) for channel in range(11, 27)]
_ADDRESS = (_is_address, "16 hexadecimal digits")
_CODE = (_is_code, "an install code as printed: hexadecimal, with its checksum")
_NOISE = (_is_noise, 'an object such as {"20": 200}: channels 11 to 26, levels 0 to 255')
_MODEL = (_is_model, "a model of hal_sim/zigbee/makers")

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
              "data": (_BOOL, False), "rssi": (_NUMBER, False), "time": (_BOOL, False)},
    "relay": {"up": (_BOOL, False), "fault": (_one_of(*RELAY_FAULTS), False), "command": (_OBJECT, False)},
    "net": {"dns": (_one_of(*DNS), False), "latency_ms": (_MS, False)},
    "mains": {"on": (_BOOL, True)},
    "power_cut": {"for_ms": (_MS, True)},
    "ncp": {"fault": (_one_of(*NCP_FAULTS), True)},
    "pair": {"kind": (_one_of(*KINDS), True), "name": (_TEXT, True), "place": (_TEXT, False),
             "install_code": (_CODE, False), "ieee": (_ADDRESS, False), "model": (_MODEL, False)},
    "intrude": {"kind": (_one_of(*KINDS), True), "name": (_TEXT, True), "place": (_TEXT, False),
                "ieee": (_ADDRESS, False), "model": (_MODEL, False)},
    "leave": {"sensor": (_TEXT, True)},
    "radio": {"loss": (_LOSS, False), "jam": (_BOOL, False), "noise": (_NOISE, False)},
    "monitor": {"attached": (_BOOL, False), "touch": (_TEXT, False), "with": (_OBJECT, False)},
    "clock": {"lost": (_BOOL, True)},
}
# In the contract, but their parts are not simulated yet.
NOT_YET = ("radar",)

_FIELDS = {"seed": _NUMBER, "start": _TEXT, "until": _MS, "settings": _OBJECT, "network": _one_of("formed", "none"),
           "internet": _one_of("simulated", "host")}


def check_step(step: "Any", where: str, sensors: dict) -> None:
    """Raise ScenarioError unless the step is one the home can do. sensors: who is there, name -> kind and model."""
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
    if "sensor" in fields:
        _check_there(step, where, sensors)
    elif comes(step) and step["name"] in sensors and (do == "intrude" or sensors[step["name"]] != product(step)):
        raise ScenarioError("%s: there is another sensor named '%s'" % (where, step["name"]))


def _check_there(step: dict, where: str, sensors: dict) -> None:
    """The sensor that the step names is there and can do it."""
    if step["sensor"] not in sensors:
        raise ScenarioError("%s: there is no sensor '%s'" % (where, step["sensor"]))
    kind = sensors[step["sensor"]][0]
    if step["do"] in KINDS and step["do"] != kind:
        raise ScenarioError("%s: step '%s': sensor '%s' is of kind %s" % (where, step["do"], step["sensor"], kind))


def _check_value(value: object, check: tuple, what: str) -> None:
    if not check[0](value):
        raise ScenarioError("%s must be %s" % (what, check[1]))


def _check_sensor(item: "Any", where: str, seen: dict) -> None:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not item["name"]:
        raise ScenarioError(where + ": a sensor needs a 'name'")
    if item.get("kind") not in KINDS:
        raise ScenarioError("%s: kind '%s' is not one of %s" % (where, item.get("kind"), ", ".join(KINDS)))
    for name in item:
        if name not in ("name", "kind", "place", "ieee", "model"):
            raise ScenarioError("%s: a sensor has no field '%s'" % (where, name))
    for name, check in (("ieee", _ADDRESS), ("model", _MODEL), ("place", _TEXT)):
        if name in item:
            _check_value(item[name], check, "%s: '%s'" % (where, name))
    if item["name"] in seen:
        raise ScenarioError("%s: there are two sensors named '%s'" % (where, item["name"]))
    seen[item["name"]] = product(item)


def check_sensors(scenario: dict) -> dict:
    """The sensors in the home from the beginning: name -> kind and model. ScenarioError: not as they should be."""
    seen: dict = {}
    for index, item in enumerate(_list(scenario, "sensors")):
        _check_sensor(item, "sensor %d" % (index + 1), seen)
    if seen and scenario.get("network") == "none":
        raise ScenarioError("without a network there are no joined 'sensors': let them 'pair'")
    return seen


def product(item: dict) -> tuple:
    """What it is, of a sensor or of the step that brings one."""
    return item["kind"], item.get("model")


def comes(step: dict) -> bool:
    """The step brings a sensor: there is its name from then on."""
    return step["do"] in ("pair", "intrude")


def check_scenario(scenario: "Any") -> None:
    """Raise ScenarioError at the first thing that is not in the contract."""
    if not isinstance(scenario, dict):
        raise ScenarioError("a scenario is a JSON object")
    for name in sorted(scenario):
        if name not in _FIELDS and name not in ("sensors", "steps"):
            raise ScenarioError("a scenario has no field '%s'" % name)
        if name in _FIELDS:
            _check_value(scenario[name], _FIELDS[name], "'%s'" % name)
    seen = check_sensors(scenario)
    parse_start(scenario.get("start", DEFAULT_START))
    steps = _list(scenario, "steps")
    check_steps(steps, seen)
    for step in steps:
        if scenario.get("internet") == "host" and step["do"] in ("relay", "net"):
            raise ScenarioError(OUTSIDE % step["do"])


def check_steps(steps: list, sensors: dict) -> None:
    """Raise ScenarioError at the first bad step, in the order of time: one that is paired is there from then on."""
    sensors = dict(sensors)
    for index, step in sorted(enumerate(steps), key=_moment):
        where = "step %d" % (index + 1)
        check_step(step, where, sensors)
        if not _is_number(step.get("at")) or step["at"] < 0:
            raise ScenarioError("%s: 'at' must be a number of ms, 0 or more" % where)
        if comes(step):
            sensors[step["name"]] = product(step)


def _moment(numbered: tuple) -> tuple:
    at = numbered[1].get("at") if isinstance(numbered[1], dict) else None
    return (at if _is_number(at) else 0, numbered[0])


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
