"""AT commands of the simulated modem: identity, settings, SIM, network, messages.

Owns the table only: handler(chip, operation, arguments) gives a list of lines, a result code, or None when it answers
by itself; ValueError is ERROR, CmeError is +CME ERROR. Sources: AT Commands Manual V2.0 chapters 2, 4, 5, 6, 9.
"""

from micropython import const

from hal_sim.modem.files import CmeError
from hal_sim.pcf8563 import civil_from_days

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from hal_sim.modem.chip import ModemChip

PROMPT = 4
CMUX = 2
_IMEI = "866834040000019"
_IMSI = "450080000000019"
_OPERATOR = "SIM-KT"
_ZONE_QUARTERS = 36


def unquote(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == '"' and text[-1] == '"' else text


def split(arguments: str) -> list:
    """Comma separated values, quotes taken off."""
    return [unquote(part) for part in arguments.split(",")]


def _need_sim(chip: "ModemChip") -> None:
    if not chip.sim:
        raise CmeError(10)


def _flag(name: str, most: int, default: int = 0) -> "Callable":
    """A basic command that sets a number, as E, V, Q, X."""

    def run(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
        value = int(arguments) if arguments else default
        if not 0 <= value <= most:
            return "ERROR"
        chip.at.settings[name] = value
        return []

    return run


def _value(name: str, most: int, test: str, sim: bool = False) -> "Callable":
    """An extended command that keeps one number (what follows it is accepted)."""

    def run(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
        if sim:
            _need_sim(chip)
        if operation == "=?":
            return ["%s: %s" % (name, test)]
        if operation == "?":
            return ["%s: %d" % (name, chip.at.settings[name])]
        value = int(split(arguments)[0]) if arguments else 0
        if not 0 <= value <= most:
            raise CmeError(50)
        chip.at.settings[name] = value
        return []

    return run


def _constant(*lines: str) -> "Callable":
    return lambda chip, operation, arguments: [] if operation == "=?" else list(lines)


def _accept(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return []


def _register(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return ["000"] if operation == "?" else []


def _restore(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    chip.at.restore()
    return []


def _cfun(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=?":
        return ["+CFUN: (0,1,4),(0,1)"]
    if operation == "?":
        return ["+CFUN: %d" % chip.at.settings["+CFUN"]]
    parts = split(arguments)
    function = int(parts[0])
    if function not in (0, 1, 4):
        raise CmeError(50)
    if len(parts) > 1 and parts[1] == "1":
        chip.later(200, chip._boot)
        return []
    chip.at.settings["+CFUN"] = function
    if function != 1:
        chip.calls.network_lost()
    chip.at.registration_changed()
    chip.at.answer_later([], "OK", delay_ms=1500)
    return None


def _cpin(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=":
        chip.pin_tries += 1
        raise CmeError((16 if chip.locked else 3) if chip.sim else 10)
    if operation == "?":
        _need_sim(chip)
        return ["+CPIN: SIM PIN" if chip.locked else "+CPIN: READY"]
    return []


def _csq(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=?":
        return ["+CSQ: (0-31,99),(0-7,99)"]
    heard = chip.at.settings["+CFUN"] == 1 and (chip.voice or chip.data)
    return ["+CSQ: %d,%d" % (chip.rssi if heard else 99, 0 if heard else 99)]


def _registration(name: str, packet: bool) -> "Callable":
    def run(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
        if operation == "=?":
            return ["%s: (0-2)" % name]
        if operation == "?":
            stat = chip.at.packet_registration() if packet else chip.at.registration()
            return ["%s: %d,%d" % (name, chip.at.settings[name], stat)]
        chip.at.settings[name] = int(arguments or 0)
        return []

    return run


def _cops(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=?":
        return ['+COPS: (2,"%s","%s","45008",7),,(0,1,2,3,4),(0,1,2)' % (_OPERATOR, _OPERATOR)]
    if operation == "?":
        return ['+COPS: 0,0,"%s",7' % _OPERATOR if chip.at.registration() == 1 else "+COPS: 0"]
    return []


def _qlts(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    """1: UTC, else local time: Korea is 36 quarters of an hour ahead. Null while the network has told none."""
    if operation == "=?":
        return ["+QLTS: (0-2)"]
    now_s = chip.network_time_s()
    if now_s is None:
        return ['+QLTS: ""']
    seconds = now_s + (0 if arguments == "1" else _ZONE_QUARTERS * 900)
    day, rest = divmod(seconds, 86400)
    date = civil_from_days(day) + (rest // 3600, rest // 60 % 60, rest % 60, _ZONE_QUARTERS)
    return ['+QLTS: "%04d/%02d/%02d,%02d:%02d:%02d+%d,0"' % date]


def _cimi(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    _need_sim(chip)
    return [_IMSI] if operation == "" else []


def _cscs(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=?":
        return ['+CSCS: ("GSM","IRA","UCS2")']
    if operation == "?":
        return ['+CSCS: "%s"' % chip.at.settings["+CSCS"]]
    if unquote(arguments) not in ("GSM", "IRA", "UCS2"):
        raise CmeError(50)
    chip.at.settings["+CSCS"] = unquote(arguments)
    return []


def _csca(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    _need_sim(chip)
    return ['+CSCA: "+821029190000",145'] if operation == "?" else []


def _csmp(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return ["+CSMP: 17,167,0,0"] if operation == "?" else []


def _cpms(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    _need_sim(chip)
    if operation == "=?":
        return ['+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")']
    if operation == "?":
        return ['+CPMS: "ME",0,255,"ME",0,255,"ME",0,255']
    return ["+CPMS: 0,255,0,255,0,255"]


def _cnmi(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return ["+CNMI: 2,1,0,0,0"] if operation == "?" else []


def _cmgs(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=?":
        return []
    text_mode = chip.at.settings["+CMGF"] == 1
    first = split(arguments)[0]
    if not first or not (text_mode or first.isdigit()):
        return "ERROR"
    chip.sms.begin(first if text_mode else None)
    chip.enter(PROMPT)
    chip.later(chip.latency_ms, chip.write, b"\r\n> ")
    return None


def _cmux(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=?":
        return ["+CMUX: (0),(0),(1-8),(1-32768),(1-255),(0-100),(2-255),(1-255),(1-7)"]
    if operation == "=":
        chip.at.answer_later([], "OK")
        chip.later(chip.latency_ms, chip.enter, CMUX)
        return None
    return []


def _powerdown(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    chip.later(300, chip._pwrkey_held, chip._pwrkey_at, False)
    return []


TABLE: dict = {
    "E": _flag("E", 1), "V": _flag("V", 1), "Q": _flag("Q", 1), "X": _flag("X", 4), "Z": _restore, "&F": _restore,
    "&W": _accept, "&C": _accept, "&D": _accept, "S0": _register, "S3": _register, "S12": _register,
    "I": _constant("Quectel", "EG25", "Revision: EG25GGBR07A08M2G"),
    "+GMI": _constant("Quectel"), "+CGMI": _constant("Quectel"),
    "+GMM": _constant("EG25"), "+CGMM": _constant("EG25"),
    "+GMR": _constant("EG25GGBR07A08M2G"), "+CGMR": _constant("EG25GGBR07A08M2G"),
    "+GSN": _constant(_IMEI), "+CGSN": _constant(_IMEI), "+CIMI": _cimi, "+QLTS": _qlts,
    "+QCCID": _constant("+QCCID: 8982080000000000019"),
    "+CMEE": _value("+CMEE", 2, "(0-2)"), "+CMGF": _value("+CMGF", 1, "(0,1)", True),
    "+CFUN": _cfun, "+CPIN": _cpin, "+CSQ": _csq, "+CREG": _registration("+CREG", False),
    "+CEREG": _registration("+CEREG", True), "+CGREG": _registration("+CGREG", True), "+COPS": _cops,
    "+CSCS": _cscs, "+CSCA": _csca, "+CSMP": _csmp, "+CPMS": _cpms, "+CNMI": _cnmi, "+CMGS": _cmgs, "+CSMS": _accept,
    "+CMGD": _accept, "+CMGL": _accept, "+CMUX": _cmux, "+QPOWD": _powerdown, "+QURCCFG": _accept, "+QCFG": _accept,
    "+IPR": _constant("+IPR: 115200"), "+IFC": _accept, "+CTZU": _accept, "+CTZR": _accept, "+CGDCONT": _accept,
    "+QINISTAT": lambda chip, operation, arguments: ["+QINISTAT: %d" % (7 if chip.sim else 0)],
}
