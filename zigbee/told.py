"""What a sensor told: the kinds of events that the coordinator hands on, and what their values mean.

Owns the vocabulary between the Zigbee host and the product. No I/O, no state. Must never grow a kind whose value needs
more than 30 bits: an event is told without taking memory.

on_status(device, kind, value, tsn, lqi) gets one of these. What a device of one maker says in its own way is told here
in these words all the same.
"""

from micropython import const

NOTIFIED = const(1)  # value: zone status (zigbee.ias); something happened now
LEVEL = const(2)  # value: zone status; this is the case (report, answer)
BUTTON = const(3)  # value: IAS ACE command, or zigbee.ias.ACE_DISARM
PRESENCE = const(4)  # value: occupancy bits
PERCENT = const(5)  # value: battery in half percent, 0 to 200
VOLTS = const(6)  # value: battery in millivolts
RADIO_VOLTS = const(7)  # value: battery of the radio part in millivolts, where it has one of its own
TEMPERATURE = const(8)  # value: hundredths of a degree Celsius, signed
CHECKIN = const(9)  # a poll control check-in; value 0
ALIVE = const(10)  # any other whole frame: it lives; value 0
RADIO_PERCENT = const(11)  # battery of the radio part in half percent, where it has one of its own

_ALARMS = const(0x103)  # of a zone status: alarm 1, alarm 2, test
_DISARM = const(0x100)  # zigbee.ias.ACE_DISARM


def is_alarm(kind: int, value: int) -> bool:
    """Whether an event may be somebody's alarm, whatever sort of device it comes from."""
    if kind <= LEVEL:
        return bool(value & _ALARMS)
    return kind == BUTTON and value != _DISARM
