"""The line reader that the monitor and the relay write to: torture, and whatever is not a message."""

import os
import random

import pytest

from firmware.jsonlines import JsonLines

GOOD = b'{"touch": "cancel"}\n{"hello": 1}\n'
WANT = [{"touch": "cancel"}, {"hello": 1}]


def reader(limit=256):
    seen = []
    lines = JsonLines(None, lambda message: seen.append(message) is None, limit)
    return lines, seen


def test_whole_and_byte_by_byte_and_every_split():
    for pieces in [[GOOD], [bytes([b]) for b in GOOD], *([GOOD[:n], GOOD[n:]] for n in range(len(GOOD)))]:
        lines, seen = reader()
        for piece in pieces:
            lines.feed(piece)
        assert seen == WANT and lines.refused == 0


@pytest.mark.parametrize("noise", [b"\n", b"nonsense\n", b"[1]\n", b"1\n", b"null\n", b"\xff\xfe\n", b'{"a":\n',
                                   b"x" * 5000 + b"\n"])
def test_garbage_around_is_counted_and_nothing_else_is_lost(noise):
    lines, seen = reader()
    first, second = GOOD.split(b"\n")[:2]
    lines.feed(noise + first + b"\n" + noise + second + b"\n" + noise)
    assert seen == WANT and lines.refused == 3


def test_a_line_over_the_limit_is_not_taken_in_part():
    lines, seen = reader(16)
    lines.feed(b'{"a": 1}       {"b": 2}\n{"c": 3}\n')
    assert seen == [{"c": 3}] and lines.refused == 1


def test_a_handler_that_refuses_or_raises_is_counted():
    def handle(message):
        if "raise" in message:
            raise TypeError
        return False

    lines = JsonLines(None, handle, 256)
    lines.feed(b'{"raise": 1}\n{"refuse": 1}\n')
    assert lines.refused == 2


def test_fuzz_never_escapes_and_the_next_good_line_is_delivered():
    rng = random.Random(7)
    for _ in range(int(os.environ.get("FUZZ_COUNT", "3000")) // 10):
        lines, seen = reader()
        for _ in range(10):
            data = bytearray(GOOD * 2)
            for _ in range(rng.randrange(6)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            lines.feed(bytes(data))
            assert len(lines._line) <= 256
        lines.feed(b"\n" + GOOD)
        assert seen[-2:] == WANT
