"""`make bench`, part link: it measures what it says, with few records."""

import pytest
from conftest import need
from relay.lab import LIMIT_S

from tools import bench, bench_link
from tools.relay import broker

RECORDS = 300


@pytest.fixture(scope="module")
def found():
    need("mosquitto") if broker.find() is None else None
    return bench_link.measure(RECORDS, 0.02)


def test_both_sides_are_committed_and_timed(found):
    assert 1 < found.ours_per_s < RECORDS * 1000 and 1 < found.theirs_per_s < RECORDS * 1000


def test_the_handshake_took_the_processor_and_the_records_the_line(found):
    assert found.stall_cpu_ms > 0 and 0 < found.stall_ms < LIMIT_S * 1000
    assert found.up_bytes > 150 and found.down_bytes > 3  # a status record has some 300 bytes; an answer 100 a batch


def test_the_rows_have_a_limit_where_there_is_one(found, monkeypatch):
    for rate, ok in ((bench_link.WANTED_PER_S, True), (bench_link.WANTED_PER_S - 1, False)):
        monkeypatch.setattr(bench_link, "measure", lambda rate=rate: found._replace(ours_per_s=rate))
        rows = bench_link.link()
        assert [row.ok for row in rows if "records a second" in row.what] == [ok]
        assert "1,000" in bench.table(rows)
