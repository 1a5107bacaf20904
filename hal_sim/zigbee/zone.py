"""An IAS zone: sixteen status bits that are told when they change, to whoever enrolled it.

Owns enrolment, in each of its three ways. Must never send an alarm to nobody: without a CIE address it keeps it until
it has one. Source: Zigbee Cluster Library (07-5123), 8.2 IAS Zone.
"""

from hal_sim.zigbee.device import INVALID_VALUE, SUCCESS, UNSUPPORTED_COMMAND, EndDevice
from hal_sim.zigbee.mt import put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.air import Air

ZONE = 0x0500
ALARM_1 = 0x01
ALARM_2 = 0x02
TAMPER = 0x04
BATTERY = 0x08
TROUBLE = 0x40
TEST = 0x100
NOT_ENROLLED = 0xFF
AUTO_REQUEST = 1  # asks when it was given a CIE address
TRIP = 2  # asks when it has something to tell
_NOBODY = bytes(8)
_ASK_AFTER_MS = 1000  # a response that comes by itself is quicker


class ZoneDevice(EndDevice):
    """status, enrolled, zone_id, cie (the address it tells, zero = none)."""

    zone_type = 0
    enrols = AUTO_REQUEST | TRIP  # a response that comes unasked counts always
    told_without_cie = False  # some products send to the coordinator whatever was written
    servers: tuple = (0x0000, 0x0001, 0x0003, 0x0020, ZONE)
    writable: tuple = EndDevice.writable + ((ZONE, 0x0010),)
    reports: tuple = ((ZONE, 0x0002, 0, 4 * 3600, None),) + EndDevice.reports

    def __init__(self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int) -> None:
        self.status = 0
        self.enrolled = False
        self.zone_id = NOT_ENROLLED
        self.cie = _NOBODY
        self._untold = False
        EndDevice.__init__(self, air, sched, name, place, wire, short)

    def commission(self, home: bytes, zone_id: int = 0) -> None:
        self.enrolled = True
        self.zone_id = zone_id
        self.cie = home
        EndDevice.commission(self, home, zone_id)

    def left(self) -> None:
        self.lose_memory()
        EndDevice.left(self)

    def attributes(self, cluster: int) -> dict:
        if cluster != ZONE:
            return EndDevice.attributes(self, cluster)
        return {
            0x0000: bytes((0x30, int(self.enrolled))),
            0x0001: b"\x31" + put16(self.zone_type),
            0x0002: b"\x19" + put16(self.status),
            0x0010: b"\xf0" + self.cie,
            0x0011: bytes((0x20, self.zone_id)),
        }

    def notify(self) -> None:
        """Zone Status Change Notification, now."""
        self._untold = self.cie == _NOBODY and not self.told_without_cie
        if self._untold:
            return
        self.command(ZONE, 0x00, put16(self.status) + bytes((0, self.zone_id)) + put16(0))
        if not self.enrolled and self.enrols & TRIP:
            self.ask_to_enrol()

    def change(self, bits: int, on: bool) -> None:
        """Set or clear bits and tell it."""
        self.status = self.status | bits if on else self.status & ~bits
        self.notify()

    def ask_to_enrol(self) -> None:
        """Zone Enroll Request: type and maker."""
        self.command(ZONE, 0x01, put16(self.zone_type) + put16(self.maker_code))

    def obey(self, cluster: int, command: int, payload: bytes) -> int:
        if cluster != ZONE:
            return EndDevice.obey(self, cluster, command, payload)
        if command != 0x00 or len(payload) < 2:
            return UNSUPPORTED_COMMAND
        if payload[0] == 0 and self.cie != _NOBODY:
            self.enrolled = True
            self.zone_id = payload[1]
        return SUCCESS

    def write(self, cluster: int, number: int, value: bytes) -> int:
        if cluster != ZONE:
            return EndDevice.write(self, cluster, number, value)
        if number != 0x0010:
            return INVALID_VALUE
        self.cie = value
        if value == _NOBODY:
            self.lose_memory()
            return SUCCESS
        if not self.enrolled and self.enrols & AUTO_REQUEST:
            self.sched.after(_ASK_AFTER_MS, self._ask_again)
        if self._untold:
            self.notify()
        return SUCCESS

    def _ask_again(self) -> None:
        if not self.enrolled and self.cie != _NOBODY:
            self.ask_to_enrol()

    def lose_enrolment(self) -> None:
        """It forgot its zone id, not whom it tells, and asks to be enrolled again."""
        self.enrolled = False
        self.zone_id = NOT_ENROLLED
        self.ask_to_enrol()

    def lose_memory(self) -> None:
        """It forgot whom it tells, too."""
        self.enrolled = False
        self.zone_id = NOT_ENROLLED
        self.cie = _NOBODY

    def set_battery(self, percent: int) -> None:
        EndDevice.set_battery(self, percent)
        self._battery_bit()

    def set_radio_battery(self, percent: int) -> None:
        EndDevice.set_radio_battery(self, percent)
        self._battery_bit()

    def _battery_bit(self) -> None:
        if bool(self.status & BATTERY) != self.battery_low:
            self.change(BATTERY, self.battery_low)

    def set_tamper(self, on: bool) -> None:
        """Its cover is opened or closed."""
        self.change(TAMPER, on)

    def set_fault(self, on: bool) -> None:
        """Its sensing part fails or works again."""
        self.change(TROUBLE, on)
