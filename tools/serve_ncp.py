"""Serve the simulated Zigbee coprocessor on a pty: `serve_ncp.py LINK [FILE]`, which is `make serve-ncp`.

FILE is a home as JSON: {"sensors": [{"name", "kind", "place", "ieee"?}], "steps": [{"at": ms, "do": ..., ...}]?}. A
step is one of smoke, call_button, door, move, sensor and ncp, with the arguments that scenarios give it
(docs/simulator.md); `every` (ms) repeats it. Times count from the moment the coprocessor is served. Without FILE there
is one sensor of each kind. Must never let a bad file become a traceback: one line on stderr, exit status 2.
"""

import json
import pathlib
import sys
from typing import Any, NoReturn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from hal_sim.sched import Scheduler  # noqa: E402
from hal_sim.zigbee.chip import NcpChip  # noqa: E402
from hal_sim.zigbee.sensors import KINDS  # noqa: E402
from tools.ptyserve import serve  # noqa: E402

DEFAULT = [
    {"name": "smoke", "kind": "smoke", "place": "kitchen"},
    {"name": "pendant", "kind": "call_button", "place": "person"},
    {"name": "door", "kind": "door", "place": "hall"},
    {"name": "movement", "kind": "activity", "place": "living room"},
]
# step -> (argument, type) in the order of the chip's method; the method has the step's name unless told otherwise
_STEPS: dict[str, tuple[tuple[str, type], ...]] = {
    "smoke": (("sensor", str), ("on", bool)),
    "call_button": (("sensor", str), ("button", str)),
    "door": (("sensor", str), ("open", bool)),
    "move": (("place", str), ("for_ms", int)),
    "ncp": (("fault", str),),
}
_METHODS = {"ncp": "set_fault"}
_VALUES = {"button": ("call", "cancel"), "fault": ("hang", "reset", "garbage", "replace", "none")}
_CHANGES = {"battery": int, "radio": bool, "lqi": int, "tamper": bool}


def refuse(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise SystemExit(2)


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _field(entry: dict[str, Any], name: str, kind: type, where: str) -> Any:
    value = entry.get(name)
    if not _is(value, kind):
        refuse(f"{where}: {name} must be a {kind.__name__}")
    if value not in _VALUES.get(name, (value,)):
        refuse(f"{where}: unknown {name} {value!r}")
    return value


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 16 and set(value.lower()) <= set("0123456789abcdef")


def _sensors(entries: Any) -> list[dict[str, Any]]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        refuse("sensors must be a list of objects")
    names: set[str] = set()
    for entry in entries:
        name = _field(entry, "name", str, "a sensor")
        if name in names:
            refuse(f"sensor {name}: the name is taken")
        names.add(name)
        if entry.get("kind") not in KINDS:
            refuse(f"sensor {name}: unknown kind {entry.get('kind')!r}")
        if "ieee" in entry and not _is_address(entry["ieee"]):
            refuse(f"sensor {name}: ieee must be 16 hexadecimal digits")
    return entries


def _plan(chip: NcpChip, step: Any, names: set[str]) -> None:
    """Put one step into the chip's future."""
    if not isinstance(step, dict):
        refuse("a step must be an object")
    at = _field(step, "at", int, "a step")
    do = _field(step, "do", str, "a step")
    where = f"step {do} at {at}"
    if "sensor" in step and step["sensor"] not in names:
        refuse(f"{where}: no sensor {step['sensor']!r}")
    if do == "sensor":
        name = _field(step, "sensor", str, where)
        changes = {key: _field(step, key, kind, where) for key, kind in _CHANGES.items() if key in step}
        allowed = {"sensor", *changes}

        def act() -> None:
            chip.sensor(name, **changes)
    elif do in _STEPS:
        arguments = [_field(step, key, kind, where) for key, kind in _STEPS[do]]
        method = getattr(chip, _METHODS.get(do, do))
        allowed = {key for key, _ in _STEPS[do]}

        def act() -> None:
            method(*arguments)
    else:
        refuse(f"{where}: unknown step {do!r}")
    unknown = set(step) - allowed - {"at", "do", "every"}
    if unknown:
        refuse(f"{where}: unknown field {min(unknown)!r}")
    _repeat(chip, at, _field(step, "every", int, where) if "every" in step else 0, act)


def _repeat(chip: NcpChip, at: int, every: int, act: Any) -> None:
    def run() -> None:
        act()
        if every > 0:
            chip.sched.after(every, run)

    chip.sched.at(at, run)


def build(sched: Scheduler, home: Any) -> NcpChip:
    """The chip with this home behind it, powered. SystemExit 2 names what is wrong with the home."""
    if not isinstance(home, dict):
        refuse("the home must be an object")
    unknown = set(home) - {"sensors", "steps"}
    if unknown:
        refuse(f"unknown field {min(unknown)!r}")
    sensors = _sensors(home.get("sensors", []))
    chip = NcpChip(sched, _tell)
    chip.load_home(sensors)
    steps = home.get("steps", [])
    if not isinstance(steps, list):
        refuse("steps must be a list")
    for step in steps:
        _plan(chip, step, {entry["name"] for entry in sensors})
    chip.power_on()
    return chip


def _tell(what: str, **fields: Any) -> None:
    print(json.dumps({"what": what, **fields}, ensure_ascii=False), flush=True)


def read(path: str) -> Any:
    """The file's JSON. SystemExit 2 names what is wrong with it."""
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        refuse(f"{path}: {error.strerror}")
    except (UnicodeDecodeError, ValueError) as error:
        refuse(f"{path}: {str(error).splitlines()[0]}")


def main(arguments: list[str]) -> None:
    if len(arguments) not in (1, 2) or not arguments[0]:
        refuse("usage: serve_ncp.py LINK [FILE]")
    home = read(arguments[1]) if len(arguments) == 2 and arguments[1] else {"sensors": DEFAULT}
    sched = Scheduler()
    serve(build(sched, home), sched, arguments[0])


if __name__ == "__main__":
    main(sys.argv[1:])
