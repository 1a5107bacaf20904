"""The simulator's relay, as docs/relay-protocol.md has it, in virtual time."""

import json

import pytest
from relay_end.spoken import EPOCH_MS, World, publish, subscribe

from hal_sim.relay.committed import Committed

GW = "GW-000000"


def record(seq: int, boot: int = 1, **fields) -> dict:
    return {"boot": boot, "seq": seq, "kind": "event", "event": "x.y", **fields}


def batch(*records, number: int = 1, boot: int = 1) -> dict:
    return {"boot": boot, "batch": number, "records": list(records)}


class Gateway:
    def __init__(self) -> None:
        self.world = World()
        self.client = self.world.client(GW, user=GW)
        self.client.say(subscribe(f"gw/{GW}/down/#"))
        self.client.heard()

    def say(self, kind: str, message) -> None:
        self.client.say(publish(f"gw/{GW}/up/{kind}", message))

    def heard(self, kind: str) -> list:
        """What came down since the last time of that kind; the rest is forgotten."""
        messages = self.client.messages()
        self.client.say(b"".join(b"\x40\x02" + number.to_bytes(2, "big") for _, _, number, _ in messages))
        return [json.loads(payload) for topic, payload, _, _ in messages if topic == f"gw/{GW}/down/{kind}"]

    def link_up(self, counter: int = 0) -> None:
        self.say("link", {"link": "up", "boot": 1, "up": 100, "counter": counter})


@pytest.fixture
def gateway():
    return Gateway()


@pytest.mark.req("TEL-02")
@pytest.mark.fault(13)
def test_a_batch_is_committed_once_and_answered_each_time(gateway):
    first = batch(record(1), record(2, text="부엌"))
    gateway.say("event", first)
    gateway.world.wait(39)
    assert gateway.world.lines == [] and gateway.heard("ack") == []
    gateway.world.wait(1)
    assert gateway.world.lines == [(40, "relay", {"record": one}) for one in first["records"]]
    assert gateway.heard("ack") == [{"boot": 1, "batch": 1}]
    gateway.say("event", batch(record(2), record(3), number=2))
    gateway.world.wait(40)
    assert [(line[1], line[2]["record"]["seq"]) for line in gateway.world.lines[2:]] == [("repeat", 2), ("relay", 3)]
    assert gateway.heard("ack") == [{"boot": 1, "batch": 2}]
    gateway.say("data", batch({"boot": 2, "seq": 2, "kind": "status"}, number=1, boot=2))
    gateway.world.wait(40)
    assert gateway.world.lines[-1][1] == "relay"


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize(("kind", "message"), [
    ("event", b"\xff"), ("event", b"["), ("event", b"[" * 4000), ("event", b"[]"), ("event", b"{}" + b" " * 4608),
    ("event", {}), ("event", batch()), ("event", batch(*[record(n) for n in range(11)])), ("event", batch(7)),
    ("event", batch(record(1), boot=-1)), ("event", batch(record(1), number=0)), ("event", batch(record("1"))),
    ("event", batch(record(True))), ("event", batch(record(2**32))), ("event", {"boot": 1, "batch": 1, "records": {}}),
    ("data", batch(record(1))), ("event", batch({"boot": 1, "seq": 1, "kind": "status"})), ("link", {"link": 7}),
    ("other", {}),
])
def test_what_is_no_message_is_refused_with_a_line(gateway, kind, message):
    gateway.say(kind, message)
    gateway.world.wait(1000)
    assert [line[1] for line in gateway.world.lines] == ["refused"] and gateway.world.relay.refused == 1
    assert gateway.client.is_open and gateway.heard("ack") == []


@pytest.mark.req("TEL-09")
@pytest.mark.req("TEL-10")
def test_silence_is_noticed_after_three_intervals_once(gateway):
    gateway.say("beat", {"boot": 1, "up": 1, "every": 60})
    gateway.world.wait(179_999)
    assert gateway.world.lines == []
    gateway.world.wait(1)
    assert gateway.world.lines == [(180_000, "silent", {"gateway": GW})]
    gateway.world.wait(10_000_000)
    gateway.say("beat", {"boot": 1, "up": 2, "every": 900})
    assert gateway.world.lines[1:] == [(10_180_000, "heard", {"gateway": GW})]
    gateway.world.wait(2_699_999)
    assert len(gateway.world.lines) == 2
    gateway.world.wait(1)
    assert gateway.world.lines[2] == (12_880_000, "silent", {"gateway": GW})
    assert gateway.world.relay.gateway(GW).beats == 2


def test_the_time_is_told_after_each_link_up(gateway):
    gateway.world.wait(5000)
    gateway.link_up(EPOCH_MS + 9_000_000)
    (first,) = gateway.heard("command")
    assert first["name"] == "time" and first["at"] == EPOCH_MS + 5000
    assert first["counter"] == EPOCH_MS + 9_000_001 and first["expires"] == EPOCH_MS + 5000 + 600_000
    gateway.link_up()
    assert gateway.heard("command")[0]["counter"] == first["counter"] + 1


@pytest.mark.fault(79)
def test_the_time_is_told_when_a_heartbeat_has_it_wrong(gateway):
    beat = {"boot": 1, "up": 5, "every": 60, "clock": "set"}
    gateway.say("beat", {**beat, "at": EPOCH_MS + 9000})
    assert gateway.heard("command") == []
    for at in (EPOCH_MS + 11_000, EPOCH_MS - 11_000, None):
        gateway.say("beat", {**beat, "at": at})
        assert [command["at"] for command in gateway.heard("command")] == [EPOCH_MS]


def test_commands_wait_for_a_gateway_that_is_away(gateway):
    relay = gateway.world.relay
    relay.command(GW, {"id": "a", "name": "state"})
    relay.command(GW, {"id": "b", "name": "state"})
    assert gateway.heard("command") == []
    gateway.link_up()
    time, first, second = gateway.heard("command")
    assert [time["name"], first["id"], second["id"]] == ["time", "a", "b"]
    assert time["counter"] < first["counter"] < second["counter"]  # what is not larger is old
    gateway.say("event", batch(record(1, event="command.done", id="a")))
    gateway.world.wait(40)
    gateway.say("link", {"link": "down"})
    relay.command(GW, {"id": "c", "name": "state"})
    assert gateway.heard("command") == []
    gateway.link_up(first["counter"])
    assert [one["id"] for one in gateway.heard("command")[1:]] == ["b", "c"]
    gateway.say("link", {"link": "lost"})
    gateway.link_up(second["counter"] + 100_000)
    assert [one["id"] for one in gateway.heard("command")] == ["time-3"]  # it has them: its answers will come
    gateway.world.wait(600_000)
    gateway.link_up()
    assert len(gateway.heard("command")) == 1  # too late for them


@pytest.mark.fault(77)
def test_the_same_identity_is_the_same_command_and_what_is_given_is_kept(gateway):
    gateway.link_up()
    gateway.heard("command")
    for command in ({"id": "c1", "name": "x"}, {"id": "c1", "name": "x"}, {"id": "c2", "name": "x", "counter": 5},
                    {"id": "c3", "name": "x", "expires": "soon"}, {"name": "x"}):
        gateway.world.relay.command(GW, command)
    first, same, old, bad, named = gateway.heard("command")
    assert first == same and old["counter"] == 5 and bad["expires"] == "soon" and named["id"] == "x-2"
    gateway.link_up()
    assert "c3" not in [one["id"] for one in gateway.heard("command")]


def test_faults_of_the_relay(gateway):
    relay, world = gateway.world.relay, gateway.world
    relay.deaf = True
    gateway.say("event", batch(record(1)))
    world.wait(1000)
    assert world.lines == [] and gateway.heard("ack") == []
    relay.deaf, relay.late_ms = False, 60_000
    gateway.say("event", batch(record(1)))
    world.wait(60_039)
    assert len(world.told("relay")) == 1 and gateway.heard("ack") == []
    world.wait(1)
    assert gateway.heard("ack") == [{"boot": 1, "batch": 1}]
    relay.late_ms, relay.doubled = 0, True
    gateway.say("event", batch(record(2), number=2))
    world.wait(40)
    acks = gateway.heard("ack")
    assert acks[:2] == [{"boot": 1, "batch": 2}] * 2 and len(acks) == 4 and {"boot": 1, "batch": 2} not in acks[2:]


def test_what_is_kept_of_months_takes_little_memory():
    committed = Committed()
    assert all(committed.add(boot, seq) for boot in range(40) for seq in range(1000))
    assert not any(committed.add(boot, seq) for boot in range(40) for seq in range(1000))
    assert len(committed._pages) == 80
    assert committed.add(3, 2**31 - 1) and len(committed._pages) == 81
    for page in range(5000):
        committed.add(7, page << 9)
    assert len(committed._pages) == len(committed._order) == 4096
