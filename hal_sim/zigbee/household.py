"""The home behind the coprocessor, and what people, smoke and thieves do to its sensors.

Owns which devices there are. Must never know what the host makes of it.
"""

from hal_sim.zigbee import keys, network, tables
from hal_sim.zigbee.ieee import ieee_of, wire_of
from hal_sim.zigbee.member import Member
from hal_sim.zigbee.sensors import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.air import Air
    from hal_sim.zigbee.device import EndDevice
    from hal_sim.zigbee.joining import Joining
    from hal_sim.zigbee.nv import Nv

_FIRST_SHORT = 0x1A01
_SHORT_STEP = 0x0B3D
_COUNTER = 10_000  # what the sensors of a home heard last; network.formed_items saves the same


def product(kind: str, model: "str | None") -> type:
    """The class of a sensor: our own profile's of that kind, or a bought model. ValueError: unknown."""
    if model is None:
        if kind not in KINDS:
            raise ValueError("unknown kind %s" % kind)
        return KINDS[kind]
    from hal_sim.zigbee.makers import MODELS

    if model not in MODELS:
        raise ValueError("unknown model %s" % model)
    return MODELS[model]


_FIELDS = {"sensor": "name", "open": "is_open"}  # of a step -> the argument's name
STEPS = ("smoke", "call_button", "door", "move", "sensor", "ncp", "pair", "leave", "intrude", "radio")


class Household:
    """What NcpChip is to the home: its steps."""

    air: "Air"
    nv: "Nv"
    joining: "Joining"
    sched: "Scheduler"
    name: str

    def act(self, step: dict) -> None:
        """Do one of STEPS, as hal_sim/steps.py checked it. ValueError says why not."""
        do = step["do"]
        arguments = {_FIELDS.get(field, field): step[field] for field in step if field not in ("at", "do", "every")}
        getattr(self, "set_fault" if do == "ncp" else do)(**arguments)

    def load_home(self, sensors: list) -> None:
        """The home's sensors, joined long ago: dicts with name, kind, place and perhaps ieee and model."""
        devices: list[EndDevice] = []
        for entry in sensors:
            device = self._make(entry["kind"], entry["name"], entry.get("place", ""), entry.get("ieee"),
                                entry.get("model"))  # fmt: skip
            device.short = _FIRST_SHORT + len(devices) * _SHORT_STEP & 0x7FFF
            devices.append(device)
        self.nv.items = network.formed_items(self.name, devices)
        identity = network.identity(self.nv.items) or ()
        for zone_id, device in enumerate(devices):
            device.commission(self.nv.items[network.EXTENDED_ADDRESS], zone_id)
            device.member = Member(identity, tables.link_key(self.nv.items, device.wire) or b"", _COUNTER)

    def _make(self, kind: str, name: str, place: str, ieee: "str | None", model: "str | None") -> "EndDevice":
        device = product(kind, model)(self.air, self.sched, name, place, wire_of(ieee or ieee_of(name)), 0xFFFE)
        device.member = None
        device.on_back = self.joining.back
        self.air.devices[name] = device
        return device

    def pair(
        self, kind: str, name: str, place: str = "", install_code: "str | None" = None, ieee: "str | None" = None,
        model: "str | None" = None,
    ) -> None:  # fmt: skip
        """A device out of the box searches for an open network for five minutes; a name that is there already means
        that this device was reset and begins again. install_code as printed. ValueError: unknown kind or bad code."""
        link_key = keys.WELL_KNOWN
        if install_code is not None:
            from hal_sim.zigbee.codes import key_of_code  # who has no code does not pay for it

            link_key = key_of_code(install_code)
        if name not in self.air.devices:
            self._make(kind, name, place, ieee, model)
        elif not isinstance(self.air.devices[name], product(kind, model)):
            raise ValueError("%s is there already and is something else" % name)
        self.joining.search(self.air.devices[name], link_key)

    def intrude(
        self, kind: str, name: str, place: str = "", ieee: "str | None" = None, model: "str | None" = None,
        short: "int | None" = None,
    ) -> None:  # fmt: skip
        """A device is let in although the network is closed, by a router that knows the well-known key. With another's
        ieee it is a clone, with another's short address a conflict."""
        if name in self.air.devices:
            raise ValueError("%s is there already" % name)
        device = self._make(kind, name, place, ieee, model)
        self.joining.admit(device, keys.WELL_KNOWN, short)

    def leave(self, name: str) -> None:
        """The sensor's button is held: it leaves, and says so."""
        self.joining.leave(self.air.devices[name])

    def rejoin(self, name: str, short: int, announce: bool = True) -> None:
        """The sensor comes back under another short address; without announce nobody is told."""
        device = self.air.devices[name]
        device.short = short
        if announce:
            place = tables.place_of(self.nv.items, device.wire)
            place = tables.free_place(self.nv.items) if place is None else place
            if place is not None:
                tables.remember(self.nv.items, place, device)
            self.joining.tell_announcement(device)

    def radio(
        self, loss: "int | None" = None, jam: "bool | None" = None, noise: "dict | None" = None
    ) -> None:  # fmt: skip
        """Change what is given: loss in percent of the frames, whether all is jammed, noise as {channel: 0 to 255}."""
        if loss is not None:
            self.air.loss = loss
        if jam is not None:
            self.air.jammed = jam
        if noise is not None:
            self.air.noise = {int(channel): noise[channel] for channel in noise}

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
