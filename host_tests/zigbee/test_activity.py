"""Our own cluster: a minute's 30 bits, by every order, repeat and fault of a report (docs/zigbee-profile.md)."""

import itertools
import json

import pytest

from zigbee import activity, ias, told
from zigbee.activity import NO_MASK, Report
from zigbee.devices import Devices
from zigbee.frames import AF_INCOMING_MSG, encode
from zigbee.incoming import Incoming
from zigbee.reader import Reader

MINUTE = (0, 0, 0x23, 7, 0, 0, 0)
MASK = (1, 0, 0x1B, 3, 0, 0, 0x20)
BEFORE = (2, 0, 0x1B, 0x10, 0, 0, 0)
STATE = (3, 0, 0x18, 1)
PARTS = (MINUTE, MASK, BEFORE, STATE)
GOOD = (7, 0x20000003, 0x10, 1)


def read(*parts):
    """What Report makes of the entries: the four values, 0 or -1."""
    report = Report()
    data = bytearray(sum(parts, ()))
    found = report.read(data, 0, len(data))
    return (report.minute, report.mask, report.before, report.state) if found > 0 else found


@pytest.mark.req("ZB-07")
@pytest.mark.parametrize("order", list(itertools.permutations(PARTS)))
def test_attributes_in_any_order(order):
    assert read(*order) == GOOD


def test_the_pages_own_example():
    data = bytearray.fromhex("000023070000000100 1B030000200200 1B000000000300 1800")
    report = Report()
    assert report.read(data, 0, len(data)) == 1
    assert (report.minute, report.mask, report.before, report.state) == (7, 0x20000003, 0, 0)


def test_what_may_be_left_out_and_what_may_not():
    assert read(MINUTE, MASK) == (7, 0x20000003, NO_MASK, 0)
    assert read(MINUTE, MASK, STATE) == (7, 0x20000003, NO_MASK, 1)
    assert read(MINUTE, BEFORE, STATE) == read(MASK, BEFORE, STATE) == read(STATE) == read() == 0
    unknown = ((9, 9, 0x42, 2, 65, 66), (4, 0, 0x1B, 0xFF, 0xFF, 0xFF, 0xFF), (0, 1, 0x20, 3))
    assert read(unknown[0], *PARTS[:2], unknown[1], *PARTS[2:], unknown[2]) == GOOD


def test_at_minute_0_there_is_nothing_before():
    assert read((0, 0, 0x23, 0, 0, 0, 0), MASK, BEFORE, STATE) == (0, 0x20000003, NO_MASK, 1)


def test_repeated_attributes_must_agree():
    assert read(*PARTS, *PARTS) == GOOD
    for number, part in enumerate(PARTS):
        other = part[:3] + (part[3] ^ 4,) + part[4:]
        assert read(*PARTS, other) == -1, number


@pytest.mark.req("SEC-03")
def test_bits_beyond_the_thirtieth_are_refused():
    for bit in range(32):
        value = tuple((1 << bit).to_bytes(4, "little"))
        wanted = -1 if bit > 29 else 1 << bit
        for part, place in ((MASK, 1), (BEFORE, 2)):
            mine = list(PARTS)
            mine[place] = part[:3] + value
            found = read(*mine)
            assert (found if found == -1 else found[place]) == wanted
    assert read((0, 0, 0x23, 0, 0, 0, 0x40), MASK) == -1  # minute 2^30


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("place", range(4))
def test_another_type_is_refused(place):
    for kind in range(256):
        mine = list(PARTS)
        mine[place] = mine[place][:2] + (kind, *mine[place][3:])
        assert read(*mine) == (GOOD if kind == PARTS[place][2] else -1)


def test_every_truncation_is_refused_or_says_less():
    whole = sum(PARTS, ())
    for size in range(len(whole)):
        report = Report()
        found = report.read(bytearray(whole[:size]), 0, size)
        ends = {0: 0, 7: 0, 14: 1, 21: 1}
        assert found == ends.get(size, -1)


class Home:
    def __init__(self):
        self.heard, self.masks, self.answers = [], [], []
        self.devices = Devices()
        self.device = self.devices.know("00124b0000000001", 3, False)
        self.devices.learn(0x1234, self.device.wire)
        self.incoming = Incoming(
            self.devices.find, lambda device, *event: self.heard.append(event[2]),
            lambda *answer: self.answers.append(answer), lambda *_: None, lambda: 1000,
        )  # fmt: skip
        self.incoming.on_mask = lambda device, report, lqi: self.masks.append(
            (device.index, report.minute, report.mask, report.before, report.state, lqi)
        )
        self.reader = Reader(lambda buf, at, size, command: self.incoming.take(buf, at, size))

    def send(self, *parts, cluster=activity.CLUSTER, head=(0x18, 42, 0x0A), short=0x1234):
        data = bytes(head) + bytes(sum(parts, ()))
        front = bytes((0, 0, cluster & 255, cluster >> 8, short & 255, short >> 8, 1, 1, 0, 99, 0, 1, 0, 0, 0, 0))
        frame = encode(AF_INCOMING_MSG, front + bytes((len(data),)) + data + b"\x34\x12\x1d")
        self.reader.push(frame, len(frame), 0)
        return self


@pytest.mark.req("ZB-07")
def test_a_report_is_told_once_and_is_all_that_is_told():
    home = Home().send(*PARTS)
    assert home.masks == [(3, *GOOD, 99)]
    assert home.heard == home.answers == []


def test_what_is_no_mask_is_a_sign_of_life_and_what_is_wrong_is_counted():
    assert Home().send(MINUTE, STATE).heard == [told.ALIVE]
    assert Home().send(*PARTS, head=(0x1C, 0x12, 0x34, 42, 0x0A)).heard == [told.ALIVE]  # somebody's own
    read_response = Home().send((0, 0, 0, *MINUTE[2:]), (1, 0, 0, *MASK[2:]), head=(0x18, 42, 0x01))
    assert (read_response.heard, read_response.masks) == ([told.ALIVE], [])  # of a minute long past
    broken = Home().send(MINUTE, (1, 0, 0x1B, 0, 0, 0, 0xC0))
    assert (broken.heard, broken.masks, broken.incoming.broken) == ([], [], 1)


def test_an_unknown_sender_is_looked_up_and_nothing_more():
    home = Home().send(*PARTS, short=0x5555)
    assert (home.heard, home.masks) == ([told.ALIVE], [])


@pytest.mark.fault(24)
@pytest.mark.parametrize("before", [b"", b"\xfe", b"\xfe\x2a\x44", b"\x00\xff\xfe\xfe", b"\xfe\x03\x44\x80\x00"])
def test_every_split_and_garbage_around(before):
    """In two pieces at every place, and byte by byte; what is left of a broken frame lies in front and behind."""
    data = bytes((0x18, 42, 0x0A)) + bytes(sum(PARTS, ()))
    front = bytes((0, 0, 0x30, 0xFC, 0x34, 0x12, 1, 1, 0, 99, 0, 1, 0, 0, 0, 0, len(data)))
    frame = before + bytes(encode(AF_INCOMING_MSG, front + data + b"\x34\x12\x1d")) + before
    cuts = [[frame[:cut], frame[cut:]] for cut in range(len(frame) + 1)] + [[bytes((one,)) for one in frame]]
    for pieces in cuts:
        home = Home()
        for piece in pieces:
            home.reader.push(bytearray(piece), len(piece), 0)
        home.reader.poll(1000)
        assert home.masks == [(3, *GOOD, 99)]


@pytest.mark.fault(41)
def test_an_old_report_is_not_told():
    home = Home()
    for number in range(10):
        home.send(*PARTS, head=(0x18, 40 + number, 0x0A))
    assert len(home.masks) == 10
    home.send(*PARTS, head=(0x18, 42, 0x0A))
    assert len(home.masks) == 10
    assert home.incoming.stale == 1


def test_occupancy_of_the_same_sensor_is_presence():
    assert Home().send((0, 0, 0x18, 1), cluster=ias.OCCUPANCY).heard == [told.PRESENCE]


def test_on_micropython(micropython):
    """30 bits all set fit, and a report takes no memory."""
    program = """
import gc, json
from zigbee.activity import Report
report = Report()
kinds = enumerate(b"\\x23\\x1b\\x1b")
data = bytearray(b"".join(bytes((number, 0, kind, 255, 255, 255, 63)) for number, kind in kinds))
size, before, _ = len(data), 0, 0
report.read(data, 0, size)
gc.collect()
before = gc.mem_alloc()
for _ in range(100):
    report.read(data, 0, size)
print(json.dumps([gc.mem_alloc() - before, report.minute, report.mask, report.before, report.state]))
"""
    assert json.loads(micropython(["-c", program])) == [0, 0x3FFFFFFF, 0x3FFFFFFF, 0x3FFFFFFF, 0]
