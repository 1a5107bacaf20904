"""The Quectel EG25-G by its commands: set-up, calls, state, playing a file into the call.

Owns what the firmware knows of the module's answers. Decides nothing: when to dial, reset or retry is the phone
service's. Every command has a limit; a doubtful answer is None, never "no call".
Sources: EC2x&EG25-G AT Commands Manual V2.0 (numbers in the text), 3GPP TS 27.007 (+CLCC 7.18, +CREG 7.2, +CSQ 8.5),
3GPP TS 27.010 5.4.6.3.3 (multiplexer close-down).
"""

from micropython import const

from drivers import at

ACTIVE = const(0)
HELD = const(1)
DIALING = const(2)
ALERTING = const(3)
INCOMING = const(4)
WAITING = const(5)

# what an unsolicited line or a release cause said; `hint` keeps the last one
HINT_NONE = const(0)
HINT_BUSY = const(1)
HINT_NO_ANSWER = const(2)
HINT_NO_CARRIER = const(3)

PLAY_IDLE = const(0)
PLAY_RUNNING = const(1)

_QUICK_MS = const(600)  # twice the manual's "maximum response time 300 ms"
_PROBE_MS = const(350)
_DIAL_MS = const(5000)  # 7.2: "5 s, determined by network"; a character sent earlier would abort the call
_HANG_UP_MS = const(1500)  # 7.3 allows 90 s; +CLCC tells what happened
_GUARD_MS = const(1100)  # 7.6: 1 s of silence before and after +++
_CLOSE_DOWN = b"\xf9\x03\xef\x05\xc3\x01\xf2\xf9"  # TS 27.010: UIH on DLCI 0 with CLD, basic option
_STATE_MS = const(5000)  # +CPIN? may take that long (5.3)
_STATE_PREFIXES = (b"+CSQ:", b"+CREG:", b"+CEREG:", b"+CPIN:")
_NO_SIM = (10, 13)  # +CME ERROR (15.4): SIM not inserted, SIM failure
_CALLS = const(7)  # TS 22.030: most calls a module has

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from machine import UART


def fields(line: bytes) -> list:
    """What follows the prefix of an information line, split at commas outside quotes, quotes off. Never raises."""
    colon = line.find(b":")
    text = line[colon + 1:] if colon >= 0 else line
    out = []
    part = bytearray()
    quoted = False
    for byte in text:
        if byte == 0x22:
            quoted = not quoted
        elif byte == 0x2C and not quoted:
            out.append(bytes(part).strip())
            part = bytearray()
        else:
            part.append(byte)
    out.append(bytes(part).strip())
    return out


def number(text: bytes, default: int = -1) -> int:
    """A decimal field, or default."""
    return int(text) if text.isdigit() and len(text) < 10 else default


def parse_time(text: bytes) -> "tuple | None":
    """(year, month, day, hour, minute, second) of "yyyy/MM/dd,hh:mm:ss" and whatever follows; None: no such thing."""
    if len(text) < 19:
        return None
    parts = [number(text[at : at + size]) for at, size in ((0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2))]
    if bytes([text[place] for place in (4, 7, 10, 13, 16)]) != b"//,::":
        return None
    year, month, day, hour, minute, second = parts
    if year < 0 or not (0 < month <= 12 and 0 < day <= 31 and 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return None
    return (year, month, day, hour, minute, second)


def parse_call(line: bytes) -> "tuple | None":
    """(id, incoming, state, number) of a voice call in a +CLCC line; None for anything else (7.16: LTE lists its
    packet session too, as <mode> 1)."""
    parts = fields(line)
    if len(parts) < 5 or number(parts[3]) != 0:
        return None
    ident, incoming, state = number(parts[0]), number(parts[1]), number(parts[2])
    if ident < 1 or incoming not in (0, 1) or not 0 <= state <= WAITING:
        return None
    digits = ""
    if len(parts) > 5:
        digits = "".join([chr(b) for b in parts[5] if 48 <= b <= 57 or b in b"+*#"])
    return ident, bool(incoming), state, digits


class Eg25:
    """`wake()` is called when an unsolicited line may have changed a call; `hint` has the last release hint.

    `rebooted` is set by RDY, to be cleared by whoever acts on it; `playing` follows `+QPSND: 0`.
    """

    def __init__(self, uart: "UART") -> None:
        self.at = at.At(uart)
        self.at.urc = self._urc
        self.wake: Callable[[], None] | None = None
        self.hint = HINT_NONE
        self.rebooted = False
        self.ringing = False
        self.caller = ""
        self.play_ended = False  # after a reset of ours the module may still be playing: the first play stops it

    # --- unsolicited -------------------------------------------------------------------------------------------

    def _urc(self, line: bytes) -> None:
        if line.startswith(b"RDY"):
            self.rebooted = True
            self.at.dirty = True
        elif line.startswith(b"NO CARRIER"):
            if self.hint == HINT_NONE:
                self.hint = HINT_NO_CARRIER
        elif line.startswith(b"BUSY"):
            self.hint = HINT_BUSY
        elif line.startswith(b"NO ANSWER"):
            self.hint = HINT_NO_ANSWER
        elif line.startswith((b"RING", b"+CRING")):
            self.ringing = True
        elif line.startswith((b"+CLIP", b"+CCWA")):
            self.ringing = True
            self.caller = "".join([chr(b) for b in fields(line)[0] if 48 <= b <= 57 or b == 0x2B])
        elif line.startswith(b"+QPSND: 0"):
            self.play_ended = True
        elif not line.startswith(b"^DSCI:"):  # a call changed its state (7.23): only a reason to look
            return
        if self.wake is not None:
            self.wake()

    # --- presence and set-up -----------------------------------------------------------------------------------

    async def probe(self, urgent: bool = False) -> bool:
        """One AT that also asks for words, result codes and no echo."""
        result = await self.at.command(b"ATQ0V1E0", _PROBE_MS, b"", urgent)
        return result.ok

    async def close_multiplexer(self, urgent: bool = False) -> None:
        await self.at.raw(_CLOSE_DOWN, 100, urgent)

    async def escape(self, urgent: bool = False) -> None:
        """Out of data mode: +++ with a second of silence on both sides."""
        await self.at.raw(b"", _GUARD_MS, urgent)
        await self.at.raw(b"+++", _GUARD_MS, urgent)

    async def set_up(self, emergency_numbers: tuple, volume: int, urgent: bool = False) -> bool:
        """What a freshly started module is told. A refused setting is no reason to stop. False: it fell silent."""
        for text in (
            b"ATQ0V1E0", b"AT+CMEE=1", b"AT+CVHU=0", b"AT+CLIP=1", b"AT+CRC=0", b"AT+COLP=0", b"AT+CREG=1",
            b"AT^DSCI=1", b'AT+QURCCFG="urcport","uart1"', b"AT+CMUT=0", b"AT+CLVL=%d" % volume,
        ):
            result = await self.at.command(text, _QUICK_MS, b"", urgent)
            if result.status in (at.TIMEOUT, at.PREEMPTED, at.STUCK):
                return False
        known = ",".join(['"%s"' % digits for digits in emergency_numbers])
        for kind in (0, 1):  # 7.20: without and with a SIM; kept in the module's own memory
            await self.at.command(("AT+QECCNUM=1,%d,%s" % (kind, known)).encode(), _QUICK_MS, b"", urgent)
        return await self.at.settle(_QUICK_MS, urgent)

    async def call_waiting_off(self) -> bool:
        """In the network, for voice: a caller gets the busy tone while we talk. Takes the network some seconds."""
        return (await self.at.command(b"AT+CCWA=0,0,1", 10000, b"")).ok

    async def function(self, level: int, urgent: bool = False) -> bool:
        """+CFUN: 0 minimum, 1 full."""
        return (await self.at.command(b"AT+CFUN=%d" % level, 15000 if level else 5000, b"", urgent)).ok

    # --- calls -------------------------------------------------------------------------------------------------

    async def calls(self, urgent: bool = False) -> "list | None":
        """The voice calls there are, as parse_call gives them; None: it could not be learnt."""
        if not await self.at.settle(_QUICK_MS, urgent):
            return None
        result = await self.at.command(b"AT+CLCC", _QUICK_MS, b"+CLCC:", urgent)
        if not result.ok:
            return None
        found = [parse_call(line) for line in result.lines[:2 * _CALLS]]
        return [call for call in found if call is not None]

    async def dial(self, command: bytes) -> at.Result:
        """`command` comes from the dialler, whole. OK: the module dials (+COLP=0 answers at once)."""
        self.hint = HINT_NONE
        return await self.at.command(command, _DIAL_MS, b"", True)

    async def answer(self) -> bool:
        return (await self.at.command(b"ATA", 5000, b"", True)).ok

    async def hang_up(self, urgent: bool = True) -> bool:
        """Every call. +CHUP too: ATH does nothing while +CVHU=1 is left from somebody (7.4)."""
        first = await self.at.command(b"ATH", _HANG_UP_MS, b"", urgent)
        second = await self.at.command(b"AT+CHUP", _HANG_UP_MS, b"", urgent)
        return first.ok and second.ok

    async def hang_up_one(self, ident: int, cause: int = 21, urgent: bool = True) -> bool:
        """Only the call with this +CLCC id; cause as TS 24.008 (21: rejected)."""
        return (await self.at.command(b"AT+QHUP=%d,%d" % (cause, ident), _HANG_UP_MS, b"", urgent)).ok

    async def release_hint(self) -> int:
        """Why the last call ended, from +CEER; HINT_NONE when it does not say."""
        result = await self.at.command(b"AT+CEER", _QUICK_MS, b"+CEER:", True)
        text = result.lines[0].lower() if result.ok and result.lines else b""
        cause = number(fields(text)[-1])
        if b"busy" in text or cause == 17:
            return HINT_BUSY
        if b"no answer" in text or b"no user responding" in text or cause in (18, 19):
            return HINT_NO_ANSWER
        return HINT_NONE

    async def volume(self, level: int) -> bool:
        """Loudspeaker, 0 to 5 (12.1)."""
        return (await self.at.command(b"AT+CLVL=%d" % level, _QUICK_MS, b"")).ok

    # --- playing into the call ---------------------------------------------------------------------------------

    async def play(self, name: str) -> bool:
        """Start `name` (with its suffix) once, to the far end and here (12.18). `play_ended` turns true at its end.

        It stays false when the module refuses, because one reason is that it is playing.
        """
        self.play_ended = False
        return (await self.at.command(('AT+QPSND=1,"%s",0,1,1' % name).encode(), _QUICK_MS, b"", True)).ok

    async def play_state(self) -> int:
        """PLAY_IDLE, PLAY_RUNNING, or -1 when it could not be learnt."""
        result = await self.at.command(b"AT+QPSND?", _QUICK_MS, b"+QPSND:", True)
        return number(fields(result.lines[0])[0]) if result.ok and result.lines else -1

    async def play_stop(self) -> bool:
        self.play_ended = True
        return (await self.at.command(b"AT+QPSND=0", _QUICK_MS, b"", True)).ok

    # --- state -------------------------------------------------------------------------------------------------

    async def state(self) -> at.Result:
        """Signal, registrations and SIM in one line (1.2); +CPIN? last: it may fail."""
        return await self.at.command(b"AT+CSQ;+CREG?;+CEREG?;+CPIN?", _STATE_MS, _STATE_PREFIXES)

    async def network_time(self) -> "tuple | None":
        """The present UTC date and time by what the network told at its last registration, as parse_time gives it.

        AT+QLTS=1 (EC25&EC21 AT Commands Manual V1.3): `+QLTS: ""` while the network has told none.
        """
        result = await self.at.command(b"AT+QLTS=1", _QUICK_MS, b"+QLTS:")
        return parse_time(fields(result.lines[0])[0]) if result.ok and result.lines else None

    async def registered(self) -> bool:
        """In the voice network, home or roaming; asked for urgently."""
        result = await self.at.command(b"AT+CREG?", _QUICK_MS, b"+CREG:", True)
        return result.ok and registration(result, b"+CREG:") in (1, 5)


def _answer(result: at.Result, prefix: bytes) -> list:
    for line in result.lines:
        if line.startswith(prefix):
            return fields(line)
    return []


def signal_dbm(result: at.Result) -> "int | None":
    """From state(): -113 to -51; None: not known."""
    parts = _answer(result, b"+CSQ:")
    level = number(parts[0]) if parts else -1
    return 2 * level - 113 if 0 <= level <= 31 else None


def registration(result: at.Result, prefix: bytes) -> int:
    """<stat> of `+CREG:` or `+CEREG:`: 0 not, 1 home, 2 searching, 3 denied, 5 roaming; 4 unknown."""
    parts = _answer(result, prefix)
    return number(parts[1], 4) if len(parts) > 1 else 4


def sim_state(result: at.Result) -> str:
    """`ready`, `pin`, `missing` or `unknown`. A PIN is never entered: a wrong one would lock the card."""
    parts = _answer(result, b"+CPIN:")
    if parts:
        text = parts[0]
        if text == b"READY":
            return "ready"
        return "missing" if text.startswith(b"NOT") else "pin"
    return "missing" if result.status == at.ERROR and result.code in _NO_SIM else "unknown"
