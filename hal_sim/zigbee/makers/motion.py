"""Motion sensors one can buy, without a zone: Philips Hue, IKEA. With one: `motion_zone`; Aqara's: `lumi`.

Owns how each tells that somebody moves, and whether it tells the end. Source: docs/sensors.md.
"""

from hal_sim.zigbee.makers.bought import BoughtEye
from hal_sim.zigbee.mt import put16

_HOUR_S = 3600
_ON_OFF = 0x0006
_LIGHT = 0x0400
_TEMPERATURE = 0x0402
_OCCUPANCY = 0x0406
_LIGHT_LINK = 0xC05E


class Occupancy(BoughtEye):
    """Reports occupancy when it changes; the end comes `hold_ms` after the last movement."""

    profile_device = 0x0107
    hold_ms = 10_000
    occupied = 0
    _timer: "list | None" = None

    def attributes(self, cluster: int) -> dict:
        if cluster == _OCCUPANCY:
            return {0x0000: bytes((0x18, self.occupied)), 0x0001: b"\x30\x00", 0x0010: b"\x21" + put16(10)}
        if cluster == _TEMPERATURE:
            return {0x0000: b"\x29" + put16(2010)}
        if cluster == _LIGHT:
            return {0x0000: b"\x21" + put16(12_000)}
        return BoughtEye.attributes(self, cluster)

    def see(self, for_ms: int) -> None:
        """Somebody moves here for so long."""
        self._set(1)
        self.sched.cancel(self._timer)
        self._timer = self.sched.after(for_ms + self.hold_ms, self._set, 0)

    def _set(self, occupied: int) -> None:
        self.occupied = occupied
        self.reporting.changed(_OCCUPANCY)


class Hue(Occupancy):
    """SML001. Endpoint 1 is a light switch of Zigbee Light Link; everything else is on 2. Occupancy every 5 min."""

    maker = "Philips"
    exchanges_key = False
    model = "SML001"
    maker_code = 0x100B
    endpoint = 2
    others = ((1, _LIGHT_LINK, 0x0850, (0,), (0, 3, 4, 5, 6, 8, 0x0300)),)
    volts = False
    servers = (0x0000, 0x0001, 0x0003, _OCCUPANCY, _LIGHT, _TEMPERATURE)
    clients = (0x0019,)
    reports = (
        (_OCCUPANCY, 0x0000, 0, 300, 0), (0x0001, 0x0021, 7200, 2 * _HOUR_S, 1), (_TEMPERATURE, 0x0000, 10, 300, 20),
    )  # fmt: skip


class Vallhorn(Occupancy):
    """IKEA E2134: occupancy on endpoint 2, battery on 1, light on 3."""

    maker = "IKEA of Sweden"
    model = "VALLHORN Wireless Motion Sensor"
    maker_code = 0x117C
    endpoint = 2
    others = ((1, 0x0104, 0x0850, (0, 1, 3, 0x20), (3, 4, 6, 8, 0x19)), (3, 0x0104, 0x0106, (0, 3, _LIGHT), (3,)))
    elsewhere = {0x0001: 1, 0x0020: 1, _LIGHT: 3}
    hold_ms = 20_000
    servers = (0x0000, 0x0003, _OCCUPANCY, 0x0001, 0x0020, _LIGHT)
    clients = (0x0003, _OCCUPANCY)
    reports = (
        (_OCCUPANCY, 0x0000, 0, 6 * _HOUR_S, 0), (0x0001, 0x0020, 300, 6 * _HOUR_S, 1),
        (0x0001, 0x0021, 300, 6 * _HOUR_S, 1),
    )  # fmt: skip


class Tradfri(BoughtEye):
    """IKEA E1745: no sensor at all but a switch that turns what it is bound to on for 180 s, and tells it once in that
    time; unbound it talks to a group of its own.
    """

    maker = "IKEA of Sweden"
    exchanges_key = False
    model = "TRADFRI motion sensor"
    maker_code = 0x117C
    profile_device = 0x0850
    servers = (0x0000, 0x0001, 0x0003, 0x0009, 0x0020, 0x1000)
    clients = (0x0003, 0x0004, _ON_OFF, 0x0008, 0x0019, 0x1000)
    volts = False
    _on_until_ms = 0

    def commission(self, home: bytes, zone_id: int = 0) -> None:
        BoughtEye.commission(self, home, zone_id)
        self.bindings.append((_ON_OFF, 3, home, 1))

    def see(self, for_ms: int) -> None:
        """Somebody moves here for so long: On with timed off, 1800 tenths of a second."""
        now = self.sched.now_ms
        if now >= self._on_until_ms and self.bound_home(_ON_OFF, False):
            self._on_until_ms = now + 180_000
            self.command(_ON_OFF, 0x42, b"\x00" + put16(1800) + put16(0), False)
