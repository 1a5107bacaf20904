"""A simulated coprocessor with devices that want in, the coordinator before it, and a small double of the product.

MicroPython only. Everything that happens is a line of JSON on stdout: [ms, what, ...].
"""

import json
import sys

sys.path.append(".")

from hal_sim import vtime  # noqa: E402
from hal_sim.bus.uart import UART  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402
from hal_sim.zigbee.chip import NcpChip  # noqa: E402

sched = Scheduler()
kernel = vtime.install(sched)

import asyncio  # noqa: E402

from zigbee.coordinator import Coordinator  # noqa: E402

quiet = set()  # what is not printed


def tell(what, *args):
    if what not in quiet:
        print(json.dumps([sched.now_ms, what] + list(args)))


class Clock:
    def ms(self):
        return sched.now_ms


class Log:
    def info(self, text):
        tell("info", text)

    def warning(self, text):
        tell("warning", text)

    def error(self, text):
        tell("error", text)


class ResetPin:
    def __init__(self, chip):
        self._chip = chip

    def value(self, level):
        tell("pin", level)
        self._chip.set_reset(level == 0)


class Home:
    """The product's part: it keeps facts as text, as its registry does; `kept` outlives a restart of the gateway."""

    def __init__(self, chip=None, kept=None, limit=32, seed=1):
        self.chip = chip
        if chip is None:
            self.chip = NcpChip(sched, lambda what, **fields: tell(what, fields.get("sensor")), seed)
            self.chip.load_home([])
        self.uart = UART(sched)
        self.uart.peer = self.chip
        self.chip.send = self.uart.deliver
        self.kept = {} if kept is None else kept
        self.limit = limit
        self.devices = {}
        self.reason = ""
        self.coordinator = Coordinator(self.uart, ResetPin(self.chip), Clock(), Log())
        self.coordinator.on_status = lambda d, kind, value, tsn, lqi: tell("status", d.index, kind, value)
        self.coordinator.on_stranger = lambda device, kind, value: tell("stranger", device.ieee, kind, value)
        pairing = self.pairing = self.coordinator.pairing
        pairing.admit = lambda ieee: self.reason
        pairing.on_step = lambda ieee, done, of, name: tell("step", ieee, done, of, name)
        pairing.on_facts = self.keep
        pairing.on_joined = lambda ieee, facts: tell("ready", ieee, facts)
        pairing.on_refused = lambda ieee, reason: tell("refused", ieee, reason)
        pairing.on_left = lambda ieee: tell("gone", ieee)
        for ieee in sorted(self.kept):
            index, text = self.kept[ieee]
            self.devices[ieee] = self.coordinator.know(ieee, index, facts=json.loads(text))

    def keep(self, ieee, facts):
        if not facts.get("kind"):
            return None
        if ieee not in self.kept and len(self.kept) >= self.limit:
            return None
        index = self.kept[ieee][0] if ieee in self.kept else len(self.kept)
        self.kept[ieee] = (index, json.dumps(facts))
        if ieee not in self.devices:
            self.devices[ieee] = self.coordinator.know(ieee, index, facts=facts)
        return self.devices[ieee]

    def facts(self, ieee):
        return json.loads(self.kept[ieee][1])

    def forget(self, ieee):
        """As the product removes a sensor."""
        device = self.devices.pop(ieee)
        del self.kept[ieee]
        self.pairing.remove(device)
        self.coordinator.forget(device)

    def at(self, when_ms, fn, *args):
        sched.at(when_ms, fn, *args)

    def show(self, when_ms, what, read):
        sched.at(when_ms, lambda: tell(what, read()))

    def run(self, until_ms):
        """Power on, if it is not, and live until then; then the gateway stops."""
        if not self.chip.running:
            self.chip.power_on()

        async def main():
            task = asyncio.create_task(self.coordinator.run())
            await asyncio.sleep_ms(until_ms - sched.now_ms)
            tell("alive", not task.done())
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        asyncio.run(main())
