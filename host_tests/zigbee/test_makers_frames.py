"""Frames that real products sent, byte for byte from public captures, through our decoder.

Where a frame comes from is said at each: repository and number of the issue, or the test file, that shows it.
"""

import os
import random

import pytest

from zigbee import ias, kinds, quirks, told
from zigbee.devices import Devices
from zigbee.frames import AF_INCOMING_MSG, encode
from zigbee.incoming import Incoming
from zigbee.quirks import adjust
from zigbee.reader import Reader

SHORT = 0x1234


class Home:
    """The decoder with one device; told: (kind, value) as the product would get it."""

    def __init__(self, maker="", model="", known=True):
        self.device = Devices().know("00124b0000000001", 0, True, {"traits": quirks.row(maker, model)[2]})
        self.told, self.answers, self.frames = [], [], 0
        self.incoming = Incoming(
            lambda short: self.device if known else None, self._heard, lambda *answer: self.answers.append(answer),
            lambda *who: None, lambda: 1_000_000,
        )  # fmt: skip
        self.reader = Reader(self._frame)

    def _heard(self, device, short, endpoint, kind, value, tsn, lqi):
        value = adjust(self.device.traits, kind, value) if device is not None else value
        if kind != told.ALIVE and value >= 0:
            self.told.append((kind, value))

    def _frame(self, buf, at, size, command):
        assert command == AF_INCOMING_MSG
        self.frames += 1
        self.incoming.take(buf, at, size)

    def serial(self, text):
        """Bytes of the coprocessor's line."""
        data = bytes.fromhex(text)
        self.reader.push(data, len(data), 0)
        return self.told

    def zcl(self, cluster, text, endpoint=1):
        data = bytes.fromhex(text) if isinstance(text, str) else text
        head = bytes((0, 0, cluster & 255, cluster >> 8, 0x34, 0x12, endpoint, 1, 0, 77, 0, 1, 0, 0, 0, 0, len(data)))
        frame = encode(AF_INCOMING_MSG, head + data + b"\x34\x12\x1d")
        self.reader.push(frame, len(frame), 0)
        return self.told


LUMI_MOTION = ("LUMI", "lumi.sensor_motion.aq2")
LUMI_MAGNET = ("LUMI", "lumi.magnet.agl02")
CAPTURED = [
    # Koenkk/zigbee2mqtt issue 13122: Develco panic button PBTZB-110, the whole payload of the coprocessor's AREQ
    # wrapped as in the log (checksums 156 and 69); status 0x0030 is "nothing": supervision and restore bits
    ("frient A/S", "PBTZB-110", None,
     "fe1d448100000005 69fb230b00a300cf7a09000009 096400300000172800 69fb1d 9c", [(told.NOTIFIED, 0x30)]),
    ("frient A/S", "PBTZB-110", None,
     "fe1d448100000005 69fb230b00e10017f1ef000009 096200300000170000 69fb1d 45", [(told.NOTIFIED, 0x30)]),
    # zigpy/zha-device-handlers pull request 665: serial line of a CC2652, a zone in alarm with the restore bit
    ("", "", None, "fe1d448100000005 4e9c01010 00f00e2a43e000009 09720021000000000012f81adb".replace(" ", ""),
     [(told.NOTIFIED, 0x21)]),
    # Koenkk/zigbee2mqtt issue 1832: Aduro contact, closed
    ("ADUROLIGHT", "CSW_ADUROLIGHT", 0x0500, "193e00200000170000", [(told.NOTIFIED, 0x20)]),
    # zigbeefordomoticz/Domoticz-Zigbee issue 388: Xiaomi smoke detector while it rang; zone id 0xFF
    ("LUMI", "lumi.sensor_smoke", 0x0500, "190700010000ff0000", [(told.NOTIFIED, ias.ALARM_1)]),
    # the same with status 2, its self-test: Koenkk/zigbee2mqtt issue 391
    ("LUMI", "lumi.sensor_smoke", 0x0500, "190800020000ff0000", [(told.NOTIFIED, ias.TEST)]),
    # zigpy/zha-device-handlers issue 1828: Aqara smoke detector JY-GZ-01AQ, firmware with a zone
    ("LUMI", "lumi.sensor_smoke.acn03", 0x0500, "197800010000000000", [(told.NOTIFIED, ias.ALARM_1)]),
    # dresden-elektronik/deconz-rest-plugin issue 5864: the same product, smoke and density; density alone
    ("LUMI", "lumi.sensor_smoke.acn03", 0xFCC0, "18120a 3a01210100 3b01200a", [(told.NOTIFIED, ias.ALARM_1)]),
    ("LUMI", "lumi.sensor_smoke.acn03", 0xFCC0, "18130a 3b012003", []),
    # zigpy/zha-device-handlers issue 1828: its model, unasked
    ("LUMI", "lumi.sensor_smoke.acn03", 0x0000, "18290a050042176c756d692e73656e736f725f736d6f6b652e61636e3033", []),
    # zigbeefordomoticz/Domoticz-Zigbee issue 1308: Aqara motion sensor, its structure: 2985 mV
    (*LUMI_MOTION, 0x0000,
     "1c5f11db0a01ff42210121a90b03281a0421a81305214800062401000000000a213ff26410000b210000", [(told.VOLTS, 2985)]),
    # zigpy/zha-device-handlers issue 2195: another, 3005 mV
    (*LUMI_MOTION, 0x0000,
     b"\x1c_\x11\x01\n\x01\xffB!\x01!\xbd\x0b\x03(\x1d\x04!\xa8\x01\x05!<G\x06$\x00\x00\x00\x00\x00\n!NDd\x10\x00\x0b!"
     b"\x02\x00", [(told.VOLTS, 3005)]),
    # home-assistant/core issue 153513: Aqara door contact T1: 3015 mV, and open
    (*LUMI_MAGNET, 0x0000,
     b"\x1c_\x11-\n\x01\xffB\x1d\x01!\xc7\x0b\x03(!\x04!\xa8\x13\x05!\x16\x00\x06$\x01\x00\x00\x00\x00\n!\xf0Pd\x10\x01",
     [(told.VOLTS, 3015), (told.LEVEL, ias.ALARM_1)]),
    # zigpy/zha-device-handlers tests/test_xiaomi.py: the length of the string is wrong by some bytes; 2995 mV
    ("LUMI", "lumi.sensor_magnet.aq2", 0x0000,
     b'\x1c_\x11\x12\n\x05\x00B\x15lumi.sensor_wleak.aq1\x01\xffB"\x01!\xb3\x0b\x03(\x17\x04!\xa8C\x05!\xa7\x00\x06$'
     b"\x00\x00\x00\x00\x00\x08!\x04\x02\n!\x00\x00d\x10\x01", [(told.VOLTS, 2995), (told.LEVEL, ias.ALARM_1)]),
    ("LUMI", "lumi.sensor_magnet.aq2", 0x0000,
     b'\x1c_\x11\x12\n\x01\xffB"\x01!\xb3\x0b\x03(\x17\x04!\xa8C\x05!\xa7\x00\x06$\x15\x00\x14\x00\x00\x08!\x04\x02\n!'
     b"\x00\x00d\x10\x01", [(told.VOLTS, 2995), (told.LEVEL, ias.ALARM_1)]),
    # ioBroker/ioBroker.zigbee issue 1063: Xiaomi door contact of the first series, structure 0xFF02: 2975 mV, closed
    ("LUMI", "lumi.sensor_magnet", 0x0000, "1c3412380a 02ff4c0600 1000 219f0b 21a813 240000000001 215700 2056",
     [(told.LEVEL, 0), (told.VOLTS, 2975)]),
    # zigpy/zha-device-handlers issue 5020: Philips Hue contact, opened
    ("Signify Netherlands B.V.", "SOC001", 0x0006, b"\x18*\n\x00\x00\x10\x01", [(told.NOTIFIED, ias.ALARM_1)]),
    # zigpy/zha-device-handlers tests/common.py: occupancy
    ("Philips", "SML001", 0x0406, b"\x18d\n\x00\x00\x18\x01", [(told.PRESENCE, 1)]),
    # Koenkk/zigbee2mqtt issue 5778: IKEA motion sensor: On with timed off, ctrlbits 1, ontime 600, offwaittime 0
    ("IKEA of Sweden", "TRADFRI motion sensor", 0x0006, "113042 01 5802 0000", [(told.PRESENCE, 1)]),
    # Koenkk/zigbee2mqtt issue 3286: IKEA battery report, 50 % by the standard
    ("IKEA of Sweden", "PARASOLL Door/Window Sensor", 0x0001, "080a0a21002064", [(told.PERCENT, 100)]),
    # Koenkk/zigbee-herdsman-converters issue 2797: Tuya SOS button, commandEmergency without data
    ("_TZ3000_4fsgukof", "TS0215A", 0x0501, "010702", [(told.BUTTON, ias.EMERGENCY)]),
]  # fmt: skip


@pytest.mark.req("ZB-14")
@pytest.mark.parametrize("maker,model,cluster,data,expected", CAPTURED)
def test_captured(maker, model, cluster, data, expected):
    home = Home(maker, model)
    heard = home.serial(data) if cluster is None else home.zcl(cluster, data)
    assert home.frames == 1
    assert heard == expected
    assert home.incoming.failures == 0


@pytest.mark.req("ZB-14", "SEC-03")
@pytest.mark.parametrize("maker,model,cluster,data,expected", [one for one in CAPTURED if one[2] is not None])
def test_cut_off_at_every_byte(maker, model, cluster, data, expected):
    """A frame that ends too early tells at most what it told before its end."""
    whole = bytes.fromhex(data) if isinstance(data, str) else data
    for size in range(3, len(whole)):
        home = Home(maker, model)
        heard = home.zcl(cluster, whole[:size])
        assert heard == expected[:len(heard)] or cluster == 0x0500, (size, heard)
        assert home.incoming.failures == 0


@pytest.mark.parametrize("maker,model,cluster,data,expected", [one for one in CAPTURED if one[2] in (0, 6, 0xFCC0)])
def test_nobody_else_is_read_like_that(maker, model, cluster, data, expected):
    """The same bytes from a device without that row mean nothing but that it lives."""
    assert Home("HEIMAN", "SmokeSensor-EF-3.0").zcl(cluster, data) == []


@pytest.mark.fault(33)
@pytest.mark.req("ZB-14")
def test_smoke_of_an_unknown_sender_is_not_lost_for_its_dialect():
    """Aqara's attribute comes from a short address nobody knows yet: it is told, and held until the sender is known."""
    assert Home(known=False).zcl(0xFCC0, "18120a 3a01210100 3b01200a") == [(told.NOTIFIED, ias.ALARM_1)]
    assert Home(known=False).zcl(0x0006, "18120a 00001001") == []


def test_failed_reads_and_other_attributes_mean_nothing():
    door = Home(*LUMI_MAGNET)
    assert door.zcl(0x0006, "180a01 0000 86") == []
    assert door.zcl(0x0006, "180b0a 0040 1001") == []  # another attribute of On/Off
    assert door.zcl(0x0006, "180c01 0000 00 1001") == [(told.LEVEL, ias.ALARM_1)]  # an answer is a level
    assert door.zcl(0x0000, "180d01 01ff 86 0500 86") == [(told.LEVEL, ias.ALARM_1)]
    assert door.zcl(0x0006, "180e0b 0000") == [(told.LEVEL, ias.ALARM_1)]


def test_on_from_a_switch_is_no_movement():
    """Only the sensor whose row says so; and Off is not movement."""
    assert Home("IKEA of Sweden", "TRADFRI remote control").zcl(0x0006, "113042 01 5802 0000") == []
    assert Home("IKEA of Sweden", "TRADFRI motion sensor").zcl(0x0006, "113000") == []


@pytest.mark.req("ZB-14")
def test_a_default_response_is_still_given():
    home = Home("IKEA of Sweden", "TRADFRI motion sensor")
    home.zcl(0x0006, "013042 01 5802 0000")
    assert home.told == [(told.PRESENCE, 1)]
    assert home.answers == [(SHORT, 1, 0x0006, bytes((0x18, 0x30, 0x0B, 0x42, 0)))]


def test_self_test_of_aqara_begins_and_ends():
    home = Home("LUMI", "lumi.sensor_smoke.acn03")  # zigpy/zha-device-handlers issue 5203: 0x0127 is 1, then 0
    assert home.zcl(0xFCC0, "1c5f11140a 2701 1001") == [(told.NOTIFIED, ias.TEST)]
    assert home.zcl(0xFCC0, "1c5f11150a 2701 1000")[1:] == [(told.NOTIFIED, 0)]


def test_kind_of_everybody_captured():
    """The products above, with the clusters that their signatures list, are what they are sold as."""
    for facts, kind in (
        ({"servers": [0, 1, 3, 12, 18, 0x0500], "maker": "LUMI", "model": "lumi.sensor_smoke"}, "smoke"),
        ({"servers": [0, 0xFFFF, 0x0406, 0x0400, 0x0500, 1, 3], "maker": "LUMI", "model": LUMI_MOTION[1]}, "activity"),
        ({"servers": [0, 1, 3, 0xFC06], "clients": [0, 3, 6], "maker": "Signify", "model": "SOC001"}, "door"),
        ({"servers": [1, 3, 0x0500, 0], "clients": [0x0501, 25, 10], "maker": "_TZ3000_0dumfk2z"}, "call_button"),
        ({"servers": [0, 1, 3, 0x0500], "maker": "HEIMAN", "model": "SOS-EM"}, "call_button"),
    ):
        assert kinds.classify(facts)[0] == kind


def mutated(chance, seeds):
    """A captured frame with some of its bytes changed, cut, doubled or swapped for those that matter here."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randrange(1, 6)):
        where = chance.randrange(len(data))
        what = chance.randrange(4)
        if what == 0:
            data[where] = chance.randrange(256)
        elif what == 1:
            data[where] = chance.choice((0x00, 0x01, 0x0A, 0x10, 0x20, 0x21, 0x27, 0x3A, 0x41, 0x42, 0x4C, 0xF7, 0xFF))
        elif what == 2 and len(data) > 3:
            del data[where:]
            data += bytes(max(0, 3 - len(data)))
        elif len(data) < 90:
            data[where:where] = data[where:where + chance.randrange(1, 12)]
    return bytes(data)


@pytest.mark.req("SEC-03")
def test_fuzzed():
    """Whatever comes: nothing escapes, nothing is read beyond the frame, values fit their kinds."""
    chance = random.Random(20261122)
    seeds = [bytes.fromhex(one[3]) if isinstance(one[3], str) else one[3] for one in CAPTURED if one[2] is not None]
    clusters = [one[2] for one in CAPTURED if one[2] is not None]
    home = Home()
    for count in range(int(os.environ.get("FUZZ_COUNT", "20000"))):
        home.device.traits = chance.choice((quirks.FRAMES, quirks.FRAMES | quirks.VALUES, chance.randrange(1 << 30)))
        home.device.flow.left = 1000
        home.zcl(chance.choice(clusters), mutated(chance, seeds))
        assert home.incoming.failures == 0, count
        for kind, value in home.told:
            limit = 0xFF if kind == told.PRESENCE else 200 if kind == told.PERCENT else 0xFFFF if kind < 5 else 1 << 24
            assert -0x8000 <= value <= max(limit, 0x1FF), (kind, value)
        home.told.clear()
        home.answers.clear()


ALLOCATION = """
import gc, sys
sys.path.append(".")
from array import array
from zigbee import dialect, quirks, scan
frames = [bytes.fromhex(text) for text in %r]
def nobody(fields, kind, value):
    pass
fields = array("I", [0] * scan.FIELDS_SIZE)
places = []
for data in frames:
    head = bytes((0, 0, data[0], data[1], 0x34, 0x12, 1, 1, 0, 77, 0, 1, 0, 0, 0, 0, len(data) - 2))
    places.append(bytearray(head + data[2:] + bytes(3)))
def once():
    for payload in places:
        assert scan.decode(payload, 0, len(payload), fields)
        dialect.translate(quirks.FRAMES, fields, payload, nobody)
once()
gc.collect()
gc.disable()
before = gc.mem_alloc()
once()
print(gc.mem_alloc() - before)
"""


def test_takes_no_memory(micropython):
    """Two passes over every captured frame; the second must not allocate."""
    texts = []
    for _, _, cluster, data, _ in CAPTURED:
        if cluster is not None:
            body = bytes.fromhex(data) if isinstance(data, str) else data
            texts.append((bytes((cluster & 0xFF, cluster >> 8)) + body).hex())
    assert micropython(["-c", ALLOCATION % texts]).strip() == "0"
