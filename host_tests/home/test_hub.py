"""The home as the pages share it, against the relay's database: what a page sends, and what becomes of it."""

import asyncio
import time
import types

from home.test_server import SCENARIO

from tools.home import clock as clock_module
from tools.home import hub as hub_module
from tools.home import ledger
from tools.relay.databases import open_store

QUIET_S = 20 * 60  # twice as long as a command is good for


def hub_with_relay(tmp_path, monkeypatch):
    """A hub whose relay has heard the gateway; the database, and the clock's real time."""
    database = tmp_path / "relay.db"
    store = open_store(f"sqlite:///{database}")
    hub = hub_module.Hub(SCENARIO)
    hub.outside = types.SimpleNamespace(kind="mosquitto", database=database, state=("up", []),
                                        clock=lambda at_ms, exactly: None)
    real = [time.monotonic()]
    monkeypatch.setattr(clock_module, "time", types.SimpleNamespace(monotonic=lambda: real[0]))
    hub._reset()
    with store.transaction():
        store.execute("INSERT INTO gateways (gateway, first, heard, silent_at, link, link_at) "
                      "VALUES (?, 1, 1, 1, 'up', 1)", (hub.gateway,))
    return hub, store, real


def told(hub, what: str) -> list:
    return [line for line in hub.hello()["history"] if line["what"] == what]


def look(hub) -> None:
    """The account and the commands, as `watch` does it."""
    entry, sent = ledger.read(hub.outside.database, hub.gateway)
    for line in [*hub.account.entry(entry), *hub.account.orders(sent)]:
        hub._note(**line)


def test_a_command_to_a_home_that_was_quiet_for_long_is_put_down_with_the_present_time(tmp_path, monkeypatch):
    hub, store, real = hub_with_relay(tmp_path, monkeypatch)

    async def story() -> None:
        hub.line({"t": 30_000, "what": "log"})
        real[0] += QUIET_S
        assert await hub.hear({"command": {"name": "state", "fields": ""}}) == ""

    asyncio.run(story())
    now = round(hub.clock.epoch_ms) + 30_000 + QUIET_S * 1000
    with store.transaction():
        assert [tuple(row) for row in store.execute("SELECT created, expires FROM commands")] == [(now, now + 600_000)]
    assert told(hub, "did")[0]["t"] == 30_000 + QUIET_S * 1000
    store.close()


def test_what_became_of_a_command_is_in_the_timeline(tmp_path, monkeypatch):
    hub, store, _ = hub_with_relay(tmp_path, monkeypatch)

    async def story() -> None:
        for name in ("state", "no.such", "smoke.silence"):
            assert await hub.hear({"command": {"name": name, "fields": ""}}) == ""
        look(hub)
        assert told(hub, "order") == [], "on their way"
        with store.transaction():
            ids = {name: identity for identity, name in (
                (row[0], row[1].split('"name": "')[1].split('"')[0]) for row in
                store.execute("SELECT id, body FROM commands"))}
            store.answered(hub.gateway, ids["state"], "done", None, 5)
            store.answered(hub.gateway, ids["no.such"], "refused", "unknown command", 5)
            store.expire(round(hub.clock.wall_ms()) + 600_000, 0)
        look(hub)
        look(hub)
        assert sorted((line["name"], line["state"], line["reason"]) for line in told(hub, "order")) == [
            ("no.such", "refused", "unknown command"), ("smoke.silence", "expired", None), ("state", "done", None)]
        with store.transaction():
            store.answered(hub.gateway, ids["smoke.silence"], "done", None, 9)
        look(hub)
        assert told(hub, "order")[-1]["state"] == "done" and len(told(hub, "order")) == 4, "answered after all"

    asyncio.run(story())
    store.close()


def test_after_fast_time_nothing_is_told_before_what_was_told(tmp_path, monkeypatch):
    """While a socket holds the world to real time, the pace that was measured before runs ahead of it."""
    hub, store, real = hub_with_relay(tmp_path, monkeypatch)

    async def story() -> None:
        hub.clock.run_at(600)
        hub.line({"t": 0, "what": "now"})
        real[0] += 1
        hub.line({"t": 100_000, "what": "now"})
        real[0] += 0.2
        hub.committed({"gateway": hub.gateway, "record": {}, "new": True})
        hub.clock.run_at(1)
        real[0] += 0.1
        hub._note("did", step={})
        hub.line({"t": 100_350, "what": "log"})

    asyncio.run(story())
    times = [line["t"] for line in hub.hello()["history"]]
    assert times == sorted(times) == [100_200, 100_300, 100_350]
    store.close()


def test_when_the_broker_dies_the_row_begins_with_that(tmp_path, monkeypatch):
    hub, store, _ = hub_with_relay(tmp_path, monkeypatch)

    async def story() -> None:
        hub.relay_is("dead", ["New connection from 127.0.0.1", "Client left", "the broker ended with status -9"])
        hub.relay_is("dead", [])

    asyncio.run(story())
    assert told(hub, "log")[0]["text"].startswith("the broker ended with status -9 | New connection")
    store.close()
