"""From AF_INCOMING_MSG to events: status changes, reports, enrolment, the pendant's commands, default responses."""

import pytest

from zigbee import ias, told
from zigbee.devices import STRANGER, Devices
from zigbee.frames import AF_INCOMING_MSG, encode
from zigbee.held import Held
from zigbee.incoming import Incoming
from zigbee.reader import Reader

ALARM = ias.ALARM_1
ALIVE = (0x1234, 3, told.ALIVE, 0, 5, 77)


class Told:
    """Everything that came out for frames put in."""

    def __init__(self):
        self.heard, self.answers, self.enrolled = [], [], []
        self.device = None
        self.now = 1_000_000
        self.incoming = Incoming(
            lambda short: self.device,
            lambda device, *event: self.heard.append(event),
            lambda *answer: self.answers.append(answer),
            lambda *who: self.enrolled.append(who),
            lambda: self.now,
        )
        self.reader = Reader(self.frame)

    def frame(self, buf, at, size, command):
        assert command == AF_INCOMING_MSG
        self.incoming.take(buf, at, size)

    def zcl(self, cluster, data, broadcast=0, tail=b"\x34\x12\x1d"):
        head = bytes((0, 0, cluster & 255, cluster >> 8, 0x34, 0x12, 3, 1, broadcast, 77, 0, 1, 0, 0, 0, 0, len(data)))
        frame = encode(AF_INCOMING_MSG, head + bytes(data) + tail)
        self.reader.push(frame, len(frame), 0)
        return self


@pytest.mark.req("EMG-01")
@pytest.mark.parametrize("zone_id", [0, 3, 0xFF])
def test_status_change_whatever_its_zone_id(zone_id):
    home = Told().zcl(ias.ZONE, (0x19, 42, 0, 1, 0, 0, zone_id, 0, 0))
    assert home.heard == [(0x1234, 3, told.NOTIFIED, ALARM, 42, 77)]
    assert home.answers == []


@pytest.mark.parametrize("body", [(1, 0), (1, 0, 0), (1, 0, 0, 5), (1, 0, 0, 5, 0, 0, 9, 9)])
def test_status_change_of_every_length_since_the_first_profile(body):
    assert Told().zcl(ias.ZONE, (0x19, 1, 0, *body)).heard[0][3] == ALARM


def test_status_change_without_a_status_is_nothing():
    home = Told().zcl(ias.ZONE, (0x19, 1, 0, 1))
    assert home.heard == []
    assert home.incoming.broken == 1


def test_documented_message_without_mac_source_is_understood_too():
    assert Told().zcl(ias.ZONE, (0x19, 1, 0, 1, 0, 0, 0, 0, 0), tail=b"").heard


@pytest.mark.fault(32)
@pytest.mark.req("ZB-06")
def test_supervision_report_and_read_response_are_levels():
    report = Told().zcl(ias.ZONE, (0x18, 5, 0x0A, 2, 0, 0x19, 0x21, 0))
    assert report.heard == [(0x1234, 3, told.LEVEL, 0x21, 5, 77)]
    answer = Told().zcl(ias.ZONE, (0x18, 5, 1, 0, 0, 0, 0x30, 1, 1, 0, 0, 0x31, 0x28, 0, 2, 0, 0, 0x19, 1, 0))
    assert answer.heard == [(0x1234, 3, told.LEVEL, 1, 5, 77)]
    assert answer.enrolled == []


@pytest.mark.fault(34)
def test_a_zone_that_is_not_enrolled_is_enrolled():
    assert Told().zcl(ias.ZONE, (0x18, 5, 1, 0, 0, 0, 0x30, 0)).enrolled == [(0x1234, 3)]
    request = Told().zcl(ias.ZONE, (0x09, 5, 1, 0x28, 0, 0, 0))
    assert request.enrolled == [(0x1234, 3)]
    assert request.answers == []  # the enrolment is the answer
    assert request.heard == [ALIVE]
    assert Told().zcl(ias.ZONE, (0x09, 5, 1, 0x28, 0, 0)).enrolled == []


def test_attribute_lists_with_everything_in_them():
    """Strings, failed entries and long types before the status do not hide it; an unknown type ends the list."""
    before = (0, 0, 0, 0x42, 3, 1, 2, 3, 9, 9, 0x86, 7, 7, 0, 0xF1) + (0,) * 16 + (8, 8, 0, 0x44, 2, 0, 1, 2)
    before += (6, 6, 0, 0x4C, 2, 0, 0x20, 1, 0x21, 1, 2, 5, 5, 0, 0x48, 0x21, 1, 0, 1, 2)  # a structure, an array
    home = Told().zcl(ias.ZONE, (0x18, 5, 1, *before, 2, 0, 0, 0x19, 1, 0))
    assert [event[3] for event in home.heard] == [1]
    broken = Told().zcl(ias.ZONE, (0x18, 5, 0x0A, 1, 1, 0x47, 0, 2, 0, 0x19, 1, 0))
    assert broken.heard == []
    assert broken.incoming.broken == 1


@pytest.mark.parametrize("kind,size", [(0x10, 1), (0x1B, 4), (0x27, 8), (0x2F, 8), (0x31, 2), (0x39, 4), (0x3A, 8),
                                       (0xE2, 4), (0xE9, 2), (0xF0, 8), (0x00, 0)])  # fmt: skip
def test_sizes_of_types(kind, size):
    home = Told().zcl(ias.ZONE, (0x18, 5, 0x0A, 9, 9, kind, *([1] * size), 2, 0, 0x19, 1, 0))
    assert [event[3] for event in home.heard] == [1]


def test_every_truncation_of_a_list_is_harmless():
    whole = (0x18, 5, 1, 0, 0, 0, 0x42, 3, 1, 2, 3, 7, 7, 0, 0x43, 1, 0, 9, 2, 0, 0, 0x19, 1, 0)
    for size in range(3, len(whole)):
        home = Told().zcl(ias.ZONE, whole[:size])
        entries = (3, 11, 18)  # where one ends: the list is whole
        assert home.heard == ([ALIVE] if size in entries else [])
        assert home.incoming.broken == (size not in entries)


def test_battery_and_presence():
    battery = Told().zcl(ias.POWER, (0x18, 5, 0x0A, 0x20, 0, 0x20, 29, 0x21, 0, 0x20, 180))
    assert [event[2:4] for event in battery.heard] == [(told.VOLTS, 2900), (told.PERCENT, 180)]
    radio = Told().zcl(ias.POWER, (0x18, 5, 0x0A, 0x40, 0, 0x20, 31, 0x41, 0, 0x20, 200))
    assert [event[2:4] for event in radio.heard] == [(told.RADIO_VOLTS, 3100), (told.RADIO_PERCENT, 200)]
    unknown = Told().zcl(ias.POWER, (0x18, 5, 0x0A, 0x20, 0, 0x20, 0xFF, 0x21, 0, 0x20, 0xFF, 0x40, 0, 0x20, 0))
    assert unknown.heard == [ALIVE]  # the battery could not be measured
    assert Told().zcl(ias.OCCUPANCY, (0x18, 5, 0x0A, 0, 0, 0x18, 1)).heard[0][2:4] == (told.PRESENCE, 1)


@pytest.mark.req("ZB-08")
def test_the_pendants_own_commands():
    for command in (ias.EMERGENCY, ias.PANIC, ias.FIRE):
        assert Told().zcl(ias.ACE, (0x11, 5, command)).heard == [(0x1234, 3, told.BUTTON, command, 5, 77)]
    disarm = Told().zcl(ias.ACE, (0x11, 5, ias.ARM, ias.DISARM, 0, 0xFF))
    assert disarm.heard == [(0x1234, 3, told.BUTTON, ias.ACE_DISARM, 5, 77)]
    assert disarm.answers == [(0x1234, 3, ias.ACE, bytes((0x19, 5, 0, 0)))]
    assert Told().zcl(ias.ACE, (0x11, 5, ias.ARM, 3, 0, 0xFF)).heard == [ALIVE]  # arming is not for us
    assert Told().zcl(ias.ACE, (0x11, 5, ias.ARM, 0)).heard[0][3] == ias.ACE_DISARM  # as it was before HA 1.2
    for broken in ((0, 0), (0, 4, 0xFF), (0, 1, 0x31), ()):
        home = Told().zcl(ias.ACE, (0x11, 5, ias.ARM, *broken))
        assert (home.heard, home.incoming.broken) == ([], 1)
    assert Told().zcl(ias.ACE, (0x19, 5, ias.PANIC)).heard == [ALIVE]  # from a server: panel status, no button


@pytest.mark.req("ZB-13")
def test_a_check_in_is_answered_and_fast_polling_only_asked_for_when_there_is_something_to_say():
    home = Told().zcl(ias.POLL_CONTROL, (0x09, 5, 0))
    assert home.heard == [(0x1234, 3, told.CHECKIN, 0, 5, 77)]
    assert home.answers == [(0x1234, 3, ias.POLL_CONTROL, bytes((0x11, 5, 0, 0, 0, 0)))]
    home.incoming.fast_poll = lambda short: 0x128 if short == 0x1234 else 0
    home.zcl(ias.POLL_CONTROL, (0x19, 6, 0))
    assert home.answers[1][3] == bytes((0x11, 6, 0, 1, 0x28, 0x01))


def test_temperature_is_signed_and_may_be_unknown():
    for wire, degrees in ((0x0834, 2100), (0xFC18, -1000), (0x954D, -27315), (0x8000, None), (0x9000, None)):
        home = Told().zcl(ias.TEMPERATURE, (0x18, 5, 0x0A, 0, 0, 0x29, wire & 255, wire >> 8))
        assert home.heard == ([ALIVE] if degrees is None else [(0x1234, 3, told.TEMPERATURE, degrees, 5, 77)])
    assert Told().zcl(ias.TEMPERATURE, (0x18, 5, 0x0A, 0, 0, 0x21, 1, 2)).heard == [ALIVE]


def test_whatever_is_whole_is_a_sign_of_life():
    for cluster, data in ((0, (0x18, 5, 1)), (0, (0x18, 5, 0x0B, 0, 0)), (0x19, (0x01, 5, 1, 0)), (9, (0x18, 5, 0x0A))):
        assert Told().zcl(cluster, data).heard == [ALIVE]


def test_default_responses():
    """ZCL 2.5.12: asked for, unicast, and no other answer."""
    wanted = Told().zcl(ias.ZONE, (0x09, 9, 0, 1, 0, 0, 0, 0, 0))
    assert wanted.answers == [(0x1234, 3, ias.ZONE, bytes((0x10, 9, 0x0B, 0, 0)))]
    assert wanted.heard  # and the alarm came first
    assert Told().zcl(ias.ZONE, (0x09, 9, 0, 1, 0, 0, 0, 0, 0), broadcast=1).answers == []
    assert Told().zcl(ias.ZONE, (0x08, 9, 0x0B, 0, 0)).answers == []
    to_client = Told().zcl(ias.ACE, (0x01, 9, ias.PANIC))
    assert to_client.answers[0][3] == bytes((0x18, 9, 0x0B, ias.PANIC, 0))


def test_a_makers_own_commands_mean_nothing():
    home = Told().zcl(ias.ZONE, (0x0D, 0x5F, 0x11, 9, 0, 1, 0, 0, 0, 0, 0))
    assert home.heard == [(0x1234, 3, told.ALIVE, 0, 9, 77)]
    assert home.answers == []
    assert Told().zcl(ias.ZONE, (0x0D, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0)).heard[0][2] == told.ALIVE  # a code of 0 is one


def test_messages_too_short_for_a_header_are_counted():
    home = Told()
    for data in (b"", b"\x19", b"\x19\x01", b"\x0d\x00\x00\x01"):
        home.zcl(ias.ZONE, data)
    assert home.heard == []
    assert home.incoming.broken == 4


def test_addresses():
    devices = Devices()
    known = devices.know("00124b0012345678", 4, True)
    assert known.wire == bytes.fromhex("7856341200 4b1200")
    assert known.ieee == "00124b0012345678"
    assert devices.learn(0x1111, known.wire) is known
    stranger = devices.learn(0x2222, bytes(8))
    assert stranger.index == STRANGER
    assert devices.learn(0x2222, known.wire) is known  # it moved onto the stranger's address
    assert devices.find(0x1111) is None
    assert devices.find(0x2222) is known
    for bad in ("", "00", "zz124b0012345678", "00124b001234567800"):
        with pytest.raises(ValueError):
            devices.know(bad, 0, True)


@pytest.mark.fault(40)
def test_strangers_are_bounded():
    devices = Devices()
    known = devices.know("00124b0012345678", 0, True)
    devices.learn(1, known.wire)
    for number in range(1000):
        devices.learn(number + 2, number.to_bytes(8, "little"))
    assert len(devices._by_short) <= 17
    assert devices.find(1) is known


def test_held_alarms_are_not_pushed_out():
    """Not by what is less urgent, nor by another's many."""
    held = Held()
    for short in range(10):
        for value in range(10):
            held.put(short, 1, told.PERCENT, value, 0, 0)
            held.put(short, 1, told.NOTIFIED, value, 0, 0)
    assert len(held._events) == 24
    for short in range(100, 104):  # somebody new, though all is full of alarms
        assert held.put(short, 1, told.NOTIFIED, 1, 0, 0)
        assert held.put(short, 1, told.NOTIFIED, 1, 1, 0)  # the same again needs no place
    assert len(held._events) == 24
    for short in (*range(6), *range(100, 104)):
        found = []
        held.take(short, found.append)
        kinds = [event[2] for event in found]
        assert kinds[0] == told.NOTIFIED and (kinds == kinds[:1] or len(kinds) > 1)
        assert found[0][3] in (0, 1)
    assert held.drop(0) == 0
