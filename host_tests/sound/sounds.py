"""Made-up sounds for the tests: noise that is not speech, but has the form, length and level of it."""

import json
import pathlib
import random
from array import array

from tools import sound, sound_pcm


def noise(ms: int, seed: int = 1, amplitude: int = 20000, rate_hz: int = 16000) -> array:
    """Noise with the silence of a finished text around it."""
    draw = random.Random(seed)
    body = [draw.randint(-amplitude, amplitude) for _ in range((ms - 35) * rate_hz // 1000)]
    return sound_pcm.silence(15, rate_hz) + array("h", body) + sound_pcm.silence(20, rate_hz)


def write_folder(folder: pathlib.Path, lengths_ms: dict[str, int]) -> dict:
    """A sound folder with one noise for each name, and its index; returns the index."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {}
    for number, (name, ms) in enumerate(lengths_ms.items()):
        file = sound.wav_bytes(noise(ms, seed=number + 1))
        (folder / f"{name}.wav").write_bytes(file)
        index[name] = sound.entry(f"text of {name}", file)
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    return index
