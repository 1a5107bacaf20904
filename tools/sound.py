"""Make the spoken texts: build/sound/<name>.wav and index.json.

Owns the folder it writes. Every text of `firmware/texts.py` is rendered with a synthetic Korean voice, or
taken from `recordings/<name>.wav` when somebody recorded it. The same input gives the same bytes.

    python -m tools.sound [--out build/sound] [--recordings recordings] [--check]

--check makes nothing: it fails when the folder is not what a build would give. Exit code 1 with one line
on standard error when a limit, format, level or the total size is not kept.
"""

import argparse
import binascii
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import wave
from array import array

from firmware.texts import TEXTS
from tools import sound_espeak, sound_pcm, sound_rules
from tools.sound_rules import BYTES_A_MS, RATE_HZ, SoundError

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD_BYTES = 64  # enough to tell the texts apart, 2 ms
STAMP = "stamp.json"
INDEX = "index.json"
_SPEAK_LIMIT_S = 60


def sources_hash() -> str:
    """Of everything besides text and recording that decides the bytes."""
    digest = hashlib.sha256()
    for module in (sys.modules[__name__], sound_espeak, sound_pcm, sound_rules):
        digest.update(pathlib.Path(str(module.__file__)).read_bytes())
    try:
        import espeakng_loader  # type: ignore[import-untyped]
        library = pathlib.Path(espeakng_loader.get_library_path())
        digest.update(f"{library.name} {library.stat().st_size}".encode())
    except ImportError:
        digest.update(b"no espeak")
    return digest.hexdigest()


def key_of(text: str, recording: pathlib.Path | None, sources: str) -> str:
    made_from = recording.read_bytes() if recording else b""
    return hashlib.sha256(b"\0".join([sources.encode(), text.encode(), made_from])).hexdigest()


def speak(name: str, text: str, words_per_minute: int) -> array:
    """One rendering, finished but unchecked."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.sound_espeak", str(words_per_minute)], cwd=ROOT,
        input=sound_rules.heard(text).encode(), capture_output=True, timeout=_SPEAK_LIMIT_S,
    )
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise SoundError(f"{name}: {lines[-1] if lines else 'the synthesiser ended with ' + str(done.returncode)}")
    return finish(sound_pcm.resample(sound_pcm.from_bytes(done.stdout), sound_espeak.RATE_HZ, RATE_HZ))


def finish(samples: array) -> array:
    return sound_pcm.normalise(sound_pcm.trim(samples, RATE_HZ))


def render(name: str, text: str) -> array:
    """The slowest rendering that keeps the length with a little to spare; the fastest when none does."""
    limit = int(sound_rules.limit_ms(name) * sound_rules.TARGET_PART)
    words_per_minute = sound_rules.slowest_wpm(name)
    while True:
        samples = speak(name, text, words_per_minute)
        length_ms = len(samples) * 2 // BYTES_A_MS
        if length_ms <= limit or words_per_minute >= sound_rules.FASTEST_WPM:
            return samples
        # Length goes about inversely with speed: jump near, then creep.
        near = words_per_minute * length_ms // limit
        words_per_minute = min(max(words_per_minute + sound_rules.STEP_WPM, near), sound_rules.FASTEST_WPM)


def wav_bytes(samples: array) -> bytes:
    """The canonical file: 44 bytes of header, then the samples."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(sound_pcm.to_bytes(samples))
    return buffer.getvalue()


def entry(text: str, file: bytes) -> dict:
    """What the index says of one text. head: the first bytes that are not silence, head_at: where they are."""
    data = file[44:]
    head_at = (len(data) - len(data.lstrip(b"\0"))) & ~1
    return {
        "text": text, "ms": len(data) // BYTES_A_MS, "bytes": len(data),
        "sha256": hashlib.sha256(file).hexdigest(), "crc32": binascii.crc32(data),
        "head_at": head_at, "head": data[head_at:head_at + HEAD_BYTES].hex(),
    }


def table_row(name: str, file: bytes, source: str) -> str:
    samples = sound_pcm.from_bytes(file[44:])
    level, loudest = sound_pcm.dbfs(sound_pcm.rms(samples)), sound_pcm.dbfs(sound_pcm.peak(samples))
    return f"{name:14} {len(samples) / RATE_HZ:6.2f} {loudest:6.1f} {level:6.1f}  {source}"


class Build:
    """One run over all texts into one folder."""

    def __init__(self, out: pathlib.Path, recordings: pathlib.Path, texts: dict[str, str], check: bool) -> None:
        self.out = out
        self.recordings = recordings
        self.texts = texts
        self.check = check
        self.sources = sources_hash()
        self.stamp = self._load(STAMP)

    def _load(self, name: str) -> dict:
        try:
            loaded = json.loads((self.out / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return loaded if isinstance(loaded, dict) else {}

    def _recording(self, name: str) -> pathlib.Path | None:
        path = self.recordings / f"{name}.wav"
        return path if path.exists() else None

    def _ready(self, name: str, key: str) -> bytes | None:
        """The file as an earlier build left it, when nothing it depends on changed."""
        try:
            file = (self.out / f"{name}.wav").read_bytes()
        except OSError:
            return None
        return file if self.stamp.get(name) == [key, hashlib.sha256(file).hexdigest()] else None

    def _make(self, name: str) -> bytes:
        recording = self._recording(name)
        if recording:
            samples = finish(sound_rules.read_recording(recording))
        else:
            samples = render(name, self.texts[name])
        sound_rules.check(name, recording.name if recording else name, samples)
        return wav_bytes(samples)

    def run(self) -> None:
        """Make or check every text; print the table. SoundError at the first that is refused."""
        for path in sorted(self.recordings.glob("*.wav")):
            if path.stem not in self.texts:
                raise SoundError(f"{path.name}: no spoken text has this name")
        print(f"{'name':14} {'s':>6} {'peak':>6} {'RMS':>6}  (dBFS)")
        index, stamp, total = {}, {}, 0
        for name in self.texts:
            key = key_of(self.texts[name], self._recording(name), self.sources)
            file = self._ready(name, key)
            if file is None:
                if self.check:
                    raise SoundError(f"{name}: not up to date, run python -m tools.sound")
                file = self._make(name)
            index[name] = entry(self.texts[name], file)
            stamp[name] = [key, index[name]["sha256"]]
            total += len(file)
            print(table_row(name, file, "recorded" if self._recording(name) else "synthetic"), flush=True)
            if not self.check:
                self._write(f"{name}.wav", file)
        self._check_all(index, total)
        self._finish(index, stamp)
        print(f"{len(index)} texts, {total} bytes")

    def _check_all(self, index: dict, total: int) -> None:
        if total > sound_rules.TOTAL_BYTES:
            raise SoundError(f"all texts together: {total} bytes, at most {sound_rules.TOTAL_BYTES}")
        owners: dict[str, str] = {}
        for name, made in index.items():
            other = owners.setdefault(made["head"], name)
            if other != name:
                raise SoundError(f"{name}: begins with the same {HEAD_BYTES} bytes as {other}")

    def _finish(self, index: dict, stamp: dict) -> None:
        text = json.dumps(index, ensure_ascii=False, indent=1) + "\n"
        if self.check:
            if self._load(INDEX) != index:
                raise SoundError(f"{INDEX}: not up to date, run python -m tools.sound")
            return
        for path in self.out.glob("*.wav"):
            if path.stem not in index:
                path.unlink()
        self._write(INDEX, text.encode())
        self._write(STAMP, (json.dumps(stamp, indent=1) + "\n").encode())

    def _write(self, name: str, data: bytes) -> None:
        """Whole or not at all, and untouched when it is the same already."""
        path = self.out / name
        self.out.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() == data:
            return
        part = path.with_name(name + ".part")
        part.write_bytes(data)
        part.replace(path)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make the spoken texts.")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "sound")
    parser.add_argument("--recordings", type=pathlib.Path, default=ROOT / "recordings")
    parser.add_argument("--check", action="store_true", help="make nothing, fail when the folder is not up to date")
    options = parser.parse_args(argv)
    try:
        Build(options.out, options.recordings, TEXTS, options.check).run()
    except SoundError as error:
        print(f"sound: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
