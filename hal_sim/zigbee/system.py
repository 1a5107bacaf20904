"""The chip's commands that concern itself: SYS, UTIL and APP_CNF.

Owns their answers. Source: TI "Z-Stack Monitor and Test API".
"""

from hal_sim.zigbee import network, tables
from hal_sim.zigbee.mt import FAILURE, INVALID_PARAMETER, SUCCESS, le16, le32, put16, put32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.chip import NcpChip

_CAPABILITIES = 0x0659  # SYS, AF, ZDO, UTIL, GP, APP_CNF: what a CC2652 with Z-Stack 3.x says
_CODE_REVISION = 20230507
_OK = bytes((SUCCESS,))
_NETWORK_RESTORED = 0x0D
_FORMED = 0x00
_NO_NETWORK = 0x02
_FORMATION_FAILURE = 0x08
_NETWORK_STEERING = 0x02
_NETWORK_FORMATION = 0x04
_STEERING_S = 180
_CODE_AND_CHECK = 1
_READY_KEY = 2
_ANSWER_MS = 5
_CHILD_SLEEPS = 1
_NOBODY = 0xFFFE


class System:
    """commands(): SREQ -> (shortest payload, handler)."""

    def __init__(self, chip: "NcpChip") -> None:
        self._chip = chip
        self._channels = 0  # of the next formation; 0: as the memory says

    def commands(self) -> dict:
        chip = self._chip
        return {
            0x2101: (0, lambda p: put16(_CAPABILITIES)),
            0x2102: (0, lambda p: bytes(chip.version) + put32(_CODE_REVISION)),
            0x2104: (0, lambda p: chip.wire),
            0x210C: (0, lambda p: put16(chip.sched.now_ms * 40503)),
            0x2114: (1, lambda p: _OK),  # transmit power
            0x2700: (0, lambda p: self._device_info()),
            0x2706: (3, lambda p: _OK),  # callbacks
            0x2709: (0, lambda p: put32(chip.sched.now_ms // 1000)),
            0x270A: (2, lambda p: _OK),  # LED
            0x2740: (8, lambda p: put16(self._short_of(p[:8]))),
            0x2741: (2, lambda p: self._wire_of(le16(p, 0))),
            0x2748: (2, lambda p: put16(len(tables.children(chip.nv.items)))),
            0x2749: (1, lambda p: self._associated(self._nth(p[0]))),
            0x274A: (10, lambda p: self._associated(self._by_address(p))),
            0x2763: (8, lambda p: self._remove(p[:8])),
            0x2764: (11, lambda p: self._add(le16(p, 0), p[2:10])),
            0x2F03: (1, lambda p: _OK),  # rejoin with the well-known key: none of these devices does
            0x2F04: (25, self._add_code),
            0x2F05: (1, self._commission),
            0x2F06: (1, lambda p: self._policy("require_code", p[0])),
            0x2F07: (1, lambda p: _OK),  # for joining devices; a coordinator has no use for it
            0x2F08: (5, self._set_channels),
            0x2F09: (1, lambda p: self._policy("require_exchange", p[0])),
            0x2FFF: (4, lambda p: self._set_counter(le32(p, 0))),
            0x2540: (2, self._start),
            0x2550: (0, lambda p: self._network()),
        }

    def _device_info(self) -> bytes:
        chip = self._chip
        children = tables.children(chip.nv.items)[:60] if chip.state else []
        head = _OK + chip.wire + put16(0 if chip.state else _NOBODY) + bytes((7, chip.state, len(children)))
        return head + b"".join(put16(short) for short, _ in children)

    def _network(self) -> bytes:
        chip = self._chip
        running = chip.air.running
        channel, pan, extended, _, _ = running.identity if running and chip.state else (0, 0xFFFF, bytes(8), b"", 0)
        return put16(0) + bytes((chip.state,)) + put16(pan) + put16(0) + extended + bytes(8) + bytes((channel,))

    def _set_channels(self, p: bytes) -> bytes:
        if p[0]:
            self._channels = le32(p, 1) & network.ALL_CHANNELS
        return _OK

    def _policy(self, name: str, value: int) -> bytes:
        setattr(self._chip.joining, name, bool(value))
        return _OK

    def _set_counter(self, value: int) -> bytes:
        running = self._chip.air.running
        if running is None:
            return bytes((FAILURE,))
        running.set_counter(value)
        return _OK

    def _add_code(self, p: bytes) -> bytes:
        """APP_CNF_BDB_ADD_INSTALLCODE: 16 bytes and their checksum, or the key that was made of a code."""
        from hal_sim.zigbee import codes

        key = None
        if p[0] == _CODE_AND_CHECK and len(p) >= 27 and codes.code_is_good(p[9:27]):
            key = codes.hashed(p[9:27])
        elif p[0] == _READY_KEY:
            key = p[9:25]
        if key is None:
            return bytes((INVALID_PARAMETER,))
        return _OK if tables.add_code(self._chip.nv.items, p[1:9], key) else bytes((FAILURE,))

    def _start(self, payload: bytes) -> bytes:
        """ZDO_STARTUP_FROM_APP: in Z-Stack 3 the same as commissioning by formation."""
        if self._chip.formed:
            self._chip.start_network(lambda: None)
        else:
            self._form(_NETWORK_FORMATION)
        return _OK

    def _notify(self, status: int, mode: int, left: int) -> None:
        self._chip.areq(0x4F80, bytes((status, mode, left)))

    def _form(self, mode: int) -> None:
        def tell(made: bool) -> None:
            self._notify(_FORMED if made else _FORMATION_FAILURE, _NETWORK_FORMATION, mode & ~_NETWORK_FORMATION)

        self._chip.form_network(self._channels, tell)

    def _commission(self, payload: bytes) -> bytes:
        """APP_CNF_BDB_START_COMMISSIONING: a network that is there is restored, and forming another fails."""
        chip = self._chip
        mode = payload[0]
        if not chip.formed:
            if mode & _NETWORK_FORMATION:
                self._form(mode)
            else:
                chip.sched.after(_ANSWER_MS, self._notify, _NO_NETWORK, mode, 0)
            return _OK

        def announce() -> None:
            self._notify(_NETWORK_RESTORED, 0, mode)
            if mode & _NETWORK_FORMATION:
                self._notify(_FORMATION_FAILURE, _NETWORK_FORMATION, mode & ~_NETWORK_FORMATION)
            if mode & _NETWORK_STEERING:
                chip.joining.permit(_STEERING_S)

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

    def _remove(self, wire: bytes) -> bytes:
        """UTIL_ASSOC_REMOVE: no child any more; its keys stay."""
        items = self._chip.nv.items
        place = tables.place_of(items, wire)
        if place is None:
            return bytes((FAILURE,))
        tables.drop_address(items, place)
        return _OK

    def _add(self, short: int, wire: bytes) -> bytes:
        items = self._chip.nv.items
        place = tables.place_of(items, wire)
        place = tables.free_place(items) if place is None else place
        if place is None:
            return bytes((FAILURE,))
        tables.keep_address(items, place, short, wire)
        return _OK

    def _nth(self, index: int) -> "tuple | None":
        children = tables.children(self._chip.nv.items)
        return children[index] if index < len(children) else None

    def _by_address(self, p: bytes) -> "tuple | None":
        for child in tables.children(self._chip.nv.items):
            if child[1] == p[:8] or (p[:8] == bytes(8) and child[0] == le16(p, 8)):
                return child
        return None

    def _associated(self, child: "tuple | None") -> bytes:
        """associated_devices_t as it lies in a CC2652's memory, 36 bytes."""
        if child is None:
            return put16(_NOBODY) + put16(0xFFFF) + bytes((0xFF,)) + bytes(31)
        device = self._chip.air.find(child[0])
        place = tables.place_of(self._chip.nv.items, child[1]) or 0
        head = put16(child[0]) + put16(place) + bytes((_CHILD_SLEEPS, 0x0D, 0, 0))
        link = bytes((0, 1, 0 if device is None else device.lqi, 0)) + put32(0) + put16(0) + bytes(2)
        return head + link + bytes(4) + put32(256 * 60) + put32(0) + bytes(4)
