"""AT commands of the simulated modem: calls, data sessions, volume.

Owns the table only; see commands_general for the form. Sources: AT Commands Manual V2.0 chapters 7, 11 and 12.1.
"""

from micropython import const

from hal_sim.modem.calls import ACTIVE, HELD, INCOMING, WAITING
from hal_sim.modem.commands_general import _accept, _value, split, unquote
from hal_sim.modem.files import CmeError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from hal_sim.modem.chip import ModemChip

DATA = 1
_DIALABLE = "0123456789*#+ABC"
_HANG_UP_MS = 120
_CEER = {
    0: "No cause information available", 16: "Normal call clearing", 17: "User busy", 18: "No user responding",
    19: "User alerting, no answer", 38: "Network out of order", 41: "Temporary failure",
}


def _dial(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    text = arguments
    if text.endswith(";"):
        number = "".join([c for c in text[:-1] if c in _DIALABLE])
        if not number or any(c in "*#" for c in number):
            return "ERROR"
        if chip.at.settings["+CFUN"] != 1 or not chip.calls.may_dial(number) or len(chip.calls.list) > 1:
            return "NO CARRIER"
        chip.calls.dial(number)
        return []
    if not text.startswith("*99"):
        return "NO CARRIER"
    if chip.at.packet_registration() != 1:
        return "NO CARRIER"
    chip.session = True
    chip.at.connect_later(DATA, "CONNECT 150000000")
    return None


def _online(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if not chip.session:
        return "NO CARRIER"
    chip.at.connect_later(DATA, "CONNECT 150000000")
    return None


def _answer(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return [] if chip.calls.answer() else "NO CARRIER"


def _released(chip: "ModemChip", states: "tuple | None", ident: int = 0) -> None:
    """The network confirms a release a moment later; the call is gone at once."""
    chip.calls.release(states, ident)
    chip.at.answer_later([], "OK", delay_ms=_HANG_UP_MS)


def _hook(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    """ATH: everything, when +CVHU lets it."""
    if chip.at.settings["+CVHU"] != 1:
        chip.session = False
        _released(chip, None)
        return None
    return []


def _chup(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "":
        _released(chip, None)
        return None
    return []


def _qhup(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=?":
        return []
    parts = split(arguments)
    ident = int(parts[1]) if len(parts) > 1 else 0
    if not any(ident in (0, call.ident) for call in chip.calls.list):
        raise CmeError(3)
    _released(chip, None, ident)
    return None


def _chld(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    """0: held, or refuse the waiting one; 1: active ones; 1x: that one (TS 22.030 6.5.5)."""
    if operation == "=?":
        return ["+CHLD: (0,1,1x,2,2x,3,4)"]
    if arguments == "0":
        waiting = [c for c in chip.calls.list if c.state in (INCOMING, WAITING)]
        _released(chip, (INCOMING, WAITING) if waiting else (HELD,))
        return None
    if arguments == "1":
        _released(chip, (ACTIVE,))
        return None
    if len(arguments) == 2 and arguments[0] == "1":
        _released(chip, None, int(arguments[1]))
        return None
    raise CmeError(4)


def _clcc(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return [] if operation == "=?" else chip.calls.lines()


def _ceer(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return [] if operation == "=?" else ["+CEER: " + _CEER.get(chip.calls.cause, _CEER[0])]


def _ccwa(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "?":
        return ["+CCWA: %d" % chip.at.settings["+CCWA"]]
    if operation == "=?":
        return ["+CCWA: (0,1)"]
    parts = split(arguments)
    chip.at.settings["+CCWA"] = int(parts[0])
    if len(parts) > 1:
        if chip.at.registration() != 1:
            raise CmeError(30)
        if parts[1] == "2":
            return ["+CCWA: %d,1" % chip.calls.waiting_on]
        chip.calls.waiting_on = parts[1] == "1"
        chip.at.answer_later([], "OK", delay_ms=400)
        return None
    return []


def _qeccnum(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    table = chip.at.ecc
    if operation == "=?":
        return ["+QECCNUM: (0-2)"]
    if operation == "?":
        return ["+QECCNUM: %d,%s" % (kind, ",".join(['"%s"' % n for n in table[kind]])) for kind in (0, 1)]
    parts = split(arguments)
    mode, kind = int(parts[0]), int(parts[1])
    if mode == 0:
        return ["+QECCNUM: %d,%s" % (kind, ",".join(['"%s"' % n for n in table[kind]]))]
    for number in parts[2:]:
        if mode == 1 and number not in table[kind]:
            table[kind].append(number)
        elif mode == 2 and number in table[kind]:
            table[kind].remove(number)
    return []


def _clip(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "?":
        return ["+CLIP: %d,1" % chip.at.settings["+CLIP"]]
    if operation == "=?":
        return ["+CLIP: (0,1)"]
    chip.at.settings["+CLIP"] = int(unquote(arguments))
    return []


TABLE: dict = {
    "D": _dial, "O": _online, "A": _answer, "H": _hook, "+CHUP": _chup, "+QHUP": _qhup, "+CHLD": _chld,
    "+CLCC": _clcc, "+CEER": _ceer, "+CCWA": _ccwa, "+QECCNUM": _qeccnum, "+CLIP": _clip,
    "+CRC": _value("+CRC", 1, "(0,1)"), "+CVHU": _value("+CVHU", 1, "(0,1)"),
    "+CLVL": _value("+CLVL", 5, "(0-5)"), "+CMUT": _value("+CMUT", 1, "(0,1)"),
    "^DSCI": _value("^DSCI", 1, "(0,1)"),
    "+COLP": _accept, "+CSTA": _accept, "+VTS": _accept, "+QAUDMOD": _accept, "+QDAI": _accept, "+CLIR": _accept,
}
