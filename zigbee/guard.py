"""Loops that must not end: whatever a step raises is told and the loop goes on.

Owns nothing. Must never swallow a cancellation that is meant, never let a failing log end the loop.
"""

import asyncio
import gc

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

_PAUSE_MS = const(100)  # after a failure: nobody may spin


def tell(log: "Any", text: str, error: BaseException) -> None:
    """Log a failure; when even that fails there is nothing left to do."""
    try:
        log.error("zigbee: %s: %s %s" % (text, type(error).__name__, error))
    except Exception:  # noqa: BLE001
        gc.collect()


async def forever(
    step: "Callable[[], Awaitable[None]]", name: str, log: "Any", closing: "asyncio.Event | None" = None
) -> None:
    """Await step() again and again, for ever.

    closing: only once it is set does a cancellation end the loop. asyncio.wait_for_ms raises CancelledError for want of
    memory too, nobody having cancelled; it cannot be told from a real one. None: every cancellation ends the loop.
    """
    while True:
        try:
            await step()
        except MemoryError as error:
            gc.collect()
            tell(log, name, error)
            await asyncio.sleep_ms(_PAUSE_MS)
        except asyncio.CancelledError as error:
            if closing is None or closing.is_set():
                raise
            gc.collect()
            tell(log, name, error)
            await asyncio.sleep_ms(_PAUSE_MS)
        except Exception as error:  # noqa: BLE001 - the Zigbee link is vital: it goes on whatever happened
            tell(log, name, error)
            await asyncio.sleep_ms(_PAUSE_MS)


async def wait_limited(event: "asyncio.Event", limit_ms: int) -> bool:
    """Wait for the event, at most limit_ms. True: it is set."""
    if not event.is_set():
        try:
            await asyncio.wait_for_ms(event.wait(), limit_ms)
        except asyncio.TimeoutError:
            pass
    return event.is_set()
