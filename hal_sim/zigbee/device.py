"""A simulated battery-driven Zigbee end device: what every kind of sensor does alike.

Owns its identity, its battery, its bindings and where its frames go. Must never know the host, only frames to and from
the network it is on. Others of its parts: `zcl_server` (general commands), `reporting`, `poll` (when it listens),
`endpoints` (device profile answers). Bought products (`makers`) change the class attributes below and override what
differs: attributes, maker_attributes, write, judge_report, obey, identify, descriptor, start, joined, left.
Source: Zigbee Cluster Library (07-5123); Zigbee specification 2.4 (device profile); docs/zigbee-profile.md.
"""

from binascii import crc32

from hal_sim.zigbee import endpoints, zcl_server
from hal_sim.zigbee.mt import le16, put16
from hal_sim.zigbee.poll import Poll
from hal_sim.zigbee.reporting import Reporting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.air import Air
    from hal_sim.zigbee.member import Member

BASIC = 0x0000
POWER = 0x0001
IDENTIFY = 0x0003
POLL_CONTROL = 0x0020
HOME_AUTOMATION = 0x0104
IAS_ZONE_DEVICE = 0x0402
SUCCESS = 0x00
UNSUPPORTED_COMMAND = 0x81
INVALID_VALUE = 0x87
ANSWERED = -1  # by obey(): the command was answered by one of its cluster
_LOW_PERCENT = 90  # of the rated voltage, where "low" begins
_STATUS_S = 4 * 3600
_REPORT = 0x0A


def _unheard(device: "EndDevice") -> None:
    """It announces itself and there is no network."""


class EndDevice:
    """name, place, wire (IEEE address as it travels), short; `air` carries its frames."""

    maker = "Home"
    model = "sensor"
    maker_code = 0xFFF1  # one of those for tests
    profile = HOME_AUTOMATION
    profile_device = IAS_ZONE_DEVICE
    endpoint = 1
    servers: tuple = (BASIC, POWER, IDENTIFY, POLL_CONTROL)
    clients: tuple = ()
    writable: tuple = ((IDENTIFY, 0x0000), (POLL_CONTROL, 0x0000), (POLL_CONTROL, 0x0003))
    # what it reports without being told: cluster, attribute, least s, most s (NEVER = only when configured), change
    # (None = only by time)
    reports: tuple = ((POWER, 0x0020, 30, _STATUS_S, None), (POWER, 0x0021, 30, _STATUS_S, 5))
    longest_report_s = _STATUS_S
    shortest_report_s = 60
    reports_unbound = True  # without a binding its reports go to the coordinator
    rated_mv = 3000
    radio_rated_mv = 0  # of the radio part's own battery; 0 = it has none
    battery_percent_lies = False  # it says 100 % as long as it lives

    def __init__(self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int) -> None:
        self.air = air
        self.sched = sched
        self.name = name
        self.place = place
        self.wire = wire
        self.short = short
        self.home = bytes(8)  # the coordinator's address; zero: it does not know whom it is bound to
        self.member: Member | None = None  # what it remembers of its network; kept by that
        self.radio_on = True
        self.lqi = 200
        self.battery = 100  # percent of the rated voltage, of the sensing part or of the only one
        self.radio_battery = 100
        self.outbox: list = []
        self.duplicates = 0  # how often the next frame is repeated as it is
        self.bindings: list = []  # cluster, address mode, destination, endpoint
        self.phase = crc32(name.encode()) & 0xFFFF  # keeps sensors from doing things at the same time
        self._tsn = self.phase & 0xFF
        self._away_until_ms = -1
        self._identify_until_ms = 0
        self._request: zcl_server.Request | None = None
        self.on_back: Callable[[EndDevice], None] = _unheard  # set by its network: it is back and announces itself
        self.poll = Poll(self)
        self.reporting = Reporting(self)

    # Its life on a network

    def commission(self, home: bytes, zone_id: int = 0) -> None:
        """It joined long ago and was interviewed: bound, configured, enrolled."""
        self.home = home
        self.bindings = [(cluster, 3, home, 1) for cluster in self.servers if cluster not in (BASIC, IDENTIFY)]
        self.start()

    def joined(self, home: bytes) -> None:
        """It has just been let in, as new, by the coordinator with this address; it listens closely for a while."""
        self.left()
        self.home = home
        self.poll.hurry()
        self.start()

    def start(self) -> None:
        """Its periodic doings begin: after joining, and when its battery was changed."""
        self.reporting.start()
        self.poll.start()

    def left(self) -> None:
        """Off the network, everything forgotten."""
        self.home = bytes(8)
        self.bindings = []
        self.poll.reset()
        self.reporting.reset()

    def restart(self) -> None:
        """Its battery was changed, or its watchdog bit: what it remembers is what it was configured to."""
        self._tsn = 0
        self.start()
        self.on_back(self)

    def sleep_away(self, for_ms: int) -> None:
        """It goes away: neither polls nor sends; back again it announces itself."""
        self._away_until_ms = self.sched.now_ms + for_ms
        self.sched.after(for_ms, self._back)

    def _back(self) -> None:
        if self.radio:
            self.on_back(self)

    @property
    def radio(self) -> bool:
        """Whether it can be heard and hears."""
        return self.radio_on and self.sched.now_ms >= self._away_until_ms

    @radio.setter
    def radio(self, on: bool) -> None:
        self.radio_on = on

    def poll_in_ms(self) -> int:
        """When it asks its parent next, ms."""
        return self.poll.in_ms()

    # What it sends

    def next_tsn(self) -> int:
        self._tsn = (self._tsn + 1) & 0xFF
        return self._tsn

    def send(self, cluster: int, frame: bytes) -> None:
        """Send a ZCL frame to the coordinator and listen for a while."""
        self.poll.sent()
        self.air.up(self, cluster, frame)

    def command(self, cluster: int, command: int, payload: bytes, from_server: bool = True) -> None:
        """Send a command of the cluster, with a new sequence number."""
        control = 0x01 | (0x08 if from_server else 0) | 0x10
        self.send(cluster, bytes((control, self.next_tsn(), command)) + payload)

    def report(self, cluster: int, entries: bytes) -> None:
        """Send an attribute report to whom the binding table names; entries as they travel."""
        if self.bound_home(cluster, self.reports_unbound):
            self.send(cluster, bytes((0x18, self.next_tsn(), _REPORT)) + entries)

    def bound_home(self, cluster: int, otherwise: bool) -> bool:
        """Whether the cluster is bound to the coordinator; otherwise, when it is not bound at all."""
        found = [one for one in self.bindings if one[0] == cluster]
        return any(one[2] == self.home or self.home == bytes(8) for one in found) if found else otherwise

    def reply(self, command: int, payload: bytes) -> int:
        """In obey(): answer with this command of the cluster; return its result."""
        if self._request is not None:
            self.send(self._request.cluster, self._request.head(command, 1) + payload)
        return ANSWERED

    # What it is asked

    def receive(self, cluster: int, frame: bytes) -> None:
        """A ZCL frame of the coordinator, taken at a poll."""
        if len(frame) < 3 or (frame[0] & 0x04 and len(frame) < 5):
            return
        self.poll.heard()
        self._request = zcl_server.Request(cluster, frame)
        zcl_server.serve(self, self._request)
        self._request = None

    def attributes(self, cluster: int) -> dict:
        """number -> type and value as they travel."""
        if cluster == BASIC:
            return {
                0x0000: b"\x20\x08", 0x0001: b"\x20\x01", 0x0003: b"\x20\x01", 0x0004: text(self.maker),
                0x0005: text(self.model), 0x0007: b"\x30\x03", 0x4000: text("1.0"),
            }  # fmt: skip
        if cluster == POWER:
            return self._power()
        if cluster == IDENTIFY:
            left_ms = max(self._identify_until_ms - self.sched.now_ms, 0)
            return {0x0000: b"\x21" + put16((left_ms + 999) // 1000)}
        if cluster == POLL_CONTROL:
            return self.poll.attributes()
        return {}

    def maker_attributes(self, code: int, cluster: int) -> dict:
        """As attributes(), for requests that carry a manufacturer code."""
        return {}

    def write(self, cluster: int, number: int, value: bytes) -> int:
        """One of `writable` is written, its type was right. Returns a ZCL status."""
        if cluster == IDENTIFY:
            self._identify_until_ms = self.sched.now_ms + le16(value, 0) * 1000
            return SUCCESS
        return self.poll.write(number, value) if cluster == POLL_CONTROL else INVALID_VALUE

    def obey(self, cluster: int, command: int, payload: bytes) -> int:
        """A command of a cluster. Returns the ZCL status for the default response, or what reply() returned."""
        if cluster == IDENTIFY:
            return self.identify(command, payload)
        if cluster == POLL_CONTROL:
            return self.poll.obey(command, payload)
        return UNSUPPORTED_COMMAND

    def identify(self, command: int, payload: bytes) -> int:
        """Identify, Identify Query and Trigger Effect."""
        if command == 0x00 and len(payload) >= 2:
            return self.write(IDENTIFY, 0x0000, payload)
        if command == 0x01:
            left = self.attributes(IDENTIFY)[0x0000][1:]
            return self.reply(0x00, left) if left != bytes(2) else SUCCESS
        return SUCCESS if command == 0x40 and len(payload) >= 2 else UNSUPPORTED_COMMAND

    def judge_report(self, cluster: int, number: int, least_s: int, most_s: int) -> int:
        """Whether it takes these reporting intervals: a ZCL status."""
        fits = self.shortest_report_s <= most_s <= self.longest_report_s and least_s <= most_s
        return SUCCESS if fits else INVALID_VALUE

    def descriptor(self, cluster: int, payload: bytes) -> "bytes | None":
        """Answer to a ZDO request without its sequence number, or None."""
        return endpoints.answer(self, cluster, payload)

    # Its battery

    def set_battery(self, percent: int) -> None:
        """Percent of the rated voltage."""
        self.battery = percent
        self.reporting.changed(POWER)

    def set_radio_battery(self, percent: int) -> None:
        """That of the radio part, where it has one of its own."""
        self.radio_battery = percent
        self.reporting.changed(POWER)

    @property
    def battery_low(self) -> bool:
        """One of its batteries."""
        return self.battery < _LOW_PERCENT or bool(self.radio_rated_mv and self.radio_battery < _LOW_PERCENT)

    def _power(self) -> dict:
        found = {0x0031: b"\x30\xff", 0x0033: b"\x20\x01", 0x003E: b"\x1b" + bytes((int(self.battery_low), 0, 0, 0))}
        for base, percent, rated_mv in ((0x20, self.battery, self.rated_mv),
                                        (0x40, self.radio_battery, self.radio_rated_mv)):  # fmt: skip
            if rated_mv:
                said = 100 if self.battery_percent_lies else min(percent, 100)
                found[base] = bytes((0x20, (percent * rated_mv + 5000) // 10_000))
                found[base + 1] = bytes((0x20, said * 2))
                found[base + 0x14] = bytes((0x20, rated_mv // 100))
        return found

    def set_tamper(self, on: bool) -> None:
        """Its cover is opened or closed; kinds that have a contact override this."""


def text(value: str) -> bytes:
    """A character string with its type, as it travels."""
    data = value.encode()
    return bytes((0x42, len(data))) + data
