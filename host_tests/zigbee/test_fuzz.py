"""The parsers under fuzz: a seeded part here, FUZZ_COUNT for more (ten million of each were run by hand)."""

import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import fuzz_reader
import fuzz_zcl

_COUNT = int(os.environ.get("FUZZ_COUNT", "60000"))
_CHUNK = 1_000_000


def _run(micropython, script, *arguments):
    """In chunks, each with a seed of its own; the results."""
    done = 0
    while done < _COUNT:
        some = min(_CHUNK, _COUNT - done)
        program = [f"host_tests/zigbee/{script}", *arguments, str(some), str(done + 1)]
        result = json.loads(micropython(program, heap="256K", env={"MICROPYPATH": ".:.frozen"}))
        assert result["inputs"] == some
        yield result
        done += some


@pytest.mark.fault(23)
@pytest.mark.fault(24)
@pytest.mark.fault(25)
def test_machine_code(micropython):
    """On MicroPython, in a 256 KB heap: the next good frame is always delivered, nothing escapes, nothing grows."""
    for result in _run(micropython, "fuzz_reader.py"):
        assert result["frames"] > result["inputs"]


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("sort", ["zcl", "mask"])
def test_what_comes_over_the_air(micropython, sort):
    """Every cluster we use, and our own: no escape, no growth, no alarm from nothing."""
    for result in _run(micropython, "fuzz_zcl.py", sort):
        assert result["failures"] == 0
        assert result["broken"] > result["inputs"] // 8
        assert result["masks"] > result["inputs"] // 8 if sort == "mask" else result["alarms"] > result["inputs"] // 20


def test_the_same_source_stays_in_bounds():
    """On CPython an index out of bounds is an exception."""
    result = fuzz_reader.run(min(_COUNT // 30, 100_000), 11)
    assert result["bad_fcs"] and result["bad_form"] and result["timeouts"]
    for sort in ("zcl", "mask"):
        assert fuzz_zcl.run(sort, min(_COUNT // 6, 100_000), 12)["broken"]
