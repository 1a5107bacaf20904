"""`make bench`: its parts measure, and its table says when a limit is not kept."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT, need

from tools import bench


def test_table_says_what_is_not_kept():
    rows = [bench.Row("ratio", "49", ">= 50", False), bench.Row("frames", "1,000"),
            bench.Row("heap", "3 KB", "< 9 KB", True)]
    lines = bench.table(rows).splitlines()
    assert [line.endswith("NOT KEPT") for line in lines] == [True, False, False]
    assert lines[2].endswith("ok") and "1,000" in lines[1]


def test_image_counts_code_apart_from_sound(tmp_path):
    files = [{"path": "firmware/app.mpy", "bytes": 2048}, {"path": "sound/real.wav", "bytes": 10240}]
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}))
    assert [row.figure for row in bench.image(tmp_path)] == ["2 KB", "12 KB"]
    assert "make image" in bench.image(tmp_path / "none")[0].figure


def test_a_home_is_counted_and_a_heap_that_is_too_small_is_seen():
    need("micropython")
    home = {"seed": 1, "until": 60_000, "sensors": bench.IDLE_SENSORS, "steps": []}
    run = bench.play(home, sample_ms=bench.SAMPLE_MS)
    assert run.counts["dials"] == 0 and run.counts["wakes"] > 50
    assert 100_000 < run.counts["world"] < run.counts["peak"] < run.counts["heap"] < 1 << 22
    pressed = bench.play({**home, "steps": [{"at": 20_000, "do": "press", "button": "119"}]})
    assert pressed.counts["dials"] == 1
    assert bench.play(home, "150K") is None


def test_a_home_that_is_lived_in_registers_its_sensors_and_its_flash_is_counted():
    need("micropython")
    home = {**bench.lived_in(4), "until": bench.SETTLED_MS + 3_700_000}
    counts = bench.play(home).counts
    assert counts["kept"]["ready"] == 4 and counts["kept"]["sensors"] > 1000 and counts["kept"]["network"] > 1000
    assert counts["worst"] in (1, 2) and counts["programmed"] > counts["programs"] > 4 and counts["erases"] >= 2
    days = {step["at"] for step in bench.lived_in(32)["steps"]}
    assert max(days) < bench.DAY_MS and len(bench.lived_in(32)["steps"]) > 32 + 16 + 45


def test_an_unknown_part_is_one_line():
    done = subprocess.run([sys.executable, "-m", "tools.bench", "speed"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "'speed'" in done.stderr


def test_the_help_says_how_it_is_called():
    said = subprocess.run([sys.executable, "-m", "tools.bench", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert "usage: python -m tools.bench" in said.stdout and 'make bench ARGS="flashlog link"' in said.stdout


@pytest.mark.fault(82)
def test_what_32_sensors_cost():
    """No frame of the standard clusters takes memory on its way to the product and through it."""
    need("micropython")
    rows = bench.sensors()
    assert not [row for row in rows if row.ok is False]
    assert sum(row.ok is True for row in rows) >= 9
    heap = [int(row.figure.split()[0].replace(",", "")) for row in rows if row.what.startswith("heap of a sensor")]
    assert sum(heap) * 32 < 160_000
