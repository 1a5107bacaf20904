"""Waiting for a socket as asyncio's own streams do it: `await to_read(raw)`. A generator can be awaited in MicroPython.

Owns nothing. No limit of its own: whoever waits sets one.
"""

import asyncio

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any


def to_read(raw: "Any") -> "Any":
    """Until something can be read, or it is over."""
    yield asyncio.core._io_queue.queue_read(raw)  # type: ignore[attr-defined]


def to_write(raw: "Any") -> "Any":
    """Until something can be written, or it is over; of a socket that connects: until it has."""
    yield asyncio.core._io_queue.queue_write(raw)  # type: ignore[attr-defined]
