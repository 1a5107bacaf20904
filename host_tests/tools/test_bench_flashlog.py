"""`make bench`, the flash log beside littlefs: it measures, and the log keeps its limits."""

import pytest
from conftest import need

from tools import bench_flashlog


@pytest.mark.req("TEL-02")
@pytest.mark.fault(15)
def test_the_flash_log_programs_and_erases_little():
    need("micropython")
    found = bench_flashlog.measure(480)
    ours = found["log"]
    assert 1 < ours["amplification"] <= bench_flashlog.MOST_AMPLIFICATION
    assert 0.07 < ours["erases"] <= bench_flashlog.MOST_ERASES
    for other in ("append", "files"):
        assert found[other]["amplification"] > ours["amplification"] and found[other]["erases"] > ours["erases"]
        assert found[other]["busy_ms"] > ours["busy_ms"] > 1


def test_the_rows_say_what_is_not_kept(monkeypatch):
    cost = {"amplification": 1.2, "erases": 0.05, "busy_ms": 6.0, "append_us": 100, "read_us": 10}
    monkeypatch.setattr(bench_flashlog, "measure", lambda: dict.fromkeys(bench_flashlog.WAYS, cost))
    rows = bench_flashlog.flashlog()
    assert [row.ok for row in rows if row.ok is not None] == [False, True]
    assert {row.figure for row in rows if row.what.endswith("computer, appended")} == {"10,000"}
