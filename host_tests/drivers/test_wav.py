"""The WAV header parser: what it takes, what it refuses, and that nothing gets past it."""

import io
import os
import random
import struct
import wave

import pytest

from drivers import wav


def chunk(name, body):
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def fmt(tag=1, channels=1, rate=16000, align=2, bits=16):
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits))


def riff(*chunks):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


DATA = chunk(b"data", bytes(range(200)))


def parse(file):
    return wav.parse(file[:wav.HEADER_BYTES], len(file))


def test_what_pythons_wave_writes():
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"\1\2" * 16000)
    assert parse(buffer.getvalue()) == (44, 32000)
    assert wav.length_ms(32000) == 1000
    assert wav.length_ms(32001) == 1001


@pytest.mark.parametrize("before", [
    chunk(b"LIST", b"INFOISFT\x0e\0\0\0Lavf60.3.100\0\0"), chunk(b"odd ", b"abc"), chunk(b"fact", bytes(4)) * 3,
])
def test_chunks_between(before):
    for file in (riff(fmt(), before, DATA), riff(before, fmt(), DATA)):
        offset, length = parse(file)
        assert file[offset:offset + length] == bytes(range(200))


def test_extensible_format_and_odd_length():
    extensible = chunk(b"fmt ", struct.pack("<HHIIHH", 0xFFFE, 1, 16000, 32000, 2, 16) + bytes(24))
    assert parse(riff(extensible, chunk(b"data", bytes(101))))[1] == 100


@pytest.mark.parametrize("file, why", [
    (b"", "no RIFF header"),
    (b"RIFX" + riff(fmt(), DATA)[4:], "no RIFF header"),
    (riff(DATA, fmt()), "data before fmt"),
    (riff(fmt(channels=2, align=4), DATA), "not 16 kHz 16-bit mono"),
    (riff(fmt(rate=22050), DATA), "not 16 kHz 16-bit mono"),
    (riff(fmt(bits=8, align=1), DATA), "not 16 kHz 16-bit mono"),
    (riff(fmt(tag=85), DATA), "not PCM"),
    (riff(chunk(b"fmt ", bytes(8)), DATA), "fmt chunk cut short"),
    (riff(fmt()), "no data chunk in the header"),
    (riff(fmt(), chunk(b"junk", bytes(600)), DATA), "no data chunk in the header"),
    (riff(fmt(), *[chunk(b"tiny", b"")] * 40, DATA), "no data chunk in the header"),
    (riff(fmt(), chunk(b"data", b"")), "no samples"),
    (riff(fmt(), DATA)[:-1], "file cut short"),
    (riff(fmt(), b"data\xff\xff\xff\xff"), "too long"),
    (riff(fmt(), b"junk\xff\xff\xff\xff", DATA), "no data chunk in the header"),
])
def test_refused(file, why):
    with pytest.raises(wav.WavError, match=why):
        parse(file)


def judge(file):
    """The answer lies inside the file and is whole samples, or WavError; nothing else comes out."""
    try:
        offset, length = parse(file)
    except wav.WavError:
        return False
    assert offset >= 20 and length > 0 and length % 2 == 0 and offset + length <= len(file)
    return True


def test_every_truncation_is_refused():
    file = riff(fmt(), chunk(b"LIST", b"abc"), DATA)
    assert judge(file)
    assert not any(judge(file[:end]) for end in range(len(file)))


def test_every_bit_of_the_header_flipped():
    file = riff(fmt(), chunk(b"LIST", b"abcd"), DATA)
    for at in range(64):
        for bit in range(8):
            judge(file[:at] + bytes([file[at] ^ 1 << bit]) + file[at + 1:])


def test_random_headers():
    draw = random.Random(5)
    parts = [fmt(), DATA, chunk(b"LIST", b"xy"), b"data", b"fmt ", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x10\0\0\0"]
    taken = 0
    for _ in range(int(os.environ.get("FUZZ_COUNT", "3000"))):
        body = b"".join(draw.choice(parts) if draw.random() < 0.8 else draw.randbytes(3) for _ in range(6))
        taken += judge(riff(body))
    assert taken  # the mix does hold good files too


def test_under_micropython(micropython, tmp_path):
    good = riff(fmt(), chunk(b"LIST", b"abc"), DATA)
    (tmp_path / "good.wav").write_bytes(good)
    program = """
from drivers import wav
buf = open(%r, "rb").read()
print(wav.parse(buf[:512], len(buf)), wav.length_ms(64))
bad = 0
for end in range(len(buf)):
    try:
        wav.parse(buf[:end], end)
    except wav.WavError:
        bad += 1
print(bad)
""" % str(tmp_path / "good.wav")
    assert micropython(["-c", program]).split("\n")[:2] == [f"({len(good) - 200}, 200) 2", str(len(good))]
