"""What a spoken text may be: its length, level and size, and how its spelling is read aloud.

Owns the numbers and the table of spellings. Every refusal is one line that names the text or file.
"""

import pathlib
import wave
from array import array

from firmware.texts import PROMPTS, REPORTS
from tools import sound_pcm as pcm

RATE_HZ = 16000
BYTES_A_MS = RATE_HZ * 2 // 1000

# The prompt is spoken twice within 15.0 s of the trigger, the report twice within 10.0 s of the answer
# (specification of the in-home equipment, emergency call). The lead-in and the gaps are the firmware's.
PROMPT_WINDOW_MS, PROMPT_LEAD_IN_MS, PROMPT_GAP_MS = 15000, 400, 500
REPORT_WINDOW_MS, REPORT_MARGIN_MS, REPORT_GAP_MS = 10000, 500, 300
PROMPT_LIMIT_MS = (PROMPT_WINDOW_MS - PROMPT_LEAD_IN_MS - PROMPT_GAP_MS) // 2
REPORT_LIMIT_MS = (REPORT_WINDOW_MS - REPORT_MARGIN_MS - REPORT_GAP_MS) // 2
OTHER_LIMIT_MS = 5000  # a sentence the person waits through
TARGET_PART = 0.975  # the synthetic voice aims this far inside the limit
SHORTEST_MS = 500

# espeak's default is 175; slower is clearer to the old. The instructions are given slower than the news.
SLOWEST_WPM, SLOWEST_OTHER_WPM, FASTEST_WPM, STEP_WPM = 144, 154, 200, 2

LEAD_LIMIT_MS, TAIL_LIMIT_MS = 30, 60
LOUDEST_DBFS, QUIETEST_PEAK_DBFS = -0.5, -1.5  # the finished text; its peak is put at -1
QUIETEST_RMS_DBFS = -26.0
RECORDED_PEAK_DBFS = -12.0  # a recording quieter than this is mostly its own noise once it is raised
CLIPPED_RUN = 4  # so many samples in a row at full scale are a clipped wave
TOTAL_BYTES = 3_200_000  # of the board's flash file system, which has 8 MB
LONGEST_RECORDING_S = 30

# espeak-ng 1.52 reads 119 as a quantity (one hundred and nineteen), and writes consonants as spelt where
# Korean changes them; the right column is what it must be given to say the left one properly.
_HEARD = (
    ("119", "일일구"), ("10분", "십뿐"), ("없습니다", "업씀니다"), ("없어", "업써"), ("있습니다", "이씀니다"),
    ("않습니다", "안씀니다"), ("되었습니다", "되어씀니다"), ("끝났습니다", "끈나씀니다"), ("끝납니다", "끈남니다"),
    ("껐습니다", "꺼씀니다"), ("입니다", "임니다"), ("합니다", "함니다"), ("마칩니다", "마침니다"),
    ("마쳤습니다", "마처씀니다"),
    ("주십시오", "주십씨오"), ("실제", "실쩨"), ("발생", "발쌩"), ("할 수", "할 쑤"), ("쓸 수", "쓸 쑤"),
    ("열렸습니다", "열려씀니다"), ("닫혔습니다", "다처씀니다"), ("끊겼습니다", "끈켜씀니다"), ("했습니다", "해씀니다"),
    ("급할", "그팔"), ("연결이", "연겨리"), ("출입문", "추림문"), ("등록", "등녹"),
)


class SoundError(Exception):
    """One line: which text or file, and what is wrong with it."""


def heard(text: str) -> str:
    """The text as it is given to the synthesiser."""
    for written, spoken in _HEARD:
        text = text.replace(written, spoken)
    return text


def limit_ms(name: str) -> int:
    """How long one play of this text may be, in ms."""
    if name in PROMPTS:
        return PROMPT_LIMIT_MS
    return REPORT_LIMIT_MS if name in REPORTS else OTHER_LIMIT_MS


def slowest_wpm(name: str) -> int:
    return SLOWEST_WPM if name in PROMPTS + REPORTS else SLOWEST_OTHER_WPM


def read_recording(path: pathlib.Path) -> array:
    """Samples of a recorded voice. SoundError unless it is 16 kHz, 16-bit, mono PCM, loud enough, not clipped."""
    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getframerate(), 8 * file.getsampwidth(), file.getnchannels())
            frames = min(file.getnframes(), LONGEST_RECORDING_S * RATE_HZ)
            data = file.readframes(frames)
    except (wave.Error, EOFError, OSError) as error:
        raise SoundError(f"{path.name}: not a PCM WAV file ({error})") from error
    if form != (RATE_HZ, 16, 1):
        channels = {1: "mono", 2: "stereo"}.get(form[2], f"{form[2]} channels")
        raise SoundError(f"{path.name}: {form[0]} Hz {form[1]}-bit {channels}, must be {RATE_HZ} Hz 16-bit mono")
    samples = pcm.from_bytes(data)
    loudest = pcm.dbfs(pcm.peak(samples))
    if loudest < RECORDED_PEAK_DBFS:
        raise SoundError(f"{path.name}: too quiet, peak {loudest:.1f} dBFS, must be {RECORDED_PEAK_DBFS:.0f} or more")
    if pcm.clipped(samples) >= CLIPPED_RUN:
        raise SoundError(f"{path.name}: clipped, {pcm.clipped(samples)} samples in a row at full scale")
    return samples


def check(name: str, label: str, samples: array) -> None:
    """SoundError when a finished text breaks a limit. label: the file or text to name."""
    length_ms = len(samples) // (RATE_HZ // 1000)
    if length_ms > limit_ms(name):
        raise SoundError(f"{label}: too long, {length_ms / 1000:.2f} s, at most {limit_ms(name) / 1000:.2f} s")
    if length_ms < SHORTEST_MS:
        raise SoundError(f"{label}: too short, {length_ms / 1000:.2f} s, at least {SHORTEST_MS / 1000:.2f} s")
    loudest = pcm.dbfs(pcm.peak(samples))
    if not QUIETEST_PEAK_DBFS <= loudest <= LOUDEST_DBFS or pcm.clipped(samples) >= CLIPPED_RUN:
        raise SoundError(f"{label}: peak {loudest:.1f} dBFS, must be near {pcm.PEAK_DBFS:.0f} and not clipped")
    level = pcm.dbfs(pcm.rms(samples))
    if level < QUIETEST_RMS_DBFS:
        raise SoundError(f"{label}: too quiet, RMS {level:.1f} dBFS, must be {QUIETEST_RMS_DBFS:.0f} or more")
    first, last = pcm.sounding(samples)
    lead, tail = first // (RATE_HZ // 1000), (len(samples) - last) // (RATE_HZ // 1000)
    if lead > LEAD_LIMIT_MS or tail > TAIL_LIMIT_MS:
        allowed = f"at most {LEAD_LIMIT_MS} and {TAIL_LIMIT_MS}"
        raise SoundError(f"{label}: silence of {lead} ms before and {tail} ms after, {allowed}")
