"""Door contacts one can buy: IKEA, Third Reality, Tuya, Visonic, Philips Hue (Signify).

Owns how each tells that the door is open. Aqara's is in `lumi`. Source: docs/sensors.md.
"""

from hal_sim.zigbee.makers.bought import BoughtEye, BoughtZone
from hal_sim.zigbee.mt import put16
from hal_sim.zigbee.zone import ALARM_1

_HOUR_S = 3600
_ON_OFF = 0x0006
_TEMPERATURE = 0x0402


class Contact(BoughtZone):
    """Alarm 1 is open."""

    zone_type = 0x0015

    def set_open(self, is_open: bool) -> None:
        """The door moves."""
        self.change(ALARM_1, is_open)


class Parasoll(Contact):
    """IKEA E2013: the zone is on endpoint 2, battery on 1, which is a switch for lamps too. Tells each move twice; the
    percentage stays as it was when it was paired. One cell.
    """

    maker = "IKEA of Sweden"
    model = "PARASOLL Door/Window Sensor"
    maker_code = 0x117C
    endpoint = 2
    others = ((1, 0x0104, 0x0850, (0, 1, 3, 0x20), (3, 4, 6, 8, 0x19)),)
    elsewhere = {0x0001: 1, 0x0020: 1}
    wants_answer = True
    rated_mv = 1500
    battery_percent_lies = True
    reports = Contact.reports + ((0x0001, 0x0020, 30, 12 * _HOUR_S, 1),)
    servers = (0x0000, 0x0003, 0x0500, 0x0001, 0x0020)
    clients = (0x0003,)

    def notify(self) -> None:
        Contact.notify(self)
        Contact.notify(self)


class ThirdReality(Contact):
    """3RDS17BZ: the standard; tamper is not told."""

    maker = "Third Reality, Inc"
    model = "3RDS17BZ"
    maker_code = 0x1233
    servers = (0x0000, 0x0001, 0x0500, 0xFF01)
    clients = (0x0019,)
    reports = ((0x0001, 0x0020, 7200, 4 * _HOUR_S, 1), (0x0001, 0x0021, 7200, 4 * _HOUR_S, 1))


class TuyaContact(Contact):
    """TS0203: the standard; battery and voltage once in 4 h."""

    maker = "_TZ3000_996rpfy6"
    model = "TS0203"
    maker_code = 0x1002
    clients = (0x0003, 0x0019, 0x000A)
    reports = ((0x0001, 0x0020, 30, 4 * _HOUR_S, 1), (0x0001, 0x0021, 30, 4 * _HOUR_S, 1))


class Visonic(Contact):
    """MCT-340: battery as voltage only, tamper, temperature."""

    maker = "Visonic"
    exchanges_key = False
    model = "MCT-340 SMA"
    maker_code = 0x1011
    percent_unit = 0
    tampers = True
    servers = (0x0000, 0x0001, 0x0003, _TEMPERATURE, 0x0500, 0x0020, 0x0B05)
    clients = (0x0019,)
    reports = ((0x0001, 0x0020, 30, 6 * _HOUR_S, 1), (_TEMPERATURE, 0, 30, 600, 100))

    def attributes(self, cluster: int) -> dict:
        return {0x0000: b"\x29" + put16(1980)} if cluster == _TEMPERATURE else Contact.attributes(self, cluster)


class HueContact(BoughtEye):
    """SOC001: reports On/Off (1 = open) although it is only a client of that cluster; no zone."""

    maker = "Signify Netherlands B.V."
    model = "SOC001"
    maker_code = 0x100B
    endpoint = 2
    volts = False
    servers = (0x0000, 0x0001, 0x0003, 0xFC06)
    clients = (0x0000, 0x0003, _ON_OFF, 0x0019)
    is_open = False

    def set_open(self, is_open: bool) -> None:
        """The door moves."""
        self.is_open = is_open
        self.send(_ON_OFF, bytes((0x18, self.next_tsn(), 0x0A, 0, 0, 0x10, int(is_open))))
