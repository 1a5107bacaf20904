"""The home's sensors: smoke detector, pendant, door contact, movement.

Owns what each kind does when something happens to it. Must never know what the gateway makes of it.
Source: Zigbee Cluster Library (07-5123), 8.2 IAS Zone, 8.3 IAS ACE, 8.4 IAS WD, 3.5 Identify, 4.8 Occupancy Sensing.
"""

from hal_sim.zigbee.device import EndDevice
from hal_sim.zigbee.mt import put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.air import Air

_ALARM_1 = 0x01
_ALARM_2 = 0x02
_TAMPER = 0x04
_BATTERY = 0x08
_TEST = 0x100
_LOW_PERCENT = 90  # of the rated voltage, where the battery bit comes on
_AGAIN_MS = 300_000  # a smoke detector repeats while the smoke stays
_SOUND_AGAIN_MS = 60_000  # after it was silenced
_TEST_MS = 5000
_HOLD_MS = 1000  # a press of the pendant
_ENROLLED = 0x01


class ZoneDevice(EndDevice):
    """An IAS zone: sixteen status bits that are told when they change."""

    zone_type = 0
    servers: tuple = (0x0000, 0x0001, 0x0003, 0x0500)

    def __init__(
        self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int
    ) -> None:
        self.status = 0
        self.enrolled = True
        self.zone_id = 0xFF
        self.cie = bytes(8)
        EndDevice.__init__(self, air, sched, name, place, wire, short)

    def attributes(self, cluster: int) -> dict:
        if cluster != 0x0500:
            return EndDevice.attributes(self, cluster)
        return {
            0x0000: bytes((0x30, _ENROLLED if self.enrolled else 0)),
            0x0001: b"\x31" + put16(self.zone_type),
            0x0002: b"\x19" + put16(self.status),
            0x0010: b"\xf0" + self.cie,
            0x0011: bytes((0x20, self.zone_id)),
        }

    def notify(self) -> None:
        """Zone Status Change Notification, now."""
        self.command(0x0500, 0x00, put16(self.status) + bytes((0, self.zone_id)) + put16(0))

    def change(self, bits: int, on: bool) -> None:
        """Set or clear bits and tell it."""
        self.status = self.status | bits if on else self.status & ~bits
        self.notify()

    def obey(self, cluster: int, command: int, payload: bytes) -> None:
        if cluster == 0x0500 and command == 0x00 and len(payload) >= 2 and payload[0] == 0:
            self.enrolled = True
            self.zone_id = payload[1]

    def written(self, cluster: int, number: int, value: bytes) -> None:
        if cluster == 0x0500 and number == 0x0010 and len(value) == 8:
            self.cie = value

    def lose_enrolment(self) -> None:
        """Its memory failed: it asks to be enrolled again."""
        self.enrolled = False
        self.zone_id = 0xFF
        self.cie = bytes(8)
        self.command(0x0500, 0x01, put16(self.zone_type) + put16(0))

    def supervise(self) -> None:
        self.report(0x0500, put16(0x0002) + b"\x19" + put16(self.status))
        self.report_battery()

    def set_battery(self, percent: int) -> None:
        self.battery = percent
        if bool(self.status & _BATTERY) != (percent < _LOW_PERCENT):
            self.change(_BATTERY, percent < _LOW_PERCENT)

    def set_tamper(self, on: bool) -> None:
        self.change(_TAMPER, on)


class Smoke(ZoneDevice):
    """Alarms at once, repeats every five minutes, sounds until silenced and again while the smoke stays."""

    model = "Smoke"
    zone_type = 0x0028
    servers = (0x0000, 0x0001, 0x0003, 0x0500, 0x0502)

    def __init__(
        self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int
    ) -> None:
        self.smoke = False
        self.sounding = False
        self._timer: list | None = None
        ZoneDevice.__init__(self, air, sched, name, place, wire, short)

    def set_smoke(self, on: bool) -> None:
        self.smoke = on
        self.sounding = on
        self.change(_ALARM_1, on)
        self._again_in(_AGAIN_MS)

    def test(self) -> None:
        """Its test button: as a real fire, for a moment."""
        self.change(_ALARM_1 | _TEST, True)
        self.sched.after(_TEST_MS, self._tested)

    def _tested(self) -> None:
        self.status &= ~_TEST
        self.change(_ALARM_1, self.smoke)

    def obey(self, cluster: int, command: int, payload: bytes) -> None:
        if cluster == 0x0502 and command == 0x00 and payload and payload[0] & 0xF0 == 0:
            self.sounding = False
            self._again_in(_SOUND_AGAIN_MS)
        else:
            ZoneDevice.obey(self, cluster, command, payload)

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
    clients = (0x0501,)

    def __init__(
        self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int
    ) -> None:
        self.stuck = False
        self.confirmed = 0
        ZoneDevice.__init__(self, air, sched, name, place, wire, short)

    def press(self, button: str) -> None:
        if button == "cancel":
            self.command(0x0501, 0x00, bytes((0, 0, 0xFF)), False)
            return
        self.change(_ALARM_2, True)
        self.sched.after(_HOLD_MS, self._release)

    def _release(self) -> None:
        if not self.stuck:
            self.change(_ALARM_2, False)

    def obey(self, cluster: int, command: int, payload: bytes) -> None:
        if cluster == 0x0003 and command == 0x40 and len(payload) >= 2:
            self.confirmed += 1
            self.air.emit("confirm", sensor=self.name)
        else:
            ZoneDevice.obey(self, cluster, command, payload)


class Door(ZoneDevice):
    """A contact: alarm 1 is open."""

    model = "Door"
    zone_type = 0x0015

    def set_open(self, is_open: bool) -> None:
        self.change(_ALARM_1, is_open)


class Activity(EndDevice):
    """Movement: occupancy is reported when it changes."""

    model = "Motion"
    profile_device = 0x0107
    servers = (0x0000, 0x0001, 0x0003, 0x0406)

    def __init__(
        self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int
    ) -> None:
        self.occupied = 0
        self._timer: list | None = None
        EndDevice.__init__(self, air, sched, name, place, wire, short)

    def attributes(self, cluster: int) -> dict:
        if cluster == 0x0406:
            return {0x0000: bytes((0x18, self.occupied)), 0x0001: b"\x30\x00"}
        return EndDevice.attributes(self, cluster)

    def see(self, for_ms: int) -> None:
        """Somebody moves here for so long."""
        self._set(1)
        self.sched.cancel(self._timer)
        self._timer = self.sched.after(for_ms, self._set, 0)

    def _set(self, occupied: int) -> None:
        if occupied != self.occupied:
            self.occupied = occupied
            self.report(0x0406, put16(0x0000) + bytes((0x18, occupied)))

    def set_battery(self, percent: int) -> None:
        self.battery = percent

    def set_tamper(self, on: bool) -> None:
        """It has no such contact."""


KINDS = {"smoke": Smoke, "call_button": Pendant, "door": Door, "activity": Activity}
