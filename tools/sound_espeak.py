"""Speak one text with espeak-ng's Korean voice: raw 16-bit mono samples on standard output.

Owns the foreign library and nothing else. One process a text, because the synthesiser keeps state
from one text to the next and the same text must always give the same bytes.

    python -m tools.sound_espeak WORDS_PER_MINUTE < text > samples
"""

import ctypes
import sys
from typing import Any

RATE_HZ = 22050  # espeak-ng's own; checked against what espeak_Initialize answers

# speak_lib.h of espeak-ng 1.52
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_PARAMETER_RATE = 1
_PARAMETER_VOLUME = 2
_PARAMETER_PITCH = 3
_VOLUME = 80  # of 100: no clipping inside the synthesiser; the level is set afterwards
_PITCH = 45  # of 100: a little below the default, clearer through a small loudspeaker

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakError(Exception):
    """The library is missing, or refused what it was asked."""


def load() -> ctypes.CDLL:
    """The library, initialised with the Korean voice. EspeakError when it cannot be had."""
    try:
        import espeakng_loader  # type: ignore[import-untyped]
    except ImportError as error:
        raise EspeakError("espeakng-loader is not installed (see the project's pinned requirements)") from error
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate != RATE_HZ:
        raise EspeakError(f"espeak-ng gives {rate} samples a second, {RATE_HZ} expected")
    if library.espeak_SetVoiceByName(b"ko") != 0:
        raise EspeakError("espeak-ng has no Korean voice")
    return library


def speak(text: str, words_per_minute: int) -> bytes:
    """Samples of the spoken text, 16-bit signed little endian, mono, RATE_HZ."""
    library = load()
    for parameter, value in (
        (_PARAMETER_RATE, words_per_minute), (_PARAMETER_VOLUME, _VOLUME), (_PARAMETER_PITCH, _PITCH),
    ):
        library.espeak_SetParameter(parameter, value, 0)
    samples = bytearray()

    def take(wav: Any, count: int, _events: int | None) -> int:
        if wav and count > 0:
            samples.extend(ctypes.string_at(wav, 2 * count))
        return 0

    callback = _Callback(take)
    library.espeak_SetSynthCallback(callback)
    data = text.encode() + b"\0"
    if library.espeak_Synth(data, len(data), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None) != 0:
        raise EspeakError("espeak-ng refused the text")
    library.espeak_Synchronize()
    return bytes(samples)


def phonemes(text: str) -> str:
    """How espeak-ng reads the text, in IPA: to hear with the eyes what a spelling gives."""
    library = load()
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    rest = ctypes.c_char_p(text.encode())
    parts = []
    while rest.value:
        parts.append(library.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, 2).decode())
    return " | ".join(parts)


def main() -> int:
    text = sys.stdin.buffer.read().decode()
    try:
        sys.stdout.buffer.write(speak(text, int(sys.argv[1])))
    except EspeakError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
