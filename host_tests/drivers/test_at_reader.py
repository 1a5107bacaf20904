"""The AT line reader tortured: whole, byte by byte, every split, garbage around, fuzz."""

import os
import random

import pytest

from drivers.at_reader import LINE_BYTES, LineReader

ANSWER = b'\r\n+CLCC: 1,0,0,0,0,"119",129\r\n\r\nRING\r\n\r\nOK\r\n'
LINES = [b'+CLCC: 1,0,0,0,0,"119",129', b"RING", b"OK"]
FUZZ_COUNT = int(os.environ.get("FUZZ_COUNT", "3000"))


def feed(*pieces):
    lines = []
    reader = LineReader(lines.append)
    for piece in pieces:
        reader.push(memoryview(bytes(piece)))
    return lines


def test_whole():
    assert feed(ANSWER) == LINES


def test_byte_by_byte():
    assert feed(*[bytes([b]) for b in ANSWER]) == LINES


def test_every_split_in_three():
    for first in range(len(ANSWER)):
        for second in range(first, len(ANSWER)):
            assert feed(ANSWER[:first], ANSWER[first:second], ANSWER[second:]) == LINES


@pytest.mark.fault(63)
@pytest.mark.parametrize(
    "garbage", [b"\x00" * 9, b"\xff\xfe\x81", b"\xf9\x03\xef\x05", b"> ", b"O", b"x" * 5000, b"CONNECT"])
def test_garbage_before_between_and_after(garbage):
    lines = feed(garbage, ANSWER, garbage, ANSWER, garbage, b"\r\nOK\r\n")
    assert [line for line in lines if line in LINES] == LINES + LINES + [b"OK"]


@pytest.mark.fault(63)
def test_an_endless_line_is_dropped_counted_and_costs_no_memory():
    lines = []
    reader = LineReader(lines.append)
    for _ in range(1000):
        reader.push(memoryview(b"A" * 999))
    reader.push(memoryview(b"\r\nOK\r\n"))
    assert lines == [b"OK"] and reader.overlong == 1


def test_a_line_of_the_longest_length_is_kept_one_more_is_not():
    assert feed(b"A" * LINE_BYTES + b"\r\n") == [b"A" * LINE_BYTES]
    assert feed(b"A" * (LINE_BYTES + 1) + b"\r\nOK\r\n") == [b"OK"]


def test_the_prompt_needs_no_line_end():
    assert feed(b"\r\n> ") == [b">"]


def test_data_after_connect_is_not_read_as_lines():
    lines, data = [], []
    holder = []

    def on_line(line):
        lines.append(line)
        if line.startswith(b"CONNECT "):
            holder[0].raw(8)

    wire = b"\r\nCONNECT 8\r\n\r\nOK\r\n> \r\nOK\r\n"
    for cut in range(len(wire)):
        lines.clear()
        data.clear()
        reader = LineReader(on_line, lambda part: data.append(bytes(part)))
        holder[:] = [reader]
        reader.push(memoryview(wire[:cut]))
        reader.push(memoryview(wire[cut:]))
        assert b"".join(data) == b"\r\nOK\r\n> " and lines == [b"CONNECT 8", b"OK"]


@pytest.mark.fault(63)
def test_fuzz_the_next_good_answer_is_always_delivered():
    """Random bytes and AT-like shreds in random pieces; then an answer: it comes through, memory stays bounded."""
    rng = random.Random(20261122)
    shreds = [b"OK", b"\r", b"\n", b"+CLCC: ", b"> ", b"CONNECT 12", b'"', b",", b"ERROR", b"\0", b"\xf9", b"RING\r\n"]
    lines = []
    reader = LineReader(lines.append)
    for _ in range(FUZZ_COUNT):
        noise = b"".join(
            rng.choice(shreds) if rng.random() < 0.7 else rng.randbytes(rng.randrange(1, 40))
            for _ in range(rng.randrange(6)))
        if rng.random() < 0.01:
            noise += rng.randbytes(3000).replace(b"\r", b"").replace(b"\n", b"")
        wire = noise + ANSWER
        del lines[:]
        at = 0
        while at < len(wire):
            step = rng.randrange(1, 50)
            reader.push(memoryview(wire[at:at + step]))
            at += step
        assert lines[-3:] == LINES, noise
        assert all(len(line) <= LINE_BYTES for line in lines)


@pytest.mark.fault(63)
def test_the_same_on_micropython(micropython):
    program = """
import sys
sys.path.insert(0, '')
from drivers.at_reader import LineReader
import gc
ANSWER = %r
lines = []
reader = LineReader(lines.append)
state = 1
gc.collect()
before = gc.mem_alloc()
for turn in range(400):
    noise = bytearray()
    for _ in range(turn %% 90):
        state = (state * 1103515245 + 12345) & 0x7fffffff
        noise.append(state >> 16 & 255)
    del lines[:]
    reader.push(memoryview(noise))
    for byte in ANSWER:
        reader.push(memoryview(bytes([byte])))
    assert lines[-3:] == %r, (turn, lines)
del lines[:]
noise = None
gc.collect()
print(gc.mem_alloc() - before < 4000)
""" % (ANSWER, LINES)
    assert micropython(["-c", program]).strip() == "True"
