"""A simulated battery-driven Zigbee end device: its ZCL server, its ZDO answers, how it sleeps.

Owns what every kind of sensor does alike. Must never know the host, only frames to and from the network it is on.
Source: Zigbee Cluster Library (07-5123); Zigbee specification 2.4 (device profile).
"""

from binascii import crc32

from hal_sim.zigbee.mt import le16, put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.air import Air

HOME_AUTOMATION = 0x0104
IAS_ZONE_DEVICE = 0x0402
ENDPOINT = 1
_FAST_MS = 100  # polls after it sent something
_FAST_FOR_MS = 3000
_SLOW_MS = 5000  # below the 7.68 s for which a parent keeps a frame
_SUPERVISION_MS = 4 * 3600 * 1000
_UNSUPPORTED = 0x86
_REPORT = 0x0A
_RATED_MV = 3000


class EndDevice:
    """name, place, wire (IEEE address as it travels), short; `air` carries its frames."""

    model = "sensor"
    profile_device = IAS_ZONE_DEVICE
    servers: tuple = (0x0000, 0x0001, 0x0003)
    clients: tuple = ()

    def __init__(self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int) -> None:
        self.air = air
        self.sched = sched
        self.name = name
        self.place = place
        self.wire = wire
        self.short = short
        self.radio = True
        self.lqi = 200
        self.battery = 100  # percent of the rated voltage
        self.outbox: list = []
        self.duplicates = 0  # how often the next frame is repeated as it is
        self._tsn = crc32(name.encode()) & 0xFF
        self._fast_until_ms = -1
        self._phase = crc32(name.encode()) & 0xFFFF
        self.sched.after(1 + self._phase * _SUPERVISION_MS // 0x10000, self._supervise)

    def next_tsn(self) -> int:
        self._tsn = (self._tsn + 1) & 0xFF
        return self._tsn

    def send(self, cluster: int, frame: bytes) -> None:
        """Send a ZCL frame to the coordinator and listen for a while."""
        self._fast_until_ms = self.sched.now_ms + _FAST_FOR_MS
        self.air.up(self, cluster, frame)

    def command(self, cluster: int, command: int, payload: bytes, from_server: bool = True) -> None:
        """Send a command of the cluster, with a new sequence number."""
        control = 0x01 | (0x08 if from_server else 0) | 0x10
        self.send(cluster, bytes((control, self.next_tsn(), command)) + payload)

    def report(self, cluster: int, entries: bytes) -> None:
        """Send an attribute report; entries as they travel."""
        self.send(cluster, bytes((0x18, self.next_tsn(), _REPORT)) + entries)

    def poll_in_ms(self) -> int:
        """When it asks its parent next."""
        now = self.sched.now_ms
        if now <= self._fast_until_ms:
            return _FAST_MS - now % _FAST_MS
        return _SLOW_MS - (now + self._phase) % _SLOW_MS

    def attributes(self, cluster: int) -> dict:
        """number -> type and value as they travel."""
        if cluster == 0x0000:
            return {
                0x0000: b"\x20\x08", 0x0004: _text("Home"), 0x0005: _text(self.model), 0x0007: b"\x30\x03",
            }  # fmt: skip
        if cluster == 0x0001:
            volts = self.battery * _RATED_MV // 10_000
            return {0x0020: bytes((0x20, volts)), 0x0021: bytes((0x20, min(self.battery * 2, 200)))}
        return {}

    def receive(self, cluster: int, frame: bytes) -> None:
        """A ZCL frame of the coordinator, taken at a poll."""
        if len(frame) < 3 or frame[0] & 0x04:
            return
        control, tsn, command, payload = frame[0], frame[1], frame[2], frame[3:]
        if control & 3 == 0:
            self._general(cluster, tsn, command, payload)
        else:
            self.obey(cluster, command, payload)
            if not control & 0x10:
                self.send(cluster, bytes((0x18, tsn, 0x0B, command, 0)))

    def obey(self, cluster: int, command: int, payload: bytes) -> None:
        """A command of a cluster; kinds that have some override this."""

    def written(self, cluster: int, number: int, value: bytes) -> None:
        """The coordinator wrote an attribute; kinds that care override this."""

    def _general(self, cluster: int, tsn: int, command: int, payload: bytes) -> None:
        if command == 0x00:
            known = self.attributes(cluster)
            numbers = [le16(payload, at) for at in range(0, len(payload) - 1, 2)]
            found = [put16(n) + (b"\x00" + known[n] if n in known else bytes((_UNSUPPORTED,))) for n in numbers]
            self.send(cluster, bytes((0x18, tsn, 0x01)) + b"".join(found))
        elif command == 0x02 and len(payload) >= 4:
            self.written(cluster, le16(payload, 0), payload[3:])
            self.send(cluster, bytes((0x18, tsn, 0x04, 0)))
        elif command == 0x06:
            self.send(cluster, bytes((0x18, tsn, 0x07, 0)))

    def _supervise(self) -> None:
        self.sched.after(_SUPERVISION_MS, self._supervise)
        self.supervise()

    def supervise(self) -> None:
        """Every four hours: tell that it lives."""
        self.report_battery()

    def report_battery(self) -> None:
        known = self.attributes(0x0001)
        self.report(0x0001, b"".join(put16(number) + known[number] for number in (0x0020, 0x0021)))

    def descriptor(self, cluster: int, payload: bytes) -> "bytes | None":
        """Answer to a ZDO request without its sequence number, or None."""
        mine = put16(self.short)
        if cluster == 0x0002:
            return b"\x00" + mine + bytes((0x02, 0x40, 0x80)) + put16(0x1207) + bytes((80,)) + put16(80) + bytes(5)
        if cluster == 0x0005:
            return b"\x00" + mine + bytes((1, ENDPOINT))
        if cluster == 0x0004:
            body = bytes((ENDPOINT,)) + put16(HOME_AUTOMATION) + put16(self.profile_device) + b"\x00"
            body += _list(self.servers) + _list(self.clients)
            return b"\x00" + mine + bytes((len(body),)) + body
        if cluster in (0x0000, 0x0001):
            return b"\x00" + self.wire + mine
        return b"\x00" if cluster in (0x0021, 0x0022) else None


def _text(text: str) -> bytes:
    data = text.encode()
    return bytes((0x42, len(data))) + data


def _list(clusters: tuple) -> bytes:
    return bytes((len(clusters),)) + b"".join(put16(one) for one in clusters)
