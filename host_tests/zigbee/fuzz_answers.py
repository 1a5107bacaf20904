"""Fuzzing what a joining device answers: `fuzz_answers.py COUNT SEED` prints a JSON object. MicroPython and CPython.

Each input is a good answer broken in some way, or rubbish. A parser gives None, nothing, or something of its own form:
nothing escapes, nothing is longer than its limit. The whole chain is fuzzed too: the asker with an open question.
"""

import json
import sys

sys.path[:0] = [".", "host_tests/zigbee"]

from fuzz_reader import Random  # noqa: E402

from zigbee.joining import answers, describing, zdo  # noqa: E402
from zigbee.joining.asker import Asker, Question  # noqa: E402

SIMPLE = bytes((0x34, 0x12, 0, 0x34, 0x12, 20, 1, 4, 1, 2, 4, 0, 4, 0, 0, 1, 0, 3, 0, 0, 5, 2, 1, 5, 25, 0))
NODE = bytes((0x34, 0x12, 0, 0x34, 0x12, 2, 0x40, 0x80, 0x07, 0x12, 80, 80, 0, 0, 0, 0, 0, 0))
ENDPOINTS = bytes((0x34, 0x12, 0, 0x34, 0x12, 2, 1, 242))
STATUS = bytes((0x34, 0x12, 0))
READ = b"\x04\x00\x00\x42\x04Home\x05\x00\x00\x42\x05Smoke\x07\x00\x00\x30\x03\x10\x00\x86"
CONFIGURED = b"\x00\x00\x02\x00\x8c\x00\x21\x00"
CONFIGURATION = b"\x00\x00\x21\x00\x20\x1e\x00\x40\x38\x05\x00\x00\x02\x00\x19\x00\x00\x40\x38\x8b\x00\x20\x00"
GOOD = (SIMPLE, NODE, ENDPOINTS, STATUS, READ, CONFIGURED, CONFIGURATION, b"\x00", b"\x02\x00", b"\x05Smoke")
MESSAGE = b"\x00\x00\x00\x00\x34\x12\x01\x01\x00\xc8\x00\x01\x00\x00\x00\x00"


def broken(random: Random) -> bytes:
    """An answer as it must not be, sometimes as it should."""
    kind = random.below(6)
    if kind == 0:
        return bytes(random.below(256) for _ in range(random.below(60)))
    data = bytearray(GOOD[random.below(len(GOOD))])
    if kind == 1:
        return bytes(data[:random.below(len(data) + 1)])
    if kind == 2:
        for _ in range(1 + random.below(4)):
            data[random.below(len(data))] = random.below(256)
    elif kind == 3:
        at = random.below(len(data))
        return bytes(data[:at]) + bytes(random.below(256) for _ in range(random.below(8))) + bytes(data[at:])
    elif kind == 4:
        return bytes(data) + bytes(data)
    return bytes(data)


def check(data: bytes) -> int:
    """Every parser; AssertionError when what comes out is not of its form. Returns how many took it."""
    found = zdo.simple(data)
    taken = 0
    if found is not None:
        taken += 1
        assert len(found) == 5 and len(found[3]) <= 32 and len(found[4]) <= 32, "simple"
        assert len(data) == 14 + 2 * len(found[3]) + 2 * len(found[4]), "simple's length"
    some = zdo.endpoints(data)
    if some is not None:
        taken += 1
        assert len(some) <= 16 and some == sorted(set(some)) and all([0 < one <= 240 for one in some]), "endpoints"
    capabilities = zdo.node(data)
    if capabilities is not None:
        taken += 1
        assert 0 <= capabilities <= 255 and len(data) == 18, "node"
    one = zdo.status(data)
    assert (one is None) is (len(data) < 3), "status"
    values = answers.read(data)
    assert len(values) <= 16 and sum([4 + len(values[key][1]) for key in values]) <= len(data), "read"
    assert set(answers.configured(data, (0x20, 0x21))) <= {0x20, 0x21}, "configured"
    assert len(answers.configuration(data)) <= 16, "configuration"
    assert -1 <= answers.written(data) <= 255 and -1 <= answers.default(data) <= 255, "status"
    text = describing.text(data)
    assert len(text) <= 32 and all([32 <= ord(letter) < 127 for letter in text]), "text"
    return taken


class NoSender:
    def post(self, item: object) -> bool:
        return True

    def withdraw(self, item: object) -> None:
        pass


def ask(random: Random, asker: Asker, data: bytes) -> int:
    """The same bytes as a message, and as a device profile answer, while questions are open. 1: one was answered."""
    question = Question(0x1234, 0x0000, 7, 1)
    profile = Question(0x1234, -1, 0, 0x4584)
    asker._open[:] = [question, profile]
    head = bytes((0x18 if random.below(4) else random.below(256), 7, 1))
    body = (head + data)[:200]
    size = len(body) if random.below(8) else random.below(256)
    message = bytearray(MESSAGE + bytes((size,)) + body + b"\x34\x12\x1d")
    asker.take(message, 0, len(message))
    asker.profile(0x4584, data)
    for one in (question, profile):
        assert one.answer is None or len(one.answer) <= 250, "answer"
    return (question.answer is not None) + (profile.answer is not None)


def run(count: int, seed: int) -> dict:
    """Fuzz; AssertionError names what was broken, with the input."""
    random = Random(seed)
    asker = Asker(NoSender(), lambda: 7)
    taken = answered = 0
    for number in range(count):
        data = broken(random)
        try:
            taken += check(data)
            answered += ask(random, asker, data)
        except Exception as error:  # noqa: BLE001
            raise AssertionError("input %d, %s: %s %s" % (number, data, type(error).__name__, error))
    return {"inputs": count, "taken": taken, "answered": answered, "broken": asker.broken}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
