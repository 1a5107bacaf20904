"""IAS zones as this product uses them: status bits, enrolment, the pendant's commands, sounder and confirmation.

Owns what the bits and commands mean. No I/O, no state. Must never ask for the zone id of an alarm: what counts is the
sender.

A zone's status is a level. It comes as a Zone Status Change Notification (something happened) or as attribute
ZoneStatus in a report or a read response (what is the case); both carry the same 16 bits.

Smoke detector, zone type 0x0028: alarm 1 is fire; the test bit behaves as fire (the detector's test button).
Pendant, zone type 0x002C (personal emergency device), 0x0115 (key fob) or 0x010F (remote control): either alarm bit is
a call. The specification gives alarm 2 to the *emergency button* of 0x002C, 0x010F and 0x0115, so neither bit may ever
mean cancel. The cancel button is IAS ACE Arm with mode Disarm, as alarm remotes send it; ACE Emergency and Panic are
calls, ACE Fire is fire. Contact, zone type 0x0015: alarm 1 or 2 is open. Source: Zigbee Cluster Library (07-5123), 8.2
IAS Zone (tables of zone types and zone status), 8.3 IAS ACE, 8.4 IAS WD, 3.5 Identify.
"""

from micropython import const

BASIC = const(0x0000)
POWER = const(0x0001)
IDENTIFY = const(0x0003)
POLL_CONTROL = const(0x0020)
TEMPERATURE = const(0x0402)
OCCUPANCY = const(0x0406)
ZONE = const(0x0500)
ACE = const(0x0501)
WARNING = const(0x0502)

# ZoneStatus
ALARM_1 = const(0x0001)
ALARM_2 = const(0x0002)
TAMPER = const(0x0004)
BATTERY_LOW = const(0x0008)
SUPERVISION = const(0x0010)
RESTORES = const(0x0020)
TROUBLE = const(0x0040)
TEST = const(0x0100)
BATTERY_DEFECT = const(0x0200)
ANY_ALARM = const(0x0003)

# IAS zone: attributes and commands
ZONE_STATE = const(0x0000)  # 0 not enrolled, 1 enrolled
ZONE_STATUS = const(0x0002)
CIE_ADDRESS = const(0x0010)
STATUS_CHANGE = const(0x00)  # from the zone
ENROLL_REQUEST = const(0x01)  # from the zone
ENROLL_RESPONSE = const(0x00)  # to the zone

# IAS ACE, from the pendant
ARM = const(0x00)
EMERGENCY = const(0x02)
FIRE = const(0x03)
PANIC = const(0x04)
DISARM = const(0x00)  # Arm's mode
ARM_RESPONSE = const(0x00)

START_WARNING = const(0x00)
TRIGGER_EFFECT = const(0x40)
EFFECT_OKAY = const(0x02)
BATTERY_VOLTS = const(0x0020)  # of cluster POWER, in 100 mV
BATTERY_PERCENT = const(0x0021)  # of cluster POWER, in half percent
RADIO_VOLTS = const(0x0040)  # the same two of battery 2: the radio part, where it has one of its own
RADIO_PERCENT = const(0x0041)
MEASURED = const(0x0000)  # attribute of cluster TEMPERATURE, hundredths of a degree Celsius, signed
CHECK_IN = const(0x00)  # of cluster POLL_CONTROL, from the device
CHECK_IN_RESPONSE = const(0x00)
OCCUPIED = const(0x0000)  # attribute of cluster OCCUPANCY, bit 0

ACE_DISARM = const(0x100)  # no command of its own: Arm with mode Disarm, told apart from the other modes

STOP_WARNING = bytes(5)  # mode 0 stop, no strobe, no siren; duration 0 s, strobe duty 0, strobe level 0
CONFIRM = bytes((EFFECT_OKAY, 0))  # effect, default variant
ALL_DISARMED = bytes(1)


def alarm_of(status: int) -> bool:
    """Whether a smoke detector's zone status says fire; its test button counts."""
    return bool(status & (ANY_ALARM | TEST))


def is_arm(buf: bytearray, at: int, size: int) -> bool:
    """Whether buf[at:at + size] is a whole Arm: mode, code, zone id; or as before Home Automation 1.2, mode alone."""
    if size < 3:
        return size == 1
    code = buf[at + 1]
    return size >= 3 + (0 if code == 0xFF else code)
