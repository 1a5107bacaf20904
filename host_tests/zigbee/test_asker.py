"""Questions with answers, and the sender under them: what is matched, what is not, how a frame's end is told."""

import json

import pytest

from zigbee.joining.asker import Asker, Question


class NoSender:
    def post(self, item):
        return True

    def withdraw(self, item):
        pass


@pytest.fixture
def asker():
    return Asker(NoSender(), lambda: 7)


def message(short=0x1234, cluster=0x0000, control=0x18, tsn=7, command=1, payload=b"\x04\x00\x86", maker=b""):
    frame = bytes((control,)) + maker + bytes((tsn, command)) + payload
    head = bytes(2) + cluster.to_bytes(2, "little") + short.to_bytes(2, "little") + bytes((1, 1, 0, 200, 0)) + bytes(5)
    return bytearray(head + bytes((len(frame),)) + frame + b"\x34\x12\x1d")


def ask(asker, message_, **fields):
    question = Question(0x1234, 0x0000, 7, 1, **fields)
    asker._open[:] = [question]
    asker.take(message_, 0, len(message_))
    return question.answer


def test_the_answer_is_matched(asker):
    assert ask(asker, message()) == b"\x01\x04\x00\x86"
    assert ask(asker, message(command=0x0B, payload=b"\x00\x86")) == b"\x0b\x00\x86"  # a default response
    assert ask(asker, message(control=0x1C, maker=b"\x5f\x11"), maker=0x115F) == b"\x01\x04\x00\x86"


@pytest.mark.parametrize("other", [
    {"short": 0x1235}, {"cluster": 1}, {"tsn": 8}, {"command": 0x0A}, {"control": 0x19},
    {"control": 0x1C, "maker": b"\x5f\x11"},
])  # fmt: skip
def test_what_is_no_answer(asker, other):
    assert ask(asker, message(**other)) is None


def test_the_first_answer_counts(asker):
    question = Question(0x1234, 0x0000, 7, 1)
    asker._open[:] = [question]
    for payload in (b"\x04\x00\x86", b"\x05\x00\x86"):
        one = message(payload=payload)
        asker.take(one, 0, len(one))
    assert question.answer == b"\x01\x04\x00\x86"


def test_device_profile_answers_are_matched_by_command_and_sender(asker):
    for command, data, matched in [
        (0x4582, b"\x34\x12\x00", True), (0x4585, b"\x34\x12\x00", False), (0x4582, b"\x35\x12\x00", False),
        (0x4582, b"\x34", False),
    ]:  # fmt: skip
        question = Question(0x1234, -1, 0, 0x4582)
        asker._open[:] = [question]
        asker.profile(command, data)
        assert (question.answer is not None) is matched
    assert asker.broken == 1


PROGRAM = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from scene_pairing import *
from zigbee.sender import Outgoing
home = Home()
sender = home.coordinator.sender
events = []
def post(short, urgent=False, tries=1):
    item = Outgoing(short, 1, 0, b"\\x10\\x01\\x00\\x04\\x00", urgent, 0, tries)
    item.told = asyncio.Event()
    events.append(item)
    return sender.post(item)
home.at(5000, home.pairing.open, 60, False)
home.at(6000, home.chip.pair, "smoke", "smoke", "hall")
def go():
    short = home.chip.air.devices["smoke"].short
    post(short)
    post(0x4444)
    post(0x4445, False, 3)
home.at(40000, go)
def drop():
    sender.enable(False)
    post(0x4446)
    sender.withdraw(events[-1])
    tell("room", sender.room)
home.at(60000, drop)
home.at(61000, lambda: tell("outcomes", [item.outcome for item in events], [item.told.is_set() for item in events]))
home.run(62000)
"""


def test_the_sender_tells_how_a_frame_ended(micropython):
    lines = [json.loads(line) for line in micropython(["-c", PROGRAM]).splitlines()]
    found = [line[2:] for line in lines if line[1] == "outcomes"]
    assert found == [[[0, 1, 1, -1], [True, True, True, False]]]
    assert [line[2] for line in lines if line[1] == "room"] == [16]
