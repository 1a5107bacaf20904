"""The chip's commands that concern itself: SYS, UTIL and APP_CNF.

Owns their answers. Source: TI "Z-Stack Monitor and Test API".
"""

from hal_sim.zigbee.mt import FAILURE, SUCCESS, le16, put16, put32
from hal_sim.zigbee.network import CHANNEL, PAN_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.chip import NcpChip
    from hal_sim.zigbee.device import EndDevice

_CAPABILITIES = 0x0659  # SYS, AF, ZDO, UTIL, GP, APP_CNF: what a CC2652 with Z-Stack 3.x says
_CODE_REVISION = 20230507
_OK = bytes((SUCCESS,))
_NETWORK_RESTORED = 0x0D
_FORMATION_FAILURE = 0x08
_NETWORK_FORMATION = 0x04
_CHILD_SLEEPS = 1
_NOBODY = 0xFFFE


class System:
    """commands(): SREQ -> (shortest payload, handler)."""

    def __init__(self, chip: "NcpChip") -> None:
        self._chip = chip

    def commands(self) -> dict:
        chip = self._chip
        return {
            0x2101: (0, lambda p: put16(_CAPABILITIES)),
            0x2102: (0, lambda p: bytes((2, 1, 2, 7, 1)) + put32(_CODE_REVISION)),
            0x2104: (0, lambda p: chip.wire),
            0x210C: (0, lambda p: put16(chip.sched.now_ms * 40503)),
            0x2114: (1, lambda p: _OK),  # transmit power
            0x2700: (0, lambda p: self._device_info()),
            0x2706: (3, lambda p: _OK),  # callbacks
            0x2709: (0, lambda p: put32(chip.sched.now_ms // 1000)),
            0x270A: (2, lambda p: _OK),  # LED
            0x2740: (8, lambda p: put16(self._short_of(p[:8]))),
            0x2741: (2, lambda p: self._wire_of(le16(p, 0))),
            0x2748: (2, lambda p: put16(len(chip.air.devices))),
            0x2749: (1, lambda p: self._associated(self._nth(p[0]))),
            0x274A: (10, lambda p: self._associated(self._by_address(p))),
            0x2F05: (1, self._commission),
            0x2F06: (1, lambda p: _OK),
            0x2F08: (5, lambda p: _OK),
            0x2F09: (1, lambda p: _OK),
            0x2540: (2, self._start),
            0x2550: (0, lambda p: self._network()),
        }

    def _device_info(self) -> bytes:
        chip = self._chip
        children = list(chip.air.devices.values())[:60] if chip.state else []
        head = _OK + chip.wire + put16(0 if chip.state else _NOBODY) + bytes((7, chip.state, len(children)))
        return head + b"".join(put16(child.short) for child in children)

    def _network(self) -> bytes:
        pan, channel = (PAN_ID, CHANNEL) if self._chip.state else (0xFFFF, 0)
        extended = self._chip.nv.items.get(0x002D, bytes(8))
        head = put16(0) + bytes((self._chip.state,)) + put16(pan) + put16(0)
        return head + extended + bytes(8) + bytes((channel,))

    def _start(self, payload: bytes) -> bytes:
        """ZDO_STARTUP_FROM_APP: commissioning with what the memory holds."""
        if self._chip.formed:
            self._chip.start_network(lambda: None)
        return _OK

    def _commission(self, payload: bytes) -> bytes:
        """APP_CNF_BDB_START_COMMISSIONING: a formed network is restored; forming another fails; none is formed here."""
        chip = self._chip
        if not chip.formed:
            return bytes((FAILURE,))
        mode = payload[0]

        def announce() -> None:
            chip.areq(0x4F80, bytes((_NETWORK_RESTORED, 0, mode)))
            if mode & _NETWORK_FORMATION:
                chip.areq(0x4F80, bytes((_FORMATION_FAILURE, _NETWORK_FORMATION, mode & ~_NETWORK_FORMATION)))

        chip.start_network(announce)
        return _OK

    def _short_of(self, wire: bytes) -> int:
        """From the address manager: what the memory says, which may be old."""
        for key, value in self._chip.nv.items.items():
            if isinstance(key, tuple) and key[1] == 1 and value[4:] == wire:
                return le16(value, 2)
        return _NOBODY

    def _wire_of(self, short: int) -> bytes:
        for key, value in self._chip.nv.items.items():
            if isinstance(key, tuple) and key[1] == 1 and value[0] != 0xFF and le16(value, 2) == short:
                return value[4:]
        return b"\xff" * 8

    def _nth(self, index: int) -> "EndDevice | None":
        devices = list(self._chip.air.devices.values())
        return devices[index] if index < len(devices) else None

    def _by_address(self, p: bytes) -> "EndDevice | None":
        for device in self._chip.air.devices.values():
            if device.wire == p[:8] or (p[:8] == bytes(8) and device.short == le16(p, 8)):
                return device
        return None

    def _associated(self, device: "EndDevice | None") -> bytes:
        """associated_devices_t as it lies in a CC2652's memory, 36 bytes."""
        if device is None:
            return put16(_NOBODY) + put16(0xFFFF) + bytes((0xFF,)) + bytes(31)
        head = put16(device.short) + put16(0) + bytes((_CHILD_SLEEPS, 0x0D, 0, 0))
        link = bytes((0, 1, device.lqi, 0)) + put32(0) + put16(0) + bytes(2)
        return head + link + bytes(4) + put32(256 * 60) + put32(0) + bytes(4)
