"""Who is who on the network: IEEE addresses, which last for ever, and short addresses, which do not.

Owns both directions of that map, and what is remembered of each sender's frames. Must never grow beyond the known
devices and a fixed number of strangers.
"""

from binascii import hexlify, unhexlify

from micropython import const

from zigbee.bucket import Flow

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

NO_SHORT = const(0xFFFE)  # the short address of who has none (Zigbee specification, table of NWK addresses)
STRANGER = const(-1)
ZONE_CLUSTER = const(0x0500)
_STRANGERS = const(16)
_TWICE = const(3)  # returns to the address before: a device takes a new one, or keeps its own
_TWICE_MS = const(600_000)
_ENROLS = const(6)  # in _ENROL_MS: the response may be lost, and some zones never take any
_ENROL_MS = const(600_000)


def reverse(data: bytes) -> bytes:
    """Addresses travel with the last byte first and are printed with the first byte first."""
    return bytes(data[i] for i in range(len(data) - 1, -1, -1))


def wire_of(ieee: str) -> bytes:
    """The address as it travels; ValueError when it is not 16 hexadecimal digits."""
    wire = reverse(unhexlify(ieee))
    if len(wire) != 8:
        raise ValueError("IEEE address %s" % ieee)
    return wire


class Device:
    """A device; `index` is its place in the home's list of sensors or STRANGER."""

    def __init__(self, wire: bytes, index: int, zone: bool, flow: Flow) -> None:
        self.wire = wire  # IEEE address as it travels
        self.ieee = hexlify(reverse(wire)).decode()  # as it is printed, 16 digits
        self.index = index
        self.zone = zone  # it has an IAS zone to enrol and to ask
        self.facts: dict | None = None  # what the interview learnt; the registry's own
        self.traits = 0  # bits of zigbee.quirks: in which ways its frames differ
        self.short = NO_SHORT
        self.endpoint = 1  # where its zone is; corrected by what it sends
        self.lqi = 0
        self.heard_ms = 0
        self.stale = False  # while an alarm from an old frame is told: it calls, and nothing else may follow from it
        self.flow = flow
        self.before = NO_SHORT  # the short address it had before this one
        self.returns = 0
        self.moved_ms = 0
        self.enrols = 0  # of late; 0 again when it announces itself
        self._enrol_ms = 0

    def may_enrol(self, now_ms: int) -> bool:
        """Whether a zone that is not enrolled is to be enrolled once more."""
        if now_ms - self._enrol_ms >= _ENROL_MS:
            self._enrol_ms = now_ms
            self.enrols = 0
        self.enrols += 1
        return self.enrols <= _ENROLS

    def take_facts(self, facts: "dict | None") -> None:
        """What the interview learnt: endpoint, traits, whether there is a zone. Facts of a bad form are passed over."""
        if not isinstance(facts, dict):
            return
        self.facts = facts
        traits, endpoint, servers = facts.get("traits"), facts.get("endpoint"), facts.get("servers")
        if isinstance(traits, int):
            self.traits = traits
        if isinstance(endpoint, int) and 0 < endpoint <= 240:
            self.endpoint = endpoint
        if isinstance(servers, list):
            self.zone = ZONE_CLUSTER in servers


class Devices:
    """The known devices and the last few strangers."""

    def __init__(self) -> None:
        self.known: list = []
        self.strange = Flow(False)  # what all strangers together may send
        self._strangers: list = []
        self._by_short: dict = {}
        # find(short): the device that has this short address now, as far as is known, or None
        self.find: Callable[[int], Device | None] = self._by_short.get

    def know(self, ieee: str, index: int, zone: bool, facts: "dict | None" = None) -> Device:
        """Add a device of the home, or change what is known of it; ieee as printed. ValueError: not 16 hex digits."""
        wire = wire_of(ieee)
        device = self._with(self.known, wire)
        if device is None:
            device = self._with(self._strangers, wire)
            if device is None:
                device = Device(wire, STRANGER, False, self.strange)
            else:
                self._strangers.remove(device)
            device.flow = Flow(True)
            self.known.append(device)
        device.index = index
        device.zone = zone
        device.take_facts(facts)
        return device

    def forget(self, device: Device) -> None:
        """It is no longer of the home; while it is about it is a stranger."""
        if device in self.known:
            self.known.remove(device)
            device.index = STRANGER
            device.zone = False
            device.flow = self.strange
            self._add_stranger(device)

    def by_ieee(self, ieee: str) -> "Device | None":
        """The device with this address as printed, of the home or not."""
        for some in (self.known, self._strangers):
            for device in some:
                if device.ieee == ieee:
                    return device
        return None

    def learn(self, short: int, wire: bytes) -> Device:
        """The device `wire` has the short address now; nobody else has. Returns it, a stranger if need be."""
        device = self._by_short.get(short)
        if device is not None and device.wire == wire:
            return device
        device = self._with(self.known, wire) or self._with(self._strangers, wire)
        if device is None:
            device = Device(wire, STRANGER, False, self.strange)
            self._add_stranger(device)
        before = self._by_short.get(short)
        if before is not None:
            before.short = NO_SHORT
        if device.short != NO_SHORT:
            device.before = device.short
        self._lose_short(device)
        device.short = short
        self._by_short[short] = device
        return device

    def _add_stranger(self, device: Device) -> None:
        self._strangers.append(device)
        if len(self._strangers) > _STRANGERS:
            self._lose_short(self._strangers.pop(0))

    def _lose_short(self, device: Device) -> None:
        if self._by_short.get(device.short) is device:
            del self._by_short[device.short]
        device.short = NO_SHORT

    @staticmethod
    def _with(some: list, wire: bytes) -> "Device | None":
        for device in some:
            if device.wire == wire:
                return device
        return None


def is_twice(device: Device, short: int, now_ms: int) -> bool:
    """To be asked before learn(): whether this address goes to and fro between two places, which is two devices.

    True once for each discovery: the third return to the address before within ten minutes.
    """
    if short == device.short or device.short == NO_SHORT:
        return False
    if short != device.before or now_ms - device.moved_ms > _TWICE_MS:
        device.returns = 0
        device.moved_ms = now_ms
        return False
    device.returns += 1
    return device.returns == _TWICE
