"""Keeps failing allocations to the firmware: what the simulated world and its bus objects allocate always works.

On the board these are chips and C code. Nothing here allocates on the way in, so that it can be entered without memory.
"""

import os

from hal_sim import vtime
from hal_sim.board import Console
from hal_sim.bus.i2c import I2C
from hal_sim.bus.i2s import I2S
from hal_sim.bus.net import SimNet
from hal_sim.bus.partition import Partition
from hal_sim.bus.pin import Pin
from hal_sim.bus.rtc import RTC
from hal_sim.bus.stream import Stream
from hal_sim.bus.tcp import Socket
from hal_sim.bus.uart import UART
from hal_sim.bus.wdt import WDT

# class: {method: (arguments it must be given, defaults of the others)}
_SHIELDED = {
    vtime.Kernel: {"advance_to": (1,)},
    vtime.IOQueue: {"wait_io_event": (1,)},
    Console: {"write": (1,)},
    I2C: {"readfrom_mem": (3,), "readfrom_mem_into": (3,), "writeto_mem": (3,)},
    I2S: {"write": (1,), "ioctl": (2,)},
    Partition: {"readblocks": (2, 0), "writeblocks": (2, None), "ioctl": (2,)},
    Pin: {"value": (0, None)},
    RTC: {"memory": (0, None)},
    SimNet: {"ready": (0,), "resolve": (3,), "open": (1,)},
    Socket: {"readinto": (1,), "write": (1,), "ioctl": (2,)},
    Stream: {"readinto": (1,), "write": (1,), "ioctl": (2,)},
    UART: {"any": (0,), "read": (0, -1), "readinto": (1, -1), "write": (1,), "ioctl": (2,)},
    WDT: {"feed": (0,)},
}


def _enter(inner, count: int):
    """inner of `count` arguments; a star would take memory for its tuple before anything is held."""

    def none(self):
        os.getenv("proof:hold")
        try:
            return inner(self)
        finally:
            os.getenv("proof:release")

    def one(self, first):
        os.getenv("proof:hold")
        try:
            return inner(self, first)
        finally:
            os.getenv("proof:release")

    def two(self, first, second):
        os.getenv("proof:hold")
        try:
            return inner(self, first, second)
        finally:
            os.getenv("proof:release")

    def three(self, first, second, third):
        os.getenv("proof:hold")
        try:
            return inner(self, first, second, third)
        finally:
            os.getenv("proof:release")

    return (none, one, two, three)[count]


def _with_default(whole, count: int, default):
    def one(self, first=default):
        return whole(self, first)

    def two(self, first, second=default):
        return whole(self, first, second)

    def three(self, first, second, third=default):
        return whole(self, first, second, third)

    return (one, two, three)[count]


def install() -> None:
    for owner, methods in _SHIELDED.items():
        for name, arity in methods.items():
            count = arity[0]
            whole = _enter(getattr(owner, name), count + len(arity) - 1)
            setattr(owner, name, _with_default(whole, count, arity[1]) if len(arity) > 1 else whole)
