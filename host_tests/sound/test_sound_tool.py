"""The tool that makes the spoken texts: wording, limits, recordings, repeatability."""

import json
import math
import wave
from array import array

import pytest
from sound.sounds import noise

from firmware.texts import PROMPTS, REPORTS, TEXTS
from tools import sound, sound_espeak, sound_pcm, sound_rules
from tools.sound import Build
from tools.sound_rules import SoundError

# To the letter, as the service's specification of the in-home equipment gives them.
FIXED = {
    "prompt_fire": "화재가 감지되었습니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오",
    "prompt_call": "응급호출이 감지되었습니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오",
    "prompt_manual": "119로 연결합니다. 실제 상황이 아니라면 취소버튼을 눌러주십시오",
    "report_fire": "화재발생! 안심콜 시스템 확인 요청",
    "report_call": "응급호출! 안심콜 시스템 확인 요청",
}
NAMES = {
    *FIXED, "cancelled", "dialling", "dialling_test", "retrying", "ended", "silenced", "test_entered", "test_extended",
    "test_ending", "test_refused", "ended_test", "door_opened", "door_closed", "lost_smoke", "lost_pendant",
    "battery_replace", "register_open", "register_joined", "register_refused", "register_closed",
}


def write_wav(path, samples, rate=16000, channels=1, width=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(sound_pcm.to_bytes(samples))
    return path


def build(tmp_path, texts=("ended",), check=False):
    Build(tmp_path / "out", tmp_path / "recordings", {name: TEXTS[name] for name in texts}, check).run()


@pytest.mark.req("EMG-02")
@pytest.mark.req("EMG-03")
@pytest.mark.req("EMG-06")
def test_fixed_texts_to_the_letter():
    assert {name: TEXTS[name] for name in FIXED} == FIXED
    assert set(TEXTS) == NAMES
    assert set(PROMPTS + REPORTS) == set(FIXED)


@pytest.mark.req("EMG-02")
@pytest.mark.req("EMG-03")
@pytest.mark.req("EMG-06")
def test_what_was_built_keeps_every_limit(built):
    index = json.loads((built / "index.json").read_text(encoding="utf-8"))
    assert {name: entry["text"] for name, entry in index.items()} == TEXTS
    total = 0
    for name, entry in index.items():
        path = built / f"{name}.wav"
        total += path.stat().st_size
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16000, 2, 1)
            seconds = file.getnframes() / 16000
            samples = sound_pcm.from_bytes(file.readframes(file.getnframes()))
        assert abs(seconds * 1000 - entry["ms"]) <= 1
        if name in PROMPTS:
            assert seconds >= 5.5 and 0.4 + seconds + 0.5 + seconds <= 15.0
        if name in REPORTS:
            assert seconds + 0.3 + seconds + 0.5 <= 10.0
        assert -1.1 <= sound_pcm.dbfs(sound_pcm.peak(samples)) <= -0.9
        assert sound_pcm.dbfs(sound_pcm.rms(samples)) >= -26 and sound_pcm.clipped(samples) < 4
        first, last = sound_pcm.sounding(samples)
        assert first <= 16 * 30 and len(samples) - last <= 16 * 60
    assert total <= 3_200_000
    assert len({entry["head"] for entry in index.values()}) == len(index)


def test_the_index_finds_its_text(built):
    index = json.loads((built / "index.json").read_text(encoding="utf-8"))
    for name, entry in index.items():
        data = (built / f"{name}.wav").read_bytes()[44:]
        head = bytes.fromhex(entry["head"])
        assert len(data) == entry["bytes"] and data.find(head) == entry["head_at"]
        assert not any(data[:entry["head_at"]]) and any(head[:2])


def test_numbers_and_sound_changes_are_spoken_as_a_korean_would(espeak):
    assert "iɾˈiɫqu" in sound_espeak.phonemes(sound_rules.heard("119로 연결합니다"))  # il-il-gu, not 'hundred nineteen'
    assert "pˈɛq" in sound_espeak.phonemes("119로")  # why it is respelt; when this fails the table can shrink
    for name, text in TEXTS.items():
        heard = sound_rules.heard(text)
        assert not any(sign.isdigit() for sign in heard), name
        assert "pni" not in sound_espeak.phonemes(heard).replace("ˌ", "").replace("ˈ", ""), name  # -mnida, not -pnida


def test_the_same_again_byte_for_byte(espeak, tmp_path, monkeypatch):
    build(tmp_path, ("silenced", "ended"))
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    times = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    build(tmp_path, ("silenced", "ended"), check=True)

    def no_speech(*_args):
        raise AssertionError("spoken again though nothing changed")

    with monkeypatch.context() as patch:
        patch.setattr(sound, "speak", no_speech)
        build(tmp_path, ("silenced", "ended"))
    assert times == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    build(tmp_path, ("silenced", "ended"))
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_a_changed_file_is_made_again_and_an_old_one_goes(tmp_path):
    write_wav(tmp_path / "recordings/ended.wav", noise(1500))
    build(tmp_path)
    good = (tmp_path / "out/ended.wav").read_bytes()
    (tmp_path / "out/ended.wav").write_bytes(good[:-2])
    (tmp_path / "out/gone.wav").write_bytes(good)
    with pytest.raises(SoundError, match="ended: not up to date"):
        build(tmp_path, check=True)
    build(tmp_path)
    assert (tmp_path / "out/ended.wav").read_bytes() == good
    assert not (tmp_path / "out/gone.wav").exists()


def test_a_recorded_voice_takes_the_place(tmp_path):
    quiet_around = sound_pcm.silence(700, 16000) + noise(2000, amplitude=12000) + sound_pcm.silence(900, 16000)
    write_wav(tmp_path / "recordings/ended.wav", quiet_around)
    build(tmp_path)
    index = json.loads((tmp_path / "out/index.json").read_text(encoding="utf-8"))
    assert 1960 <= index["ended"]["ms"] <= 2060  # the silence went
    with wave.open(str(tmp_path / "out/ended.wav")) as file:
        assert -1.1 <= sound_pcm.dbfs(sound_pcm.peak(sound_pcm.from_bytes(file.readframes(99999)))) <= -0.9
    build(tmp_path, check=True)
    write_wav(tmp_path / "recordings/ended.wav", noise(1900, seed=7))
    with pytest.raises(SoundError, match="not up to date"):
        build(tmp_path, check=True)


@pytest.mark.parametrize("name, samples, form, why", [
    ("ended", noise(2000), {"rate": 8000}, "ended.wav: 8000 Hz 16-bit mono, must be 16000 Hz 16-bit mono"),
    ("ended", noise(2000), {"channels": 2}, "ended.wav: 16000 Hz 16-bit stereo, must be 16000 Hz 16-bit mono"),
    ("ended", noise(2000), {"width": 1}, "ended.wav: 16000 Hz 8-bit mono, must be 16000 Hz 16-bit mono"),
    ("prompt_fire", noise(7200), {}, r"prompt_fire.wav: too long, 7\.\d\d s, at most 7.05 s"),
    ("report_call", noise(4700), {}, r"report_call.wav: too long, 4\.\d\d s, at most 4.60 s"),
    ("ended", noise(200), {}, "ended.wav: too short"),
    ("ended", noise(2000, amplitude=3000), {}, r"ended.wav: too quiet, peak -20\.\d dBFS, must be -12 or more"),
    ("ended", sound_pcm.silence(2000, 16000), {}, "ended.wav: too quiet"),
    ("ended", noise(2000)[:8000] + array("h", [32767] * 9) + noise(2000)[8000:], {}, "ended.wav: clipped, 9 samples"),
    ("ended", noise(2000, amplitude=900) + array("h", [30000]), {}, "ended.wav: too quiet, RMS"),
    ("unheard", noise(2000), {}, "unheard.wav: no spoken text has this name"),
])
def test_a_bad_recording_fails_the_build_with_one_line(tmp_path, capsys, monkeypatch, name, samples, form, why):
    write_wav(tmp_path / f"recordings/{name}.wav", samples, **form)
    monkeypatch.setattr(sound, "TEXTS", {key: TEXTS[key] for key in TEXTS if key == name})
    assert sound.main(["--out", str(tmp_path / "out"), "--recordings", str(tmp_path / "recordings")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("sound: ")
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(error)


def test_not_a_wav_at_all(tmp_path):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings/ended.wav").write_bytes(b"ID3 an mp3 with the wrong name")
    with pytest.raises(SoundError, match=r"ended\.wav: not a PCM WAV file"):
        build(tmp_path)


def test_all_together_too_big(tmp_path, monkeypatch):
    write_wav(tmp_path / "recordings/ended.wav", noise(2000))
    monkeypatch.setattr(sound_rules, "TOTAL_BYTES", 60000)
    with pytest.raises(SoundError, match="all texts together"):
        build(tmp_path)


def test_two_that_begin_alike(tmp_path):
    write_wav(tmp_path / "recordings/ended.wav", noise(2000))
    write_wav(tmp_path / "recordings/ended_test.wav", noise(2000))
    with pytest.raises(SoundError, match="begins with the same"):
        build(tmp_path, ("ended", "ended_test"))


def test_a_text_no_speed_can_fit(espeak, tmp_path, monkeypatch):
    monkeypatch.setattr(sound_rules, "OTHER_LIMIT_MS", 700)
    with pytest.raises(SoundError, match="ended: too long"):
        build(tmp_path)


def test_a_synthesiser_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(sound.sys, "executable", "/bin/false")
    with pytest.raises(SoundError, match="ended: the synthesiser ended with 1"):
        build(tmp_path)


def test_resampling_keeps_the_tone_and_removes_what_does_not_fit():
    def tone(hz, rate):
        return array("h", [round(16000 * math.sin(2 * math.pi * hz * n / rate)) for n in range(rate // 2)])

    kept = sound_pcm.resample(tone(1000, 22050), 22050, 16000)
    wanted = tone(1000, 16000)
    assert len(kept) == len(wanted) and max(abs(kept[n] - wanted[n]) for n in range(200, 7800)) < 40
    gone = sound_pcm.resample(tone(9500, 22050), 22050, 16000)
    assert sound_pcm.dbfs(sound_pcm.peak(gone[200:7800])) < -50


def test_a_trimmed_sound_starts_and_ends_softly():
    loud = array("h", [20000, -20000] * 4000)
    murmur = array("h", [150, -150] * 800)  # -42 dB: silence, but not nothing
    done = sound_pcm.trim(murmur + loud + murmur, 16000)
    assert len(done) == len(loud) + (15 + 10 + 30 + 20) * 16
    assert not any(done[:240]) and not any(done[-320:])
    assert [abs(value) for value in done[240:400]] == sorted(abs(value) for value in done[240:400])
    assert abs(done[240]) < 2 and abs(done[-321]) < 2 and abs(done[399]) > 100
