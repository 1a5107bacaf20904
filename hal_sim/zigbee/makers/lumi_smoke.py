"""Smoke detectors of Xiaomi and Aqara (LUMI).

Owns what each does in smoke and at a press of its test button. Source: docs/sensors.md.
"""

from hal_sim.zigbee.makers.bought import BoughtZone
from hal_sim.zigbee.makers.lumi import BEAT_MS, CODE, Lumi
from hal_sim.zigbee.makers.smoke import BoughtSmoke
from hal_sim.zigbee.mt import put16
from hal_sim.zigbee.zone import ALARM_2

_LUMI = 0xFCC0
_TEST_MS = 4000


class _Smoke(Lumi, BoughtSmoke):
    base = BoughtSmoke
    told_without_cie = True
    enrols = 0
    low_bit = False


class MijiaSmoke(_Smoke):
    """JTYJ-GD-01LM/BW, made by Honeywell: zone status without being enrolled; self-test is alarm 2."""

    model = "lumi.sensor_smoke"
    servers = (0x0000, 0x0001, 0x0003, 0x000C, 0x0012, 0x0500)
    clients = (0x0019,)
    test_bits = ALARM_2

    def state(self) -> bytes:
        return b"\x64\x20\x00"  # density


class AqaraSmoke(_Smoke):
    """JY-GZ-01AQ: smoke is an attribute of Aqara's own cluster, told only after its mode was written."""

    model = "lumi.sensor_smoke.acn03"
    servers = (0x0000, 0x0001, 0x0003, 0x0500, _LUMI)
    clients = (0x0019,)
    writable = BoughtZone.writable + ((_LUMI, 0x0009),)
    mode = 0
    smoke = 0

    def commission(self, home: bytes, zone_id: int = 0) -> None:
        self.mode = 1
        _Smoke.commission(self, home, zone_id)

    def left(self) -> None:
        self.mode = 0
        _Smoke.left(self)

    def maker_attributes(self, code: int, cluster: int) -> dict:
        return {0x0009: bytes((0x20, self.mode))} if code == CODE and cluster == _LUMI else {}

    def write(self, cluster: int, number: int, value: bytes) -> int:
        if cluster == _LUMI:
            self.mode = value[0]
            return 0
        return _Smoke.write(self, cluster, number, value)

    def set_smoke(self, on: bool) -> None:
        self.smoke = int(on)
        self.sounding = on
        self._tell(b"\x3a\x01\x21" + put16(self.smoke) + b"\x3b\x01\x20" + bytes((10 if on else 0,)))

    def test(self) -> None:
        """Its test button is held."""
        self._tell(b"\x27\x01\x10\x01")
        self.sched.after(_TEST_MS, self._tell, b"\x27\x01\x10\x00")

    def beat(self) -> None:
        self._beat = self.sched.after(BEAT_MS, self.beat)
        data = self.structure()
        self._tell(b"\xf7\x00\x41" + bytes((len(data),)) + data)

    def _tell(self, entries: bytes) -> None:
        if self.mode:
            self.send(_LUMI, bytes((0x18, self.next_tsn(), 0x0A)) + entries)

    def state(self) -> bytes:
        return b"\x64\x20\x00\xa0\x20" + bytes((self.smoke,)) + b"\xa1\x20" + bytes((10 * self.smoke,))
