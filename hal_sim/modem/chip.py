"""The far end of the modem's UART: a Quectel EG25-G with its SIM and network.

Owns power, boot, and what a byte means in the mode the module is in. Commands, calls, files and messages are
beside it. Sans-I/O: time comes from the scheduler, bytes leave through `send`. Must never know who talks to it.

Sources: EG25-G Hardware Design V1.4 3.6 to 3.8 (PWRKEY, RESET_N, RDY 12 s after PWRKEY);
EC2x&EG25-G AT Commands Manual V2.0, 7.6 (+++), V.250; 3GPP TS 27.010 5.4.6.3.3 (multiplexer close-down).
"""

from micropython import const

from hal_sim.modem.calls import Calls
from hal_sim.modem.commands import Interpreter
from hal_sim.modem.files import Files
from hal_sim.modem.sms import Sms
from hal_sim.modem.store import RamStore

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler

_NO_SUPPLY = const(0)
_OFF = const(1)
_BOOTING = const(2)
_ON = const(3)

COMMAND = const(0)
DATA = const(1)
CMUX = const(2)
UPLOAD = const(3)
PROMPT = const(4)

BOOT_MS = const(12000)  # PWRKEY or RESET_N released to RDY
_PWRKEY_ON_MS = const(500)
_PWRKEY_OFF_MS = const(650)
_RESET_MS = const(150)
_GUARD_MS = const(1000)  # silence around +++; ATS12 default 50 = 1 s
_LINE_BYTES = const(1024)
_LATENCY_MS = const(10)  # a command to its answer
_CLOSE_DOWN = b"\xf9\x03\xef\x05\xc3\x01\xf2\xf9"
_DISC = b"\xf9\x03\x53\x01\xfd\xf9"
RESULTS = ("OK", "CONNECT", "RING", "NO CARRIER", "ERROR", "", "NO DIALTONE", "BUSY", "NO ANSWER")


class ModemChip:
    """`feed` bytes from the host, answers leave by `send`; pins and network are methods.

    `texts` maps a file name to what it says, for the `prompt` lines of the timeline. `boot_ms` and `latency_ms`
    may be changed before the world starts. store: RamStore (when None) or FolderStore for the files.
    """

    def __init__(self, sched: "Scheduler", emit: "Callable", boot_ms: int = BOOT_MS, store: "Any" = None) -> None:
        self.sched = sched
        self.emit = emit
        self.send: Callable[[bytes], None] | None = None
        self.boot_ms = boot_ms
        self.latency_ms = _LATENCY_MS
        self.texts: dict = {}
        self.mode = COMMAND
        self.hung = False
        self.sim = True
        self.locked = False  # the SIM asks for its PIN
        self.pin_tries = 0  # PINs entered: a locked card survives two wrong ones
        self.voice = True
        self.data = True
        self.epoch_s: int | None = None  # UTC, s since 1970, at world time 0 by the network's clock; None: it has none
        self.tells_time = True
        self.rssi = 22  # as +CSQ gives it: -113 dBm + 2 dBm * rssi
        self.session = False  # a packet data session: survives +++, listed by +CLCC as a data call
        self.calls = Calls(self)
        self.files = Files(self, store or RamStore())
        self.sms = Sms(self)
        self.at = Interpreter(self)
        self._power = _NO_SUPPLY
        self._epoch = 0
        self._reset_at: int | None = None
        self._pwrkey_at: int | None = None
        self._line = bytearray()
        self._last_rx_ms = -_GUARD_MS
        self._plus = 0

    # --- power -------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """The world begins: the supply is there, the module is off until PWRKEY."""
        self._kill("power")
        self._reset_at = None
        self._pwrkey_at = None
        self._power = _OFF

    def set_vbat(self, on: int) -> None:
        if not on:
            self._kill("power")
            self._power = _NO_SUPPLY
        elif self._power == _NO_SUPPLY:
            self._power = _OFF
            if self._pwrkey_at is not None:
                self.set_pwrkey(True)

    def set_pwrkey(self, asserted: int) -> None:
        """500 ms turn an idle module on, 650 ms turn a running one off."""
        if not asserted:
            self._pwrkey_at = None
            return
        self._pwrkey_at = self.sched.now_ms
        self.sched.after(_PWRKEY_ON_MS, self._pwrkey_held, self._pwrkey_at, True)
        self.sched.after(_PWRKEY_OFF_MS, self._pwrkey_held, self._pwrkey_at, self._power == _OFF)

    def _pwrkey_held(self, since_ms: int, turn_on: bool) -> None:
        if self._pwrkey_at != since_ms:
            return
        if turn_on and self._power == _OFF:
            self._boot()
        elif not turn_on and self._power == _ON:
            self.urc("POWERED DOWN")
            self._kill("modem_reset")
            self._power = _OFF

    def set_reset(self, asserted: int) -> None:
        """RESET_N: 150 ms or more restart a module that is on; it stays down while asserted."""
        if asserted:
            if self._reset_at is None:
                self._reset_at = self.sched.now_ms
                self.sched.after(_RESET_MS, self._reset_held, self._reset_at)
            return
        since = self._reset_at
        self._reset_at = None
        if since is not None and self.sched.now_ms - since >= _RESET_MS and self._power >= _BOOTING:
            self._boot()

    def _reset_held(self, since_ms: int) -> None:
        if self._reset_at == since_ms and self._power >= _BOOTING:
            self._kill("modem_reset")
            self._power = _BOOTING

    def set_fault(self, fault: str) -> None:
        """hang: deaf until RESET_N or power; reset: restarts by itself now; no_sim; sim_locked; none: all healed."""
        if fault == "hang":
            self.hung = True
        elif fault == "reset":
            if self._power == _ON:
                self._boot()
        elif fault == "no_sim":
            self._set_sim(False)
        elif fault == "sim_locked":
            self.locked = True
            self.at.registration_changed()
        elif fault == "none":
            self.hung = False
            self.locked = False
            self._set_sim(True)
        else:
            raise ValueError("unknown modem fault: " + str(fault))

    def _set_sim(self, present: bool) -> None:
        if present == self.sim:
            return
        self.sim = present
        self.urc("+CPIN: READY" if present else "+CPIN: NOT READY")
        self.at.registration_changed()

    def _kill(self, cause: str) -> None:
        """All the module was doing ends without a word."""
        self._epoch += 1
        self._power = _OFF
        self.hung = False
        self.mode = COMMAND
        self.session = False
        self._line = bytearray()
        self._plus = 0
        self.calls.lost(cause)
        self.files.reset()
        self.at.reset()

    def _boot(self) -> None:
        self._kill("modem_reset")
        self._power = _BOOTING
        self.later(self.boot_ms, self._booted)

    def _booted(self) -> None:
        self._power = _ON
        self.urc("RDY")
        self.later(20, self.urc, "+CFUN: 1")
        if self.sim:
            self.later(500, self.urc, "+CPIN: READY")
            self.later(510, self.urc, "+QUSIM: 1")
            self.later(2500, self.urc, "+QIND: SMS DONE")
            self.later(4000, self.urc, "+QIND: PB DONE")
        else:
            self.later(500, self.urc, "+CPIN: NOT INSERTED")

    @property
    def on(self) -> bool:
        return self._power == _ON

    # --- network -----------------------------------------------------------------------------------------------

    def set_network(
        self, voice: "bool | None" = None, data: "bool | None" = None, rssi: "int | None" = None,
        time: "bool | None" = None
    ) -> None:
        """What the cell offers; None leaves it. A voice call ends with its network."""
        if time is not None:
            self.tells_time = bool(time)
        if data is not None:
            self.data = bool(data)
        if rssi is not None:
            self.rssi = int(rssi)
        if voice is not None and bool(voice) != self.voice:
            self.voice = bool(voice)
            if not self.voice:
                self.calls.network_lost()
            self.at.registration_changed()

    def network_time_s(self) -> "int | None":
        """What the network tells who registers, and the module counts on."""
        if self.epoch_s is None or not self.tells_time or self.at.registration() != 1:
            return None
        return self.epoch_s + self.sched.now_ms // 1000

    def set_line(self, reply: str, after_ms: "int | None" = None) -> None:
        """How the far end takes outgoing calls from now on: answer, busy, no_answer, drop."""
        self.calls.set_line(reply, after_ms)

    def hang_up(self) -> None:
        """The far end ends the call."""
        self.calls.far_end_hung_up()

    def call_in(self, number: str) -> None:
        self.calls.call_in(number)

    # --- bytes out ---------------------------------------------------------------------------------------------

    def later(self, delay_ms: int, fn: "Callable", *args: "Any") -> list:
        """As Scheduler.after, but forgotten when the module restarts or loses power."""
        return self.sched.after(delay_ms, self._fire, self._epoch, fn, args)

    def _fire(self, epoch: int, fn: "Callable", args: tuple) -> None:
        if epoch == self._epoch:
            fn(*args)

    def write(self, data: bytes) -> None:
        if self._power == _ON and not self.hung and self.send is not None:
            self.send(data)

    def urc(self, text: str) -> None:
        """An unsolicited line; withheld while the UART carries something else."""
        if self.mode == COMMAND:
            self.write(("\r\n%s\r\n" % text).encode())

    # --- bytes in ----------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Bytes from the host; swallowed unless the module is up."""
        if self._power != _ON or self.hung or self._reset_at is not None:
            return
        start = 0
        while start < len(data):
            if self.mode == UPLOAD:
                start += self.files.take(data[start:])
            elif self.mode == COMMAND:
                start = self._take_command(data, start)
            else:
                self._take_byte(data[start])
                start += 1
        self._last_rx_ms = self.sched.now_ms

    def _take_command(self, data: bytes, start: int) -> int:
        """Up to the end of one command line. Returns where to go on."""
        end = data.find(b"\r", start)
        part = data[start:] if end < 0 else data[start:end + 1]
        if self.at.echo:
            self.write(part)
        room = _LINE_BYTES - len(self._line)
        self._line.extend(part[:room])
        if end < 0:
            return len(data)
        line = bytes(self._line).replace(b"\n", b"").strip(b"\r")
        self._line = bytearray()
        self.at.line(line)
        return end + 1

    def _take_byte(self, byte: int) -> None:
        if self.mode == PROMPT:
            self.sms.take(byte)
        elif self.mode == CMUX:
            self._line.append(byte)
            if len(self._line) > 2 * len(_CLOSE_DOWN):
                self._line = self._line[-len(_CLOSE_DOWN):]
            if bytes(self._line).endswith(_CLOSE_DOWN) or bytes(self._line).endswith(_DISC):
                self._line = bytearray()
                self.mode = COMMAND
        elif self.mode == DATA:
            self._escape(byte)

    def _escape(self, byte: int) -> None:
        """+++ with a second of silence on both sides leads back to command mode."""
        quiet = self.sched.now_ms - self._last_rx_ms >= _GUARD_MS
        if byte != 0x2B or (self._plus == 0 and not quiet):
            self._plus = 0
            return
        self._plus += 1
        if self._plus == 3:
            self.later(_GUARD_MS, self._escaped, self.sched.now_ms)

    def _escaped(self, since_ms: int) -> None:
        if self.mode == DATA and self._plus == 3 and self._last_rx_ms == since_ms:
            self._plus = 0
            self.mode = COMMAND
            self.at.result("OK")

    def enter(self, mode: int) -> None:
        self._plus = 0
        self._line = bytearray()
        self.mode = mode
