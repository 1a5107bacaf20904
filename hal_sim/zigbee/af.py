"""The chip's application framework: endpoints, data requests to sensors, messages from them.

Owns the registered endpoints. Source: TI "Z-Stack Monitor and Test API", AF interface.
"""

from hal_sim.zigbee.mt import SUCCESS, le16, put16, put32
from hal_sim.zigbee.tables import children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.chip import NcpChip
    from hal_sim.zigbee.device import EndDevice

_DUPLICATE = 0xB8  # ZApsDuplicateEntry
_BAD_ENDPOINT = 0x01
_NOT_STARTED = 0xC2  # ZNwkInvalidRequest
_OK = bytes((SUCCESS,))
_TICK_US = 320  # the time stamp counts symbols of 16 us, in backoff periods
_BROADCASTS = 0xFFF8
_GROUP = 1


class Af:
    """commands(): SREQ -> (shortest payload, handler)."""

    def __init__(self, chip: "NcpChip") -> None:
        self._chip = chip
        self.endpoints: dict = {}

    def clear(self) -> None:
        self.endpoints = {}

    def commands(self) -> dict:
        return {
            0x2400: (9, self._register),
            0x2401: (10, lambda p: self._request(le16(p, 0), p[2], p[3], le16(p, 4), p[6], p[10:10 + p[9]])),
            0x2402: (20, self._extended),
            0x2404: (1, self._delete),
        }

    def _register(self, p: bytes) -> bytes:
        if p[0] in self.endpoints:
            return bytes((_DUPLICATE,))
        count = p[7]
        servers, at = p[8:8 + 2 * count], 8 + 2 * count
        clients = p[at + 1:at + 1 + 2 * p[at]] if at < len(p) else b""
        self.endpoints[p[0]] = p[1:6] + bytes((count,)) + servers + bytes((len(clients) // 2,)) + clients
        return _OK

    def _delete(self, p: bytes) -> bytes:
        return _OK if self.endpoints.pop(p[0], None) else bytes((_BAD_ENDPOINT,))

    def _extended(self, p: bytes) -> bytes:
        """AF_DATA_REQUEST_EXT: address mode 2 is a short address, 3 an IEEE address, 15 a broadcast."""
        mode, short = p[0], le16(p, 1)
        if mode == 3:
            for child, wire in children(self._chip.nv.items):
                if wire == p[1:9]:
                    short = child
        elif mode == _GROUP:
            short = _BROADCASTS
        return self._request(short, p[9], p[12], le16(p, 13), p[15], p[20:20 + le16(p, 18)])

    def _request(self, short: int, endpoint: int, source: int, cluster: int, number: int, data: bytes) -> bytes:
        chip = self._chip
        if chip.state == 0:
            return bytes((_NOT_STARTED,))
        if endpoint == 0:
            return chip.zdo.request(short, cluster, data)
        if source not in self.endpoints:
            return bytes((_BAD_ENDPOINT,))
        if short == 0 or short >= _BROADCASTS:
            chip.sched.after(2, self._confirm, source, number, SUCCESS)
            return _OK

        def done(status: int) -> None:
            self._confirm(source, number, status)

        return bytes((chip.air.down(short, cluster, endpoint, data, done),))

    def _confirm(self, source: int, number: int, status: int) -> None:
        self._chip.areq(0x4480, bytes((status, source, number)))

    def incoming(self, device: "EndDevice", cluster: int, data: bytes) -> bool:
        """A sensor's frame arrived. False: nobody here takes it."""
        if not self.endpoints:
            return False
        chip = self._chip
        endpoint = 1 if 1 in self.endpoints else min(self.endpoints)
        stamp = chip.sched.now_ms * 1000 // _TICK_US & 0xFFFFFFFF
        source = getattr(device, "elsewhere", {}).get(cluster, device.endpoint)
        head = put16(0) + put16(cluster) + put16(device.short)
        head += bytes((source, endpoint, 0, device.lqi, 0)) + put32(stamp)
        chip.areq(0x4481, head + bytes((0, len(data))) + data + put16(device.short) + bytes((29,)))
        return True
