"""What a broker may send under fuzz: a seeded part here, FUZZ_COUNT for more (docs/testing.md)."""

import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import fuzz_mqtt

_COUNT = int(os.environ.get("FUZZ_COUNT", "20000"))
_CHUNK = 1_000_000


@pytest.mark.req("SEC-03")
def test_whatever_a_broker_sends(micropython):
    """On MicroPython in a heap of 256 KB: good packets are dealt with, broken ones refused, nothing escapes, grows."""
    done = 0
    while done < _COUNT:
        some = min(_CHUNK, _COUNT - done)
        program = ["host_tests/mqtt/fuzz_mqtt.py", str(some), str(done + 1)]
        result = json.loads(micropython(program, "256K", 3600))
        assert result["inputs"] == some
        assert result["refused"] > some // 3
        assert result["messages"] > some // 2
        assert result["faults"] > some // 20
        done += some


def test_the_same_source_stays_in_bounds():
    """On CPython too: the same numbers come out."""
    assert fuzz_mqtt.run(2000, 7)["refused"] > 600
