"""Read the header of a WAV file: where the samples are and how many.

Owns the bounds: what it answers lies inside the file and is whole samples. Must never read beyond the
bytes it was given, and takes one form of sound only, the one the gateway speaks.
"""

from micropython import const

RATE_HZ = const(16000)
BYTES_A_MS = const(32)  # 16 kHz, 16 bits, mono
HEADER_BYTES = const(512)  # the data chunk must begin within the first so many bytes; ours begins at 44
LONGEST_BYTES = const(1920000)  # 60 s; no spoken text comes near

_PCM = const(1)
_EXTENSIBLE = const(0xFFFE)
_CHUNK_LIMIT = const(16)


class WavError(Exception):
    """Not a WAV file of 16 kHz, 16-bit, mono PCM; the argument says why."""


def _u16(buf: bytes, at: int) -> int:
    return buf[at] | buf[at + 1] << 8


def _u32(buf: bytes, at: int) -> int:
    return _u16(buf, at) | _u16(buf, at + 2) << 16


def _check_format(buf: bytes, at: int, size: int) -> None:
    """WAVEFORMATEX at `at` (Microsoft, RIFF multimedia programming interface 1.0, section 3)."""
    if size < 16 or at + 16 > len(buf):
        raise WavError("fmt chunk cut short")
    if _u16(buf, at) not in (_PCM, _EXTENSIBLE):
        raise WavError("not PCM")
    if _u16(buf, at + 2) != 1 or _u32(buf, at + 4) != RATE_HZ or _u16(buf, at + 14) != 16 or _u16(buf, at + 12) != 2:
        raise WavError("not 16 kHz 16-bit mono")


def parse(buf: bytes, file_bytes: int) -> "tuple[int, int]":
    """(offset, length) of the samples in bytes, from the first bytes of a file that is file_bytes long.

    A file that ends before its data chunk does is refused: half a prompt is worse than the fault it hides.
    """
    if len(buf) < 12 or buf[0:4] != b"RIFF" or buf[8:12] != b"WAVE":
        raise WavError("no RIFF header")
    at = 12
    known = False
    for _ in range(_CHUNK_LIMIT):
        if at + 8 > len(buf):
            break
        size = _u32(buf, at + 4)
        if buf[at:at + 4] == b"data":
            if not known:
                raise WavError("data before fmt")
            return at + 8, _data_length(at + 8, size, file_bytes)
        if buf[at:at + 4] == b"fmt ":
            _check_format(buf, at + 8, size)
            known = True
        at += 8 + size + (size & 1)
    raise WavError("no data chunk in the header")


def _data_length(offset: int, size: int, file_bytes: int) -> int:
    if size > LONGEST_BYTES:
        raise WavError("too long")
    if offset + size > file_bytes:
        raise WavError("file cut short")
    if size < 2:
        raise WavError("no samples")
    return size & ~1


def length_ms(data_bytes: int) -> int:
    """How long so many bytes of samples last, in ms, rounded up."""
    return (data_bytes + BYTES_A_MS - 1) // BYTES_A_MS
