"""Log lines to the console, limited in rate so that a storm of faults costs nothing else.

Must never block, raise, or write to flash.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.clock import Clock

_BURST = 40  # lines kept in hand
_REFILL_MS = 500  # one more line this often


class Log:
    """console: object with write(str); clock: object with ms()."""

    def __init__(self, console: "Any", clock: "Clock") -> None:
        self._console = console
        self._clock = clock
        self._tokens = _BURST
        self._refilled_ms = 0
        self.dropped = 0

    def info(self, text: str) -> None:
        self._write("info", text)

    def warning(self, text: str) -> None:
        self._write("warning", text)

    def error(self, text: str) -> None:
        self._write("error", text)

    def failed(self, where: str, what: object, error: Exception) -> None:
        """As error(), for handlers: what cannot even be put into words, for want of memory, is counted."""
        try:
            self.error("%s: %s: %r" % (where, what, error))
        except Exception:  # noqa: BLE001
            self.dropped += 1

    def _write(self, level: str, text: str) -> None:
        try:
            if self._console is None or not self._allowed():
                return
            self._console.write(level + " " + text + "\n")
        except Exception:  # noqa: BLE001 - a log that fails is not worth anything else
            self.dropped += 1

    def _allowed(self) -> bool:
        now = self._clock.ms()
        earned = (now - self._refilled_ms) // _REFILL_MS
        if earned:
            self._tokens = min(_BURST, self._tokens + earned)
            self._refilled_ms += earned * _REFILL_MS
        if self._tokens <= 0:
            self.dropped += 1
            return False
        self._tokens -= 1
        return True
