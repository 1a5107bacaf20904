"""What the relay promises, over a real broker: committed, answered, once."""

import json

import pytest


@pytest.mark.req("TEL-04")
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
