"""The home's sensors, made for this gateway: smoke detector, pendant, door contact, movement.

Owns what each kind does when something happens to it. Must never know what the gateway makes of it.
Source: docs/zigbee-profile.md; Zigbee Cluster Library (07-5123), 8.3 IAS ACE, 8.4 IAS WD, 3.5 Identify, 4.4 Temperature
Measurement, 4.8 Occupancy Sensing.
"""

from hal_sim.zigbee.activity import Activity
from hal_sim.zigbee.device import SUCCESS, UNSUPPORTED_COMMAND
from hal_sim.zigbee.mt import le16, put16
from hal_sim.zigbee.zone import ALARM_1, ALARM_2, TEST, ZoneDevice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.air import Air

_TEMPERATURE = 0x0402
_ACE = 0x0501
_WARNING = 0x0502
_STATUS_S = 4 * 3600
_AGAIN_MS = 300_000  # a smoke detector repeats while the smoke stays
_SOUND_AGAIN_MS = 60_000  # after it was silenced
_TEST_MS = 5000
_HOLD_MS = 1000  # a press of the pendant
_LONGEST_SOUND_S = 240


class Smoke(ZoneDevice):
    """Alarms at once, repeats every five minutes, sounds until silenced and again while the smoke stays."""

    model = "Smoke"
    zone_type = 0x0028
    radio_rated_mv = 3000
    servers = (0x0000, 0x0001, 0x0003, 0x0020, _TEMPERATURE, 0x0500, _WARNING)
    reports = ZoneDevice.reports + (
        (0x0001, 0x0040, 30, _STATUS_S, None), (0x0001, 0x0041, 30, _STATUS_S, 5),
        (_TEMPERATURE, 0x0000, 600, _STATUS_S, 500),
    )  # fmt: skip

    def __init__(self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int) -> None:
        self.smoke = False
        self.sounding = False
        self.temperature = 2250  # hundredths of a degree Celsius
        self._timer: list | None = None
        self._sound: list | None = None
        ZoneDevice.__init__(self, air, sched, name, place, wire, short)

    def attributes(self, cluster: int) -> dict:
        if cluster == _TEMPERATURE:
            return {0x0000: b"\x29" + put16(self.temperature & 0xFFFF), 0x0001: b"\x29" + put16(-2000 & 0xFFFF),
                    0x0002: b"\x29" + put16(7000)}  # fmt: skip
        if cluster == _WARNING:
            return {0x0000: b"\x21" + put16(_LONGEST_SOUND_S)}
        return ZoneDevice.attributes(self, cluster)

    def set_smoke(self, on: bool) -> None:
        """There is smoke at it, or no more."""
        self.smoke = on
        self.sounding = on
        self.change(ALARM_1, on)
        self._again_in(_AGAIN_MS)

    def set_temperature(self, hundredths: int) -> None:
        """In hundredths of a degree Celsius."""
        self.temperature = hundredths
        self.reporting.changed(_TEMPERATURE)

    def test(self) -> None:
        """Its test button: as a real fire, for a moment."""
        self.change(ALARM_1 | TEST, True)
        self.sched.after(_TEST_MS, self._tested)

    def _tested(self) -> None:
        self.status &= ~TEST
        self.change(ALARM_1, self.smoke)

    def obey(self, cluster: int, command: int, payload: bytes) -> int:
        if cluster != _WARNING:
            return ZoneDevice.obey(self, cluster, command, payload)
        if command != 0x00 or not payload:
            return SUCCESS if command == 0x01 and payload else UNSUPPORTED_COMMAND
        self.sched.cancel(self._sound)
        self.sounding = payload[0] & 0xF0 != 0
        if not self.sounding:
            self._again_in(_SOUND_AGAIN_MS)
        elif len(payload) >= 3:
            self._sound = self.sched.after(min(le16(payload, 1), _LONGEST_SOUND_S) * 1000, self._quiet)
        return SUCCESS

    def _quiet(self) -> None:
        self.sounding = self.smoke

    def _again_in(self, delay_ms: int) -> None:
        self.sched.cancel(self._timer)
        self._timer = self.sched.after(delay_ms, self._again) if self.smoke else None

    def _again(self) -> None:
        self.sounding = True
        self.notify()
        self._again_in(_AGAIN_MS)


class Pendant(ZoneDevice):
    """Call is the zone's emergency button (alarm 2), cancel is IAS ACE Arm with mode Disarm."""

    model = "Pendant"
    zone_type = 0x002C
    clients = (_ACE,)

    def __init__(self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int) -> None:
        self.stuck = False
        self.confirmed = 0
        ZoneDevice.__init__(self, air, sched, name, place, wire, short)

    def press(self, button: str) -> None:
        """call or cancel."""
        if button == "cancel":
            self.command(_ACE, 0x00, bytes((0, 0, 0xFF)), False)
            return
        self.change(ALARM_2, True)
        self.sched.after(_HOLD_MS, self._release)

    def _release(self) -> None:
        if not self.stuck:
            self.change(ALARM_2, False)

    def identify(self, command: int, payload: bytes) -> int:
        if command == 0x40 and len(payload) >= 2:
            self.confirmed += 1
            self.air.emit("confirm", sensor=self.name)
        return ZoneDevice.identify(self, command, payload)

    def obey(self, cluster: int, command: int, payload: bytes) -> int:
        if cluster == _ACE:
            return SUCCESS  # Arm Response: nothing to show
        return ZoneDevice.obey(self, cluster, command, payload)


class Door(ZoneDevice):
    """A contact: alarm 1 is open."""

    model = "Door"
    zone_type = 0x0015

    def set_open(self, is_open: bool) -> None:
        """The door moves."""
        self.change(ALARM_1, is_open)


KINDS = {"smoke": Smoke, "call_button": Pendant, "door": Door, "activity": Activity}
