"""Log lines to the REPL's terminal, without letting the terminal hold up the product.

Owns the patience with stdout. A USB host that has the port open and does not read makes MicroPython wait 500 ms for
each write (MICROPY_HW_USB_CDC_TX_TIMEOUT), and its poll() always answers "writable" (esp32 mp_hal_stdio_poll), so the
only sign is the time a write took. Must never raise and never wait twice in a row.
"""

import sys
import time

from micropython import const

_SLOW_MS = const(100)  # 1 KB takes 89 ms on the 115200 baud console UART: slower than that is a host that does not read
_MUTE_MS = const(60_000)  # silent for this long after a slow write, then one more try
_LINE_LIMIT = const(1024)


class Console:
    """`write(text)` prints, or counts in `dropped` what could not be printed in time."""

    def __init__(self) -> None:
        self.dropped = 0
        self._muted = False
        self._mute_start_ms = time.ticks_ms()

    def write(self, text: str) -> None:
        """Print text, at most 1024 characters of it. Takes at most 500 ms once a minute, then nothing."""
        start = time.ticks_ms()
        if self._muted:
            if time.ticks_diff(start, self._mute_start_ms) < _MUTE_MS:
                self.dropped += 1
                return
            self._muted = False
        try:
            sys.stdout.write(text[:_LINE_LIMIT])
        except (OSError, ValueError, MemoryError):
            self.dropped += 1
        now = time.ticks_ms()
        if time.ticks_diff(now, start) > _SLOW_MS:
            self._muted = True
            self._mute_start_ms = now
