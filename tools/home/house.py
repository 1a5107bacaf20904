"""The home that `make run` opens, and how its simulator process is started.

Owns the default scenario and the command line. Must never know of browsers.
"""

from __future__ import annotations

import datetime
import pathlib
import shlex
import sys

from hal_sim.zigbee.makers import MODELS
from tools import simulator
from tools.home.clock import KST

HEAP = "16M"  # a session in a browser may last for hours; tests run with simulator.HEAP

SENSORS = (
    {"name": "부엌 화재감지기", "kind": "smoke", "place": "부엌"},
    {"name": "침실 활동량감지기", "kind": "activity", "place": "침실"},
    {"name": "화장실 응급호출기", "kind": "call_button", "place": "화장실"},
    {"name": "현관 출입감지기", "kind": "door", "place": "현관"},
)
_ACTS = {"smoke": "set_smoke", "call_button": "press", "door": "set_open", "activity": "see"}  # what a kind can do
SETTINGS = {"tester": "01000000119"}  # whom test mode dials; nobody's number


def scenario(start: str = "", seed: int = 1) -> dict:
    """The home as a scenario object; start is the home's time (KST) in ISO form, the present one when empty."""
    start = start or datetime.datetime.now(KST).replace(microsecond=0, tzinfo=None).isoformat()
    return {"seed": seed, "start": start, "settings": dict(SETTINGS), "sensors": [dict(each) for each in SENSORS]}


def products() -> list[dict[str, str]]:
    """The bought sensors that can be brought into the home: kind, maker and model."""
    found = []
    for model, product in MODELS.items():
        kind = next(kind for kind, act in _ACTS.items() if hasattr(product, act))
        found.append({"kind": kind, "maker": product.maker.strip(), "model": model})
    return sorted(found, key=lambda each: (each["kind"], each["maker"].lower(), each["model"]))


def command(folder: pathlib.Path) -> list[str]:
    """The simulator process: firmware and home in one MicroPython; its files in folder. Raises LookupError."""
    return simulator.command("play", folder, HEAP)


def export(folder: pathlib.Path) -> str:
    """The command that shows, wherever it is given, what a real relay has committed in this folder."""
    words = [sys.executable, "-m", "tools.relay", "export", "--jsonl", "--db", f"sqlite:///{folder / 'relay.db'}"]
    return f"cd {shlex.quote(str(simulator.ROOT))} && {shlex.join(words)}"
