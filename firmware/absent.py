"""What stands where a part could not be built, or is left out: it takes every call and does nothing.

Must never answer yes: it is not ready, not active, not speaking, and knows no time and no record.
"""

import asyncio

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any


def _nothing(*_args: "Any", **_fields: "Any") -> int:
    return 0


class Absent:
    """Any method returns 0 at once, which every caller takes for no, none or unknown; `run` waits for ever."""

    works = whole = active = waiting = adopted = ready = speaking = safe = bare = blank = False
    trouble = ""
    entries = lost = faults = ()
    boot = serial = resumptions = ends_ms = 0

    def __getattr__(self, _name: str) -> "Any":
        return _nothing

    async def run(self) -> None:
        await asyncio.Event().wait()
