"""Records out of the database: in order, whole, as they were sent; CSV for people."""

import contextlib
import csv
import io
import json
import subprocess
import sys

import pytest
from conftest import ROOT
from relay.test_committer import arrived, batch, commit, record, undated
from relay.test_protocol import BEAT

from tools.relay import RelayError, export
from tools.relay.export import Wanted

ALL = Wanted(None, None, None)


@pytest.fixture
def filled(store):
    commit(
        store, arrived("event", batch(record(10, place="거실", sensor="=HYPERLINK(1)"), record(9), number=1), "GW-2"),
        arrived("data", batch(undated(2, kind="status", boot=3), record(1, boot=11), number=2), "GW-1"),
        arrived("event", batch(record(3, at=1772400000123, test=True, note='a "quoted", line\nbreak')), "GW-1"),
        now=1772500000000)
    return store


def exported(store, wanted=ALL, as_csv=False) -> str:
    out = io.StringIO()
    export.write(store, wanted, as_csv, out)
    return out.getvalue()


def test_json_lines_hold_every_record_as_sent_in_order(filled):
    lines = [json.loads(line) for line in exported(filled).splitlines()]
    assert [(line["gateway"], line["record"]["boot"], line["record"]["seq"]) for line in lines] == [
        ("GW-1", 3, 2), ("GW-1", 11, 1), ("GW-1", 12, 3), ("GW-2", 12, 9), ("GW-2", 12, 10)]
    assert lines[2] == {"gateway": "GW-1", "at": 1772400000123, "clock": "set", "received": 1772500000000,
                        "record": record(3, at=1772400000123, test=True, note='a "quoted", line\nbreak')}
    assert lines[0]["at"] is None


def test_a_date_that_came_late_is_beside_what_was_sent(filled):
    commit(filled, arrived("beat", {**BEAT, "boot": 3, "up": 5000, "at": 1772000000000}, "GW-1"))
    line = json.loads(exported(filled).splitlines()[0])
    assert (line["at"], line["clock"], line["record"]["at"]) == (1772000000000, "late", None)


def test_csv_is_read_back_and_starts_no_formula(filled):
    rows = list(csv.DictReader(io.StringIO(exported(filled, as_csv=True))))
    assert [(row["gateway"], row["boot"], row["seq"]) for row in rows] == [
        ("GW-1", "3", "2"), ("GW-1", "11", "1"), ("GW-1", "12", "3"), ("GW-2", "12", "9"), ("GW-2", "12", "10")]
    assert rows[2]["at"] == "2026-03-01T21:20:00.123Z" and rows[2]["test"] == "1"
    assert json.loads(rows[2]["record"])["note"] == 'a "quoted", line\nbreak'
    assert (rows[4]["place"], rows[4]["sensor"]) == ("거실", "'=HYPERLINK(1)")
    assert rows[0]["at"] == "" and rows[0]["kind"] == "status" and rows[0]["event"] == ""


@pytest.mark.parametrize(("wanted", "count"), [
    (Wanted("GW-1", None, None), 3), (Wanted("GW-9", None, None), 0), (Wanted(None, None, "status"), 1),
    (Wanted(None, 1772400000123, None), 2), (Wanted(None, 1772400000124, None), 1), (Wanted("GW-1", 1, "event"), 2),
])
def test_only_what_is_wanted(filled, wanted, count):
    assert len(exported(filled, wanted).splitlines()) == count
    assert len(list(csv.reader(io.StringIO(exported(filled, wanted, True))))) == count + 1


def test_a_date_beyond_every_calendar_is_a_number():
    assert export._iso(1 << 60) == str(1 << 60)


def test_moments():
    assert export.moment("2026-03-01T00:00:00Z") == export.moment("2026-03-01T09:00+09:00") == 1772323200000
    for text in ("yesterday", "", "2026-13-01", "12"):
        with pytest.raises(RelayError, match="--since"):
            export.moment(text)


def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path):
    from tools.relay import databases
    url = f"sqlite:///{tmp_path / 'relay.db'}"
    store = databases.open_store(url)
    for start in range(1, 4000, 10):
        commit(store, arrived("event", batch(*[record(start + each) for each in range(10)], number=start)))
    store.close()
    command = f"{sys.executable} -m tools.relay export --jsonl --db {url} | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "" and json.loads(done.stdout)["record"]["seq"] == 1


@pytest.mark.parametrize("form", ["--csv", "--jsonl"])
def test_a_full_disk_is_one_line(form, tmp_path):
    from tools.relay import databases
    url = f"sqlite:///{tmp_path / 'relay.db'}"
    with contextlib.closing(databases.open_store(url)) as store:
        commit(store, arrived("event", batch(record(1))))
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "tools.relay", "export", form, "--db", url], cwd=ROOT, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "relay: cannot write to stdout: No space left on device\n")
