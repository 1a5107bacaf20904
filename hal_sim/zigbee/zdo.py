"""The chip's device profile: requests to itself and to sensors, and the answers as callbacks.

Owns the callbacks the host registered for. Must never open the network by itself.
Source: TI "Z-Stack Monitor and Test API", ZDO interface; Zigbee specification 2.4.
"""

from hal_sim.zigbee.mt import FAILURE, SUCCESS, le16, put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal_sim.zigbee.chip import NcpChip

_OK = bytes((SUCCESS,))
_ALL = 0xFFFF
_NOT_FOUND = 0x81  # ZDP DEVICE_NOT_FOUND
_BROADCASTS = 0xFFF8
_ANSWER_MS = 5
# Requests with an MT command of their own: command -> (cluster, where the destination is, where the request begins)
_OWN = {
    0x2502: (0x0002, 0, 2), 0x2504: (0x0004, 0, 2), 0x2505: (0x0005, 0, 2),
    0x2521: (0x0021, 0, 2), 0x2522: (0x0022, 0, 2),
}  # fmt: skip


class Zdo:
    """commands(): SREQ -> (shortest payload, handler)."""

    def __init__(self, chip: "NcpChip") -> None:
        self._chip = chip
        self._wanted: list = []
        self._number = 0
        self.permit_s = 0

    def clear(self) -> None:
        self._wanted = []
        self.permit_s = 0

    def commands(self) -> dict:
        own = {command: (4, self._own(*where)) for command, where in _OWN.items()}
        own.update({
            0x2500: (9, lambda p: self.request(_ALL, 0x0000, self._tsn() + p[:8] + bytes(2))),
            0x2501: (3, lambda p: self.request(le16(p, 0), 0x0001, self._tsn() + p[:2] + bytes(2))),
            0x2536: (5, self._permit),
            0x253E: (2, lambda p: self._register(le16(p, 0))),
            0x253F: (2, lambda p: _OK),
            0x2545: (4, lambda p: _OK),
            0x2546: (4, lambda p: _OK),
            0x254A: (3, lambda p: bytes((FAILURE, p[1], p[2], 0))),  # find a group: there is none
            0x254B: (4, lambda p: _OK),
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

    def _permit(self, p: bytes) -> bytes:
        self.permit_s = p[3]
        self._chip.sched.after(_ANSWER_MS, self._chip.areq, 0x45B6, put16(0) + _OK)
        return _OK

    def request(self, short: int, cluster: int, data: bytes) -> bytes:
        """A device profile request with its sequence number, to the chip itself, a sensor or everybody."""
        if not data:
            return bytes((FAILURE,))
        if cluster in (0x0000, 0x0001):
            return self._address(short, cluster, data)
        if short == 0 or short >= _BROADCASTS:
            body = self._self(cluster, data[1:])
            if body is not None:
                self._chip.sched.after(_ANSWER_MS, self.answered, 0, cluster | 0x8000, data[0], body)
            return _OK
        return bytes((self._chip.air.down(short, cluster, 0, data, lambda status: None),))

    def _address(self, short: int, cluster: int, data: bytes) -> bytes:
        """Who has this address? A sensor answers when it polls; one that does not exist stays silent."""
        for device in self._chip.air.devices.values():
            if device.wire == data[1:9] if cluster == 0x0000 else device.short == le16(data, 1):
                return bytes((self._chip.air.down(device.short, cluster, 0, data, lambda status: None),))
        mine = self._chip.wire == data[1:9] if cluster == 0x0000 else le16(data, 1) == 0
        if mine:
            body = _OK + self._chip.wire + put16(0)
            self._chip.sched.after(_ANSWER_MS, self.answered, 0, cluster | 0x8000, data[0], body)
        return _OK

    def _self(self, cluster: int, p: bytes) -> "bytes | None":
        """The coordinator's own answer, or None."""
        mine = put16(0)
        endpoints = self._chip.af.endpoints
        if cluster == 0x0002:
            buffers = bytes((80,)) + put16(160) + b"\x01\x2c" + put16(160) + b"\x00"
            return _OK + mine + bytes((0, 0x40, 0x8F)) + mine + buffers
        if cluster == 0x0005:
            return _OK + mine + bytes((len(endpoints),)) + bytes(sorted(endpoints))
        if cluster == 0x0004:
            found = endpoints.get(p[2]) if len(p) > 2 else None
            if found is None:
                return bytes((_NOT_FOUND,)) + mine + b"\x00"
            body = bytes((p[2],)) + found
            return _OK + mine + bytes((len(body),)) + body
        if cluster == 0x0036:
            self.permit_s = p[0] if p else 0
        return _OK if cluster in (0x0021, 0x0022, 0x0036) else None

    def answered(self, short: int, cluster: int, tsn: int, body: bytes) -> None:
        """Tell the host: as the callback it registered for, and as the command of its own that this answer has."""
        chip = self._chip
        if _ALL in self._wanted or cluster in self._wanted:
            head = put16(short) + b"\x00" + put16(cluster) + bytes((0, tsn)) + put16(0)
            chip.areq(0x45FF, head + body)
        if cluster in (0x8000, 0x8001):
            chip.areq(0x4500 | cluster & 0x7F | 0x80, body + bytes(2))
        else:
            chip.areq(0x4500 | cluster & 0x7F | 0x80, put16(short) + body)
