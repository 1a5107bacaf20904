"""Smoke detectors one can buy: Heiman, frient (Develco), Bosch, Tuya, Schneider.

Owns what each does in smoke and at a press of its test button. Xiaomi's and Aqara's are in `lumi`.
Source: docs/sensors.md.
"""

from hal_sim.zigbee.device import SUCCESS, UNSUPPORTED_COMMAND
from hal_sim.zigbee.makers.bought import BoughtZone
from hal_sim.zigbee.mt import put16
from hal_sim.zigbee.zone import ALARM_1, ALARM_2, TEST

_HOUR_S = 3600
_TEST_MS = 4000
_TEMPERATURE = 0x0402
_WARNING = 0x0502
_SILENCED = 0x0800  # bit 11: Bosch and Schneider, hushed at the detector
_RESTORES = 0x20
_SUPERVISES = 0x10


class BoughtSmoke(BoughtZone):
    """Alarm while there is smoke; its test button is told as `test_bits` for a moment."""

    zone_type = 0x0028
    test_bits = ALARM_1
    can_be_stopped = True
    sounding = False

    def set_smoke(self, on: bool) -> None:
        """There is smoke at it, or no more."""
        self.sounding = on
        self.change(ALARM_1, on)

    def test(self) -> None:
        """Its test button is held."""
        self.change(self.test_bits, True)
        self.sched.after(_TEST_MS, self.change, self.test_bits, False)

    def obey(self, cluster: int, command: int, payload: bytes) -> int:
        if cluster == _WARNING:
            if command != 0x00 or not payload or not self.can_be_stopped:
                return UNSUPPORTED_COMMAND
            self.sounding = payload[0] & 0xF0 != 0
            return SUCCESS
        return BoughtZone.obey(self, cluster, command, payload)


class Heiman(BoughtSmoke):
    """HS1SA-E. Status is never 0: the restore bit is always set. Says that it has mains, and a siren that can be
    stopped, which it has not.
    """

    maker = "HEIMAN"
    exchanges_key = False
    model = "SmokeSensor-EF-3.0"
    maker_code = 0x120B
    always = _RESTORES
    says_mains = True
    wants_answer = True
    can_be_stopped = False
    servers = (0x0000, 0x0001, 0x0003, 0x0500, _WARNING, 0x0B05)
    clients = (0x0019,)
    reports = ((0x0001, 0x0021, 300, 2 * _HOUR_S, 1),)


class Frient(BoughtSmoke):
    """Three endpoints, the zone on 35; percentage is always 100, the voltage tells; temperature from endpoint 38."""

    maker = "frient A/S"
    model = "SMSZB-120"
    maker_code = 0x1015
    endpoint = 35
    others = ((1, 0xC0C9, 1, (3, 5, 6), ()), (38, 0x0104, 0x0302, (0, 3, _TEMPERATURE), (3,)))
    elsewhere = {_TEMPERATURE: 38}
    always = _RESTORES | _SUPERVISES
    delay = 0x28  # it claims 10 s at times, as the panic button in the issue does
    wants_answer = True
    battery_percent_lies = True
    test_bits = TEST
    servers = (0x0000, 0x0001, 0x0003, 0x000F, 0x0020, 0x0500, _WARNING, _TEMPERATURE)
    clients = (0x000A, 0x0019)
    reports = (
        (0x0500, 0x0002, 0, 4 * _HOUR_S, None), (0x0001, 0x0020, 300, 12 * _HOUR_S, 1),
        (0x0001, 0x0021, 300, 12 * _HOUR_S, 1), (_TEMPERATURE, 0x0000, 60, 600, 100),
    )  # fmt: skip

    def attributes(self, cluster: int) -> dict:
        if cluster == _TEMPERATURE:
            return {0x0000: b"\x29" + put16(2150)}
        return BoughtSmoke.attributes(self, cluster)


class Bosch(BoughtSmoke):
    """Smoke alarm II. Bit 8 is the button held for 3 s, be it for a test or to hush it; hushed is bit 11."""

    maker = "BOSCH"
    model = "RBSH-SD-ZB-EU"
    maker_code = 0x1209
    test_bits = TEST
    volts = False
    clients = (0x0019,)
    servers = (0x0000, 0x0001, 0x0003, 0x0020, 0x0500, _WARNING)
    reports = ((0x0001, 0x0021, 600, 12 * _HOUR_S, 1),)

    def hush(self) -> None:
        """Somebody presses its button while it sounds: it goes quiet and stays in alarm, for 10 min."""
        self.sounding = False
        self.change(TEST | _SILENCED, True)
        self.change(TEST, False)


class Tuya(BoughtSmoke):
    """TS0205 as Nedis sells it: nothing but the standard, and no siren to stop."""

    maker = "_TYZB01_wqcac7lo"
    model = "TS0205"
    maker_code = 0x1002
    clients = (0x0003, 0x0019)
    tampers = True
    reports = ((0x0001, 0x0020, 30, 4 * _HOUR_S, 1), (0x0001, 0x0021, 30, 4 * _HOUR_S, 1))


class Schneider(BoughtSmoke):
    """Wiser. Heat is alarm 2, and a fire as well; hushed is bit 11."""

    maker = "Schneider Electric"
    model = "W599001"
    maker_code = 0x105E
    test_bits = TEST
    tampers = True
    servers = (0x0000, 0x0001, 0x0003, 0x0020, _TEMPERATURE, 0x0500)
    clients = (0x0019,)
    reports = BoughtSmoke.reports + ((0x0001, 0x0020, 30, 6 * _HOUR_S, 1),)

    def set_heat(self, on: bool) -> None:
        """It is too hot here, or no more."""
        self.change(ALARM_2, on)
