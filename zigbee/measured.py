"""What a standard attribute measures, in the words of `zigbee.told`: batteries, temperature, occupancy.

Owns how their values become events. No I/O, no state. Must never tell a value that stands for "not known", nor one that
cannot be. Source: Zigbee Cluster Library, 3.3.2.2.3 Battery Information, 4.4.2.2.1 MeasuredValue, 4.8.2.2.1 Occupancy.
"""

from array import array

from micropython import const

from zigbee import ias, told, zcl
from zigbee.scan import CLUSTER, ID, TYPE, VALUE

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_UNKNOWN = const(0xFF)  # "no value" of the battery's bytes; of the percentage, too
_FULL = const(200)  # half percent
_STEP_MV = const(100)
_COLDEST = const(-27315)  # the type's "no value" 0x8000 is below


def measured(fields: array, entry: array, tell: "Callable[[array, int, int], Any]") -> None:
    """Tell what this entry of a list (zigbee.scan.attribute) means, if anything. It is a number of at most 4 bytes."""
    cluster, number, value = fields[CLUSTER], entry[ID], entry[VALUE]
    if cluster == ias.POWER:
        if number == ias.BATTERY_PERCENT or number == ias.RADIO_PERCENT:
            if value <= _FULL:
                tell(fields, told.PERCENT if number == ias.BATTERY_PERCENT else told.RADIO_PERCENT, value)
        elif (number == ias.BATTERY_VOLTS or number == ias.RADIO_VOLTS) and 0 < value < _UNKNOWN:
            tell(fields, told.VOLTS if number == ias.BATTERY_VOLTS else told.RADIO_VOLTS, value * _STEP_MV)
    elif cluster == ias.OCCUPANCY:
        if number == ias.OCCUPIED:
            tell(fields, told.PRESENCE, value & 0xFF)
    elif cluster == ias.TEMPERATURE and number == ias.MEASURED and entry[TYPE] == zcl.INT16:
        degrees = value - 0x10000 if value & 0x8000 else value
        if degrees >= _COLDEST:
            tell(fields, told.TEMPERATURE, degrees)
