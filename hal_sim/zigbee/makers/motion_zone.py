"""Motion sensors one can buy that are IAS zones: Sonoff (eWeLink), Schneider, NYCE, Linkind, Orvibo.

Owns which alarm each takes for movement, and whether it tells the end. Source: docs/sensors.md.
"""

from hal_sim.zigbee.makers.bought import BoughtZone
from hal_sim.zigbee.zone import ALARM_1, ALARM_2

_HOUR_S = 3600
_LIGHT = 0x0400


class ZoneEye(BoughtZone):
    """Movement as an alarm of a zone; the end `hold_ms` after the last movement, or never (0)."""

    zone_type = 0x000D
    moves = ALARM_1
    hold_ms = 60_000
    _timer: "list | None" = None

    def see(self, for_ms: int) -> None:
        """Somebody moves here for so long."""
        if not self.status & self.moves or not self.hold_ms:
            self.change(self.moves, True)
        self.sched.cancel(self._timer)
        if self.hold_ms:
            self._timer = self.sched.after(for_ms + self.hold_ms, self.change, self.moves, False)


class Sonoff(ZoneEye):
    """SNZB-03: clears by itself after 60 s without movement."""

    maker = "eWeLink"
    model = "MS01"
    maker_code = 0x1286
    clients = (0x0003,)
    reports = ((0x0001, 0x0020, 3600, 2 * _HOUR_S, 1), (0x0001, 0x0021, 3600, 2 * _HOUR_S, 1))


class Wiser(ZoneEye):
    """CCT595011: movement is alarm 2."""

    maker = "Schneider Electric"
    model = "CCT595011_AS"
    maker_code = 0x105E
    moves = ALARM_2
    servers = (0x0000, 0x0001, 0x0003, 0x0020, _LIGHT, 0x0500)
    clients = (0x0019,)


class Nyce(ZoneEye):
    """NCZ-3045: movement is alarm 2; battery in whole percent."""

    maker = "NYCE"
    exchanges_key = False
    model = "3045"
    maker_code = 0x10B9
    moves = ALARM_2
    percent_unit = 1
    servers = (0x0000, 0x0001, 0x0003, 0x0020, 0x0500)
    clients = (0x0019,)


class Linkind(ZoneEye):
    """ZB-MotionSensor-D0003: alarm 2 is brightness."""

    maker = "lk"
    model = "ZB-MotionSensor-D0003"
    maker_code = 0x1168
    tampers = True
    servers = (0x0000, 0x0001, 0x0003, 0x0020, 0x0500, 0x0B05, 0xFC81)
    clients = (0x0019,)

    def set_bright(self, on: bool) -> None:
        """The day begins or ends."""
        self.change(ALARM_2, on)


class Orvibo(ZoneEye):
    """SN10ZW: movement has no end."""

    maker = "ORVIBO"
    exchanges_key = False
    model = "895a2d80097f4ae2b2d40500d5e03dcc"
    hold_ms = 0
    servers = (0x0000, 0x0001, 0x0003, 0x0500, 0xFFFF)
    clients = (0x0000, 0x0001, 0x0003, 0x0004, 0x0005)
