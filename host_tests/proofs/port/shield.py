"""Keeps failing allocations to the firmware: what the simulated world and its bus objects allocate always works.

On the board these are chips and C code. Nothing here allocates on the way in, so that it can be entered without memory.
"""

import os

from hal_sim import vtime
from hal_sim.board import Console
from hal_sim.bus.i2c import I2C
from hal_sim.bus.i2s import I2S
from hal_sim.bus.partition import Partition
from hal_sim.bus.pin import Pin
from hal_sim.bus.rtc import RTC
from hal_sim.bus.stream import Stream
from hal_sim.bus.uart import UART
from hal_sim.bus.wdt import WDT

_SHIELDED = (
    (vtime.Kernel, ("advance_to",)), (vtime.IOQueue, ("wait_io_event",)),
    (Console, ("write",)), (I2C, ("readfrom_mem", "readfrom_mem_into", "writeto_mem")), (I2S, ("write", "ioctl")),
    (Partition, ("readblocks", "writeblocks", "ioctl")), (Pin, ("value",)), (RTC, ("memory",)),
    (Stream, ("readinto", "write", "ioctl")), (UART, ("any", "read", "readinto", "write", "ioctl")), (WDT, ("feed",)),
)


def _wrap(inner):
    def outer(self, *args):
        os.getenv("proof:hold")
        try:
            return inner(self, *args)
        finally:
            os.getenv("proof:release")

    return outer


def install() -> None:
    for owner, names in _SHIELDED:
        for name in names:
            setattr(owner, name, _wrap(getattr(owner, name)))
