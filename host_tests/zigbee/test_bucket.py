"""Floods: what is cut off, what passes all the same, and what the rest of the home notices of it (fault 40)."""

import json

import pytest

from zigbee import ias, told
from zigbee.bucket import BURST, FLOOD, PAUSE_MS, RATE, Flow
from zigbee.devices import Devices
from zigbee.frames import AF_INCOMING_MSG, encode
from zigbee.incoming import Incoming
from zigbee.reader import Reader

SHORT = 0x1234


def spend(flow, now_ms, frames):
    return sum(flow.spend(now_ms) for _ in range(frames))


def test_a_burst_then_a_rate():
    flow = Flow(True)
    assert spend(flow, 0, 1000) == BURST
    assert spend(flow, 1000, 1000) == RATE
    assert spend(flow, 1050, 1000) == 0
    assert spend(flow, 1100, 1000) == 1
    assert spend(flow, 3_600_000, 1000) == BURST


def test_a_lively_sensor_never_meets_the_limit():
    flow = Flow(True)
    assert all(spend(flow, number * 100, 1) for number in range(10_000))
    assert flow.look() == 0 and flow.calm


def test_a_flood_is_told_once_and_its_end_once():
    flow = Flow(True)
    news = []
    for second in range(100):
        spend(flow, second * 1000, 1000 if 20 <= second < 60 else 1)
        if second % 10 == 9:
            news.append(flow.look())
    assert news == [0, 0, 1, 0, 0, 0, -1, 0, 0, 0]
    assert flow.dropped > 38_000


def test_a_little_too_much_is_no_flood_but_what_was_cut_off_is_asked_for():
    flow = Flow(True)
    spend(flow, 0, BURST + FLOOD - 1)
    assert not flow.calm
    assert [flow.look(), flow.look(), flow.look()] == [0, 2, 0]
    assert flow.calm


@pytest.mark.parametrize("kind", [told.NOTIFIED, told.LEVEL])
def test_alarm_bits_newly_set_pass_at_once_and_others_after_a_pause(kind):
    flow = Flow(True)
    assert not flow.incident(told.PERCENT, 1, 0)
    assert flow.incident(kind, ias.ALARM_1, 0)
    assert not flow.incident(kind, ias.ALARM_1, PAUSE_MS - 1)
    assert flow.incident(kind, ias.ALARM_1 | ias.ALARM_2, PAUSE_MS - 1)
    assert flow.incident(kind, ias.TEST, PAUSE_MS - 1)
    assert not flow.incident(kind, ias.ALARM_2, PAUSE_MS)
    assert flow.incident(kind, 0, PAUSE_MS)
    assert flow.incident(kind, ias.ALARM_1, PAUSE_MS)  # a new incident
    assert not flow.incident(kind, 0, 2 * PAUSE_MS - 1)
    assert flow.incident(kind, ias.ALARM_1, 2 * PAUSE_MS)


def test_a_reported_alarm_does_not_keep_back_a_notified_one():
    flow = Flow(True)
    assert flow.incident(told.LEVEL, ias.ALARM_1, 0)
    assert flow.incident(told.NOTIFIED, ias.ALARM_1, 1)


def test_the_pendants_commands_pass_after_a_pause():
    flow = Flow(True)
    assert flow.incident(told.BUTTON, ias.PANIC, 0) and flow.incident(told.BUTTON, ias.ACE_DISARM, 1)
    assert not flow.incident(told.BUTTON, ias.EMERGENCY, 2) and not flow.incident(told.BUTTON, ias.ACE_DISARM, 3)
    assert flow.incident(told.BUTTON, ias.PANIC, PAUSE_MS)


class Home:
    """One sensor, the decoder, and what comes out of it."""

    def __init__(self, known=True):
        self.now = 0
        self.heard, self.answers, self.enrolled = [], [], []
        self.devices = Devices()
        self.device = self.devices.know("00124b0000000001", 0, True) if known else None
        if known:
            self.devices.learn(SHORT, self.device.wire)
        self.incoming = Incoming(
            self.devices.find, lambda device, *event: self.heard.append(event[2:4]),
            lambda *answer: self.answers.append(answer), lambda *who: self.enrolled.append(who), lambda: self.now,
        )  # fmt: skip
        self.incoming.unknown = self.devices.strange
        self.reader = Reader(lambda buf, at, size, command: self.incoming.take(buf, at, size))
        self.number = 0

    def zcl(self, cluster, control, command, *body, short=SHORT):
        self.number += 1
        data = bytes((control, self.number & 0xFF, command, *body))
        head = bytes((0, 0, cluster & 255, cluster >> 8, short & 255, short >> 8, 3, 1, 0, 77, 0, 1, 0, 0, 0, 0))
        frame = encode(AF_INCOMING_MSG, head + bytes((len(data),)) + data + b"\x34\x12\x1d")
        self.reader.push(frame, len(frame), self.now)

    def status(self, status, **more):
        self.zcl(ias.ZONE, 0x09, 0, status, 0, 0, 0, 0, 0, **more)

    def flood(self, frames=1000):
        """A thousand a second of several sorts, each asking for a default response."""
        for number in range(frames):
            self.now += 1
            self.zcl(ias.TEMPERATURE, 0x08, 0x0A, 0, 0, 0x29, number & 0xFF, 1)
        self.heard.clear()
        self.answers.clear()


@pytest.mark.fault(40)
def test_the_flooder_s_own_alarm_passes_and_its_floods_get_no_answer():
    home = Home()
    home.flood()
    home.status(ias.ALARM_1)
    assert home.heard == [(told.NOTIFIED, ias.ALARM_1)]
    home.zcl(ias.ZONE, 0x08, 0x0A, 2, 0, 0x19, 0, 0)  # a report of the restore
    assert home.heard[1:] == [(told.LEVEL, 0)]
    home.now += PAUSE_MS // 10 - 1
    home.zcl(ias.ACE, 0x01, ias.PANIC)
    home.zcl(ias.ACE, 0x01, ias.ARM, 0, 0, 0xFF)
    assert home.heard[2:] == [(told.BUTTON, ias.PANIC), (told.BUTTON, ias.ACE_DISARM)]
    home.zcl(ias.ZONE, 0x09, 1, 0x28, 0, 0, 0)
    assert home.answers == home.enrolled == []


@pytest.mark.fault(40)
@pytest.mark.parametrize("known", [True, False])
def test_a_flood_of_everything_comes_down_to_a_trickle(known):
    """Of alarms, restores, presses, cancels, broken and strange frames, 10,000 in 10 s, alarm first."""
    home = Home(known)
    for number in range(10_000):
        home.now += 1
        sort = number % 7
        if sort < 3:
            home.status((1, 0, 2)[sort])
        elif sort < 5:
            home.zcl(ias.ACE, 0x01, ias.PANIC if sort == 3 else ias.ARM, 0, 0, 0xFF)
        else:
            home.zcl(ias.POWER if sort == 5 else 0xEF00, 0x08, 0x0A, 0x21, 0, 0x20, 100)
    assert home.heard[0] == (told.NOTIFIED, 1)
    if known:
        assert len(home.heard) < 300
        for event in ((told.NOTIFIED, 1), (told.NOTIFIED, 0), (told.BUTTON, ias.PANIC), (told.BUTTON, ias.ACE_DISARM)):
            assert 5 <= home.heard.count(event) <= 60
    else:  # held for an unknown sender, where the places are few
        assert sum(kind > told.BUTTON for kind, _ in home.heard) <= BURST + 10 * RATE
    assert len(home.answers) < 300


@pytest.mark.fault(40)
def test_a_stranger_s_flood_does_not_touch_a_known_sender():
    home = Home()
    for number in range(5000):
        home.now += 1
        home.status(1, short=0x7000 + number % 50)
    home.heard.clear()
    home.zcl(ias.POWER, 0x18, 0x0A, 0x21, 0, 0x20, 100)
    home.zcl(ias.POWER, 0x08, 0x0A, 0x21, 0, 0x20, 101)
    assert home.heard == [(told.PERCENT, 100), (told.PERCENT, 101)]
    assert home.answers[-1][0] == SHORT


PORT = """
import gc, sys
sys.path.insert(0, "host_tests/zigbee")
from scene import *
from zigbee.frames import encode

def frame(short, number, data):
    head = bytes((0, 0, 0, 5, short & 255, short >> 8, 1, 1, 0, 77, 0, 1, 0, 0, 0, 0))
    data = bytes((data[0], number & 255)) + data[1:]
    return bytes(encode(0x4481, head + bytes((len(data),)) + data + b"\\x34\\x12\\x1d"))

home = Scene()
count = [0]
floods = []
home.coordinator.on_flood = lambda device, on: floods.append([device.index if device else -1, on, sched.now_ms])
wire = {name: device.short for name, device in home.devices.items()}
SORTS = {
    "reports": (wire["door"], b"\\x08\\x0a\\x21\\x00\\x20\\x64"),
    "alarms": (wire["door"], b"\\x09\\x00\\x01\\x00\\x00\\x00\\x00\\x00"),
    "presses": (wire["pendant"], b"\\x09\\x00\\x02\\x00\\x00\\x00\\x00\\x00"),
    "stranger": (0x7777, b"\\x09\\x00\\x01\\x00\\x00\\x00\\x00\\x00"),
    "strangers": (-1, b"\\x09\\x00\\x01\\x00\\x00\\x00\\x00\\x00"),
    "malformed": (wire["door"], b"\\x08\\x0a\\x02\\x00\\x19"),
    "short": (wire["door"], b"\\x09"),
    "garbage": (None, b""),
}
short, data = SORTS[SORT]

def more():
    count[0] += 1
    number = count[0]
    if short is None:
        one = bytes((0xFE, number * 7 & 255, 0x44, 0x81, number & 255)) + bytes(number * k & 255 for k in range(20))
    else:
        one = frame(0x6000 + number % 997 if short < 0 else short, number, data)
    home.uart._rx.extend(one)  # past the wire, which carries no more than 340 of these a second
    if 20000 <= sched.now_ms < 50000:
        sched.after(1, more)

def memory(what):
    gc.collect()
    tell(what, gc.mem_alloc())

home.at(19000, memory, "before")
home.at(20000, more)
home.at(30000, memory, "during")
home.at(49000, memory, "late")
home.at(35000, home.chip.smoke, "smoke", True)
home.at(36000, home.chip.smoke, "smoke", False)
home.at(40000, home.chip.call_button, "pendant", "call")
home.show(79000, "floods", lambda: floods)
home.show(79000, "frames", lambda: count[0])
home.show(79000, "held", lambda: len(home.coordinator.resolver.held._events))
home.show(79000, "lost", lambda: home.coordinator.sender.lost)
home.at(80000, home.chip.smoke, "smoke", True)
home.run(90000)
"""


@pytest.mark.fault(40)
@pytest.mark.parametrize(
    "sort", ["reports", "alarms", "presses", "stranger", "strangers", "malformed", "short", "garbage"]
)
def test_a_thousand_frames_a_second_disturb_nobody_s_alarm(micropython, sort):
    """Whoever sends them and whatever they are: smoke and press of others as fast as ever, memory as before."""
    printed = micropython(["-c", f"SORT = {sort!r}\n" + PORT])
    lines = [json.loads(line) for line in printed.splitlines()]

    def times(*start):
        return [line[0] for line in lines if line[1:1 + len(start)] == list(start)]

    def value(what):
        return next(line[2] for line in lines if line[1] == what)

    assert lines[-1][1:] == ["alive", True]
    assert value("frames") > 29_000
    fires = times("sink", 1, 0)
    assert [at - 35_000 for at in fires if at < 60_000][0] <= 17  # 12 ms on the air, 3 on the wire, a look of 1 ms
    assert [at - 80_000 for at in fires if at >= 80_000][0] <= 17
    calls = times("sink", 3, 1)
    if sort == "presses":
        assert 20_000 <= calls[0] <= 20_002 and len(calls) <= 12
    else:
        assert len(calls) == 1 and calls[0] <= 40_017
    assert value("late") <= value("during") + 2000
    assert value("late") <= value("before") + 24_000
    flooder = {"stranger": -1, "strangers": -1, "presses": 1, "garbage": None, "short": None}.get(sort, 2)
    told_of = [[index, on] for index, on, _ in value("floods")]
    assert told_of == ([] if flooder is None else [[flooder, True], [flooder, False]])
    assert value("held") <= 24
