"""Samples in, samples out: resampling, trimming, level. No files, no speech.

Owns the arithmetic, all of it on integers after the filter is made, so that the same input gives
the same bytes everywhere. Samples are `array("h")`, 16-bit signed.
"""

import math
import sys
from array import array
from operator import mul

FULL_SCALE = 32767
PEAK_DBFS = -1.0
SILENT_PART = 100  # quieter than a hundredth of the peak (-40 dB) is silence
PREROLL_MS = 10  # kept before the first sound, faded in: the onset is not chopped
LEAD_MS = 15  # zeros before it: the amplifier wakes in them (MAX98357A, turn-on time 7.5 ms at most)
RELEASE_MS = 30  # kept after the last sound, faded out
TAIL_MS = 20  # zeros after it
_HALF_TAPS = 20  # filter length on each side, in input samples at the lower of the two rates
_SCALE = 1 << 15
_CUTOFF = 0.92  # of the lower Nyquist frequency


def from_bytes(data: bytes) -> array:
    samples = array("h")
    samples.frombytes(data[:len(data) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def to_bytes(samples: array) -> bytes:
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples.tobytes()


def _phases(up: int, down: int) -> tuple[list[list[int]], int]:
    """Windowed-sinc taps, one list for each of the `up` positions between two input samples, and their reach."""
    cutoff = _CUTOFF * min(1.0, up / down)
    reach = math.ceil(_HALF_TAPS / min(1.0, up / down))
    phases = []
    for phase in range(up):
        taps = []
        for k in range(1 - reach, reach + 1):
            x = k - phase / up
            sinc = cutoff if x == 0 else math.sin(math.pi * x * cutoff) / (math.pi * x)
            window = 0.5 + 0.5 * math.cos(math.pi * x / reach) if abs(x) < reach else 0.0
            taps.append(sinc * window)
        gain = sum(taps)
        phases.append([round(_SCALE * tap / gain) for tap in taps])
    return phases, reach


def resample(samples: array, from_hz: int, to_hz: int) -> array:
    """The same sound at another rate, band-limited to the lower of the two."""
    if from_hz == to_hz:
        return samples[:]
    common = math.gcd(from_hz, to_hz)
    up, down = to_hz // common, from_hz // common
    phases, reach = _phases(up, down)
    padded = array("h", bytes(2 * reach)) + samples + array("h", bytes(2 * (reach + 1)))
    out = array("h")
    for n in range(len(samples) * up // down):
        at, phase = divmod(n * down, up)
        value = sum(map(mul, phases[phase], padded[at + 1:at + 1 + 2 * reach])) >> 15
        out.append(max(-FULL_SCALE, min(FULL_SCALE, value)))
    return out


def silence(for_ms: int, rate_hz: int) -> array:
    return array("h", bytes(2 * (for_ms * rate_hz // 1000)))


def peak(samples: array) -> int:
    return max(max(samples), -min(samples)) if samples else 0


def dbfs(value: float) -> float:
    return 20 * math.log10(value / FULL_SCALE) if value > 0 else -120.0


def rms(samples: array) -> float:
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples)) if samples else 0.0


def clipped(samples: array) -> int:
    """Longest run of samples at full scale: a run means that the top of the wave is missing."""
    longest = run = 0
    for value in samples:
        run = run + 1 if abs(value) >= FULL_SCALE - 1 else 0
        longest = max(longest, run)
    return longest


def sounding(samples: array) -> tuple[int, int]:
    """First and one-past-last sample that is not silence; (0, 0) when all is."""
    floor = max(1, peak(samples) // SILENT_PART)
    first = next((n for n, value in enumerate(samples) if abs(value) > floor), None)
    if first is None:
        return 0, 0
    last = next(n for n in range(len(samples) - 1, -1, -1) if abs(samples[n]) > floor)
    return first, last + 1


def trim(samples: array, rate_hz: int) -> array:
    """Without the silence at both ends, but with a soft start and end and a few zeros around."""
    first, last = sounding(samples)
    fade_in, fade_out = PREROLL_MS * rate_hz // 1000, RELEASE_MS * rate_hz // 1000
    begin, end = max(0, first - fade_in), min(len(samples), last + fade_out)
    body = samples[begin:end]
    for n in range(first - begin):
        body[n] = int(body[n] * n / (first - begin))
    for n in range(end - last):
        body[-1 - n] = int(body[-1 - n] * n / (end - last))
    return silence(LEAD_MS, rate_hz) + body + silence(TAIL_MS, rate_hz)


def normalise(samples: array) -> array:
    """Scaled so that the loudest sample is at PEAK_DBFS."""
    loudest = peak(samples)
    target = round(FULL_SCALE * 10 ** (PEAK_DBFS / 20))
    return array("h", [(value * target + loudest // 2) // loudest for value in samples]) if loudest else samples[:]
