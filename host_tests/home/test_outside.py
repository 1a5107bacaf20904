"""Which broker a home gets, its time at the relay, the account of the link, and how a command is written."""

import json
import os
import sys
import time

import pytest

from tools.home import orders, outside
from tools.home.__main__ import _broker
from tools.home.account import Account
from tools.home.child import HomeTime
from tools.home.clock import HomeClock
from tools.home.ledger import Entry, read
from tools.relay import broker

ENTRY = Entry(link="up", link_at=1_000_500, heard=1_000_900, waiting=3, silent=None, records=5, repeats=1, conflicts=0)


def hide_amqtt(monkeypatch) -> None:
    for name in ("amqtt", "amqtt.broker"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "tools.relay.embedded", raising=False)
    monkeypatch.delattr("tools.relay.embedded", raising=False)


def test_mosquitto_is_taken_where_it_is_and_the_embedded_broker_elsewhere(monkeypatch):
    monkeypatch.setattr(broker, "find", lambda: "/usr/sbin/mosquitto")
    assert outside.choose(False) == outside.MOSQUITTO
    assert outside.choose(True) == outside.EMBEDDED
    monkeypatch.setattr(broker, "find", lambda: None)
    assert outside.choose(False) == outside.EMBEDDED


def test_with_neither_the_relay_is_simulated_and_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setattr(broker, "find", lambda: None)
    hide_amqtt(monkeypatch)
    assert _broker(False) == outside.SIMULATED
    said = capsys.readouterr()
    assert said.err == "" and said.out.count("\n") == 1
    assert "simulated" in said.out and "install mosquitto" in said.out


def test_the_relay_has_the_homes_time_and_runs_it_on(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = HomeTime()
    ours, theirs = os.pipe()
    os.write(theirs, b'{"at": 5000}\nnonsense\n{"at": "x"}\n{"at": 70')
    os.write(theirs, b'00}\n{"at"')
    os.close(theirs)
    killed = []
    monkeypatch.setattr(os, "kill", lambda *what: killed.append(what))
    clock.listen(ours)
    os.close(ours)
    now[0] += 2.5
    assert clock.now() == 9.5
    assert len(killed) == 1, "the home is gone, and so is the relay"


def test_the_account_follows_the_database():
    account = Account("mosquitto", "GW-1", 1_000_000)
    assert (account.told["relay"], account.told["link"]) == ("starting", None)
    account.relay("up", [])
    assert account.entry(ENTRY) == [{"what": "link", "link": "up", "gateway": "GW-1"}]
    assert account.told["since"] == 500 and account.told["heard"] == 900 and account.told["waiting"] == 3
    assert account.entry(ENTRY) == []
    assert account.entry(ENTRY._replace(heard=1_060_900, waiting=0)) == []
    silent = ENTRY._replace(link="lost", link_at=1_070_000, silent=1_060_900)
    assert [line["what"] for line in account.entry(silent)] == ["link", "silent"]
    assert account.told["silent"] and account.told["link"] == "lost"
    back = ENTRY._replace(link_at=1_080_000)
    assert [line["what"] for line in account.entry(back)] == ["link", "heard"]
    flapped = back._replace(link_at=1_081_000)  # lost and up again between two looks
    assert [line["link"] for line in account.entry(flapped)] == ["up"]


def test_the_account_of_a_simulated_relay_follows_the_timeline():
    account = Account("simulated", "GW-1", 0)
    for line in ({"t": 5, "what": "link", "link": "up"}, {"t": 7, "what": "relay", "record": {}},
                 {"t": 8, "what": "repeat", "record": {}}, {"t": 9, "what": "silent"}, {"t": 9, "what": "log"}):
        account.line(line)
    told = account.told
    assert (told["relay"], told["link"], told["since"], told["records"], told["repeats"], told["committed"]) == (
        "up", "up", 5, 1, 1, 8)
    assert told["silent"] and told["waiting"] is None


def test_a_database_that_is_not_there_or_is_none_says_nothing(tmp_path):
    assert read(tmp_path / "relay.db", "GW-1") == (None, [])
    assert not (tmp_path / "relay.db").exists()
    (tmp_path / "relay.db").write_bytes(b"no database" * 100)
    assert read(tmp_path / "relay.db", "GW-1") == (None, [])


def test_the_homes_pace_is_measured_and_not_believed(monkeypatch):
    now = [10.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = HomeClock("2026-11-22T14:20:00")
    assert clock.epoch_ms == 1_795_324_800_000  # 05:20 UTC
    clock.run_at(600)
    now[0] += 0.1
    clock.hear(20_000)
    assert not clock.measure() and clock.pace == 600
    now[0] += 0.15
    clock.hear(50_000)
    assert clock.measure() and clock.pace == pytest.approx(200)
    now[0] += 0.01
    assert clock.now_ms() == pytest.approx(52_000)
    assert clock.wall_ms() == pytest.approx(clock.epoch_ms + 50_010), "surely reached, held to real time or not"
    assert clock.told() == {"x": 600, "pace": clock.pace, "now": clock.now_ms()}


@pytest.mark.parametrize(("fields", "meant"), [
    ("", {}), ("value=true", {"value": True}), ("seconds=120 to=word", {"seconds": 120, "to": "word"}),
    ('sensor="부엌 화재감지기"', {"sensor": "부엌 화재감지기"}), ("text=", {"text": ""}),
])
def test_fields_of_a_command(fields, meant):
    assert orders.parse({"name": "a.b", "fields": fields}) == ("a.b", meant)


@pytest.mark.parametrize("wish", [
    None, 7, {}, {"name": 7}, {"name": "Big"}, {"name": "a b"}, {"name": "a", "fields": 7},
    {"name": "a", "fields": "x"}, {"name": "a", "fields": '"'}, {"name": "a", "fields": "=1"},
    {"name": "a", "fields": "counter=9"},
    {"name": "a", "fields": "x=" + "1" * 300},
], ids=lambda wish: json.dumps(wish)[:30])
def test_what_is_no_command(wish):
    with pytest.raises(orders.Wrong, match="."):
        orders.parse(wish)


def test_a_command_for_a_database_that_is_not_there_is_refused_with_the_reason(tmp_path):
    with pytest.raises(orders.Wrong, match="there is no database"):
        orders.put_down(tmp_path / "relay.db", "GW-1", "state", {}, 1)
