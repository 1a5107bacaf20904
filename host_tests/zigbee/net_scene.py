"""A chip that can be cut off at every step, and controllers that come and go in front of it. MicroPython, virtual time.

Everything that matters is a line of JSON on stdout, as in scene.py.
"""

import json
import sys

sys.path += [".", "host_tests/zigbee"]

from scene import HOME, Clock, Log, ResetPin, asyncio, ieee_of, sched, tell  # noqa: E402

from hal_sim.bus.uart import UART  # noqa: E402
from hal_sim.zigbee import network as memory  # noqa: E402
from hal_sim.zigbee.chip import NcpChip  # noqa: E402
from zigbee.coordinator import Coordinator  # noqa: E402


class QuietLog(Log):
    """Only warnings and errors are kept, and only told when asked for."""

    def __init__(self, loud: bool = False) -> None:
        self.loud = loud
        self.lines: list = []

    def info(self, text: str) -> None:
        if self.loud:
            tell("info", text)

    def warning(self, text: str) -> None:
        self.lines.append(text)
        if self.loud:
            tell("warning", text)

    def error(self, text: str) -> None:
        self.lines.append(text)
        if self.loud:
            tell("error", text)


class Cable:
    """Between controller and chip: counts the commands, and does cut() instead of handing the nth on."""

    def __init__(self, chip: NcpChip) -> None:
        self.chip = chip
        self.count = 0
        self.at = 0
        self.cut = lambda: None

    def feed(self, data: bytes) -> None:
        self.count += 1
        if self.count == self.at:
            self.cut()
        else:
            self.chip.feed(data)


class Bench:
    """home None: a chip that never had a network. kept: what the store would have at the next start."""

    def __init__(self, home: "list | None" = HOME, loud: bool = False) -> None:
        self.log = QuietLog(loud)
        self.chip = NcpChip(sched, lambda what, **fields: None)
        self.names = [] if home is None else [one["name"] for one in home]
        if home is not None:
            self.chip.load_home(home)
        self.cable = Cable(self.chip)
        self.kept: dict | None = None
        self.may_form = home is None
        self.networks: list = []  # extended PAN and key of each network that was ever backed up
        self.heard: list = []
        self.told: list = []
        self.coordinator: Coordinator | None = None
        self.chip.power_on()

    def save(self, backup: dict) -> None:
        self.kept = json.loads(json.dumps(backup))
        place = (backup["extended_pan_id"], backup["network_key"]["key"])
        if place not in self.networks:
            self.networks.append(place)

    def hear(self, device: object, kind: int, value: int, tsn: int, lqi: int) -> None:
        self.heard.append((sched.now_ms, device.ieee, kind, value))

    def controller(self, kept: "dict | None" = None, may_form: bool = False) -> Coordinator:
        uart = UART(sched)
        uart.peer = self.cable
        self.chip.send = uart.deliver
        one = Coordinator(uart, ResetPin(self.chip), Clock(), self.log)
        one.network.kept = json.loads(json.dumps(kept))
        one.network.may_form = may_form
        one.network.on_backup = self.save
        one.network.on_trouble = lambda reason: self.told.append(reason)
        one.network.on_recovered = lambda reason, down_ms: self.told.append((reason, down_ms))
        one.on_status = self.hear
        for index, name in enumerate(self.names):
            one.know(ieee_of(name), index)
        self.coordinator = one
        return one

    async def live(self, until: "object", limit_ms: int, kept: "dict | None" = None, may_form: bool = False) -> bool:
        """A controller's life: until until() or at most limit_ms. Returns until()."""
        one = self.controller(kept, may_form)
        task = asyncio.create_task(one.run())
        end = sched.now_ms + limit_ms
        while sched.now_ms < end and not until():
            await asyncio.sleep_ms(100)
        while not task.done():  # asyncio.wait_for_ms swallows a cancellation that comes with what it waited for
            task.cancel()
            await asyncio.sleep_ms(0)
        return until()

    def settled(self) -> bool:
        """In service, and backed up."""
        return self.coordinator.ready and self.kept is not None and self.coordinator.network.backups > 0

    def identity(self) -> "tuple | None":
        return memory.identity(self.chip.nv.items)

    def place(self) -> "tuple | None":
        """Extended PAN and key of the memory, as a backup prints them."""
        found = self.identity()
        if found is None:
            return None
        return ("".join("%02x" % byte for byte in bytes(reversed(found[2]))), "".join("%02x" % b for b in found[3]))

    def whole(self) -> bool:
        """The chip's memory knows every sensor and the key it shares with it."""
        items = self.chip.nv.items
        known = [entry[1] for entry in memory.children(items)]
        devices = self.chip.air.devices.values()
        return all(device.wire in known and memory.link_key(items, device.wire) for device in devices)

    def fit(self) -> bool:
        """Every sensor is on the network that the chip runs."""
        air = self.chip.air
        return all(air.fits(device) for device in air.devices.values())


def play(main: object) -> None:
    asyncio.run(main)
    tell("end")
