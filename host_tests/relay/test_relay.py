"""What the relay promises, over a real broker: committed, answered, once; through kills, restarts and bad input."""

import json
import signal
import time

import pytest
from relay.lab import Lab, wait_for


def all_answered(gateways) -> bool:
    """After what was not is sent again."""
    time.sleep(0.3)
    for gateway in gateways:
        gateway.send_again() if gateway.kept else None
    time.sleep(0.3)
    return not any(gateway.kept for gateway in gateways)


DYING = ("host_tests/relay/dying.py",)
UNHEARD = ("host_tests/relay/unheard.py",)
PLAIN = ("-m", "tools.relay")


@pytest.mark.req("TEL-04")
@pytest.mark.req("EMG-11")
def test_records_are_committed_and_answered(lab):
    relay = lab.relay()
    gateway = lab.gateway()
    gateway.say_link()
    first = gateway.record(event="emergency.triggered", cause="button", source="119", incident=1)
    second = gateway.record("status", sensor="안방 감지기", ieee="00124b0000000001", place="안방")
    gateway.answered(gateway.send(first))
    gateway.answered(gateway.send(second, topic="data"))
    rows = lab.rows("SELECT gateway, boot, seq, kind, event, at, clock, up, test, record FROM records ORDER BY seq")
    assert [json.loads(row[-1]) for row in rows] == [first, second]
    assert rows[0][:9] == ("GW-1", 1, 1, "event", "emergency.triggered", first["at"], "set", first["up"], 0)
    assert rows[1][:9] == ("GW-1", 1, 2, "status", None, second["at"], "set", second["up"], 0)
    assert lab.rows("SELECT link, boot, version, records, repeats FROM gateways") == [("up", 1, "0.1.0", 2, 0)]
    assert "emergency.triggered button" in relay.wait_said("emergency.triggered")[0]
    assert not relay.said("status")  # a line an event
    gateway.drop()
    relay.wait_said("link lost")
    assert lab.rows("SELECT link FROM gateways") == [("lost",)]


@pytest.mark.req("TEL-07")
@pytest.mark.req("TEL-09")
def test_the_time_goes_out_first_thing_when_a_link_comes_up(lab):
    relay = lab.relay()
    gateway = lab.gateway()
    gateway.knows_time = False
    gateway.say_link(counter=1 << 45)
    sent = gateway.took("time")[0]
    assert abs(sent["at"] - time.time() * 1000) < 10_000 and sent["expires"] > sent["at"]
    assert sent["counter"] == (1 << 45) + 1
    gateway.answered(gateway.send(gateway.record()))
    gateway.knows_time = True
    gateway.answered(gateway.send(gateway.record()))
    assert [row[0] for row in lab.rows("SELECT clock FROM records ORDER BY seq")] == ["late", "set"]
    gateway.say_link()
    assert gateway.took("time", 2)[1]["counter"] == sent["counter"] + 1
    gateway.say("link", {"link": "down"})
    relay.wait_said("link down")


@pytest.mark.req("TEL-02")
@pytest.mark.fault(13)
@pytest.mark.parametrize("where", ["before 2", "after 2", "answered 2"])
def test_a_relay_that_is_killed_loses_nothing_and_doubles_nothing(lab, where):
    relay = lab.relay(program=DYING, env={"DIE": where})
    gateway = lab.gateway()
    gateway.answered(gateway.send(gateway.record()))
    for _ in range(3):
        gateway.send(*[gateway.record() for _ in range(4)])
    assert relay.ended() == -signal.SIGKILL
    before = lab.rows("SELECT COUNT(*) FROM records")[0][0]
    assert before == 1 if where == "before 2" else before > 1
    assert len(gateway.kept) in ((3,) if where != "answered 2" else (2, 3))
    lab.relay()
    gateway.send_again()
    wait_for(lambda: not gateway.kept, "answers")
    assert [row[0] for row in lab.rows("SELECT seq FROM records ORDER BY seq")] == list(range(1, 14))
    assert lab.rows("SELECT records FROM gateways") == [(13,)]
    assert not lab.rows("SELECT * FROM conflicts")


@pytest.mark.req("TEL-02")
def test_what_was_not_committed_the_broker_gives_again(lab):
    """To the broker a message is done when it is in the database, not when it was read."""
    relay = lab.relay(program=DYING, env={"DIE": "before 1"})
    gateway = lab.gateway()
    batch = gateway.send(gateway.record())
    assert relay.ended() == -signal.SIGKILL
    assert lab.rows("SELECT * FROM records") == []
    lab.relay()
    gateway.answered(batch)  # the gateway did not send again
    assert len(lab.rows("SELECT * FROM records")) == 1


@pytest.mark.req("TEL-02")
@pytest.mark.fault(65)
@pytest.mark.parametrize("program", [PLAIN, UNHEARD])  # it may come before the answer to the subscription
def test_what_comes_while_the_relay_restarts_waits_at_the_broker(lab, program):
    relay = lab.relay()
    gateway = lab.gateway()
    relay.signal(signal.SIGTERM)
    assert relay.ended() == 0
    batch = gateway.send(gateway.record())
    gateway.say_link()
    lab.relay(program=program)
    gateway.answered(batch)  # it did not send again
    gateway.took("time")


@pytest.mark.req("TEL-02")
@pytest.mark.fault(65)
def test_a_broker_that_is_killed_and_comes_back_is_used_again(lab):
    relay = lab.relay()
    gateway = lab.gateway()
    gateway.answered(gateway.send(gateway.record()))
    lab.broker.signal(signal.SIGKILL)
    lab.broker.ended()
    relay.wait_said("no connection")
    gateway.end()
    lab.start_broker()
    relay.wait_said("connected to", 2)
    again = lab.gateway(boot=2)
    again.answered(again.send(again.record()))
    assert lab.rows("SELECT boot, seq FROM records ORDER BY boot") == [(1, 1), (2, 1)]


@pytest.mark.fault(67)
def test_a_broker_that_hangs_is_given_up_and_used_again(lab):
    """Half open: SIGSTOP. The relay does not take it for a fault of its own and goes on when the broker does."""
    lab.relay()
    gateway = lab.gateway()
    lab.broker.signal(signal.SIGSTOP)
    records = [gateway.record() for _ in range(5)]
    gateway.client.publish("gw/GW-1/up/event", json.dumps({"boot": 1, "batch": 1, "records": records}), 1)
    time.sleep(0.5)
    assert not gateway.acks
    lab.broker.signal(signal.SIGCONT)
    gateway.answered(1)


def test_several_relays_share_the_work_and_one_that_dies_is_replaced(tmp_path):
    lab = Lab(tmp_path, [f"GW-{number}" for number in range(1, 7)], ["relay", "relay-2"])
    try:
        relays = [lab.relay("--share", "homes", name=name) for name in ("relay", "relay-2")]
        gateways = [lab.gateway(f"GW-{number}") for number in range(1, 7)]
        for gateway in gateways:
            gateway.say_link()
            for _ in range(10):
                gateway.send(gateway.record(), gateway.record())
        for gateway in gateways:
            gateway.took("time")
            wait_for(lambda gateway=gateway: not gateway.kept, "answers")
        assert all(relay.said("door.opened") for relay in relays)  # both had a part
        relays[1].signal(signal.SIGKILL)
        relays[1].ended()
        for gateway in gateways:
            gateway.send(gateway.record())
        wait_for(lambda: all_answered(gateways), "answers")
        assert lab.rows("SELECT COUNT(*), COUNT(DISTINCT seq) FROM records") == [(6 * 21, 21)]
        assert not lab.rows("SELECT * FROM conflicts")
        command = lab.command("send", "GW-1", "state", "--db", lab.db).strip()
        gateways[0].took("state")  # by the relay that is left, whichever had its link
        lab.wait_rows("SELECT * FROM commands WHERE id = ? AND state = 'sent'", command)
    finally:
        lab.end()


def test_a_second_relay_of_the_same_name_ends_the_first(lab):
    first = lab.relay()
    lab.relay()
    assert first.ended() == 1
    assert "certificate of its own" in first.errors[-1] and len(first.errors) == 1


@pytest.mark.req("TEL-09")
@pytest.mark.req("TEL-10")
def test_a_silent_gateway_is_told_and_so_is_its_return(lab):
    relay = lab.relay()
    gateway = lab.gateway()
    gateway.say_beat(every=1)
    heard = lab.wait_rows("SELECT heard FROM gateways")[0][0]
    relay.wait_said("silent")
    since, until = lab.rows("SELECT since, until FROM silences")[0]
    assert (since, until) == (heard, None)
    assert "silent" in relay.wait_said("silent")[0] and len(relay.said("silent")) == 1
    gateway.say_beat()
    relay.wait_said("heard again")
    since, until = lab.rows("SELECT since, until FROM silences")[0]
    assert since == heard and until >= heard + 3000
    assert lab.rows("SELECT silent FROM gateways") == [(None,)]


@pytest.mark.req("SEC-03")
@pytest.mark.fault(77)
def test_whatever_a_gateway_sends_is_counted_and_others_are_served(lab):
    relay = lab.relay()
    bad, good = lab.gateway("GW-1"), lab.gateway("GW-2")
    payloads = [b"", b"{", b"\xff", b"[" * 4000, b'{"boot":1e999}', b'"\x1b[2J"', b"x" * 4608]
    for payload in payloads:
        for topic in ("event", "data", "beat", "link", "party"):
            bad.say(topic, payload)
    bad.answered(bad.send(bad.record(), {"seq": 9}))
    good.answered(good.send(good.record()))
    wait_for(lambda: lab.rows("SELECT count FROM refusals WHERE gateway = 'GW-1'") == [(36,)], "36 refused")
    assert lab.rows("SELECT COUNT(*) FROM refused") == [(len(payloads) + 1,)]  # each once, as it came
    assert relay.running() and not relay.errors
    assert all("\x1b" not in line for line in relay.lines)


@pytest.mark.req("TEL-07")
def test_a_contradiction_is_told_and_answered(lab):
    relay = lab.relay()
    gateway = lab.gateway()
    record = gateway.record()
    gateway.answered(gateway.send(record))
    gateway.answered(gateway.send({**record, "place": "거실"}))
    assert "kept apart" in relay.wait_said("seq 1")[0]
    assert len(lab.rows("SELECT * FROM conflicts")) == 1


def test_follow_tells_every_committed_record_as_json(lab):
    relay = lab.relay("--follow")
    gateway = lab.gateway()
    gateway.say_link()
    record, status = gateway.record(sensor="현관"), gateway.record("status")
    gateway.answered(gateway.send(record))
    gateway.answered(gateway.send(record, status))
    wait_for(lambda: len(relay.lines) == 3, "three lines")
    assert [json.loads(line) for line in relay.lines] == [
        {"gateway": "GW-1", "record": record, "new": True}, {"gateway": "GW-1", "record": record, "new": False},
        {"gateway": "GW-1", "record": status, "new": True}]
    assert any("link up" in line for line in relay.errors)


def test_a_database_that_is_busy_is_waited_for(lab):
    import sqlite3
    relay = lab.relay()
    gateway = lab.gateway()
    gateway.answered(gateway.send(gateway.record()))
    with_lock = sqlite3.connect(lab.folder / "relay.db", isolation_level=None)
    with_lock.execute("BEGIN IMMEDIATE")
    try:
        batch = gateway.send(gateway.record())
        relay.wait_said("the database does not answer")
        assert not any(ack["batch"] == batch for ack in gateway.acks)
    finally:
        with_lock.close()
    gateway.answered(batch)
    relay.wait_said("answers again")


@pytest.mark.req("TEL-02")
def test_postgresql_that_is_killed_and_comes_back_is_used_again(lab, postgres):
    lab.db = postgres.database()
    relay = lab.relay()
    gateway = lab.gateway()
    gateway.say_link()
    gateway.answered(gateway.send(gateway.record(sensor="거실")))
    postgres.process.signal(signal.SIGINT)  # fast shutdown: connections are cut
    postgres.process.ended()
    batch = gateway.send(gateway.record())
    relay.wait_said("the database does not answer")
    assert not any(ack["batch"] == batch for ack in gateway.acks)
    postgres.start()
    gateway.answered(batch)
    assert lab.rows("SELECT seq FROM records ORDER BY seq") == [(1,), (2,)]
    identity = lab.command("send", "GW-1", "state", "--db", lab.db).strip()
    gateway.took("state")
    gateway.send(gateway.record(event="command.done", id=identity))
    lab.wait_rows("SELECT * FROM commands WHERE state = 'done'")
    lines = lab.command("export", "--jsonl", "--db", lab.db).splitlines()
    assert [json.loads(line)["record"]["seq"] for line in lines] == [1, 2, 3]
