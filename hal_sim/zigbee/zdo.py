"""The chip's device profile: requests to itself and to sensors, and the answers as callbacks.

Owns the callbacks the host registered for. Must never open the network by itself.
Source: TI "Z-Stack Monitor and Test API", ZDO interface; Zigbee specification 2.4.
"""

from hal_sim.zigbee import tables
from hal_sim.zigbee.mt import FAILURE, SUCCESS, le16, put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal_sim.zigbee.chip import NcpChip

_OK = bytes((SUCCESS,))
_ALL = 0xFFFF
_PERMIT = 0x0036
_LEAVE = 0x0034
_ENERGY = 0x0038
_BROADCASTS = 0xFFF8
_NOT_STARTED = 0xC2  # ZNwkInvalidRequest
_ANSWER_MS = 5
_SCAN_STEP_US = 15_360  # aBaseSuperframeDuration
_LONGEST_SCAN = 5
_CHANGE_CHANNEL = 0xFE
_BEACON_WAIT_MS = 15
_BEACONS = 6  # of one notification
_ROUTER = bytes((1, 1, 2, 2))  # of a beacon: router and end device capacity, protocol version, stack profile
# Requests with an MT command of their own: command -> (cluster, where the destination is, where the request begins)
_OWN = {
    0x2502: (0x0002, 0, 2), 0x2503: (0x0003, 0, 2), 0x2504: (0x0004, 0, 2), 0x2505: (0x0005, 0, 2),
    0x2506: (0x0006, 0, 2), 0x2507: (0x0007, 0, 2), 0x2508: (0x0008, 0, 2), 0x2521: (0x0021, 0, 2),
    0x2522: (0x0022, 0, 2), 0x2530: (0x0030, 0, 2), 0x2531: (0x0031, 0, 2), 0x2532: (0x0032, 0, 2),
    0x2533: (0x0033, 0, 2),
}  # fmt: skip


class Zdo:
    """commands(): SREQ -> (shortest payload, handler)."""

    def __init__(self, chip: "NcpChip") -> None:
        self._chip = chip
        self._wanted: list = []
        self._number = 0

    def clear(self) -> None:
        self._wanted = []

    @property
    def permit_s(self) -> int:
        """Seconds for which joining is still permitted."""
        return self._chip.joining.left_s

    def commands(self) -> dict:
        own = {command: (3, self._own(*where)) for command, where in _OWN.items()}
        own.update({
            0x2500: (9, lambda p: self.request(_ALL, 0x0000, self._tsn() + p[:8] + bytes(2))),
            0x2501: (3, lambda p: self.request(le16(p, 0), 0x0001, self._tsn() + p[:2] + bytes(2))),
            0x2526: (5, self._discover),
            0x2534: (11, lambda p: self._ask_to_leave(p[:2], p[2:10], p[10])),
            0x2536: (5, lambda p: self.request(le16(p, 1), _PERMIT, self._tsn() + p[3:5])),
            0x2537: (11, lambda p: self.request(le16(p, 0), _ENERGY, self._tsn() + p[3:11])),
            0x253E: (2, lambda p: self._register(le16(p, 0))),
            0x253F: (2, self._unregister),
            0x2544: (8, lambda p: self._drop_key(p[:8])),
            0x2545: (4, lambda p: _OK),
            0x2546: (4, lambda p: _OK),
            0x254A: (3, lambda p: bytes((FAILURE, p[1], p[2], 0))),  # find a group: there is none
            0x254B: (4, lambda p: _OK),
            0x2551: (12, self._remove_device),
        })  # fmt: skip
        return own

    def _own(self, cluster: int, to: int, body: int) -> "Callable[[bytes], bytes]":
        return lambda p: self.request(le16(p, to), cluster, self._tsn() + p[body:])

    def _tsn(self) -> bytes:
        self._number = (self._number + 1) & 0xFF
        return bytes((self._number,))

    def _register(self, cluster: int) -> bytes:
        if cluster not in self._wanted:
            self._wanted.append(cluster)
        return _OK

    def _unregister(self, p: bytes) -> bytes:
        if le16(p, 0) in self._wanted:
            self._wanted.remove(le16(p, 0))
        return _OK

    # ------------------------------------------------------------------ requests

    def request(self, short: int, cluster: int, data: bytes) -> bytes:
        """A device profile request with its sequence number, to the chip itself, a sensor or everybody."""
        if not data:
            return bytes((FAILURE,))
        if cluster in (0x0000, 0x0001):
            return self._address(short, cluster, data)
        if short == 0 or short >= _BROADCASTS:
            self._self(cluster, data[0], data[1:])
            return _OK
        return bytes((self._chip.air.down(short, cluster, 0, data, lambda status: None),))

    def _address(self, short: int, cluster: int, data: bytes) -> bytes:
        """Who has this address? A sensor answers when it polls; one that does not exist stays silent."""
        air = self._chip.air
        for device in air.devices.values():
            asked = device.wire == data[1:9] if cluster == 0x0000 else device.short == le16(data, 1)
            if asked and air.fits(device):
                return bytes((air.down(device.short, cluster, 0, data, lambda status: None),))
        mine = self._chip.wire == data[1:9] if cluster == 0x0000 else le16(data, 1) == 0
        if mine:
            self._later(cluster, data[0], _OK + self._chip.wire + put16(0))
        return _OK

    def _later(self, cluster: int, tsn: int, body: bytes) -> None:
        self._chip.sched.after(_ANSWER_MS, self.answered, 0, cluster | 0x8000, tsn, body)

    def _self(self, cluster: int, tsn: int, p: bytes) -> None:
        """The coordinator is asked itself."""
        if cluster == _ENERGY:
            self._measure(tsn, p)
        elif cluster == _PERMIT:
            self._chip.joining.permit(p[0] if p and self._chip.in_service else 0)
            self._later(cluster, tsn, _OK)
        else:
            from hal_sim.zigbee.coordinator import answer_of  # only people's tools ask

            body = answer_of(self._chip, cluster, p)
            if body is not None:
                self._later(cluster, tsn, body)

    # ------------------------------------------------------------------ leaving

    def _ask_to_leave(self, short: bytes, wire: bytes, options: int) -> bytes:
        """ZDO_MGMT_LEAVE_REQ; its option bit 0 is the profile's flag bit 7 (rejoin), bit 1 its bit 6 (children too)."""
        flags = (0x80 if options & 1 else 0) | (0x40 if options & 2 else 0)
        to = le16(short, 0)
        if to == 0:  # a parent is asked to let its child go
            for child, address in tables.children(self._chip.nv.items):
                if address == wire:
                    to = child
        return self.request(to, _LEAVE, self._tsn() + wire + bytes((flags,)))

    def _remove_device(self, p: bytes) -> bytes:
        """ZDO_EXT_SEC_APS_REMOVE_REQ: the trust centre lets a device go; its parent, this chip, tells it so."""
        return self._ask_to_leave(p[:2], p[2:10], 0)

    def _drop_key(self, wire: bytes) -> bytes:
        """ZDO_SEC_DEVICE_REMOVE: its link key counts no more."""
        if tables.link_place(self._chip.nv.items, wire) is None:
            return bytes((FAILURE,))
        tables.forget_key(self._chip.nv.items, wire)
        return _OK

    # ------------------------------------------------------------------ listening

    def _measure(self, tsn: int, p: bytes) -> None:
        """Mgmt_NWK_Update_req: measure the energy of channels, or go to another."""
        if len(p) < 5:
            return
        channels = [channel for channel in range(11, 27) if self._in(p, channel)]
        if p[4] == _CHANGE_CHANNEL and len(channels) == 1:
            self._chip.sched.after(_ANSWER_MS, self._chip.change_channel, channels[0])
        elif p[4] <= _LONGEST_SCAN:
            time_ms = max(len(channels), 1) * ((1 << p[4]) + 1) * _SCAN_STEP_US // 1000
            for number in range(min(p[5] if len(p) > 5 else 1, 8)):
                self._chip.sched.after(time_ms * (number + 1), self._measured, tsn, p[:4], channels)
        else:
            self._later(_ENERGY, tsn, bytes((0x80,)) + p[:4] + bytes(5))

    def _in(self, p: bytes, channel: int) -> int:
        return p[channel // 8] >> channel % 8 & 1

    def _measured(self, tsn: int, mask: bytes, channels: list) -> None:
        levels = bytes(self._chip.air.energy(channel) for channel in channels)
        body = _OK + mask + put16(0) + put16(0) + bytes((len(levels),)) + levels
        self.answered(0, _ENERGY | 0x8000, tsn, body)

    def _discover(self, p: bytes) -> bytes:
        """ZDO_NETWORK_DISCOVERY_REQ: an active scan; only for a chip that is in no network."""
        if self._chip.state:
            return bytes((_NOT_STARTED,))
        channels = [channel for channel in range(11, 27) if self._in(p, channel)]
        time_ms = len(channels) * (((1 << min(p[4], 14)) + 1) * _SCAN_STEP_US // 1000 + _BEACON_WAIT_MS)
        self._chip.sched.after(time_ms, self._discovered, channels)
        return _OK

    def _discovered(self, channels: list) -> None:
        chip = self._chip
        found = b""
        count = 0
        for channel, pan, extended, lqi, opened in chip.air.neighbours:
            if channel in channels and count < _BEACONS and chip.air.once():
                found += put16(0) + put16(pan) + bytes((channel, 1 if opened else 0)) + _ROUTER
                found += bytes((lqi, 0, 0)) + extended
                count += 1
        if count:
            chip.areq(0x45C5, bytes((count,)) + found)
        chip.areq(0x45C7, _OK)

    # ------------------------------------------------------------------ to the host

    def heard(self, short: int, cluster: int, tsn: int, body: bytes, broadcast: bool = False) -> None:
        """A device profile frame as the callback that the host registered for."""
        if _ALL in self._wanted or cluster in self._wanted:
            head = put16(short) + bytes((broadcast,)) + put16(cluster) + bytes((0, tsn)) + put16(0)
            self._chip.areq(0x45FF, head + body)

    def answered(self, short: int, cluster: int, tsn: int, body: bytes) -> None:
        """Tell the host: as the callback it registered for, and as the command of its own that this answer has."""
        self.heard(short, cluster, tsn, body)
        if cluster in (0x8000, 0x8001):
            self._chip.areq(0x4500 | cluster & 0x7F | 0x80, body + bytes(2))
        else:
            self._chip.areq(0x4500 | cluster & 0x7F | 0x80, put16(short) + body)
