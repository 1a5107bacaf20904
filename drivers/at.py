"""The AT channel: one command at a time, URCs at any time, the urgent one first.

Owns the UART's bytes in both directions. Must never keep a caller longer than its limit and half a second, and never
die of what arrives. Which commands exist is not its business.

How it stays in step: an answer that comes too late cannot be told from the next one's. After a command that timed out
or was pre-empted the channel is `dirty`, and `settle()` brings it back with a query whose answer has its own prefix.
Sources: ITU-T V.250 5.7.1; 3GPP TS 27.007 9.2 (+CME ERROR); Quectel EC2x&EG25-G AT Commands Manual 1.5, 2.15.
"""

import asyncio
import gc
import time

from micropython import const

from drivers.at_reader import LineReader

OK = const(0)
ERROR = const(1)  # ERROR, +CME ERROR or +CMS ERROR; `code` has the number, -1 when there is none
TIMEOUT = const(2)
PREEMPTED = const(3)  # an urgent command wanted the channel
REFUSED = const(4)  # NO CARRIER, BUSY, NO ANSWER, NO DIALTONE as the result of the command
CONNECT = const(5)  # the channel carries data now
STUCK = const(6)  # the UART takes no bytes: the modem holds it by flow control

_GRACE_MS = const(300)  # what a running command may still take when an urgent one waits: the manual's usual maximum
_STEP_MS = const(5)
_TX_STUCK_MS = const(300)
_LINES = const(32)  # of one answer that are kept
_RX_BYTES = const(512)
_FINAL_DIAL = (b"NO CARRIER", b"BUSY", b"NO ANSWER", b"NO DIALTONE")
_NUMERIC_OK = b"0"
_URC = (
    b"RING", b"+CRING:", b"+CLIP:", b"+CCWA:", b"NO CARRIER", b"BUSY", b"NO ANSWER", b"NO DIALTONE", b"RDY",
    b"POWERED DOWN", b"+CFUN:", b"+CPIN:", b"+QUSIM:", b"+QIND:", b"+QPSND:", b"+CREG:", b"+CEREG:", b"+CGREG:",
    b"+CMTI:", b"+CDSI:", b"+CTZ", b"^DSCI:",
)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from machine import UART


class Result:
    """How a command ended: `status`, `code` of an error, `lines` of information (bytes)."""

    def __init__(self, status: int, code: int = -1, lines: "list | None" = None) -> None:
        self.status = status
        self.code = code
        self.lines = [] if lines is None else lines

    @property
    def ok(self) -> bool:
        return self.status == OK


class At:
    """`run()` must be a task of its own; `command()` may be called from any task.

    `urc(line)` gets every unsolicited line, also those inside an answer. While `hurry` is set only urgent commands
    run: others end within 300 ms, new ones at once, as PREEMPTED.
    Counters: `strays` (lines that belong to nothing), `timeouts`, `preempted`, `faults` (exceptions survived).
    """

    def __init__(self, uart: "UART") -> None:
        self._uart = uart
        self._stream = asyncio.StreamReader(uart)
        self._rx = bytearray(_RX_BYTES)
        self._rx_view = memoryview(self._rx)
        self._reader = LineReader(self._line, self._data)
        self._busy = False
        self._urgent = 0  # urgent commands waiting for the channel
        self._command = b""
        self._prefix: bytes | tuple = b""
        self._need = False
        self._lines: list = []
        self._status = -1
        self._code = -1
        self._payload: bytes | memoryview | None = None
        self._sink: Callable[[memoryview], None] | None = None
        self.urc: Callable[[bytes], None] | None = None
        self.dirty = True
        self.hurry = False
        self.strays = 0
        self.timeouts = 0
        self.preempted = 0
        self.faults = 0

    # --- receiving ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read for ever. What cannot be kept for want of memory is lost, not fatal."""
        while True:
            try:
                count = await self._stream.readinto(self._rx)
                if count:
                    self._reader.push(self._rx_view[:count])
                else:
                    await asyncio.sleep_ms(_STEP_MS)
            except Exception:  # noqa: BLE001 - a line may be lost, the channel may not
                self.faults += 1
                gc.collect()
                await asyncio.sleep_ms(_STEP_MS)

    def _line(self, line: bytes) -> None:
        if self._status >= 0 or not self._command:
            self._unasked(line)
        elif line == self._command:
            pass  # echo
        elif not self._final(line):
            self._information(line)

    def _final(self, line: bytes) -> bool:
        """True: the line was the end of the answer (or a stray end, dropped)."""
        if line == b"OK" or (line == _NUMERIC_OK and self._prefix == b""):
            if self._need and not self._lines:
                self.strays += 1
                return True
            self._status = OK
        elif line == b"ERROR" or line.startswith((b"+CME ERROR", b"+CMS ERROR")):
            self._code = _trailing_number(line)
            self._status = ERROR
        elif line in _FINAL_DIAL and self._command.startswith(b"ATD"):
            self._status = REFUSED
        elif line == b">" or line.startswith(b"CONNECT"):
            self._opened(line)
        else:
            return False
        return True

    def _opened(self, line: bytes) -> None:
        if self._sink is not None:
            self._reader.raw(max(_trailing_number(line), 0))
        elif self._payload is not None:
            payload = self._payload
            self._payload = None
            self._uart.write(payload)
        else:
            self._status = CONNECT

    def _data(self, data: memoryview) -> None:
        if self._sink is not None:
            self._sink(data)

    def _information(self, line: bytes) -> None:
        prefix = self._prefix
        if prefix and line.startswith(prefix):
            if len(self._lines) < _LINES:
                self._lines.append(line)
        elif _is_urc(line):
            self._unasked(line)
        elif not prefix and len(self._lines) < _LINES:
            self._lines.append(line)
        else:
            self.strays += 1

    def _unasked(self, line: bytes) -> None:
        if not _is_urc(line):
            self.strays += 1
        elif self.urc is not None:
            self.urc(line)

    # --- sending -----------------------------------------------------------------------------------------------

    async def command(
        self, text: bytes, timeout_ms: int = 1000, prefix: "bytes | tuple" = b"", urgent: bool = False,
        need: bool = False, payload: "bytes | memoryview | None" = None,
        sink: "Callable[[memoryview], None] | None" = None,
    ) -> Result:
        """Send `text` (no CR) and wait for its result at most timeout_ms.

        prefix: information lines begin with it, or with one of them; others are not the answer.
        need: an OK without such a line is not the answer either.
        payload: sent after CONNECT or the prompt. sink: gets the data announced by `CONNECT n`.
        urgent: goes before everything that waits, and makes what runs end within 300 ms.
        """
        if not await self._acquire(urgent):
            return Result(PREEMPTED)
        try:
            if not await self._drained():
                self.dirty = True
                return Result(STUCK)
            self._lines = []
            self._status = -1
            self._code = -1
            self._prefix = prefix
            self._need = need
            self._payload = payload
            self._sink = sink
            self._command = text
            self._uart.write(text + b"\r")
            await self._wait(timeout_ms, urgent)
            return Result(self._status, self._code, self._lines)
        finally:
            if self._status < 0:  # cancelled: its answer may still come
                self.dirty = True
            self._release()

    async def _wait(self, timeout_ms: int, urgent: bool) -> None:
        start = time.ticks_ms()
        yielding = False
        while self._status < 0:
            passed = time.ticks_diff(time.ticks_ms(), start)
            if (self._urgent or self.hurry) and not urgent and not yielding:
                yielding = True
                timeout_ms = min(timeout_ms, passed + _GRACE_MS)
            if passed >= timeout_ms:
                self.dirty = True
                self._status = PREEMPTED if yielding else TIMEOUT
                if yielding:
                    self.preempted += 1
                else:
                    self.timeouts += 1
                return
            await asyncio.sleep_ms(_STEP_MS)

    async def _acquire(self, urgent: bool) -> bool:
        """Wait for the channel. False: not for us now."""
        if urgent:
            self._urgent += 1
        try:
            while self._busy or (self._urgent and not urgent):
                if self.hurry and not urgent:
                    break
                await asyncio.sleep_ms(_STEP_MS)
            if self.hurry and not urgent:
                self.preempted += 1
                return False
            self._busy = True
            return True
        finally:
            if urgent:
                self._urgent -= 1

    def _release(self) -> None:
        self._busy = False
        self._command = b""
        self._payload = None
        self._sink = None
        if self._status < 0 or self._status == TIMEOUT or self._status == PREEMPTED:
            self._reader.clear()

    async def _drained(self) -> bool:
        """The UART has sent what it had: a modem that holds CTS must not block us in write()."""
        start = time.ticks_ms()
        while not self._uart.txdone():
            if time.ticks_diff(time.ticks_ms(), start) >= _TX_STUCK_MS:
                return False
            await asyncio.sleep_ms(_STEP_MS)
        return True

    async def settle(self, timeout_ms: int = 600, urgent: bool = False) -> bool:
        """In step again: every earlier answer has come or never will. True: the channel is clean."""
        if self.dirty:
            result = await self.command(b"AT+CMEE?", timeout_ms, b"+CMEE:", urgent, True)
            if result.ok:
                self.dirty = False
        return not self.dirty

    async def raw(self, data: bytes, quiet_ms: int, urgent: bool = False) -> None:
        """Send bytes that are no command, and leave the line quiet for quiet_ms afterwards."""
        if not await self._acquire(urgent):
            return
        try:
            self.dirty = True
            if data and await self._drained():
                self._uart.write(data)
            await asyncio.sleep_ms(quiet_ms)
        finally:
            self._busy = False


def _is_urc(line: bytes) -> bool:
    return line.startswith(_URC)


def _trailing_number(line: bytes) -> int:
    """The number at the end of a line, -1 when there is none."""
    end = len(line)
    start = end
    while start and 48 <= line[start - 1] <= 57:
        start -= 1
    return int(line[start:end]) if start < end and end - start < 10 else -1
