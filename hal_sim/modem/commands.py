"""The AT interpreter of the simulated modem: one command line in, its answer out.

Owns the settings that AT commands change and the form of answers (echo, verbose, CMEE). The tables of commands are in
`commands_*`. Must never keep a call, a file or a message itself.
Sources: ITU-T V.250 5.2 to 5.7; 3GPP TS 27.007; EC2x&EG25-G AT Commands Manual V2.0 1.2, 2.15, 15.4.
"""

from micropython import const

from hal_sim.modem import commands_call, commands_file, commands_general
from hal_sim.modem.files import CmeError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from hal_sim.modem.chip import ModemChip

_VERBOSE = {
    3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted", 13: "SIM failure", 14: "SIM busy",
    30: "no network service", 50: "incorrect parameters", 58: "invalid command line",
}
_NUMERIC = {
    "OK": 0, "CONNECT": 1, "RING": 2, "NO CARRIER": 3, "ERROR": 4, "NO DIALTONE": 6, "BUSY": 7, "NO ANSWER": 8,
}
TABLE: dict = {}
TABLE.update(commands_general.TABLE)
TABLE.update(commands_call.TABLE)
TABLE.update(commands_file.TABLE)


def split_line(text: str) -> list:
    """Commands of one line: separated by ';' outside quotes; D takes all that is left (V.250 5.2.1, 6.3.1)."""
    parts = []
    rest = text
    while rest:
        head = rest[0].upper()
        if head == "D":
            parts.append(rest)
            break
        if head in "+^$":
            end = 0
            quoted = False
            while end < len(rest) and (quoted or rest[end] != ";"):
                quoted ^= rest[end] == '"'
                end += 1
            parts.append(rest[:end])
            rest = rest[end + 1:]
            continue
        end = 2 if head == "&" else 1
        while end < len(rest) and rest[end] in "0123456789=?":
            end += 1
        parts.append(rest[:end])
        rest = rest[end:].lstrip(";")
    return parts


def parse(command: str) -> tuple:
    """(name, operation, arguments): operation is '', '?', '=?' or '='."""
    if command[0] in "+^$":
        cut = len(command)
        for mark in "=?":
            found = command.find(mark)
            if 0 <= found < cut:
                cut = found
        name = command[:cut].upper()
        tail = command[cut:]
        if tail in ("?", "=?"):
            return name, tail, ""
        return name, "=" if tail else "", tail[1:]
    size = 2 if command[0] == "&" else 1
    if command[0].upper() == "S":
        size = 1
        while size < len(command) and command[size] in "0123456789":
            size += 1
    tail = command[size:]
    if tail == "?":
        return command[:size].upper(), "?", ""
    return command[:size].upper(), "=", tail.lstrip("=")


class Interpreter:
    """`line` takes a command line without its CR; results leave after the module's latency."""

    def __init__(self, chip: "ModemChip") -> None:
        self.chip = chip
        self.ecc = [["911", "112", "00", "08", "110", "999", "118", "119"], ["911", "112"]]
        self.settings: dict = {}
        self.restore()
        self._held: list = []

    @property
    def echo(self) -> bool:
        return self.settings["E"] == 1

    def restore(self) -> None:
        """Factory settings, as at power-up, AT&F and ATZ (manual 15.1 to 15.3)."""
        self.settings = {
            "E": 1, "V": 1, "Q": 0, "X": 4, "+CMEE": 1, "+CLIP": 0, "+CRC": 0, "+CREG": 0, "+CEREG": 0, "+CGREG": 0,
            "+CCWA": 0, "+CMGF": 0, "+CVHU": 0, "+CLVL": 3, "+CMUT": 0, "+CSCS": "GSM", "+CFUN": 1,
            "^DSCI": 0,
        }

    def reset(self) -> None:
        """The module restarts."""
        self._held = []
        self.restore()

    # --- answers -----------------------------------------------------------------------------------------------

    def result(self, code: str) -> None:
        """A result code line, in the form V and Q ask for."""
        if self.settings["Q"]:
            return
        if self.settings["V"]:
            self.chip.write(("\r\n%s\r\n" % code).encode())
        elif code in _NUMERIC:
            self.chip.write(b"%d\r" % _NUMERIC[code])
        else:
            self.chip.write(("\r\n%s\r\n" % code).encode())

    def unsolicited_result(self, code: str) -> None:
        if self.chip.mode == 0:
            self.result(code)

    def _text(self, lines: list) -> None:
        for text in lines:
            form = "\r\n%s\r\n" if self.settings["V"] else "%s\r\n"
            self.chip.write((form % text).encode())

    def answer_later(self, lines: list, code: str, error: "int | None" = None, delay_ms: "int | None" = None) -> None:
        """Information lines and the result, when the module has worked on it; error is a CME code."""
        delay = self.chip.latency_ms if delay_ms is None else delay_ms
        self.chip.later(delay, self._answer, lines, code, error)

    def _answer(self, lines: list, code: str, error: "int | None") -> None:
        self._text(lines)
        if error is None:
            self.result(code)
        elif self.settings["+CMEE"] == 0:
            self.result("ERROR")
        elif self.settings["+CMEE"] == 1:
            self.result("+CME ERROR: %d" % error)
        else:
            self.result("+CME ERROR: " + _VERBOSE.get(error, "unknown"))

    def message_error(self, code: int) -> None:
        self.chip.later(self.chip.latency_ms, self.result, "+CMS ERROR: %d" % code)

    def connect_later(self, mode: int, text: str = "CONNECT") -> None:
        """CONNECT, and the UART carries data from then on."""
        self.chip.later(self.chip.latency_ms, self._connect, mode, text)

    def _connect(self, mode: int, text: str) -> None:
        self.chip.write(("\r\n%s\r\n" % text).encode())
        self.chip.enter(mode)

    # --- what the network says unasked -------------------------------------------------------------------------

    def ring(self, number: str, waiting: bool) -> None:
        kind = 145 if number.startswith("+") else 129
        if waiting:
            if self.settings["+CCWA"]:
                self.chip.urc('+CCWA: "%s",%d,1' % (number, kind))
            return
        lines = "+CRING: VOICE" if self.settings["+CRC"] else "RING"
        if self.settings["+CLIP"]:  # back to back: a host that is late must not meet one without the other
            lines += '\r\n\r\n+CLIP: "%s",%d,,,,0' % (number, kind)
        self.chip.urc(lines)

    def call_changed(self, ident: int, incoming: bool, state: int, number: str) -> None:
        if self.settings["^DSCI"] and self.chip.on:
            state = 4 if incoming and state == 7 else state
            self.chip.urc("^DSCI: %d,%d,%d,0,%s,129,0" % (ident, incoming, state, number))

    def registration(self) -> int:
        """<stat> of +CREG: 1 home, 2 searching, 0 not searching."""
        if self.settings["+CFUN"] != 1:
            return 0
        return 1 if self.chip.sim and not self.chip.locked and self.chip.voice else 2

    def packet_registration(self) -> int:
        if self.settings["+CFUN"] != 1:
            return 0
        return 1 if self.chip.sim and not self.chip.locked and self.chip.data else 2

    def registration_changed(self) -> None:
        if self.chip.on and self.settings["+CREG"]:
            self.chip.urc("+CREG: %d" % self.registration())

    # --- a command line ----------------------------------------------------------------------------------------

    def line(self, raw: bytes) -> None:
        """Run a line; what does not begin with AT is noise and stays without an answer (V.250 5.2.1)."""
        try:
            text = raw.decode()
        except (ValueError, UnicodeError):
            text = "".join([chr(b) if 32 <= b < 127 else "\x00" for b in raw])
        start = text.upper().find("AT")
        if start < 0:
            return
        lines: list = []
        try:
            done = self._run(split_line(text[start + 2:].strip()), lines)
        except CmeError as error:
            self.answer_later(lines, "", error.code)
            return
        except (ValueError, IndexError):
            done = "ERROR"
        if done is not None:
            self.answer_later(lines, done)

    def _run(self, commands: list, lines: list) -> "str | None":
        """Result code, or None when the command answers by itself."""
        for command in commands:
            name, operation, arguments = parse(command)
            handler = TABLE.get(name)
            if handler is None:
                return "ERROR"
            answer = handler(self.chip, operation, arguments)
            if answer is None:
                return None
            if isinstance(answer, str):
                return answer
            lines.extend(answer)
        return "OK"
