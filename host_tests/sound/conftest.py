"""The synthesiser and the spoken texts, made once."""

import os
import pathlib

import pytest

from firmware.texts import TEXTS
from tools import sound_espeak
from tools.sound import Build

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def espeak():
    """The synthesiser: an error in CI when it is missing, a visible skip elsewhere."""
    try:
        sound_espeak.load()
    except sound_espeak.EspeakError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def built(espeak):
    """build/sound as a build leaves it; made when it is not up to date (some 5 s)."""
    out = ROOT / "build" / "sound"
    Build(out, ROOT / "recordings", TEXTS, check=False).run()
    return out
