"""The simulated Zigbee coprocessor: a CC2652 with Z-Stack 3.x ZNP on a serial line, and the home behind it.

Owns power, resets, faults and the dispatch of commands. `feed` takes the host's bytes, `send` gets the chip's. Must
never know what the host is: the firmware, zigpy-znp and zigbee-herdsman meet the same chip.
"""

from hal_sim.zigbee.af import Af
from hal_sim.zigbee.air import Air
from hal_sim.zigbee.household import Household
from hal_sim.zigbee.ieee import ieee_of, wire_of
from hal_sim.zigbee.joining import Joining
from hal_sim.zigbee.member import Running
from hal_sim.zigbee.mt import Parser, frame
from hal_sim.zigbee.network import LOGICAL_TYPE, STARTUP_OPTION, blank_items, clear, identity, moved
from hal_sim.zigbee.noise import Noise
from hal_sim.zigbee.nv import Nv
from hal_sim.zigbee.system import System
from hal_sim.zigbee.tables import children
from hal_sim.zigbee.zdo import Zdo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.device import EndDevice

_BOOT_MS = 300
_ANSWER_MS = 2
_FORM_MS = 1200
_NAME = "coordinator"
HOLD = 0
STARTING = 8
STARTED = 9
_CLEAR_CONFIG = 0x01
_CLEAR_STATE = 0x02
POWER_UP = 0
EXTERNAL = 1
WATCHDOG = 2


FAULTS = ("hang", "reset", "garbage", "replace", "nv_lost", "unplugged", "version", "full", "none")
_VERSION = (2, 1, 2, 7, 1)  # transport, product, major, minor, maintenance: Z-Stack 3.x
_STRANGE_VERSION = (2, 1, 9, 4, 0)


class NcpChip(Household):
    """See docs/architecture.md. emit(what, **fields) writes the timeline: `confirm` from a pendant, `joined`,
    `not_joined` and `left`. A chip on which load_home was never called has no network."""

    def __init__(self, sched: "Scheduler", emit: "Callable[..., Any]", seed: int = 1) -> None:
        self.sched = sched
        self.emit = emit
        self.send: Callable[[bytes], Any] | None = None
        self.name = _NAME
        self.nv = Nv()
        self.nv.items = blank_items(_NAME)
        self.air = Air(sched, emit, seed)
        self.air.arrive = self._arrive
        self.running = False
        self.hung = False
        self.unplugged = False
        self.version = _VERSION
        self.state = HOLD
        self._powered = False
        self._in_reset = False
        self._boot: list | None = None
        self._parser = Parser(self._command)
        self._noise = Noise(sched, self._put)
        self.af = Af(self)
        self.zdo = Zdo(self)
        self.joining = Joining(self)
        self.air.answered = self.zdo.answered
        self.air.told_to_leave = self.joining.expelled
        self.air.is_child = self._is_child
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
        """hang (until the pin resets it), reset (by itself, once), garbage (10 s), replace (a blank chip with another
        address), nv_lost (the same chip, its network is gone), unplugged (until none), version (a firmware nobody
        knows), full (no buffers, until none) or none."""
        if fault == "hang":
            self.hung = True
        elif fault == "reset":
            self.restart(WATCHDOG)
        elif fault == "garbage":
            self._noise.start()
        elif fault in ("replace", "nv_lost"):
            self.name = "another " + self.name if fault == "replace" else self.name
            self.nv.items = blank_items(self.name)
            self.restart(POWER_UP)
        elif fault == "unplugged":
            self.unplugged = True
            self._halt()
        elif fault == "version":
            self.version = _STRANGE_VERSION
        elif fault == "full":
            self.air.full = True
        elif fault == "none":
            self._mend()
        else:
            raise ValueError("unknown fault %s" % fault)

    def _mend(self) -> None:
        self.hung = False
        self._noise.stop()
        self.version = _VERSION
        self.air.full = False
        if self.unplugged:
            self.unplugged = False
            self.restart(POWER_UP)

    def restart(self, reason: int) -> None:
        """Whatever was in RAM is lost; after a moment the chip says that it started."""
        self._halt()
        if self._powered and not self._in_reset and not self.unplugged:
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
        self.joining.clear()
        self.air.drop_all()
        if self.air.running is not None:
            self.air.running.stop()
            self.air.running = None

    def _booted(self, reason: int) -> None:
        items = self.nv.items
        if len(items.get(0x0001, b"")) != 8:
            items[0x0001] = wire_of(ieee_of(self.name))  # the address it was made with
        option = items.get(STARTUP_OPTION, b"\0")[0]
        if option & 3:
            clear(items, bool(option & _CLEAR_CONFIG), bool(option & _CLEAR_STATE))
        self.running = True
        self.areq(0x4180, bytes((reason,) + self.version))

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
        if self.send is not None and self._powered and not self.unplugged:
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

    def form_network(self, channels: int, announce: "Callable[[bool], None]") -> None:
        """Make a network on one of these channels (0: as the memory says); announce(made) tells how it went."""
        self.sched.after(_FORM_MS, self._form, channels, announce)

    def _form(self, channels: int, announce: "Callable[[bool], None]") -> None:
        if not self.running or self.hung or self.formed:
            return
        from hal_sim.zigbee.forming import form, preset_channels  # a home that has a network does not pay for it

        items = self.nv.items
        coordinator = items.get(LOGICAL_TYPE, b"\0") == b"\0"
        made = coordinator and form(items, self.air, channels or preset_channels(items))
        if made:
            self.state = STARTING
            self.areq(0x45C0, bytes((STARTING,)))
            self.start_network(lambda: announce(True))
        else:
            announce(False)

    def _network_up(self, announce: "Callable[[], None]") -> None:
        if not self.running:
            return
        announce()
        if self.formed and identity(self.nv.items) is not None:
            if self.air.running is None:
                self.air.running = Running(self.nv, self.sched)
                self.joining.strangers_come_back()
            self.state = STARTED
            self.areq(0x45C0, bytes((STARTED,)))

    def change_channel(self, channel: int) -> None:
        """The whole network moves; its sleepers find it again after a while."""
        running = self.air.running
        if running is None or not self.in_service or channel == running.identity[0]:
            return
        self.joining.follow(channel)
        moved(self.nv.items, channel)
        running.identity = (channel,) + running.identity[1:]

    @property
    def in_service(self) -> bool:
        """It hears the air and answers there."""
        return self.running and not self.hung and self.state == STARTED

    def _is_child(self, short: int) -> bool:
        return any(entry[0] == short for entry in children(self.nv.items))

    @property
    def formed(self) -> bool:
        """Whether the memory holds a network."""
        return self.nv.items.get(0x0055) == b"\x01"

    @property
    def wire(self) -> bytes:
        """The coordinator's IEEE address as it travels."""
        return self.nv.items.get(0x0001) or wire_of(ieee_of(self.name))

    def _arrive(self, device: "EndDevice", cluster: int, data: bytes) -> bool:
        if not self.in_service:
            return False
        return self.af.incoming(device, cluster, data)
