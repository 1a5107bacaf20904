"""A simulated home for the Zigbee tests: virtual time, the chip on a UART, coordinator and sensors in front of it.

MicroPython only. Everything that happens is a line of JSON on stdout: [ms, what, ...].
"""

import json
import sys

sys.path.append(".")

from hal_sim import vtime  # noqa: E402
from hal_sim.bus.uart import UART  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402
from hal_sim.zigbee.chip import NcpChip  # noqa: E402
from hal_sim.zigbee.ieee import ieee_of  # noqa: E402

sched = Scheduler()
kernel = vtime.install(sched)

import asyncio  # noqa: E402

from firmware.sensing.sensors import Sensors  # noqa: E402
from zigbee.coordinator import Coordinator  # noqa: E402

HOME = [
    {"name": "smoke", "kind": "smoke", "place": "kitchen"},
    {"name": "pendant", "kind": "call_button", "place": "person"},
    {"name": "door", "kind": "door", "place": "hall"},
    {"name": "movement", "kind": "activity", "place": "room"},
]


DAY_MS = 86_400_000


def tell(what: str, *args: object) -> None:
    print(json.dumps([sched.now_ms, what] + list(args)))


class Clock:
    def ms(self) -> int:
        return sched.now_ms


class Log:
    def info(self, text: str) -> None:
        tell("info", text)

    def warning(self, text: str) -> None:
        tell("warning", text)

    def error(self, text: str) -> None:
        tell("error", text)


class ResetPin:
    def __init__(self, chip: NcpChip) -> None:
        self._chip = chip

    def value(self, level: int) -> None:
        tell("pin", level)
        self._chip.set_reset(level == 0)


class Listed(list):
    """The home's list of sensors, as far as Sensors wants a registry."""

    @property
    def entries(self) -> list:
        return self


class Scene:
    """home: what is there; known: the names the firmware has in its list (all)."""

    def __init__(self, home: list = HOME, known: list | None = None) -> None:  # noqa: B006
        self.chip = NcpChip(sched, lambda what, **fields: tell(what, fields.get("sensor")))
        self.chip.load_home(home)
        self.uart = UART(sched)
        self.uart.peer = self.chip
        self.chip.send = self.uart.deliver
        self.devices = self.chip.air.devices
        listed = Listed(dict(one) for one in home if known is None or one["name"] in known)
        for one in listed:
            one["ieee"] = ieee_of(one["name"])
        self.coordinator = Coordinator(self.uart, ResetPin(self.chip), Clock(), Log())
        self.sensors = Sensors(listed, self.coordinator, Clock(), Log(), self.record)
        self.sensors.sink = lambda event, arg: tell("sink", event, arg)

    def record(self, event: str, **fields: object) -> None:
        tell("record", event, fields)

    def at(self, when_ms: int, fn: object, *args: object) -> None:
        sched.at(when_ms, fn, *args)

    def show(self, when_ms: int, what: str, read: object) -> None:
        """Print read() at that time."""
        sched.at(when_ms, lambda: tell(what, read()))

    def run(self, until_ms: int) -> None:
        """Power on and live until then."""
        self.chip.power_on()

        async def main() -> None:
            task = asyncio.create_task(self.coordinator.run())
            while sched.now_ms < until_ms:
                await asyncio.sleep_ms(min(until_ms - sched.now_ms, DAY_MS))  # a longer sleep wraps
            tell("alive", not task.done())

        asyncio.run(main())
