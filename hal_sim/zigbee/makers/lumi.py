"""Xiaomi and Aqara (LUMI): sensors that report as they like; contact and movement. Smoke detectors: `lumi_smoke`.

Owns their behaviour: nothing is configured, nobody is enrolled; battery travels in a structure of their own, once in
50 min; between their frames they do not listen. Source: docs/sensors.md.
"""

from hal_sim.zigbee.device import EndDevice, text
from hal_sim.zigbee.makers.bought import BoughtEye, Mixin
from hal_sim.zigbee.mt import put16

BEAT_MS = 50 * 60_000
_BLIND_MS = 60_000
_ON_OFF = 0x0006
_OCCUPANCY = 0x0406
CODE = 0x115F


class Lumi(Mixin):
    """What all of them do; goes in front of a bought sensor, which is `base`."""

    base: "type[EndDevice]" = EndDevice
    maker = "LUMI"
    maker_code = 0x1037
    exchanges_key = False
    listens = False
    percent_unit = 0
    volts = False
    reports: tuple = ()
    _beat: "list | None" = None

    def start(self) -> None:
        """Its beats begin."""
        self.base.start(self)
        self.sched.cancel(self._beat)
        self._beat = self.sched.after(1 + self.phase * BEAT_MS // 0x10000, self.beat)

    def left(self) -> None:
        """Off the network."""
        self.sched.cancel(self._beat)
        self.base.left(self)

    def joined(self, home: bytes) -> None:
        """It has just joined: it says its model without being asked."""
        self.base.joined(self, home)
        self.send(0x0000, bytes((0x18, self.next_tsn(), 0x0A)) + b"\x05\x00" + text(self.model))

    def descriptor(self, cluster: int, payload: bytes) -> "bytes | None":
        """Bindings are refused."""
        return b"\x84" if cluster in (0x0021, 0x0022) else self.base.descriptor(self, cluster, payload)

    def beat(self) -> None:
        """Tell battery and state."""
        self._beat = self.sched.after(BEAT_MS, self.beat)
        data = self.structure()
        head = bytes((0x1C,)) + put16(CODE) + bytes((self.next_tsn(), 0x0A))
        self.send(0x0000, head + b"\x01\xff\x42" + bytes((len(data),)) + data)

    def structure(self) -> bytes:
        """Tag, type, value: battery in mV, chip temperature, signal, resets, state."""
        volts = put16(self.battery * self.rated_mv // 100)
        return b"\x01\x21" + volts + b"\x03\x28\x17\x04\x21\xa8\x13\x05\x21\x16\x00\x06\x24\x01\x00\x00\x00\x00" + (
            b"\x0a\x21\xf0\x50" + self.state()
        )

    def state(self) -> bytes:
        """The structure's entry for what it senses; none."""
        return b""


class _Eye(Lumi, BoughtEye):
    base = BoughtEye


class Magnet(_Eye):
    """MCCGQ11LM: a contact that is a switch: On/Off 1 = open."""

    model = "lumi.sensor_magnet.aq2"
    profile_device = 0x5F01
    servers = (0x0000, 0x0003, 0xFFFF, _ON_OFF)
    clients = (0x0000, 0x0004, 0xFFFF)
    is_open = False

    def attributes(self, cluster: int) -> dict:
        return {0x0000: bytes((0x10, int(self.is_open)))} if cluster == _ON_OFF else _Eye.attributes(self, cluster)

    def set_open(self, is_open: bool) -> None:
        """The door moves."""
        self.is_open = is_open
        self.send(_ON_OFF, bytes((0x18, self.next_tsn(), 0x0A, 0, 0, 0x10, int(is_open))))

    def state(self) -> bytes:
        return bytes((100, 0x10, int(self.is_open)))


class Motion(_Eye):
    """RTCGQ11LM: occupied is told, its end never; then it is blind for 60 s."""

    model = "lumi.sensor_motion.aq2"
    profile_device = 0x0107
    servers = (0x0000, 0xFFFF, _OCCUPANCY, 0x0400, 0x0500, 0x0001, 0x0003)
    clients = (0x0000, 0x0019)
    _blind_until_ms = 0
    _until_ms = 0

    def see(self, for_ms: int) -> None:
        """Somebody moves here for so long."""
        now = self.sched.now_ms
        self._until_ms = max(self._until_ms, now + for_ms)
        if now >= self._blind_until_ms:
            self._look()

    def _look(self) -> None:
        now = self.sched.now_ms
        if now >= self._until_ms:
            return
        self._blind_until_ms = now + _BLIND_MS
        self.send(_OCCUPANCY, bytes((0x18, self.next_tsn(), 0x0A, 0, 0, 0x18, 1)))
        self.sched.after(_BLIND_MS, self._look)

    def state(self) -> bytes:
        return b"\x64\x10\x00\x0b\x21\x00\x00"
