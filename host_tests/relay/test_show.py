"""What a person sees: columns that hold in Korean, nothing that moves a cursor, a table on a terminal, else lines."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

from conftest import ROOT
from relay.lab import wait_for
from relay.test_committer import arrived, batch, commit, record
from relay.test_protocol import UP

from tools.relay import show, table
from tools.relay.committer import Notice
from tools.relay.table import Seen

NOW = 1772323300000
SEEN = Seen("GW-1", "up", None, NOW - 5000, 3, 120, 4, 0, "0.1.0", "door.opened 현관 현관문", 60)


def test_widths_are_those_of_a_terminal():
    assert [table.width(text) for text in ("abc", "현관", "거실 A", "", "é", "e\u0301", "\u1112\u1161\u11ab", "→")] == [
        3, 4, 6, 0, 1, 1, 2, 1]
    for text in ("현관문이 열림", "door.opened 현관", "한"):
        for most in range(1, 20):
            assert table.width(table.cut(text, most)) <= most
    assert table.cut("현관문", 6) == "현관문" and table.cut("현관문", 5) == "현관…" and table.cut("현관문", 4) == "현…"
    assert table.pad("현관", 6) == "현관  " and table.pad("7", 3, right=True) == "  7"


def test_columns_stand_below_each_other_whatever_the_names():
    then = NOW - 400_000
    rows = [SEEN, SEEN._replace(gateway="시험-게이트웨이", silent=then, heard=then, waiting=None, apart=2),
            SEEN._replace(gateway="GW-000003", version=None, event=None, records=1_000_000)]
    lines = table.draw(rows, NOW, 200)
    starts = [[table.width(line[:place.start()]) for place in re.finditer(r"(?<=  )\S", line)] for line in lines]
    assert starts[0][0] == starts[1][0] == starts[2][0] == table.width("시험-게이트웨이") + 2
    assert "silent" in lines[2] and "6 min" in lines[2] and " - " in lines[2]
    versions = ("version", "0.1.0", "0.1.0")
    assert len({table.width(line[:line.index(word)]) for line, word in zip(lines, versions, strict=False)}) == 1
    assert all(table.width(line) <= 60 for line in table.draw(rows, NOW, 60))


def test_the_last_event_has_room_on_a_narrow_terminal():
    rows = [SEEN._replace(gateway="GW-000001", event="command.refused c-4a5b6c")]
    assert "version" in table.draw(rows, NOW, 100)[0] and "repeats" in table.draw(rows, NOW, 100)[0]
    assert table.draw(rows, NOW, 79)[1].endswith("command.refused c-4a5b6c")
    assert "apart" in table.draw(rows, NOW, 79)[0] and "records" in table.draw(rows, NOW, 79)[0]


def test_what_waits_is_marked_when_its_heartbeat_is_old():
    def waiting(**change) -> str:
        return table.draw([SEEN._replace(waiting=41, **change)], NOW, 100)[1]

    assert " 41  " in waiting() and " 41  " in waiting(heard=NOW - 61_000)
    assert " 41?  " in waiting(heard=NOW - 66_000) and " 41  " in waiting(heard=NOW - 66_000, every=900)


def test_spans_are_short():
    spans = {-5: "0 s", 0: "0 s", 119_999: "119 s", 120_000: "2 min", 7_199_000: "119 min", 7_200_000: "2 h",
             172_800_000: "2 d"}
    assert {ms: table.ago(ms) for ms in spans} == spans


def test_a_line_moves_no_cursor():
    text = show.line(Notice("GW-1", "refused", "a\x1b[2Jb\nc\r\u202e\x07"), 0)
    assert text.isprintable() and "a?[2Jb?c???" in text


def test_a_stream_that_nobody_reads_ends_nothing():
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    lines = show.Lines(Gone())
    lines.notice(Notice("GW-1", "link", "x"))
    lines.notice(Notice("GW-1", "link", "y"))


def test_the_table_is_drawn_in_place_from_the_database(store, monkeypatch):
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((100, 20)))
    commit(store, arrived("link", UP, "GW-7"), arrived("event", batch(record(1, place="안방",
    sensor="안방 문")), "GW-7"))
    out = io.StringIO()
    drawn = show.Table(out, "relay at here")
    drawn.notice(Notice("GW-7", "link", "link up"))
    drawn.refresh(store, NOW)
    text = out.getvalue()
    assert text.startswith("\x1b[2J\x1b[H") and text.endswith("\x1b[J")
    plain = re.sub(r"\x1b\[[0-9]*[A-Z]", "", text).splitlines()
    assert "gateways 1, silent 0" in plain[0]
    assert plain[3].split()[:2] == ["GW-7", "up"] and "door.opened 안방 안방 문" in plain[3]
    assert any(line.endswith("GW-7 link up") for line in plain) and len(plain) < 20


def test_gateways_that_need_somebody_are_shown_first(store, monkeypatch):
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((100, 15)))
    for number in range(1, 10):
        commit(store, arrived("link", UP, f"GW-{number}", now=NOW + number))
    commit(store, arrived("link", {"link": "lost"}, "GW-3"), arrived("link", {"link": "down"}, "GW-2"),
           arrived("event", b"{", "GW-5"))
    with store.transaction():
        store.execute("UPDATE gateways SET silent = heard WHERE gateway = 'GW-4'")
        assert [seen.gateway for seen in store.overview(6)] == ["GW-4", "GW-2", "GW-3", "GW-5", "GW-8", "GW-9"]
        assert [seen.gateway for seen in store.overview(1)] == ["GW-4"]
        assert len(store.overview(20)) == 9
    out = io.StringIO()
    show.Table(out, "relay at here").refresh(store, NOW)
    assert "gateways 5 of 9, silent 1" in out.getvalue()


def test_what_the_relay_says_is_drawn_though_no_database_answers():
    out = io.StringIO()
    drawn = show.Table(out, "relay at here")
    drawn.notice(Notice("", "relay", "the database does not answer"))
    assert "relay at here" in out.getvalue() and "the database does not answer" in out.getvalue()


def test_on_a_terminal_there_is_a_table(lab):
    master, slave = pty.openpty()
    relay = subprocess.Popen(
        [sys.executable, "-m", "tools.relay", "--lab", str(lab.certs.folder), "--broker", f"localhost:{lab.port}",
         "--db", lab.db],
        cwd=ROOT, stdout=slave, stderr=slave, env={**os.environ, "COLUMNS": "100", "LINES": "24"})
    os.close(slave)
    seen = []

    def shows(text: str) -> bool:
        while select.select([master], [], [], 0)[0]:
            seen.append(os.read(master, 65536))
        return text in b"".join(seen).decode("utf-8", "replace")

    try:
        wait_for(lambda: shows("connected to"), "a connection")
        gateway = lab.gateway()
        gateway.answered(gateway.send(gateway.record(place="현관", sensor="현관문")))
        wait_for(lambda: shows("door.opened 현관 현관문"), "the event")
    finally:
        relay.send_signal(signal.SIGINT)
        until = time.monotonic() + 20
        while relay.poll() is None and time.monotonic() < until:
            shows("")
            time.sleep(0.05)
        relay.kill()
        os.close(master)
    assert relay.wait() == 0
