"""The certificates that the simulated home needs are made once, however many ask at once."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

from tools import simulator

PROGRAM = """
import pathlib, sys
from tools import simulator
simulator.LAB = pathlib.Path(sys.argv[1])
simulator.certificates(sys.argv[2])
"""


def test_several_at_once_make_one_lab(tmp_path):
    started = [subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path / "lab"), f"GW-{index % 2}"], cwd=ROOT)
               for index in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4
    authority = (tmp_path / "lab" / "ca.der").read_bytes()
    for name in ("GW-0", "GW-1", simulator.RELAY):
        assert (tmp_path / "lab" / name / "ca.der").read_bytes() == authority
        assert os.stat(tmp_path / "lab" / name / "key.der").st_mode & 0o77 == 0


def test_the_firmware_finds_the_certificates_of_its_number(tmp_path, monkeypatch):
    monkeypatch.setattr(simulator, "LAB", tmp_path / "lab")
    (tmp_path / "files").mkdir()
    simulator.furnish(tmp_path / "files", "GW-000042")
    for name in ("ca.der", "cert.der", "key.der", "server/cert.der", "server/key.der"):
        assert (tmp_path / "files" / "tls" / name).read_bytes()[:1] == b"\x30"
    assert b"GW-000042" in (tmp_path / "files" / "tls" / "cert.der").read_bytes()
    assert b"relay.lab" in (tmp_path / "files" / "tls" / "server" / "cert.der").read_bytes()


def test_a_number_that_cannot_be_certified_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(simulator, "LAB", tmp_path / "lab")
    with pytest.raises(LookupError, match="no certificates for") as caught:
        simulator.certificates("no/number")
    assert "\n" not in str(caught.value)
