"""Bytes of an AT channel into lines.

Owns one line buffer of a fixed size. Never raises for what arrives, never waits, knows no command.
A line ends with CR or LF; empty lines are dropped; `> ` at the start of a line is the prompt for data.
Sources: ITU-T V.250 5.7.1 (form of responses), 3GPP TS 27.005 3.5.1 (prompt).
"""

from micropython import const

LINE_BYTES = const(1024)  # longest line kept: the longest answer we ask for is under 200 bytes
_CR = const(13)
_LF = const(10)
_GT = const(62)
_SPACE = const(32)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable


class LineReader:
    """push() bytes in any pieces; `on_line(bytes)` gets each line, `on_data(memoryview)` what raw() asked for.

    `overlong` counts lines thrown away because they did not end within LINE_BYTES.
    """

    def __init__(
        self, on_line: "Callable[[bytes], None]", on_data: "Callable[[memoryview], None] | None" = None
    ) -> None:
        self._on_line = on_line
        self._on_data = on_data
        self._buf = bytearray(LINE_BYTES)
        self._view = memoryview(self._buf)
        self._used = 0
        self._skip = False
        self._raw = 0
        self.overlong = 0

    def raw(self, count: int) -> None:
        """The next `count` bytes are data, not lines. To be called from on_line."""
        self._raw = count

    def clear(self) -> None:
        """Forget a half line and data still expected."""
        self._used = 0
        self._skip = False
        self._raw = 0

    def push(self, data: memoryview) -> None:
        """Take bytes as they came from the UART."""
        index = 0
        end = len(data)
        while index < end:
            if self._raw:
                taken = min(self._raw, end - index)
                self._raw -= taken
                if self._on_data is not None:
                    self._on_data(data[index:index + taken])
                index += taken
                continue
            self._byte(data[index])
            index += 1

    def _byte(self, byte: int) -> None:
        if byte in (_CR, _LF):
            # V.250 ends every line with CR LF: data after `CONNECT n` begins behind the LF, so act on LF there
            if byte == _CR and self._used and self._connects():
                return
            self._end()
        elif self._skip:
            return
        elif self._used == LINE_BYTES:
            self._skip = True
            self._used = 0
            self.overlong += 1
        elif byte:  # NUL is line noise
            self._buf[self._used] = byte
            self._used += 1
            if self._used == 2 and byte == _SPACE and self._buf[0] == _GT:
                self._used = 1
                self._end()

    def _connects(self) -> bool:
        return self._used > 8 and self._buf[0] == 67 and bytes(self._view[:8]) == b"CONNECT "

    def _end(self) -> None:
        """A line is over, or what was too long to be one."""
        used = self._used
        self._used = 0
        skipped = self._skip
        self._skip = False
        if used and not skipped:
            self._on_line(bytes(self._view[:used]))
