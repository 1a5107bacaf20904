"""What bought sensors have in common: more endpoints than one, frame details of their own, nothing of our profile.

Owns the ways in which a product may differ by data alone; what needs code is in the modules of the makers. Must never
know what the gateway makes of it. Source: docs/sensors.md, which names the public source of each behaviour.
"""

from hal_sim.zigbee import endpoints
from hal_sim.zigbee.device import POWER, EndDevice
from hal_sim.zigbee.mt import put16
from hal_sim.zigbee.zone import ZONE, ZoneDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.air import Air

    Mixin = EndDevice  # what it goes in front of
else:
    Mixin = object

_HOUR_S = 3600
_QUIET = 0x10
_DEAF_MS = 3_600_000


class Bought(Mixin):
    """The differences; goes in front of EndDevice or ZoneDevice, which is `root`."""

    root: "type[EndDevice]" = EndDevice
    others: tuple = ()  # further endpoints: (endpoint, profile, device id, servers, clients)
    elsewhere: dict = {}  # cluster of `servers` -> the endpoint that has it, where that is not `endpoint`
    wants_answer = False  # its commands ask for a default response
    says_mains = False  # its node descriptor
    percent_unit = 2  # of the battery percentage: 2 = half percent, 1 = whole percent, 0 = it has none
    volts = True  # it has the battery voltage
    listens = True  # polls its parent between its own frames
    exchanges_key = True  # asks for a link key of its own; devices from before Zigbee 3.0 do not

    def command(self, cluster: int, command: int, payload: bytes, from_server: bool = True) -> None:
        """Send a command of the cluster, with a new sequence number."""
        control = 0x01 | (0x08 if from_server else 0) | (0 if self.wants_answer else _QUIET)
        self.send(cluster, bytes((control, self.next_tsn(), command)) + payload)

    def attributes(self, cluster: int) -> dict:
        """Without what is not sold: no rated voltage, no alarm state, perhaps one of the two measures only."""
        known = self.root.attributes(self, cluster)
        if cluster != POWER:
            return known
        found = {}
        if self.volts:
            found[0x0020] = known[0x0020]
        if self.percent_unit:
            said = 100 if self.battery_percent_lies else min(self.battery, 100)
            found[0x0021] = bytes((0x20, said * self.percent_unit))
        return found

    def poll_in_ms(self) -> int:
        """A deaf one asks its parent only for a moment after it sent something."""
        now = self.sched.now_ms
        if self.listens or now <= self.poll.eager_until_ms or now < self.poll.fast_until_ms:
            return self.poll.in_ms()
        return _DEAF_MS

    def descriptor(self, cluster: int, payload: bytes) -> "bytes | None":
        """Answer to a device profile request."""
        mine = b"\x00" + put16(self.short)
        if cluster == 0x0005 and self.others:
            every = sorted([one[0] for one in self.others] + [self.endpoint])
            return mine + bytes((len(every),)) + bytes(every)
        if cluster == 0x0004 and len(payload) >= 3:
            servers = tuple([one for one in self.servers if one not in self.elsewhere])
            main = ((self.endpoint, self.profile, self.profile_device, servers, self.clients),)
            for number, profile, device, servers, clients in main + self.others:
                if number == payload[2]:
                    body = bytes((number,)) + put16(profile) + put16(device) + b"\x00"
                    body += endpoints.clusters(servers) + endpoints.clusters(clients)
                    return mine + bytes((len(body),)) + body
        if cluster in (0x0021, 0x0022) and len(payload) > 8 and payload[8] in [one[0] for one in self.others]:
            payload = payload[:8] + bytes((self.endpoint,)) + payload[9:]  # one table for all of them
        answer = endpoints.answer(self, cluster, payload)
        if cluster == 0x0002 and answer is not None and self.says_mains:
            answer = answer[:5] + bytes((answer[5] | 0x04,)) + answer[6:]
        return answer

    def set_tamper(self, on: bool) -> None:
        """Most have no such contact."""


class BoughtEye(Bought, EndDevice):
    """A sensor without a zone."""

    root = EndDevice
    servers: tuple = (0x0000, POWER, 0x0003)
    longest_report_s = 0xFFFE
    shortest_report_s = 0
    reports: tuple = ((POWER, 0x0021, 30, 6 * _HOUR_S, 1),)


class BoughtZone(Bought, ZoneDevice):
    """An IAS zone as products have it."""

    root = ZoneDevice
    servers: tuple = (0x0000, POWER, 0x0003, ZONE)
    longest_report_s = 0xFFFE
    shortest_report_s = 0
    reports: tuple = ((ZONE, 0x0002, 0, 6 * _HOUR_S, None), (POWER, 0x0021, 30, 6 * _HOUR_S, 1))
    always = 0  # bits of its status that are never cleared
    delay = 0  # quarter seconds, as its notifications claim
    tampers = False
    low_bit = True  # it tells a low battery in its zone status

    def __init__(self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int) -> None:
        ZoneDevice.__init__(self, air, sched, name, place, wire, short)
        self.status = self.always

    def notify(self) -> None:
        """Zone Status Change Notification, now."""
        if self.cie == bytes(8) and not self.told_without_cie:
            return
        self.command(ZONE, 0x00, put16(self.status) + bytes((0, self.zone_id)) + put16(self.delay))

    def set_tamper(self, on: bool) -> None:
        if self.tampers:
            ZoneDevice.set_tamper(self, on)

    def _battery_bit(self) -> None:
        if self.low_bit:
            ZoneDevice._battery_bit(self)
