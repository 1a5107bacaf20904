"""Runs a firmware in the home, boot after boot, until the scenario ends.

Owns what ends a boot and what begins the next. MicroPython only: it needs virtual time under asyncio.
"""

import asyncio
import gc

from hal_sim.ends import BoardReset, PowerCut, SimEnd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.home import Home


def run(home: "Home", start: "Callable[[Any], None]") -> None:
    """start(board) runs the firmware and never returns by itself; an error it lets through ends the run."""
    cause = "power"
    home.power_on()
    while True:
        try:
            board = home.boot(cause)
            asyncio.new_event_loop()
            gc.collect()
            start(board)
            raise RuntimeError("the firmware ended by itself")
        except PowerCut as cut:
            cause = "power"
            off_ms = cut.for_ms
        except BoardReset as reset:
            cause = reset.cause
            off_ms = -1
        except SimEnd:
            return
        try:
            if off_ms >= 0:
                home.power_off(off_ms)
            else:
                home.stop()
        except SimEnd:
            return
