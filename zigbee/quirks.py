"""In which ways bought sensors differ from the standard: a small table, and what it does to the values they tell.

Owns the exceptions and nothing else: what a sensor is goes by its clusters (`zigbee.kinds`), not by its maker. A device
with traits 0 never reaches this code. No I/O, no state. Must never make something else of an alarm bit than the alarm
or the test of it, and take no memory in adjust().

Traits, 30 bits: the low 16 are the bits below, the rest are the seconds that a mark of movement counts (0: the sensor
tells the end by itself). Where the behaviour was seen is said at each row; more in docs/sensors.md.
"""

from micropython import const

from zigbee import ias, told

# Frames of its own (`zigbee.dialect`)
CONTACT_ON_OFF = const(0x0001)  # attribute On/Off (0x0006/0x0000): 1 = open
LUMI_STRUCT = const(0x0002)  # battery, and the state again, in a structure: 0x0000/0xFF01, 0xFF02 or 0xFCC0/0x00F7
LUMI_SMOKE = const(0x0004)  # smoke and self-test as attributes 0xFCC0/0x013A and 0x0127, not (only) as zone status
ON_OFF_MOTION = const(0x0008)  # movement is the command On with timed off to the lamps it thinks it has
# Values that mean something else
WHOLE_PERCENT = const(0x0010)  # battery percentage in whole percent
NO_PERCENT = const(0x0020)  # its percentage says nothing: the voltage counts
ALARM_2_IS_TEST = const(0x0040)  # of a smoke detector
NO_ALARM_2 = const(0x0080)  # alarm 2 is something else altogether
NO_TAMPER = const(0x0100)  # the tamper bit is always set
# What the interview and the supervision should know
NO_REPORTING = const(0x0200)  # reports as it likes, and does not answer who would have it otherwise
NO_BIND = const(0x0200)  # ... nor is there anything to bind
NO_ENROL = const(0x0400)  # its zone tells alarms without being enrolled, and does not say whether it is
UNASKED = const(0x0800)  # asking is no use, it does not listen between its own reports; three missed = lost
LUMI_MODE = const(0x1000)  # says nothing of its own before 0xFCC0/0x0009 is written
PANIC_BUTTON = const(0x2000)  # is an ordinary button before it is told to be an emergency button

FRAMES = const(0x000F)
VALUES = const(0x01F0)
INTERVIEW = const(0x3E00)
UNKNOWN = LUMI_SMOKE  # whoever sends this: it may be an alarm, and the sender is looked up before it counts
_LUMI = const(0x0E02)  # LUMI_STRUCT, NO_REPORTING, NO_ENROL, UNASKED

_HOUR_S = const(3600)
STANDARD_RHYTHM_S = const(14400)  # what the interview asks for where the device lets itself be told

# Manufacturer and model as Basic gives them (how they begin), traits, kind ("" = its clusters say it), seconds within
# which it is heard of by itself (0 = as configured). The first row that fits counts.
_ROWS = (
    # Smoke is zone status in some firmware and attribute 0x013A in other, which says nothing before the mode was
    # written. zigpy/zha-device-handlers issues 1828 and 5203, deCONZ issue 5864.
    ("LUMI", "lumi.sensor_smoke.acn03", _LUMI | LUMI_SMOKE | LUMI_MODE, "smoke", _HOUR_S),
    # Self-test is alarm 2. Zone status comes with zone id 0xFF, from a zone that was never enrolled; battery only in
    # the structure. Koenkk/zigbee2mqtt issue 391, zigbeefordomoticz/Domoticz-Zigbee issue 388.
    ("LUMI", "lumi.sensor_smoke", _LUMI | ALARM_2_IS_TEST, "smoke", _HOUR_S),
    # Contact on the On/Off cluster, no zone; state repeated in the structure every 50 min (Aqara) or 60 min (Mijia).
    # ZHA quirks xiaomi/aqara/magnet_aq2 and xiaomi/mija/sensor_magnet, bspranger/Xiaomi issue 123.
    ("LUMI", "lumi.sensor_magnet", _LUMI | CONTACT_ON_OFF, "door", _HOUR_S),
    ("LUMI", "lumi.magnet.", _LUMI | CONTACT_ON_OFF, "door", _HOUR_S),  # the same of the next series, ZHA magnet_agl02
    # Occupancy is reported 1 and never 0; it sees nothing for 60 s after that. ZHA quirk xiaomi/aqara/motion_aq2.
    ("LUMI", "lumi.sensor_motion", _LUMI | 70 << 16, "activity", _HOUR_S),
    # Light for 180 s (60 s in old firmware) from bound lamps, nothing at the end. deCONZ issue 3247.
    ("IKEA", "TRADFRI motion sensor", ON_OFF_MOTION | 180 << 16, "activity", 0),
    # Contact on the On/Off cluster although it is none of its servers; ZHA quirk philips/soc001, zha issue 5020.
    ("Signify", "SOC001", CONTACT_ON_OFF, "door", 0),
    ("Philips", "SOC001", CONTACT_ON_OFF, "door", 0),
    # Battery percentage says nothing; deCONZ develco_battery.js, ZHA quirk develco and converters develco.ts all go by
    # the voltage.
    ("frient", "SMSZB-120", NO_PERCENT, "", 0),
    ("Develco", "SMSZB-120", NO_PERCENT, "", 0),
    # A plain button until 0x000F/0x8000 says that it is a personal emergency device. SmartThings Edge driver for
    # frient buttons.
    ("frient", "SBTZB-110", PANIC_BUTTON, "call_button", 0),
    ("frient", "MBTZB-110", PANIC_BUTTON, "call_button", 0),
    # Zone status is 1, 2 or 3 for one press, two or a long one, 0 when let go: any of these is a press, as it is. Its
    # zone type is on no public record, so it is named here. Converters heiman.ts (HS1EB), zigbee2mqtt issue 1724.
    ("HEIMAN", "SOS-E", 0, "call_button", 0),
    # Alarm 1 is movement and alarm 2 brightness. ZHA quirk linkind/motion.
    ("lk", "ZB-MotionSensor-D0003", NO_ALARM_2, "", 0),
    # Movement has no end. ZHA quirks orvibo/motion, konke, hivehome/mot003V0; converters orvibo.ts, konke.ts, hive.ts.
    ("ORVIBO", "", 30 << 16, "", 0),
    ("Konke", "3AFE", 60 << 16, "", 0),
    ("HiveHome", "MOT003", 30 << 16, "", 0),
    # Tamper is set from the day it is paired; nothing inside clears it. zigbee2mqtt issue 15269.
    ("CentraLite", "3326-L", NO_TAMPER, "", 0),
    # Battery in whole percent. Converters nyce.ts and terncy.ts (dontDividePercentage).
    ("NYCE", "304", WHOLE_PERCENT, "", 0),
    ("", "TERNCY-", WHOLE_PERCENT, "", 0),
    ("", "HK-SENSOR-4IN1-A", WHOLE_PERCENT, "", 0),  # zigbee2mqtt issue 31020
)  # fmt: skip

_NONE = ("", "", 0, "", 0)


def row(maker: str, model: str) -> tuple:
    """The table's row for this product: maker, model, traits, kind, rhythm in seconds; an empty one if it has none."""
    for one in _ROWS:
        if model.startswith(one[1]) and maker.lower().startswith(one[0].lower()):
            return one
    return _NONE


def mark_s(traits: int) -> int:
    """How many seconds a mark of movement counts when the sensor does not tell the end; 0: it does."""
    return traits >> 16


def writes(traits: int) -> tuple:
    """What the interview has to write: (endpoint, cluster, manufacturer code, attribute, type, value little endian)."""
    if traits & LUMI_MODE:
        return ((1, 0xFCC0, 0x115F, 0x0009, 0x20, b"\x01"),)
    if traits & PANIC_BUTTON:
        return ((0x20, 0x000F, 0x1015, 0x8000, 0x21, b"\x2c\x00"),)
    return ()


def adjust(traits: int, kind: int, value: int) -> int:
    """What the value of an event of zigbee.told means when this device tells it; -1: nothing, it must not be told."""
    if kind == told.PERCENT:
        if traits & NO_PERCENT:
            return -1
        return min(value * 2, 200) if traits & WHOLE_PERCENT else value
    if kind == told.NOTIFIED or kind == told.LEVEL:
        if traits & ALARM_2_IS_TEST and value & ias.ALARM_2:
            value = value & ~ias.ALARM_2 | ias.TEST
        if traits & NO_ALARM_2:
            value &= ~ias.ALARM_2
        if traits & NO_TAMPER:
            value &= ~ias.TAMPER
    return value

