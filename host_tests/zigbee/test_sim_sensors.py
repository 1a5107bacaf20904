"""The simulated sensors made for this gateway, each by itself: what they put on the air and how they answer."""

import contextlib
import io

import pytest

from hal_sim.sched import Scheduler
from hal_sim.zigbee.mt import le16, put16
from hal_sim.zigbee.sensors import KINDS

HOME = bytes(range(1, 9))
OTHER = bytes(range(11, 19))
MINUTE = 60_000
HOUR = 60 * MINUTE
POWER, IDENTIFY, POLL, TEMPERATURE, OCCUPANCY, ZONE, ACE, WARNING, MASK = (
    0x0001, 0x0003, 0x0020, 0x0402, 0x0406, 0x0500, 0x0501, 0x0502, 0xFC30,
)  # fmt: skip


class Wire:
    """The air as one sensor meets it: what it sent, as (ms, cluster, frame)."""

    def __init__(self, kind: str, name: str = "one", member: bool = True):
        self.sched = Scheduler()
        self.sent, self.told, self.announced = [], [], []
        self.device = KINDS[kind](self, self.sched, name, "room", bytes(range(8)), 0x1A01)
        self.device.on_back = lambda device: self.announced.append(self.sched.now_ms)
        if member:
            self.device.commission(HOME, 3)

    def up(self, device, cluster, frame):
        if device.radio:
            self.sent.append((self.sched.now_ms, cluster, frame))

    def emit(self, what, **fields):
        self.told.append((what, fields))

    def run(self, ms: int):
        self.sched.run_until(self.sched.now_ms + ms)
        return self

    def new(self):
        """What was sent since the last look, as (cluster, frame)."""
        found, self.sent = [(cluster, frame) for _, cluster, frame in self.sent], []
        return found

    def general(self, cluster: int, command: int, payload: bytes, tsn: int = 0x77, control: int = 0x10) -> bytes:
        """Send a general command; the answer's payload, behind its head."""
        self.new()
        self.device.receive(cluster, bytes((control, tsn, command)) + payload)
        ((where, frame),) = self.new()
        assert (where, frame[1]) == (cluster, tsn)
        return frame[2:]

    def command(self, cluster: int, command: int, payload: bytes = b"", control: int = 0x01) -> list:
        """Send a command of the cluster; what came back."""
        self.new()
        self.device.receive(cluster, bytes((control, 0x55, command)) + payload)
        return self.new()

    def read(self, cluster: int, *numbers: int) -> dict:
        answer = self.general(cluster, 0x00, b"".join(put16(one) for one in numbers))
        assert answer[0] == 0x01
        return entries(answer[1:], True)

    def reports(self, cluster: int) -> list:
        """(ms, {attribute: value}) of the attribute reports sent so far."""
        return [(at, entries(frame[3:])) for at, where, frame in self.sent if where == cluster and frame[2] == 0x0A]

    def notified(self) -> list:
        """(status, zone id) of the notifications sent so far."""
        frames = [frame for _, where, frame in self.sent if where == ZONE and frame[0] & 1 and frame[2] == 0]
        return [(le16(frame, 3), frame[6]) for frame in frames]


SIZES = {0x18: 1, 0x1B: 4, 0x20: 1, 0x21: 2, 0x23: 4, 0x29: 2, 0x30: 1, 0x31: 2, 0x19: 2, 0xF0: 8}


def entries(data: bytes, answers: bool = False) -> dict:
    """number -> value, or a negative status."""
    found, at = {}, 0
    while at < len(data):
        number = le16(data, at)
        at += 2
        if answers:
            at += 1
            if data[at - 1]:
                found[number] = -data[at - 1]
                continue
        kind = data[at]
        size = 1 + data[at + 1] if kind == 0x42 else SIZES[kind]
        raw = data[at + 1:at + 1 + size]
        found[number] = raw[1:].decode() if kind == 0x42 else raw if kind == 0xF0 else int.from_bytes(raw, "little")
        at += 1 + size
    return found


def configuring(number: int, kind: int, least: int, most: int, change: bytes = b"") -> bytes:
    return b"\x00" + put16(number) + bytes((kind,)) + put16(least) + put16(most) + change


# ------------------------------------------------------------------ what every kind does


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_says_what_it_is(kind):
    wire = Wire(kind)
    assert wire.read(0x0000, 4, 5, 7, 0x1234) == {4: "Home", 5: wire.device.model, 7: 3, 0x1234: -0x86}
    descriptor = wire.device.descriptor(0x0004, put16(0x1A01) + b"\x01")
    assert descriptor[:3] == b"\x00\x01\x1a"
    body = descriptor[4:]
    servers = [le16(body, 7 + 2 * place) for place in range(body[6])]
    assert len(body) == descriptor[3] and tuple(servers) == wire.device.servers
    assert {0x0000, POWER, IDENTIFY, POLL} <= set(servers)
    for cluster in servers:  # each of them can be discovered whole and read
        seen, start, complete = [], 0, 0
        while not complete:
            answer = wire.general(cluster, 0x0C, put16(start) + b"\x04")
            complete = answer[1]
            seen += [le16(answer, at) for at in range(2, len(answer), 3)]
            start = seen[-1] + 1
        assert seen == sorted(wire.device.attributes(cluster)) and seen
        assert all(value >= 0 for number in seen for value in wire.read(cluster, number).values()
                   if isinstance(value, int))  # fmt: skip


@pytest.mark.parametrize(
    "frame,status",
    [
        (bytes((0x00, 1, 0x0A, 0x20, 0, 0x20, 30)), 0x00),  # a report for it: taken
        (bytes((0x10, 1, 0x77)), 0x81),  # a general command that is not there, although no answer is wanted
        (bytes((0x01, 1, 0x33)), 0x81),
        (bytes((0x00, 1, 0x06, 0)), 0x80),  # cut off
        (bytes((0x00, 1, 0x02, 0x20, 0, 0x99)), 0x80),  # a type nobody knows
        (bytes((0x10, 1, 0x0A)), None),
        (bytes((0x00, 1, 0x0B, 0, 0)), None),  # a default response is never answered
        (bytes((0x02, 1, 0x00)), None),
    ],
)
def test_default_responses(frame, status):
    wire = Wire("door")
    wire.device.receive(POWER, frame)
    answers = wire.new()
    assert answers == ([] if status is None else [(POWER, bytes((0x18, 1, 0x0B, frame[2], status)))])


def test_what_is_not_there_is_said_so():
    wire = Wire("door")
    assert wire.general(0x0006, 0x00, bytes(2)) == bytes((0x0B, 0x00, 0xC3))  # no such cluster
    wire.device.receive(POWER, bytes((0x14, 0x5F, 0x11, 9, 0x00, 0x20, 0x00)))  # with a manufacturer code
    assert wire.new() == [(POWER, bytes((0x1C, 0x5F, 0x11, 9, 0x01, 0x20, 0x00, 0x86)))]
    for broken in (b"", b"\x00", b"\x00\x01", b"\x04\x01\x02\x03"):
        wire.device.receive(POWER, broken)
    assert wire.new() == []


def test_writing():
    wire = Wire("smoke")
    two = put16(0) + b"\x21" + put16(30) + put16(5) + b"\x20\x01"
    assert wire.general(IDENTIFY, 0x02, two) == bytes((0x04, 0x86, 5, 0))
    assert wire.read(IDENTIFY, 0) == {0: 30}
    assert wire.run(10_500).read(IDENTIFY, 0) == {0: 20}
    assert wire.general(IDENTIFY, 0x03, put16(0) + b"\x21" + put16(9) + put16(5) + b"\x20\x01")[1] == 0x86
    assert wire.read(IDENTIFY, 0) == {0: 20}  # all or none
    assert wire.general(IDENTIFY, 0x02, put16(0) + b"\x20\x05") == bytes((0x04, 0x8D, 0, 0))
    assert wire.general(POWER, 0x02, put16(0x21) + b"\x20\x05") == bytes((0x04, 0x88, 0x21, 0))
    assert wire.command(IDENTIFY, 0x05, put16(0) + b"\x21" + put16(7), 0x10) == []  # without an answer
    assert wire.read(IDENTIFY, 0) == {0: 7}
    assert wire.command(IDENTIFY, 0x01) == [(IDENTIFY, bytes((0x19, 0x55, 0x00, 7, 0)))]


def test_an_answer_fits_a_frame():
    wire = Wire("smoke")
    answer = wire.general(0x0000, 0x00, put16(4) * 30)
    assert len(answer) <= 80 and len(entries(answer[1:], True)) == 1


@pytest.mark.req("ZB-11")
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_status_reports_every_four_hours(kind):
    wire = Wire(kind).run(24 * HOUR)
    batteries = wire.reports(POWER)
    assert len(batteries) == 6
    assert {later - earlier for (earlier, _), (later, _) in zip(batteries, batteries[1:], strict=False)} == {4 * HOUR}
    parts = {0x20, 0x21, 0x40, 0x41} if kind == "smoke" else {0x20, 0x21}
    assert all(set(found) == parts for _, found in batteries)
    assert len(wire.reports(ZONE)) == (0 if kind == "activity" else 6)
    assert len(wire.reports(TEMPERATURE)) == (6 if kind == "smoke" else 0)


@pytest.mark.req("ZB-13")
@pytest.mark.parametrize("hours", [1, 2, 3, 4])
def test_the_reporting_period_is_set(hours):
    wire = Wire("smoke")
    change = configuring(0x21, 0x20, 60, hours * 3600, b"\x02") + configuring(0x20, 0x20, 60, hours * 3600, b"\x01")
    assert wire.general(POWER, 0x06, change) == bytes((0x07, 0x00))
    assert wire.general(POWER, 0x08, b"\x00\x21\x00") == (
        bytes((0x09, 0, 0, 0x21, 0, 0x20)) + put16(60) + put16(hours * 3600) + b"\x02"
    )
    assert wire.general(ZONE, 0x06, configuring(2, 0x19, 0, hours * 3600)) == bytes((0x07, 0x00))
    wire.run(24 * HOUR)
    assert len([found for _, found in wire.reports(POWER) if 0x21 in found]) == 24 // hours
    assert len(wire.reports(ZONE)) == 24 // hours


@pytest.mark.parametrize(
    "cluster,record,status",
    [
        (POWER, configuring(0x21, 0x20, 0, 4 * 3600 + 1, b"\x01"), 0x87),  # nobody may be told to fall silent
        (POWER, configuring(0x21, 0x20, 0, 0xFFFF, b"\x01"), 0x87),
        (POWER, configuring(0x21, 0x20, 0, 59, b"\x01"), 0x87),
        (POWER, configuring(0x21, 0x20, 3601, 3600, b"\x01"), 0x87),
        (POWER, configuring(0x21, 0x21, 0, 3600, b"\x01\x00"), 0x8D),
        (POWER, configuring(0x99, 0x20, 0, 3600, b"\x01"), 0x86),
        (POWER, configuring(0x34, 0x20, 0, 3600, b"\x01"), 0x8C),
        (MASK, configuring(1, 0x1B, 0, 60), 0x8C),
        (POWER, b"\x01" + put16(0x21) + put16(600), 0x8C),
    ],
)  # fmt: skip
def test_reporting_that_is_refused(cluster, record, status):
    wire = Wire("activity")
    answer = wire.general(cluster, 0x06, record)
    assert answer == bytes((0x07, status, record[0])) + record[1:3]
    assert len(wire.run(4 * HOUR).reports(POWER)) == 1


def test_reports_at_changes_keep_the_least_interval():
    wire = Wire("smoke").run(10 * MINUTE)
    at = wire.sched.now_ms
    wire.general(TEMPERATURE, 0x06, configuring(0, 0x29, 30, 3600, put16(100)))
    for _ in range(10):
        wire.device.set_temperature(wire.device.temperature + 60)
        wire.run(10_000)
    assert [(when - at, found[0]) for when, found in wire.reports(TEMPERATURE)] == [
        (30_000, 2430), (60_000, 2610), (90_000, 2790),
    ]  # fmt: skip
    wire.new()
    wire.device.set_temperature(2750)  # below the change
    assert wire.run(30 * MINUTE).reports(TEMPERATURE) == []
    wire.device.set_temperature(-1250)
    assert wire.run(0).reports(TEMPERATURE)[0][1] == {0: 0x10000 - 1250}


def test_reports_go_where_they_are_bound():
    wire = Wire("smoke")
    source = wire.device.wire + b"\x01"
    here = source + put16(POWER) + b"\x03" + HOME + b"\x01"
    there = source + put16(POWER) + b"\x03" + OTHER + b"\x01"
    descriptor = wire.device.descriptor
    assert descriptor(0x0021, there) == b"\x00"
    assert wire.run(4 * HOUR).reports(POWER)
    wire.new()
    assert descriptor(0x0022, here) == b"\x00"
    assert descriptor(0x0022, here) == b"\x88"
    assert wire.run(8 * HOUR).reports(POWER) == []  # to the other only
    assert descriptor(0x0022, there) == b"\x00"
    assert wire.run(4 * HOUR).reports(POWER)  # to nobody in particular: to the coordinator
    assert descriptor(0x0021, OTHER + here[8:]) == b"\x84"
    assert descriptor(0x0021, here[:13]) == b"\x84"
    statuses = [descriptor(0x0021, source + put16(number) + b"\x03" + HOME + b"\x01") for number in range(0x700, 0x710)]
    assert statuses.count(b"\x8c") and len(wire.device.bindings) == 12
    seen, start = 0, 0
    while start < 12:
        answer = descriptor(0x0033, bytes((start,)))
        assert answer[:3] == bytes((0, 12, start)) and len(answer) == 4 + 21 * answer[3]
        seen, start = seen + answer[3], start + answer[3]
    assert seen == 12


def test_descriptors():
    wire = Wire("call_button")
    descriptor = wire.device.descriptor
    assert descriptor(0x0005, put16(0x1A01)) == b"\x00\x01\x1a\x01\x01"
    assert descriptor(0x0004, put16(0x1A01) + b"\x02")[0] == 0x83
    node = descriptor(0x0002, put16(0x1A01))
    assert (node[3] & 7, le16(node, 6), le16(node, 11) >> 9) == (2, 0xFFF1, 22)
    assert len(node) == 16
    match = put16(0x1A01) + put16(0x0104)
    assert descriptor(0x0006, match + b"\x01" + put16(ZONE) + b"\x00")[3:] == b"\x01\x01"
    assert descriptor(0x0006, match + b"\x00\x01" + put16(ACE))[3:] == b"\x01\x01"
    assert descriptor(0x0006, match + b"\x01" + put16(ACE) + b"\x00")[3:] == b"\x00"
    assert descriptor(0x0031, b"\x00") == b"\x84"


@pytest.mark.req("ZB-10")
@pytest.mark.parametrize(
    "percent,volts,half", [(100, 30, 200), (95, 29, 190), (94, 28, 188), (89, 27, 178), (107, 32, 200)]
)
def test_batteries_say_what_is_the_case(percent, volts, half):
    wire = Wire("smoke")
    wire.device.set_battery(percent)
    wire.device.set_radio_battery(97)
    assert wire.read(POWER, 0x20, 0x21, 0x40, 0x41, 0x34, 0x54) == {
        0x20: volts, 0x21: half, 0x40: 29, 0x41: 194, 0x34: 30, 0x54: 30,
    }  # fmt: skip
    low = percent < 90
    assert wire.read(POWER, 0x3E) == {0x3E: int(low)}
    assert wire.read(ZONE, 2) == {2: 8 * low}
    wire.device.set_radio_battery(60)
    assert wire.read(ZONE, 2) == {2: 8}


@pytest.mark.req("ZB-18")
def test_a_battery_percentage_that_lies():
    wire = Wire("door")
    wire.device.battery_percent_lies = True
    wire.device.set_battery(70)
    assert wire.read(POWER, 0x20, 0x21) == {0x20: 21, 0x21: 200}


def test_a_falling_battery_is_reported_between_the_periods():
    wire = Wire("door").run(HOUR)
    wire.new()
    wire.device.set_battery(98)
    assert wire.run(1).reports(POWER) == []
    wire.device.set_battery(97)
    assert wire.run(0).reports(POWER)[0][1] == {0x21: 194}


# ------------------------------------------------------------------ sleep


def test_poll_intervals():
    wire = Wire("door").run(10 * MINUTE)
    assert 0 < wire.device.poll_in_ms() <= 5000
    wire.device.set_open(True)
    assert wire.device.poll_in_ms() <= 100
    wire.run(3001)
    assert wire.command(POLL, 0x02, b"\x08\x00\x00\x00")[0][1][-1] == 0  # 2 s
    wire.run(3200)
    assert max(wire.run(7).device.poll_in_ms() for _ in range(400)) <= 2000
    for command, payload, status in (
        (0x02, b"\x1f\x00\x00\x00", 0x87), (0x02, b"\x01\x00\x00\x00", 0x87), (0x03, b"\x09\x00", 0x87),
        (0x03, b"\x02\x00", 0x00), (0x01, b"", 0x01), (0x00, b"\x01\x00\x00", 0x94), (0x07, b"", 0x81),
    ):  # fmt: skip
        assert wire.command(POLL, command, payload) == [(POLL, bytes((0x18, 0x55, 0x0B, command, status)))]
    assert wire.read(POLL, 0, 1, 2, 3) == {0: 14_400, 1: 8, 2: 2, 3: 40}


@pytest.mark.req("ZB-11")
def test_check_in_and_fast_poll():
    wire = Wire("call_button").run(5 * HOUR)
    checkins = [at for at, cluster, frame in wire.sent if cluster == POLL]
    assert len(checkins) == 5 and checkins[1] - checkins[0] == HOUR
    assert wire.sent[[cluster for _, cluster, _ in wire.sent].index(POLL)][2][0] == 0x19
    wire.general(POLL, 0x02, put16(0) + b"\x23\xf0\x00\x00\x00")  # every minute
    wire.run(MINUTE + 1)
    assert wire.sent[-1][1] == POLL
    assert wire.command(POLL, 0x00, b"\x01" + put16(80)) == [(POLL, bytes((0x18, 0x55, 0x0B, 0x00, 0x00)))]
    wire.run(8000)
    assert wire.device.poll_in_ms() <= 250
    wire.command(POLL, 0x01)
    wire.run(3001)
    assert max(wire.run(11).device.poll_in_ms() for _ in range(500)) > 4000
    assert wire.general(POLL, 0x02, put16(0) + b"\x23\x01\x00\x00\x00")[1] == 0x87
    assert wire.general(POLL, 0x02, put16(0) + b"\x23\x00\x00\x00\x00") == bytes((0x04, 0))
    wire.new()
    assert [one for one in wire.run(2 * HOUR).sent if one[1] == POLL] == []


def test_a_sensor_that_is_not_bound_does_not_check_in():
    wire = Wire("door", member=False)
    wire.device.joined(HOME)
    assert wire.device.poll_in_ms() <= 250
    wire.run(3 * HOUR)
    assert [one for one in wire.sent if one[1] == POLL] == []
    wire.device.descriptor(0x0021, wire.device.wire + b"\x01" + put16(POLL) + b"\x03" + HOME + b"\x01")
    assert [one for one in wire.run(HOUR).sent if one[1] == POLL]


@pytest.mark.fault(36)
def test_away_it_is_deaf_and_dumb_and_announces_itself_when_it_is_back():
    wire = Wire("door")
    wire.device.sleep_away(30_000)
    wire.device.set_open(True)
    assert (wire.device.radio, wire.new()) == (False, [])
    wire.run(30_000)
    assert (wire.device.radio, wire.announced) == (True, [30_000])
    wire.device.set_open(False)
    assert len(wire.new()) == 1


def test_before_it_joined_and_after_it_left_it_says_nothing_by_itself():
    wire = Wire("activity", member=False)
    assert wire.run(8 * HOUR).sent == []
    wire.device.joined(HOME)
    assert wire.run(8 * HOUR).sent
    wire.device.left()
    wire.new()
    assert wire.run(8 * HOUR).sent == []


# ------------------------------------------------------------------ zones


def zone(enrols: int) -> Wire:
    wire = Wire("smoke", member=False)
    wire.device.enrols = enrols
    wire.device.joined(HOME)
    wire.new()
    return wire


def give_address(wire: Wire) -> None:
    assert wire.general(ZONE, 0x02, put16(0x10) + b"\xf0" + HOME) == bytes((0x04, 0))


@pytest.mark.req("ZB-02")
@pytest.mark.parametrize("way,enrols", [("response", 0), ("request", 1), ("trip", 2)])
def test_each_way_of_enrolment(way, enrols):
    wire = zone(enrols)
    assert wire.command(ZONE, 0x00, b"\x00\x05")[0][1][-1] == 0  # not from anybody it knows: no effect
    assert wire.read(ZONE, 0, 0x10, 0x11) == {0: 0, 0x10: bytes(8), 0x11: 0xFF}
    give_address(wire)
    asked = [frame for cluster, frame in wire.run(1500).new() if cluster == ZONE] if way != "response" else []
    if way == "trip":
        assert asked == []
        wire.device.set_smoke(True)
        assert wire.notified() == [(1, 0xFF)]  # the alarm first
        asked = [frame for _, frame in wire.new() if frame[2] == 0x01]
    if way != "response":
        assert [frame[2:] for frame in asked] == [b"\x01" + put16(0x0028) + put16(0xFFF1)]
    wire.command(ZONE, 0x00, b"\x01\x06")  # refused
    assert wire.read(ZONE, 0, 0x11) == {0: 0, 0x11: 0xFF}
    wire.command(ZONE, 0x00, b"\x00\x06")
    assert wire.read(ZONE, 0, 0x10, 0x11) == {0: 1, 0x10: HOME, 0x11: 6}
    assert [one for one in wire.run(10_000).new() if one[1][2] == 0x01 and one[0] == ZONE] == []


@pytest.mark.fault(34)
def test_an_alarm_nobody_is_to_hear_waits_for_an_address():
    wire = zone(3)
    wire.device.set_smoke(True)
    assert wire.notified() == []
    wire.device.receive(ZONE, bytes((0x10, 1, 2)) + put16(0x10) + b"\xf0" + HOME)
    assert wire.notified() == [(1, 0xFF)]
    wire.device.lose_memory()
    wire.new()
    wire.device.set_smoke(True)
    assert wire.notified() == []


@pytest.mark.fault(34)
def test_a_lost_enrolment_still_alarms():
    wire = Wire("smoke")
    wire.device.lose_enrolment()
    assert wire.new()[0][1][2] == 0x01
    wire.device.set_smoke(True)
    assert wire.notified() == [(1, 0xFF)]


@pytest.mark.req("ZB-06")
def test_the_smoke_detector():
    wire = Wire("smoke").run(1)
    detector = wire.device
    wire.new()
    detector.set_smoke(True)
    wire.run(11 * MINUTE)
    assert wire.notified() == [(1, 3)] * 3  # at once and every 5 min
    detector.set_smoke(False)
    wire.new()
    detector.test()
    wire.run(6000)
    detector.set_tamper(True)
    detector.set_fault(True)
    detector.set_radio_battery(80)
    detector.set_fault(False)
    assert [status for status, _ in wire.notified()] == [0x101, 0, 0x04, 0x44, 0x4C, 0x0C]


@pytest.mark.req("EMG-15")
def test_the_sounder():
    wire = Wire("smoke")
    detector = wire.device
    assert wire.command(WARNING, 0x00, b"\x10\x05\x00\x00\x00")[0][1][-1] == 0
    assert detector.sounding
    assert not wire.run(5000).device.sounding
    detector.set_smoke(True)
    wire.command(WARNING, 0x00, bytes(5))
    assert not detector.sounding and detector.smoke
    wire.new()
    wire.run(MINUTE)
    assert detector.sounding and wire.notified() == [(1, 3)]


@pytest.mark.req("ZB-08")
@pytest.mark.req("EMG-16")
def test_the_pendant():
    wire = Wire("call_button").run(1)
    wire.new()
    wire.device.press("call")
    wire.run(1000)
    assert [status for status, _ in wire.notified()] == [2, 0]
    wire.new()
    wire.device.press("cancel")
    assert [(cluster, frame[0], frame[2:]) for cluster, frame in wire.new()] == [(ACE, 0x11, b"\x00\x00\x00\xff")]
    assert wire.command(ACE, 0x00, b"\x00", 0x09) == [(ACE, bytes((0x10, 0x55, 0x0B, 0, 0)))]
    assert wire.command(IDENTIFY, 0x40, b"\x02\x00", 0x11) == []
    assert wire.told == [("confirm", {"sensor": "one"})]


@pytest.mark.req("ZB-09")
def test_the_door():
    wire = Wire("door").run(1)
    wire.new()
    wire.device.set_open(True)
    wire.device.set_open(False)
    assert wire.notified() == [(1, 3), (0, 3)]


# ------------------------------------------------------------------ the activity mask


def masks(wire: Wire) -> list:
    return [(found[0], found[1], found[2], found[3]) for _, found in wire.reports(MASK)]


@pytest.mark.req("ZB-07")
def test_a_mask_every_minute():
    wire = Wire("activity")
    wire.run(2 * HOUR)
    told = wire.reports(MASK)
    assert [found[0] for _, found in told] == list(range(120))
    assert {later[0] - earlier[0] for earlier, later in zip(told, told[1:], strict=False)} == {MINUTE}
    assert all(found[1:3] == (0, 0) for found in masks(wire))
    assert wire.sent[0][2][0] == 0x18  # no manufacturer code, no default response wanted


@pytest.mark.req("ZB-07")
def test_the_mask_is_when_somebody_moved():
    """Against the definition: a bit for each 2 s in which somebody moved for any part."""
    wire = Wire("activity", "bath")
    wire.run(MINUTE)
    start = wire.reports(MASK)[0][0]
    wire.run(start + MINUTE - wire.sched.now_ms)
    wire.new()
    moves = [(0, 1), (1999, 2), (9000, 4000), (12_000, 500), (40_000, 1), (58_500, 3000), (62_000, 100_000)]
    for at, for_ms in moves:
        wire.run(start + MINUTE + at - wire.sched.now_ms)
        wire.device.see(for_ms)
    wire.run(4 * MINUTE)
    told = masks(wire)
    expected = []
    for minute in range(4):
        bits = 0
        for bit in range(30):
            begin = minute * MINUTE + bit * 2000
            if any(at < begin + 2000 and at + for_ms > begin for at, for_ms in moves):
                bits |= 1 << bit
        expected.append(bits)
    assert [one[1] for one in told[:4]] == expected
    assert {bit for bit in range(32) if expected[0] >> bit & 1} == {0, 1, 4, 5, 6, 20, 29}
    assert [one[2] for one in told[1:5]] == expected
    assert told[4][1] == 0
    assert wire.device.attributes(MASK)[1][1:] == bytes(4)


def test_the_state_travels_with_the_mask():
    wire = Wire("activity").run(2 * MINUTE)
    wire.new()
    wire.device.set_tamper(True)
    wire.device.set_fault(True)
    wire.device.set_battery(50)
    assert masks(wire.run(MINUTE))[-1][3] == 0x07
    wire.device.set_fault(False)
    wire.device.set_test(True)
    wire.device.cover(True)
    assert masks(wire.run(MINUTE))[-1][3] == 0x1B


def test_a_restart_counts_from_zero_and_keeps_what_was_configured():
    wire = Wire("activity").run(10 * MINUTE)
    wire.general(POWER, 0x06, configuring(0x21, 0x20, 0, 3600, b"\x02"))
    wire.run(MINUTE)
    wire.device.see(3000)
    wire.run(5000)
    wire.device.restart()
    assert wire.announced == [wire.sched.now_ms]
    wire.new()
    wire.run(2 * MINUTE)
    assert [one[:3] for one in masks(wire)] == [(0, 0, 0), (1, 0, 0)]  # of what was before it knows nothing
    assert len([found for _, found in wire.run(4 * HOUR).reports(POWER) if 0x21 in found]) == 4
    assert wire.device.bindings


def test_a_report_that_waits_is_overtaken():
    wire = Wire("activity")
    wire.device.outbox = [(MASK, b"first", 0), (POWER, b"kept", 0), (MASK, b"old", 0)]
    wire.run(MINUTE)
    assert [one[1] for one in wire.device.outbox] == [b"first", b"kept"]


def test_occupancy_is_told_to_whoever_asks_for_it():
    wire = Wire("activity").run(HOUR)
    wire.device.see(20_000)
    assert wire.read(OCCUPANCY, 0) == {0: 1}
    assert wire.run(HOUR).reports(OCCUPANCY) == []
    assert wire.general(OCCUPANCY, 0x08, b"\x00\x00\x00") == bytes((0x09, 0x8B, 0, 0, 0))
    wire.general(OCCUPANCY, 0x06, configuring(0, 0x18, 0, 3600))
    at = wire.sched.now_ms
    wire.device.see(20_000)
    wire.run(10_000)
    wire.device.see(20_000)
    wire.run(MINUTE)
    assert [(when - at, found[0]) for when, found in wire.reports(OCCUPANCY)] == [(0, 1), (30_000, 0)]


def test_a_day_takes_few_timers():
    """1,440 masks, six battery reports, 24 check-ins: nothing for each 2 s."""
    wire = Wire("activity")
    wire.device.see(20 * HOUR)
    assert wire.sched.run_until(24 * HOUR) <= 1440 + 6 + 24 + 2


# ------------------------------------------------------------------ the same under MicroPython

STORY = '''
from hal_sim.sched import Scheduler
from hal_sim.zigbee.sensors import KINDS


class Wire:
    def up(self, device, cluster, frame):
        print(sched.now_ms, device.name, cluster, "".join(["%02x" % byte for byte in frame]))

    def emit(self, what, **fields):
        print(sched.now_ms, what)


sched = Scheduler()
home = bytes(range(1, 9))
wire = Wire()
for kind in sorted(KINDS):
    device = KINDS[kind](wire, sched, kind, "room", bytes(range(8)), 0x1A01)
    device.commission(home)
    for cluster in device.servers + (0x9999,):
        for command in range(0x18):
            for payload in (b"", bytes(3), b"\\0\\0\\x20", b"\\x20\\0\\x21\\0\\x40\\0",
                            b"\\0\\x21\\0\\x20\\1\\0\\x10\\x0e\\2",
                            b"\\0\\0\\x21\\5\\0", b"\\0\\0\\xff", b"\\1\\0\\0", b"\\x10\\0\\xf0" + home):
                device.receive(cluster, bytes((0, command, command)) + payload)
                device.receive(cluster, bytes((1, command, command)) + payload)
    for cluster in range(0x40):
        for payload in (b"", b"\\1\\x1a\\1", b"\\1\\x1a\\4\\1\\1\\0\\5\\0",
                        bytes(range(8)) + b"\\1\\1\\0\\3" + home + b"\\1"):
            print(cluster, device.descriptor(cluster, payload))
    sched.run_until(sched.now_ms + 10 * 3600000)
    for name, argument in (("set_smoke", True), ("press", "call"), ("press", "cancel"), ("set_open", True),
                           ("see", 5000), ("set_tamper", True), ("set_battery", 60), ("set_radio_battery", 50),
                           ("set_temperature", -500), ("sleep_away", 100)):
        if hasattr(device, name):
            getattr(device, name)(argument)
            sched.run_until(sched.now_ms + 3600000)
    device.radio = False
    print(device.radio, device.poll_in_ms(), sorted(device.attributes(1).items()))
    device.restart()
    device.left()
'''


def test_micropython_does_the_same(micropython):
    here = io.StringIO()
    with contextlib.redirect_stdout(here):
        exec(compile(STORY, "story", "exec"), {})  # noqa: S102
    there = micropython(["-c", STORY])
    assert here.getvalue().count("\n") > 3000
    assert there == here.getvalue()
