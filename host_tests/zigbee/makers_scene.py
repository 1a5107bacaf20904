"""Bought sensors in a simulated home: paired one after the other, then used. MicroPython, virtual time.

What our host makes of them is a line of JSON on stdout each: [ms, what, name, ...].
"""

import sys

sys.path += [".", "host_tests/zigbee"]

from scene import Clock, Log, ResetPin, asyncio, ieee_of, sched, tell  # noqa: E402

from hal_sim.bus.uart import UART  # noqa: E402
from hal_sim.zigbee.chip import NcpChip  # noqa: E402
from zigbee import told  # noqa: E402
from zigbee.coordinator import Coordinator  # noqa: E402

PAIR_EVERY_MS = 90_000
FIRST_MS = 20_000


class Quiet(Log):
    def info(self, text: str) -> None:
        """Nobody asked."""


class Market:
    """models: what is bought; each has its model as its name. use(device, at): what happens to it after pairing."""

    def __init__(self, models: list) -> None:
        self.chip = NcpChip(sched, lambda what, **fields: None)
        self.chip.load_home([])
        uart = UART(sched)
        uart.peer = self.chip
        self.chip.send = uart.deliver
        self.home = Coordinator(uart, ResetPin(self.chip), Clock(), Quiet())
        self.home.network.may_form = True
        self.names = {ieee_of(model): model for model in models}
        self.known: dict = {}
        pairing = self.home.pairing
        pairing.admit = lambda ieee: ""
        pairing.on_facts = self._facts
        pairing.on_joined = lambda ieee, facts: tell("joined", self.names[ieee], facts)
        pairing.on_refused = lambda ieee, reason, *more: tell("refused", self.names.get(ieee, ieee), reason, *more)
        self.home.on_status = self._status
        for place, model in enumerate(models):
            sched.at(FIRST_MS + place * PAIR_EVERY_MS, self._pair, model)
        self.begin_ms = FIRST_MS + len(models) * PAIR_EVERY_MS

    def __getitem__(self, model: str) -> "object":
        return self.chip.air.devices[model]

    def _pair(self, model: str) -> None:
        self.home.pairing.open(60, False)
        self.chip.pair("", model, model, None, None, model)

    def _facts(self, ieee: str, facts: dict) -> "object":
        name = self.names[ieee]
        index = self.known.setdefault(name, len(self.known))
        return self.home.know(ieee, index, True, facts)

    def _status(self, device: "object", kind: int, value: int, tsn: int, lqi: int) -> None:
        if kind != told.ALIVE and kind != told.CHECKIN:
            tell("told", self.names[device.ieee], kind, value)

    def at(self, after_ms: int, do: "object", *args: "object") -> None:
        """So long after the last one was paired."""
        sched.at(self.begin_ms + after_ms, do, *args)

    def run(self, for_ms: int) -> None:
        """Power on, pair, use, and live on for so long."""
        self.chip.power_on()

        async def main() -> None:
            task = asyncio.create_task(self.home.run())
            await asyncio.sleep_ms(self.begin_ms + for_ms - sched.now_ms)
            tell("alive", not task.done())

        asyncio.run(main())
