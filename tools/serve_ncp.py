"""Serve the simulated Zigbee coprocessor on a pty: `serve_ncp.py LINK [FILE]`, which is `make serve-ncp`.

FILE is a home as JSON: {"sensors": [{"name", "kind", "place", "ieee"?, "model"?}], "steps": [{"at": ms, "do": ...}]?,
"network": "none"?, "seed"?}. Steps are those of a scenario that concern the radio and the sensors (docs/simulator.md);
`every` (ms) repeats one. Times count from the moment the coprocessor is served. Without FILE there is one sensor of
each kind; with "network": "none" a chip that never formed a network. Lines on stdin are further steps, carried out at
once (or `at` ms after that). Must never let a bad file become a traceback: it is one line on stderr and exit status 2.
A bad line on stdin is one line on stderr, and it goes on.
"""

import json
import pathlib
import queue
import sys
import threading
from typing import Any, NoReturn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from hal_sim.sched import Scheduler  # noqa: E402
from hal_sim.steps import ScenarioError, check_sensors, check_steps, comes, product  # noqa: E402
from hal_sim.zigbee.chip import NcpChip  # noqa: E402
from hal_sim.zigbee.household import STEPS  # noqa: E402
from tools.ptyserve import serve  # noqa: E402

DEFAULT = [
    {"name": "smoke", "kind": "smoke", "place": "kitchen"},
    {"name": "pendant", "kind": "call_button", "place": "person"},
    {"name": "door", "kind": "door", "place": "hall"},
    {"name": "movement", "kind": "activity", "place": "living room"},
]
_FIELDS = ("sensors", "steps", "network", "seed")
_STDIN_EVERY_MS = 50


def refuse(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise SystemExit(2)


def _plain(step: Any) -> Any:
    """The step as a scenario has it, without `every`. ScenarioError: it is none for the coprocessor."""
    if not isinstance(step, dict):
        return step
    every = step.get("every", 1)
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise ScenarioError("'every' must be a number of ms, 1 or more")
    if step.get("do") not in STEPS:
        raise ScenarioError(f"unknown step '{step.get('do')}' (known: {', '.join(sorted(STEPS))})")
    return {field: step[field] for field in step if field != "every"}


class Served:
    """The chip with its home, and the steps that are still to come."""

    def __init__(self, sched: Scheduler, home: dict[str, Any]) -> None:
        self._sched = sched
        self._there = check_sensors(home)
        steps = home.get("steps", [])
        if not isinstance(steps, list):
            raise ScenarioError("'steps' must be a list")
        check_steps([_plain(step) for step in steps], self._there)
        self.chip = NcpChip(sched, _tell, home.get("seed", 1))
        if home.get("network") != "none":
            self.chip.load_home(home.get("sensors", []))
        for step in steps:
            sched.at(step["at"], self._run, step)

    def order(self, text: str) -> None:
        """Carry one line of stdin out; what is wrong with it is one line on stderr."""
        try:
            step = json.loads(text)
            check_steps([dict(_plain(step), at=step.get("at", 0)) if isinstance(step, dict) else step], self._there)
            self._sched.after(step.get("at", 0), self._run, step)
        except (ScenarioError, ValueError, TypeError) as error:
            print(f"{text.strip()}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)

    def _run(self, step: dict[str, Any]) -> None:
        try:
            self.chip.act(step)
        except ValueError as error:
            print(f"{json.dumps(step)}: {error}", file=sys.stderr, flush=True)
            return
        if comes(step):
            self._there[step["name"]] = product(step)
        if "every" in step:
            self._sched.after(step["every"], self._run, step)


def build(sched: Scheduler, home: Any) -> Served:
    """The chip with this home behind it, powered. SystemExit 2 names what is wrong with the home."""
    if not isinstance(home, dict):
        refuse("the home must be an object")
    unknown = set(home) - set(_FIELDS)
    if unknown:
        refuse(f"unknown field {min(unknown)!r}")
    if home.get("network", "formed") not in ("formed", "none"):
        refuse("'network' must be one of formed, none")
    if not isinstance(home.get("seed", 1), int):
        refuse("'seed' must be a whole number")
    try:
        served = Served(sched, home)
    except ScenarioError as error:
        refuse(str(error))
    served.chip.power_on()
    return served


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


def listen(served: Served, sched: Scheduler) -> None:
    """stdin is read in a thread and carried out in the chip's time."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def take() -> None:
        for text in sys.stdin:
            lines.put(text)

    def poll() -> None:
        while not lines.empty():
            text = lines.get()
            if text.strip():
                served.order(text)
        sched.after(_STDIN_EVERY_MS, poll)

    threading.Thread(target=take, daemon=True).start()
    poll()


def main(arguments: list[str]) -> None:
    if len(arguments) not in (1, 2) or not arguments[0]:
        refuse("usage: serve_ncp.py LINK [FILE]")
    home = read(arguments[1]) if len(arguments) == 2 and arguments[1] else {"sensors": DEFAULT}
    sched = Scheduler()
    served = build(sched, home)
    listen(served, sched)
    serve(served.chip, sched, arguments[0])


if __name__ == "__main__":
    main(sys.argv[1:])
