"""How many boots in a row did not last: after three the gateway starts with the emergency path only (fault 88).

Owns the bytes of RTC memory behind the journal's. Must never raise: without RTC memory every boot is a normal one.
"""

import asyncio

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_AT = 128  # behind the journal's two records
_MAGIC = b"BC"
LIMIT = 3
BARE = 5  # so many, and not even the radio or the speaker is started: buttons, telephone and journal
BLANK = 7  # so many, and the journal is not read either: an emergency under way is lost, the next one is not
PROVEN_MS = 60000  # a boot that lived this long was a good one


class BootCounter:
    """rtc: machine.RTC or None. `safe`, `bare`, `blank`: this boot's mode."""

    def __init__(self, rtc: "Any") -> None:
        self._rtc = rtc
        count = self._read()
        self.safe = count >= LIMIT
        self.bare = count >= BARE
        self.blank = count >= BLANK
        self._write(min(count + 1, 255))

    async def run(self) -> None:
        """Wait until this boot has lasted, then forget the bad ones; never returns."""
        await asyncio.sleep_ms(PROVEN_MS)
        self._write(0)
        await asyncio.Event().wait()

    def _read(self) -> int:
        try:
            image = self._rtc.memory()
            return image[_AT + 2] if bytes(image[_AT : _AT + 2]) == _MAGIC else 0
        except Exception:  # noqa: BLE001 - no RTC memory, too short, not readable: all the same
            return 0

    def _write(self, count: int) -> None:
        try:
            image = bytearray(self._rtc.memory())
            image += bytes(max(0, _AT + 3 - len(image)))
            image[_AT : _AT + 3] = _MAGIC + bytes((count,))
            self._rtc.memory(image)
        except Exception:  # noqa: BLE001
            return
