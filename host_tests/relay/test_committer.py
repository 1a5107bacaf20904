"""A group of messages into either database: new, repeats, contradictions, dates, silence, refusals. No broker."""

import json
import random

import pytest
from relay.test_protocol import BEAT, RECORD, UP, mutations

from tools.relay import databases, protocol, records
from tools.relay.committer import Group, read
from tools.relay.database import Unavailable
from tools.relay.messages import Arrived

NOW = 1772323300000


def arrived(what: str, said, gateway: str = "GW-1", now: int = NOW) -> Arrived:
    data = said if isinstance(said, bytes) else json.dumps(said, ensure_ascii=False).encode()
    return Arrived(1, 1, 1, f"gw/{gateway}/up/{what}", data, now)


def commit(store, *messages: Arrived, now: int = NOW, relay: str = "relay"):
    return Group(relay, [read(message) for message in messages]).commit(store, now)


def batch(*records: dict, number: int = 1, boot: int = 12) -> dict:
    return {"boot": boot, "batch": number, "records": list(records)}


def record(seq: int, **more) -> dict:
    return {**RECORD, "seq": seq, **more}


def undated(seq: int, **more) -> dict:
    return record(seq, at=None, clock="unset", **more)


def rows(store, sql: str, *values) -> list:
    with store.transaction():
        return [tuple(row) for row in store.execute(sql, values).fetchall()]


def test_a_group_of_several_gateways_is_one_commit(store):
    done = commit(
        store, arrived("event", batch(record(1), record(2)), "GW-1"), arrived("event", batch(record(1)), "GW-2"),
        arrived("data", batch(record(3, kind="status"), number=2), "GW-1"), arrived("beat", BEAT, "GW-2"))
    assert done.acks == [("GW-1", 12, 1), ("GW-2", 12, 1), ("GW-1", 12, 2)]
    assert [(told.gateway, told.record.seq, told.new) for told in done.told] == [
        ("GW-1", 1, True), ("GW-1", 2, True), ("GW-2", 1, True), ("GW-1", 3, True)]
    assert rows(store, "SELECT gateway, boot, seq, kind, event FROM records ORDER BY gateway, seq") == [
        ("GW-1", 12, 1, "event", "door.opened"), ("GW-1", 12, 2, "event", "door.opened"),
        ("GW-1", 12, 3, "status", None), ("GW-2", 12, 1, "event", "door.opened")]
    columns = "gateway, records, repeats, waiting, every, mains, link"
    assert rows(store, f"SELECT {columns} FROM gateways ORDER BY gateway") == [
        ("GW-1", 3, 0, None, None, None, "up"), ("GW-2", 1, 0, 0, 60, 1, "up")]


@pytest.mark.req("TEL-02")
@pytest.mark.fault(13)
def test_a_repeat_is_answered_and_changes_nothing(store):
    first = commit(store, arrived("event", batch(record(1), record(2))))
    before = rows(store, "SELECT * FROM records ORDER BY seq")
    again = commit(store, arrived("event", batch(record(2), record(3), number=9)),
                   arrived("event", batch(record(3), number=10)), now=NOW + 5)
    assert (first.acks, again.acks) == ([("GW-1", 12, 1)], [("GW-1", 12, 9), ("GW-1", 12, 10)])
    assert [told.new for told in again.told] == [False, True, False]
    assert rows(store, "SELECT * FROM records ORDER BY seq")[:2] == before
    assert rows(store, "SELECT records, repeats, conflicts FROM gateways") == [(3, 2, 0)]
    assert not rows(store, "SELECT * FROM conflicts")


@pytest.mark.req("TEL-07")
def test_the_same_in_other_order_or_with_its_date_is_a_repeat(store):
    commit(store, arrived("event", batch(undated(1))))
    later = dict(reversed(record(1, clock="late").items()))
    done = commit(store, arrived("event", batch(later, number=2)))
    assert not done.notices and not rows(store, "SELECT * FROM conflicts")
    assert rows(store, "SELECT at, clock FROM records") == [(RECORD["at"], "late")]  # the repeat told the date


@pytest.mark.req("TEL-07")
@pytest.mark.parametrize("together", [True, False])
def test_a_second_record_under_a_used_identity_is_kept_apart_and_said(store, together):
    messages = [arrived("event", batch(record(1))),
                arrived("event", batch(record(1, place="거실"), record(2), number=2))]
    if together:
        done = commit(store, *messages)
    else:
        commit(store, messages[0])
        done = commit(store, messages[1])
    assert ("GW-1", 12, 2) in done.acks
    assert [notice.what for notice in done.notices] == ["conflict"] and "seq 1" in done.notices[0].text
    assert [json.loads(row[0]) for row in rows(store, "SELECT record FROM conflicts")] == [record(1, place="거실")]
    kept = rows(store, "SELECT record FROM records ORDER BY seq")
    assert [json.loads(row[0]) for row in kept] == [record(1), record(2)]
    again = commit(store, messages[1])
    assert not again.notices and len(rows(store, "SELECT * FROM conflicts")) == 1  # told once
    assert rows(store, "SELECT conflicts FROM gateways") == [(1,)]
    third = commit(store, arrived("event", batch(record(1, place="부엌"))))
    assert len(third.notices) == 1 and len(rows(store, "SELECT * FROM conflicts")) == 2


@pytest.mark.req("TEL-07")
@pytest.mark.fault(79)
@pytest.mark.fault(80)
@pytest.mark.parametrize("by", ["beat", "record", "same group"])
def test_what_came_undated_is_dated_when_its_boot_is(store, by):
    early = [arrived("event", batch(undated(1, up=1000), undated(2, up=2000))),
             arrived("event", batch(undated(3, up=3000), number=2), "GW-2"),
             arrived("event", batch(undated(4, up=4000, boot=11), number=3))]
    dating = (arrived("beat", {**BEAT, "up": 10_000, "at": 1_000_010_000}) if by == "beat" else
              arrived("event", batch(record(5, up=10_000, at=1_000_010_000), number=4)))
    if by == "same group":
        commit(store, *early, dating)
    else:
        commit(store, *early)
        assert rows(store, "SELECT COUNT(*) FROM records WHERE at IS NULL") == [(4,)]
        commit(store, dating)
    commit(store, arrived("event", batch(undated(6, up=6000), number=5)))  # dated as it comes
    which = "gateway = 'GW-1' AND boot = 12 AND seq < 5"
    assert rows(store, f"SELECT seq, at, clock FROM records WHERE {which} ORDER BY seq") == [
        (1, 1_000_001_000, "late"), (2, 1_000_002_000, "late")]
    assert rows(store, "SELECT at, clock FROM records WHERE seq = 6") == [(1_000_006_000, "late")]
    assert rows(store, "SELECT gateway, boot, seq FROM records WHERE at IS NULL ORDER BY seq") == [
        ("GW-2", 12, 3), ("GW-1", 11, 4)]  # another gateway's, another boot's
    kept = json.loads(rows(store, "SELECT record FROM records WHERE seq = 1")[0][0])
    assert kept["at"] is None and kept["clock"] == "unset"  # as sent


@pytest.mark.req("TEL-07")
def test_the_mobile_networks_time_dates_its_own_record_only(store):
    done = commit(store, arrived("event", batch(undated(1, up=1000), record(2, up=2000, clock="network"))),
                  arrived("beat", {**BEAT, "clock": "network"}))
    assert done.times == {"GW-1": False}, "the gateway is told the time"
    assert rows(store, "SELECT seq, at, clock FROM records ORDER BY seq") == [
        (1, None, "unset"), (2, RECORD["at"], "network")]
    commit(store, arrived("beat", {**BEAT, "up": 3000, "at": 1_000_003_000}))
    assert rows(store, "SELECT at, clock FROM records WHERE seq = 1") == [(1_000_001_000, "late")]


def test_a_record_without_up_is_never_dated_by_others(store):
    old = undated(1)
    del old["up"]
    commit(store, arrived("event", batch(old)), arrived("beat", BEAT))
    assert rows(store, "SELECT at, clock, up FROM records") == [(None, "unset", None)]


@pytest.mark.req("TEL-09")
def test_the_link_is_what_was_said_last(store):
    done = commit(store, arrived("link", UP))
    assert done.times == {"GW-1": True} and "link up" in done.notices[0].text
    assert rows(store, "SELECT link, boot, version, taken, relay FROM gateways") == [
        ("up", 12, "0.1.0", UP["counter"], "relay")]
    commit(store, arrived("link", {"link": "lost"}, now=NOW + 1000), now=NOW + 1000)
    assert rows(store, "SELECT link, link_at, heard, version FROM gateways") == [("lost", NOW + 1000, NOW, "0.1.0")]
    commit(store, arrived("beat", BEAT, now=NOW + 2000), now=NOW + 2000)  # who speaks is there
    assert rows(store, "SELECT link, link_at, heard FROM gateways") == [("up", NOW + 2000, NOW + 2000)]
    commit(store, arrived("link", UP), arrived("link", {"link": "down"}))
    assert rows(store, "SELECT link FROM gateways") == [("down",)]


def test_a_beat_without_time_asks_for_it(store):
    assert commit(store, arrived("beat", {**BEAT, "at": None, "clock": "unset"})).times == {"GW-1": False}
    assert commit(store, arrived("beat", {**BEAT, "at": NOW - 9000})).times == {}


@pytest.mark.fault(79)
@pytest.mark.parametrize("off_ms", [-11_000, 11_000, 86_400_000])
def test_a_beat_of_a_clock_that_is_off_asks_for_the_time_too(store, off_ms):
    assert commit(store, arrived("beat", {**BEAT, "at": NOW + off_ms})).times == {"GW-1": False}


def silent(store, now: int, listening: int = 0) -> list:
    with store.transaction():
        return store.fall_silent(now, listening)


@pytest.mark.req("TEL-09")
@pytest.mark.req("TEL-10")
def test_silence_is_three_of_its_beats_and_told_once(store):
    commit(store, arrived("beat", BEAT, "GW-1"), arrived("beat", {**BEAT, "every": 900}, "GW-2"),
           arrived("link", UP, "GW-3"))
    assert silent(store, NOW + 179_999) == []
    assert sorted(silent(store, NOW + 180_000)) == [("GW-1", NOW), ("GW-3", NOW)]  # who never said: once a minute
    assert silent(store, NOW + 190_000) == []
    commit(store, arrived("link", {"link": "lost"}, "GW-1", NOW + 200_000), now=NOW + 200_000)  # the broker's word
    assert silent(store, NOW + 2_700_000) == [("GW-2", NOW)]
    back = commit(store, arrived("beat", BEAT, "GW-1", NOW + 3_000_000), now=NOW + 3_000_000)
    assert [(notice.gateway, notice.what) for notice in back.notices] == [("GW-1", "heard")]
    assert rows(store, "SELECT gateway, since, until FROM silences ORDER BY gateway") == [
        ("GW-1", NOW, NOW + 3_000_000), ("GW-2", NOW, None), ("GW-3", NOW, None)]
    assert silent(store, NOW + 3_179_999) == []
    assert silent(store, NOW + 3_180_000) == [("GW-1", NOW + 3_000_000)]


def test_the_overview_shows_the_silent_ones_whoever_else_speaks(store):
    for number in range(5):
        commit(store, arrived("beat", BEAT, f"GW-{number}", NOW + number), now=NOW + number)
    assert silent(store, NOW + 180_000) == [("GW-0", NOW)]
    with store.transaction():
        assert [seen.gateway for seen in store.overview(3)] == ["GW-0", "GW-3", "GW-4"]
        assert store.count() == (5, 1)


@pytest.mark.req("TEL-09")
def test_nobody_is_silent_before_the_relay_has_listened_long_enough(store):
    commit(store, arrived("beat", BEAT))
    later = NOW + 86_400_000  # the relay was off for a day
    assert silent(store, later + 179_999, listening=later) == []
    assert silent(store, later + 180_000, listening=later) == [("GW-1", NOW)]


@pytest.mark.req("SEC-03")
def test_what_is_refused_is_kept_as_it_came_and_counted(store):
    done = commit(store, arrived("event", b"\x00\xffno"), arrived("event", b"\x00\xffno"), arrived("beat", b"{}"),
                  Arrived(1, 1, 1, "elsewhere", b"x", NOW), arrived("event", batch(record(1), {"seq": 2}, number=4)))
    assert done.acks == [("GW-1", 12, 4)]  # a record that is none holds up nobody: it is kept aside
    assert [notice.what for notice in done.notices] == ["refused"] * 5
    kept = rows(store, "SELECT gateway, topic, payload FROM refused")
    assert sorted((row[0], row[1], bytes(row[2])) for row in kept) == [
        ("", "elsewhere", b"x"), ("GW-1", "gw/GW-1/up/beat", b"{}"), ("GW-1", "gw/GW-1/up/event", b"\x00\xffno"),
        ("GW-1", "gw/GW-1/up/event", b'{"seq": 2}')]
    assert rows(store, "SELECT gateway, kept, count FROM refusals ORDER BY gateway") == [("", 1, 1), ("GW-1", 3, 4)]


@pytest.mark.req("SEC-03")
@pytest.mark.fault(78)
def test_a_gateway_that_sends_rubbish_fills_no_disk(store, monkeypatch):
    monkeypatch.setattr(records, "MOST_REFUSED", 10)
    for number in range(5):
        commit(store, *(arrived("event", b"%d %d" % (number, each)) for each in range(10)))
    assert rows(store, "SELECT COUNT(*) FROM refused") == [(10,)]
    assert rows(store, "SELECT kept, count FROM refusals") == [(10, 50)]
    done = commit(store, arrived("event", batch(record(1), {}, number=7)))
    assert done.acks == [] and len(done.told) == 1  # what is not kept is not answered for
    assert len(rows(store, "SELECT * FROM records")) == 1


@pytest.mark.req("SEC-03")
def test_a_fuzzed_flood_is_taken_or_counted_to_the_last_message(store):
    messages = [arrived(what, data) for what, data in mutations(1500, 11)]
    taken = 0
    for start in range(0, len(messages), 100):
        group = [read(message) for message in messages[start:start + 100]]
        Group("relay", group).commit(store, NOW)
        taken += sum(each.message is not None and not getattr(each.message, "bad", ()) for each in group)
    refused = sum(count for (count,) in rows(store, "SELECT count FROM refusals"))
    aside = sum(len(parsed.message.bad) - 1 for parsed in map(read, messages) if getattr(parsed.message, "bad", ()))
    assert taken + refused - aside == len(messages)


def test_an_update_that_fails_changes_nothing_and_can_be_done_again(store, monkeypatch):
    group = Group("relay", [read(arrived("event", batch(record(1), {}))), read(arrived("link", UP))])

    def fail(*_):
        raise Unavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(type(store), "refuse", fail)
        with pytest.raises(Unavailable):
            group.commit(store, NOW)
    assert rows(store, "SELECT COUNT(*) FROM records") == rows(store, "SELECT COUNT(*) FROM gateways") == [(0,)]
    done = group.commit(store, NOW)
    assert done.acks == [("GW-1", 12, 1)] and len(done.told) == 1 and done.times == {"GW-1": True}
    assert rows(store, "SELECT records FROM gateways") == [(1,)]


def test_every_order_and_grouping_gives_the_same_database(store, url):
    """Batches of three boots, repeated, dated late, split at random: once each, whatever came when."""
    chance = random.Random(5)
    sent = [undated(seq, boot=boot, up=seq * 1000) for boot in (1, 2, 3) for seq in range(1, 21)]
    batches = [batch(*sent[start:start + 5], number=start) for start in range(0, len(sent), 5)]
    batches += [batch(*sent[start:start + 7], number=100 + start) for start in range(0, len(sent), 7)]
    messages = [arrived("event", each) for each in batches]
    messages += [arrived("beat", {**BEAT, "boot": boot, "up": 50_000, "at": boot * 10_000_000 + 50_000})
                 for boot in (1, 2, 3)]
    for _ in range(4):
        chance.shuffle(messages)
        start = 0
        while start < len(messages):
            size = chance.randint(1, 6)
            commit(store, *messages[start:start + size])
            start += size
    assert rows(store, "SELECT boot, seq, at, clock FROM records ORDER BY boot, seq") == [
        (boot, seq, boot * 10_000_000 + seq * 1000, "late") for boot in (1, 2, 3) for seq in range(1, 21)]
    assert not rows(store, "SELECT * FROM conflicts")
    records, repeats = rows(store, "SELECT records, repeats FROM gateways")[0]
    assert (records, records + repeats) == (60, 4 * 120)
    other = databases.open_store(url)  # another relay on the same database
    told = commit(other, *(message for message in messages if message.topic.endswith("event"))).told
    assert len(told) == 120 and not any(each.new for each in told)
    other.close()


# ------------------------------------------------------------------------- commands
def put(store, identity: str, gateway: str = "GW-1", expires: int = NOW + 600_000, created: int = NOW) -> None:
    with store.transaction():
        assert store.add_command(gateway, identity, {"name": "state"}, created, expires)


def state(store, identity: str) -> tuple:
    with store.transaction():
        return store.command("GW-1", identity)


def test_counters_only_grow_and_are_past_everything_known(store):
    commit(store, arrived("link", {**UP, "counter": NOW + 5_000_000}))
    with store.transaction():
        taken = [store.take_counter("GW-1", now) for now in (NOW, NOW, NOW - 10_000)]
    assert taken == [NOW + 5_000_001, NOW + 5_000_002, NOW + 5_000_003]
    commit(store, arrived("link", {**UP, "counter": 7}, "GW-2"))
    with store.transaction():
        assert store.take_counter("GW-2", NOW) == NOW  # at least ms since 1970
        assert store.take_counter("GW-2", NOW) == NOW + 1
        assert store.take_counter("GW-2", NOW + 50) == NOW + 50
    commit(store, arrived("link", {**UP, "counter": NOW + 99}, "GW-2"))
    with store.transaction():
        assert store.take_counter("GW-2", NOW) == NOW + 100


def test_a_command_is_for_a_gateway_that_was_heard(store):
    with store.transaction():
        assert not store.add_command("GW-9", "c-1", {"name": "state"}, NOW, NOW + 1)


def test_an_answer_settles_a_command_and_nothing_unsettles_it(store):
    commit(store, arrived("link", UP))
    put(store, "c-1")
    put(store, "c-2")
    commit(store, arrived("event", batch(record(1, event="command.done", id="c-1"),
                                         record(2, event="command.refused", id="c-2", reason="setting\x1b[2J"))))
    assert state(store, "c-1") == ("done", None)
    assert state(store, "c-2") == ("refused", "setting?[2J")
    commit(store, arrived("event", batch(record(3, event="command.refused", id="c-1", reason="late"))),
           arrived("event", batch(record(4, event="command.done", id="c-2"))),
           arrived("event", batch(record(5, event="command.done", id="c-9"))))
    assert (state(store, "c-1")[0], state(store, "c-2")[0]) == ("done", "refused")


def test_commands_expire_and_a_late_answer_still_counts(store):
    commit(store, arrived("link", UP))
    put(store, "waits", expires=NOW + 1000)
    put(store, "was sent", expires=NOW + 1000)
    with store.transaction():
        assert store.sending("GW-1", "was sent", 5, NOW)
        store.expire(NOW + 1000, 120_000)
    assert (state(store, "waits")[0], state(store, "was sent")[0]) == ("expired", "sending")
    with store.transaction():
        store.expire(NOW + 121_000, 120_000)
    assert state(store, "was sent")[0] == "expired"
    commit(store, arrived("event", batch(record(1, event="command.done", id="was sent"))))
    assert state(store, "was sent")[0] == "done"


def open_ids(store, relay: str = "relay", now: int = NOW, dead_before: int = 0) -> list:
    with store.transaction():
        return [each.id for each in store.to_send(relay, now, dead_before)]


def test_only_the_relay_that_speaks_to_a_gateway_sends_unless_it_is_dead(store):
    commit(store, arrived("link", UP), relay="relay-2")
    put(store, "c-1")
    with store.transaction():
        store.begin("relay-2", "a", NOW - 1000)
        assert store.alive("relay-2", "a", NOW) and not store.alive("relay-2", "b", NOW + 1)
        assert store.alive("relay-2", "a", None) and not store.alive("relay-2", "b", None)  # says nothing of when
    assert open_ids(store, "relay-2") == ["c-1"]
    assert open_ids(store, "relay", dead_before=NOW - 5000) == []
    assert open_ids(store, "relay", dead_before=NOW + 1) == ["c-1"]
    with store.transaction():
        assert store.sending("GW-1", "c-1", 5, NOW)
        assert not store.sending("GW-1", "c-1", 6, NOW)  # one of them gets it
    commit(store, arrived("link", {"link": "lost"}))
    assert open_ids(store, "relay-2") == []


def test_what_the_gateway_did_not_take_waits_again_when_it_is_back(store):
    commit(store, arrived("link", UP))
    for counter, identity in enumerate(("taken", "not taken", "just sent")):
        put(store, identity)
        with store.transaction():
            store.sending("GW-1", identity, 100 + counter, NOW - (1000 if identity == "just sent" else 60_000))
            store.taken_by_broker("GW-1", identity, True)
    commit(store, arrived("link", {**UP, "counter": 100}))
    states = [state(store, identity)[0] for identity in ("taken", "not taken", "just sent")]
    assert states == ["sent", "waiting", "sent"]


def test_a_command_nobody_was_there_for_waits_again(store):
    commit(store, arrived("link", UP))
    put(store, "c-1")
    with store.transaction():
        store.sending("GW-1", "c-1", 100, NOW)
        store.taken_by_broker("GW-1", "c-1", False)
    assert state(store, "c-1")[0] == "waiting" and protocol.is_name("state")
