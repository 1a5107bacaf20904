"""Emergency buttons one can buy: Heiman, Tuya (Woox, Nedis), frient (Develco), Feibit.

Owns what each tells at a press. None of them has a button to cancel. Source: docs/sensors.md.
"""

from hal_sim.zigbee.makers.bought import BoughtZone
from hal_sim.zigbee.zone import ALARM_1, ALARM_2

_HOUR_S = 3600
_ACE = 0x0501
_EMERGENCY = 0x02
_PANIC_BUTTON = 0x8000  # frient, of Binary Input
_PERSONAL_EMERGENCY = 0x002C
_NOTHING = 0xFFFF


class EmergencyButton(BoughtZone):
    """A press sets `bits`, which clear after `hold_ms` (0: never)."""

    zone_type = 0x002C
    bits = ALARM_2
    hold_ms = 0

    def press(self, button: str) -> None:
        """call; there is nothing to cancel with."""
        if button != "call":
            return
        self.change(self.bits, True)
        if self.hold_ms:
            self.sched.after(self.hold_ms, self.change, self.bits, False)


class HeimanSos(EmergencyButton):
    """HS1EB: 1, 2 or 3 for one press, two, or a long one; 0 when let go. Its zone type is on no public record."""

    maker = "HEIMAN"
    model = "SOS-EM"
    maker_code = 0x120B
    zone_type = 0xFFFF
    bits = ALARM_1
    hold_ms = 500
    volts = False
    clients = (0x0019,)
    reports = ((0x0001, 0x0021, 300, 6 * _HOUR_S, 1),)


class TuyaSos(BoughtZone):
    """TS0215A: IAS ACE Emergency; its zone never tells anything."""

    maker = "_TZ3000_0dumfk2z"
    model = "TS0215A"
    maker_code = 0x1002
    profile_device = 0x0401
    zone_type = 0x0115
    low_bit = False
    servers = (0x0001, 0x0003, 0x0500, 0x0000)
    clients = (_ACE, 0x0019, 0x000A)
    reports = ((0x0001, 0x0020, 30, 4 * _HOUR_S, 1), (0x0001, 0x0021, 30, 4 * _HOUR_S, 1))

    def press(self, button: str) -> None:
        """call; there is nothing to cancel with."""
        if button == "call":
            self.command(_ACE, _EMERGENCY, b"", False)


class FrientButton(EmergencyButton):
    """SBTZB-110: a plain button until it is told to be an emergency button, then a zone on endpoint 35."""

    maker = "frient A/S"
    model = "SBTZB-110"
    maker_code = 0x1015
    endpoint = 35
    others = ((32, 0x0104, 0x0006, (0, 1, 3, 0x000F, 0x0020), (3, 6, 0x19)),)
    elsewhere = {0x000F: 32, 0x0001: 32, 0x0020: 32}
    always = 0x30
    wants_answer = True
    hold_ms = 2000
    percent_unit = 0
    function = _NOTHING
    servers = (0x0000, 0x0003, 0x0500, 0x000F, 0x0001, 0x0020)
    writable = BoughtZone.writable + ((0x000F, _PANIC_BUTTON),)
    reports = ((0x0500, 0x0002, 0, 6 * _HOUR_S, None), (0x0001, 0x0020, 30, 6 * _HOUR_S, 1))

    def commission(self, home: bytes, zone_id: int = 0) -> None:
        self.function = _PERSONAL_EMERGENCY
        EmergencyButton.commission(self, home, zone_id)

    def maker_attributes(self, code: int, cluster: int) -> dict:
        if code == self.maker_code and cluster == 0x000F:
            return {_PANIC_BUTTON: bytes((0x21, self.function & 0xFF, self.function >> 8))}
        return {}

    def write(self, cluster: int, number: int, value: bytes) -> int:
        if cluster == 0x000F:
            self.function = value[0] | value[1] << 8
            return 0
        return EmergencyButton.write(self, cluster, number, value)

    def press(self, button: str) -> None:
        """Without the function it reports a binary input, which nobody bound."""
        if self.function == _PERSONAL_EMERGENCY:
            EmergencyButton.press(self, button)


class Feibit(EmergencyButton):
    """FNB56-SOS03FB1.5: alarm 2, and it stays."""

    maker = "Feibit Inc co.  "
    model = "FNB56-SOS03FB1.5"
    tampers = True
    clients = (0x0019,)
