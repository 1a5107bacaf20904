"""The simulated Zigbee coprocessor: a CC2652 with Z-Stack 3.x ZNP on a serial line, a formed network in its memory.

Owns power, resets, faults and the dispatch of commands. `feed` takes the host's bytes, `send` gets the chip's. Must
never know what the host is: the firmware, zigpy-znp and zigbee-herdsman meet the same chip.
"""

from hal_sim.zigbee.af import Af
from hal_sim.zigbee.air import Air
from hal_sim.zigbee.ieee import ieee_of, wire_of
from hal_sim.zigbee.mt import Parser, frame, put16
from hal_sim.zigbee.network import blank_items, formed_items, remember
from hal_sim.zigbee.noise import Noise
from hal_sim.zigbee.nv import Nv
from hal_sim.zigbee.sensors import KINDS
from hal_sim.zigbee.system import System
from hal_sim.zigbee.zdo import Zdo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.device import EndDevice

_BOOT_MS = 300
_ANSWER_MS = 2
_NAME = "coordinator"
_FIRST_SHORT = 0x1A01
_SHORT_STEP = 0x0B3D
HOLD = 0
STARTED = 9
POWER_UP = 0
EXTERNAL = 1
WATCHDOG = 2


class NcpChip:
    """See docs/architecture.md. emit(what, **fields) writes the timeline: only `confirm`, from a pendant."""

    def __init__(self, sched: "Scheduler", emit: "Callable[..., Any]") -> None:
        self.sched = sched
        self.send: Callable[[bytes], Any] | None = None
        self.nv = Nv()
        self.nv.items = blank_items(_NAME)
        self.air = Air(sched, emit)
        self.air.arrive = self._arrive
        self.running = False
        self.hung = False
        self.state = HOLD
        self._powered = False
        self._in_reset = False
        self._boot: list | None = None
        self._parser = Parser(self._command)
        self._noise = Noise(sched, self._put)
        self.af = Af(self)
        self.zdo = Zdo(self)
        self.air.answered = self.zdo.answered
        self._commands = self.nv.commands()
        for part in (System(self), self.af, self.zdo):
            self._commands.update(part.commands())

    # Power, pins, faults

    def power_on(self) -> None:
        """The supply comes; the chip starts unless it is held in reset."""
        self._powered = True
        self.restart(POWER_UP)

    def power_off(self) -> None:
        """The supply goes; NV memory stays."""
        self._powered = False
        self._halt()

    def set_reset(self, asserted: bool) -> None:
        """The reset pin."""
        released = self._in_reset and not asserted
        self._in_reset = asserted
        if asserted:
            self._halt()
        elif released and self._powered:
            self.restart(EXTERNAL)

    def set_fault(self, fault: str) -> None:
        """hang (until the pin resets it), reset (by itself, once), garbage (10 s), replace (a blank chip) or none."""
        if fault == "hang":
            self.hung = True
        elif fault == "reset":
            self.restart(WATCHDOG)
        elif fault == "garbage":
            self._noise.start()
        elif fault == "replace":
            self.nv.items = blank_items("another " + _NAME)
            self.restart(POWER_UP)
        elif fault == "none":
            self.hung = False
            self._noise.stop()
        else:
            raise ValueError("unknown fault %s" % fault)

    def restart(self, reason: int) -> None:
        """Whatever was in RAM is lost; after a moment the chip says that it started."""
        self._halt()
        if self._powered and not self._in_reset:
            self._boot = self.sched.after(_BOOT_MS, self._booted, reason)

    def _halt(self) -> None:
        self.sched.cancel(self._boot)
        self._boot = None
        self.running = False
        self.hung = False
        self.state = HOLD
        self._parser.clear()
        self.af.clear()
        self.zdo.clear()
        self.air.drop_all()

    def _booted(self, reason: int) -> None:
        self.running = True
        self.areq(0x4180, bytes((reason, 2, 1, 2, 7, 1)))

    # The wire

    def feed(self, data: bytes) -> None:
        """Bytes from the host."""
        if self.running and not self.hung:
            self._parser.feed(data)

    def areq(self, command: int, payload: bytes) -> None:
        """Say something unasked."""
        if self.running and not self.hung:
            self._put(frame(command, payload))

    def _put(self, data: bytes) -> None:
        if self.send is not None and self._powered:
            self.send(data)

    def _command(self, command: int, payload: bytes) -> None:
        if command == 0x4100:
            self.sched.after(_ANSWER_MS, self.restart, POWER_UP)
            return
        if command >> 13 != 1:
            return  # only an SREQ has an answer
        entry = self._commands.get(command)
        if entry is None or len(payload) < entry[0]:
            answer = frame(0x6000, bytes((2 if entry is None else 4, command >> 8, command & 0xFF)))
        else:
            answer = frame(command | 0x4000, entry[1](payload))
        self.sched.after(_ANSWER_MS, self._reply, answer)

    def _reply(self, answer: bytes) -> None:
        if self.running and not self.hung:
            self._put(answer)

    def start_network(self, announce: "Callable[[], None]") -> None:
        """The formed network comes into service; announce() before the state is told."""
        self.sched.after(_BOOT_MS, self._network_up, announce)

    def _network_up(self, announce: "Callable[[], None]") -> None:
        if not self.running:
            return
        announce()
        if self.formed:
            self.state = STARTED
            self.areq(0x45C0, bytes((STARTED,)))

    @property
    def formed(self) -> bool:
        """Whether the memory holds a network."""
        return self.nv.items.get(0x0055) == b"\x01"

    @property
    def wire(self) -> bytes:
        """The coordinator's IEEE address as it travels."""
        return self.nv.items.get(0x0001) or wire_of(ieee_of(_NAME))

    def _arrive(self, device: "EndDevice", cluster: int, data: bytes) -> bool:
        if not self.running or self.hung or self.state != STARTED:
            return False
        return self.af.incoming(device, cluster, data)

    # The home

    def load_home(self, sensors: list) -> None:
        """The home's sensors, joined: dicts with name, kind, place and perhaps ieee. The network is formed."""
        for entry in sensors:
            name = entry["name"]
            wire = wire_of(entry.get("ieee") or ieee_of(name))
            short = _FIRST_SHORT + len(self.air.devices) * _SHORT_STEP & 0x7FFF
            kind = KINDS[entry["kind"]]
            device = kind(self.air, self.sched, name, entry.get("place", ""), wire, short)
            device.on_back = self._back
            device.commission(self.wire, len(self.air.devices))
            self.air.devices[name] = device
        self.nv.items = formed_items(_NAME, list(self.air.devices.values()))

    def smoke(self, name: str, on: bool) -> None:
        """There is smoke at the detector, or no more."""
        self.air.devices[name].set_smoke(on)

    def call_button(self, name: str, button: str) -> None:
        """A button of the pendant is pressed: call or cancel."""
        self.air.devices[name].press(button)

    def door(self, name: str, is_open: bool) -> None:
        """The door moves."""
        self.air.devices[name].set_open(is_open)

    def move(self, place: str, for_ms: int) -> None:
        """Somebody moves at the place; its activity sensors see it."""
        for device in self.air.devices.values():
            if device.place == place and hasattr(device, "see"):
                device.see(for_ms)

    def sensor(
        self, name: str, battery: "int | None" = None, radio: "bool | None" = None, lqi: "int | None" = None,
        tamper: "bool | None" = None,
    ) -> None:  # fmt: skip
        """Change what is given: battery in percent of the rated voltage, radio up, link quality 0 to 255, tamper."""
        device = self.air.devices[name]
        if radio is not None:
            device.radio = radio
        if lqi is not None:
            device.lqi = lqi
        if battery is not None:
            device.set_battery(battery)
        if tamper is not None:
            device.set_tamper(tamper)

    def _back(self, device: "EndDevice") -> None:
        self.rejoin(device.name, device.short)

    def rejoin(self, name: str, short: int, announce: bool = True) -> None:
        """The sensor comes back under another short address; without announce nobody is told."""
        device = self.air.devices[name]
        device.short = short
        if announce:
            remember(self.nv.items, list(self.air.devices).index(name), device)
            self.areq(0x45C1, put16(short) + put16(short) + device.wire + b"\x80")
