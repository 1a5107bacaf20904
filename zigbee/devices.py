"""Who is who on the network: IEEE addresses, which last for ever, and short addresses, which do not.

Owns both directions of that map. Must never grow beyond the known devices and a fixed number of strangers.
"""

from binascii import hexlify, unhexlify

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Iterable

NO_SHORT = const(0xFFFE)  # the short address of who has none (Zigbee specification, table of NWK addresses)
STRANGER = const(-1)
_STRANGERS = const(16)


def reverse(data: bytes) -> bytes:
    """Addresses travel with the last byte first and are printed with the first byte first."""
    return bytes(data[i] for i in range(len(data) - 1, -1, -1))


class Device:
    """A device; `index` is its place in the home's list of sensors or STRANGER."""

    def __init__(self, wire: bytes, index: int, zone: bool) -> None:
        self.wire = wire  # IEEE address as it travels
        self.ieee = hexlify(reverse(wire)).decode()  # as it is printed, 16 digits
        self.index = index
        self.zone = zone  # it has an IAS zone to enrol and to ask
        self.short = NO_SHORT
        self.endpoint = 1  # where its zone is; corrected by what it sends
        self.lqi = 0
        self.heard_ms = 0


class Devices:
    """The known devices and the last few strangers."""

    def __init__(self) -> None:
        self.known: list = []
        self._strangers: list = []
        self._by_short: dict = {}

    def know(self, ieee: str, index: int, zone: bool) -> Device:
        """Add a device of the home; ieee as printed. ValueError when it is not 16 hexadecimal digits."""
        wire = reverse(unhexlify(ieee))
        if len(wire) != 8:
            raise ValueError("IEEE address %s" % ieee)
        device = Device(wire, index, zone)
        self.known.append(device)
        return device

    def find(self, short: int) -> "Device | None":
        """The device that has this short address now, as far as is known."""
        return self._by_short.get(short)

    def learn(self, short: int, wire: bytes) -> Device:
        """The device `wire` has the short address now; nobody else has. Returns it, a stranger if need be."""
        device = self._with(self.known, wire) or self._with(self._strangers, wire)
        if device is None:
            device = Device(wire, STRANGER, False)
            self._strangers.append(device)
            if len(self._strangers) > _STRANGERS:
                self._forget(self._strangers.pop(0))
        before = self._by_short.get(short)
        if before is not None and before is not device:
            before.short = NO_SHORT
        self._forget(device)
        device.short = short
        self._by_short[short] = device
        return device

    def _forget(self, device: Device) -> None:
        if self._by_short.get(device.short) is device:
            del self._by_short[device.short]
        device.short = NO_SHORT

    @staticmethod
    def _with(some: "Iterable[Device]", wire: bytes) -> "Device | None":
        for device in some:
            if device.wire == wire:
                return device
        return None
