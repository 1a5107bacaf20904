"""What a page may ask of the simulated home.

Owns the list of steps and what of them is a lasting state (a switch). Must never guess: what is not a
step in form is refused with the reason; whether it makes sense is for the simulator to say.
"""

from __future__ import annotations

STEPS = frozenset(("press", "smoke", "call_button", "door", "move", "radar", "sensor", "line119", "hang_up", "call_in",
                   "modem", "relay", "mains", "power_cut", "ncp", "monitor", "clock", "speed", "pair", "leave",
                   "radio"))
FIELDS_MAX = 8
TEXT_MAX = 200
DESK_MODES = ("auto", "manual", "busy", "no_answer", "drop")
AUTO_ANSWER_MS = 3000
_MOMENTARY = ("reset",)  # a fault that is over as soon as it was made


def refusal(step: object) -> str:
    """Why this is not a step; empty when it is one."""
    if not isinstance(step, dict) or not isinstance(step.get("do"), str):
        return "a step is an object with 'do'"
    if step["do"] not in STEPS:
        return "unknown step %r" % step["do"][:40]
    if len(step) > FIELDS_MAX:
        return "too many fields"
    inner = step.get("with", {}) if step["do"] == "monitor" else {}  # what is chosen or typed with a touch
    if not isinstance(inner, dict) or len(inner) > FIELDS_MAX:
        return "bad value of 'with'"
    for name, value in [*(item for item in step.items() if item[1] is not inner), *inner.items()]:
        if not isinstance(value, (str, int, float, bool)) or (isinstance(value, str) and len(value) > TEXT_MAX):
            return "bad value of %r" % str(name)[:40]
    return ""


def remember(world: dict, step: dict) -> None:
    """Keep what this step leaves behind: the switches as every page shows them."""
    do = step["do"]
    if do in ("smoke", "door"):
        world.setdefault(do, {})[str(step.get("sensor"))] = bool(step.get("on", step.get("open")))
    elif do in ("modem", "ncp", "monitor"):
        kept = {name: value for name, value in step.items() if name not in ("do", "touch", "with")}
        if kept.get("fault") in _MOMENTARY:
            kept["fault"] = "none"
        world.setdefault(do, {}).update(kept)
    elif do == "sensor":
        kept = {name: value for name, value in step.items() if name not in ("do", "sensor")}
        world.setdefault("sensor", {}).setdefault(str(step.get("sensor")), {}).update(kept)
    elif do == "pair":
        known = world.setdefault("brought", [])
        if step.get("name") not in [each["name"] for each in known]:
            known.append({**{name: step.get(name, "") for name in ("name", "kind", "place", "model", "ieee")},
                          "coded": "install_code" in step})
    elif do == "relay":  # a command leaves nothing behind
        world.setdefault(do, {}).update({name: value for name, value in step.items() if name not in ("do", "command")})
    elif do in ("mains", "speed", "move"):
        world[do] = {name: value for name, value in step.items() if name != "do"}


def line_reply(mode: str) -> dict:
    """The step that makes the line of 119 behave as the desk was set; mode is one of DESK_MODES."""
    reply = {"auto": "answer", "manual": "no_answer"}.get(mode, mode)
    return {"do": "line119", "reply": reply, "after_ms": AUTO_ANSWER_MS}
