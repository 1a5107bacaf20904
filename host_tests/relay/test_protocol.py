"""Bytes to messages: what is taken, and that everything else is refused with a reason and nothing more."""

import json
import os
import random

import pytest

from tools.relay import protocol
from tools.relay.protocol import Batch, Beat, Link, Refused

RECORD = {"boot": 12, "seq": 3401, "up": 5000, "at": 1772323200000, "clock": "set",
          "kind": "event", "event": "door.opened", "test": False, "sensor": "현관",
          "ieee": "00124b0000000001", "place": "현관"}
BATCH = {"boot": 12, "batch": 57, "records": [RECORD, {**RECORD, "seq": 3402}]}
BEAT = {"boot": 12, "up": 86400000, "at": 1772323200000, "clock": "set", "every": 60, "mains": True, "waiting": 0}
UP = {"link": "up", "boot": 12, "up": 2412, "at": None, "clock": "unset", "version": "0.1.0", "counter": 1772323100000}
TOPIC = "gw/GW-000000/up/"


def parse(what: str, said) -> protocol.Message:
    payload = said if isinstance(said, bytes) else json.dumps(said, ensure_ascii=False).encode()
    return protocol.parse(TOPIC + what, payload)


def refused(what: str, said) -> str:
    with pytest.raises(Refused) as caught:
        parse(what, said)
    assert str(caught.value)
    return str(caught.value)


def test_what_the_protocol_page_shows_is_taken():
    batch = parse("event", BATCH)
    assert isinstance(batch, Batch) and (batch.gateway, batch.boot, batch.batch, batch.bad) == ("GW-000000", 12, 57, [])
    record = batch.records[0]
    assert record[:8] == (12, 3401, "event", "door.opened", False, 1772323200000, "set", 5000)
    assert record.body == RECORD and json.loads(record.text) == RECORD and "현관" in record.text
    assert parse("data", BATCH) == batch
    assert parse("beat", BEAT) == Beat("GW-000000", 12, 86400000, 1772323200000, "set", 60, True, 0)
    assert parse("link", UP) == Link("GW-000000", "up", 12, "0.1.0", 1772323100000)
    assert parse("link", {"link": "lost"}) == Link("GW-000000", "lost", None, None, 0)
    assert parse("link", {"link": "down"}).state == "down"


def test_fields_that_it_does_not_know_are_ignored_and_kept():
    batch = parse("event", {**BATCH, "new": 1, "records": [{**RECORD, "kind": "vital", "pulse": [71, None, 1.5]}]})
    assert batch.records[0].event is None and batch.records[0].body["pulse"] == [71, None, 1.5]
    assert parse("beat", {**BEAT, "new": {}}).waiting == 0


def with_a_wrong_one(wrong: bytes, place: int) -> Batch:
    """Records 0, 1, 2 and in their midst another, as a gateway of ours puts a batch together."""
    records = [protocol.text_of({**RECORD, "seq": seq}).encode() for seq in range(3)]
    records.insert(place, wrong)
    batch = parse("event", b'{"boot":12,"batch":57,"records":[%s]}' % b",".join(records))
    assert isinstance(batch, Batch) and (batch.boot, batch.batch) == (12, 57)
    return batch


@pytest.mark.req("TEL-02")
@pytest.mark.parametrize("value", [b"nan", b"-inf", b"NaN", b'"\xed\xa0\x80"', b'"\xff"', b"", b"9e999", b"[1,]",
                                   b"\x00", b'"},"', b"[" * 2000])
@pytest.mark.parametrize("place", range(4))
def test_a_record_that_is_no_json_costs_no_other_one(value, place):
    """MicroPython's json writes nan and lone surrogates as they are; its lane must not stand for it."""
    batch = with_a_wrong_one(b'{"boot":12,"seq":9,"level":%s}' % value, place)
    assert [record.seq for record in batch.records] == [0, 1, 2]
    assert len(batch.bad) == 1 and "level" in batch.bad[0][1]


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("wrong", [b"", b"{", b'{"seq":9', b"]}", b'{"level":"a}', b"[" * 2000, b"\x00", b"},{",
                                   b"{},{},"])
@pytest.mark.parametrize("place", range(4))
def test_what_is_no_object_at_all_costs_the_next_one_at_most(wrong, place):
    """And what is beside it is kept aside with it: the batch can be answered."""
    batch = with_a_wrong_one(wrong, place)
    seqs = [record.seq for record in batch.records]
    assert len(seqs) >= 2 and seqs == sorted(seqs) and batch.bad
    for missing in {0, 1, 2} - set(seqs):
        assert any(f'"seq\\":{missing}' in text.replace(" ", "") for _, text in batch.bad)


def test_a_date_of_an_unset_clock_is_none():
    record = parse("event", {**BATCH, "records": [{**RECORD, "clock": "unset"}]}).records[0]
    assert (record.at, record.clock) == (None, "unset")
    record = parse("event", {**BATCH, "records": [{**RECORD, "at": None}]}).records[0]
    assert (record.at, record.clock) == (None, "unset")


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("topic", [
    "", "gw", "gw/", "gw/GW-1", "gw/GW-1/up", "gw/GW-1/up/", "gw/GW-1/up/party", "gw/GW-1/down/ack", "gw//up/event",
    "gw/-1/up/event", "gw/" + "G" * 33 + "/up/event", "gw/GW-1/up/event/x", "x/GW-1/up/event", "gw/G W/up/event",
    "gw/GW-1/up/event\n", "gw/\u0660/up/event", "$SYS/x", "gw/+/up/event",
])
def test_topics_that_are_not_ours_are_refused(topic):
    with pytest.raises(Refused, match="no topic of ours"):
        protocol.parse(topic, json.dumps(BATCH).encode())


@pytest.mark.req("SEC-03")
@pytest.mark.fault(77)
@pytest.mark.parametrize("payload", [
    b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff\xfe", b"{}", b'{"boot":1}', b'{"boot":1,"batch":1}',
    b'{"boot":1,"batch":1,"records":[]}', b'{"boot":1,"batch":1,"records":{}}',
    b'{"boot":true,"batch":1,"records":[{}]}', b'{"boot":1.0,"batch":1,"records":[{}]}',
    b'{"boot":-1,"batch":1,"records":[{}]}',
    b'{"boot":9007199254740993,"batch":1,"records":[{}]}', b'{"boot":"1","batch":1,"records":[{}]}',
    b'{"boot":1,"batch":1,"records":[%s]}' % b",".join([b"{}"] * 11), b'{"boot":NaN,"batch":1,"records":[{}]}',
    b"[" * 4600, b'{"a":' * 900, b"1" * 4600, b'{"boot":1e999,"batch":1,"records":[{}]}', b"{" + b" " * 4608,
    b'{"gateway":"GW-000001","boot":1,"batch":1,"records":[{}]}', b"\xef\xbb\xbf{}", "한".encode("euc-kr"),
    b"\x00" * 100,
])
def test_payloads_that_are_no_batch_are_refused(payload):
    refused("event", payload)
    refused("data", payload)
    refused("beat", payload)
    refused("link", payload)


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize(("field", "value"), [
    ("boot", None), ("boot", "1"), ("boot", True), ("boot", -1), ("boot", 1.5), ("boot", 1 << 54), ("seq", None),
    ("seq", -1), ("seq", [1]), ("kind", None), ("kind", ""), ("kind", 7), ("kind", "A"), ("kind", "x" * 41),
    ("event", None), ("event", 1), ("event", "a b"), ("event", "e\u0000"), ("test", None), ("test", 1),
    ("at", "now"), ("at", -1),
    ("at", 253402300800000), ("at", 1.5), ("at", True), ("clock", None), ("clock", "right"), ("up", None), ("up", -1),
    ("up", "x"), ("gateway", "GW-000001"), ("sensor", "\ud800"), ("mv", float("inf")), ("mv", float("nan")),
])
def test_a_bad_record_is_put_aside_and_the_batch_goes_on(field, value):
    bad = {**RECORD, field: value}
    if field == "mv":  # no JSON says so, but a number can be too large for any
        text = json.dumps({**BATCH, "records": [RECORD, bad]}).replace("Infinity", "1e999").replace("NaN", "-1e999")
    else:
        text = json.dumps({**BATCH, "records": [RECORD, bad]})
    batch = parse("event", text.encode())
    assert [record.body for record in batch.records] == [RECORD]
    assert len(batch.bad) == 1 and batch.bad[0][0]
    batch.bad[0][1].encode()


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("bad", [None, 1, "x", [], [[]], {}])
def test_what_is_no_record_is_put_aside(bad):
    batch = parse("event", {**BATCH, "records": [bad, RECORD]})
    assert len(batch.records) == len(batch.bad) == 1


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize(("what", "good", "field", "value"), [
    *(("beat", BEAT, field, value) for field, value in (
        ("boot", None), ("up", "x"), ("every", 0), ("every", 86401), ("every", None), ("mains", 1), ("mains", None),
        ("waiting", -1), ("waiting", None), ("clock", ""), ("at", "x"))),
    *(("link", UP, field, value) for field, value in (
        ("link", "on"), ("link", None), ("link", ["up"]), ("boot", None), ("version", ""), ("version", "x" * 41),
        ("version", 1), ("version", "\x1b[2J"), ("counter", None), ("counter", -1), ("counter", (1 << 53) + 1),
        ("clock", 1))),
])
def test_beats_and_links_with_a_bad_field_are_refused(what, good, field, value):
    parse(what, good)
    refused(what, {**good, field: value})


def test_a_payload_of_just_the_limit_is_taken():
    filler = protocol.UP_BYTES - len(json.dumps({**BEAT, "x": ""}).encode())
    payload = json.dumps({**BEAT, "x": "a" * filler}).encode()
    assert len(payload) == protocol.UP_BYTES
    parse("beat", payload)
    refused("beat", payload + b" ")


def test_meaning_leaves_dates_aside_and_nothing_else():
    meaning = protocol.meaning
    assert meaning(RECORD) == meaning({**RECORD, "at": None, "clock": "unset"})
    assert meaning(RECORD) == meaning(dict(reversed(RECORD.items())))
    for change in ({"up": 5001}, {"test": True}, {"place": "거실"}, {"more": 1}, {"seq": 3401.0}, {"test": 0}):
        assert meaning({**RECORD, **change}) != meaning(RECORD), change


def test_a_command_fits_or_is_refused():
    data = protocol.command("c-1", 5, 6, {"name": "settings.set", "value": "한" * 100})
    assert json.loads(data) == {"id": "c-1", "counter": 5, "expires": 6, "name": "settings.set", "value": "한" * 100}
    with pytest.raises(Refused, match="1024"):
        protocol.command("c-1", 5, 6, {"name": "x", "value": "한" * 400})
    with pytest.raises(Refused):
        protocol.command("c-1", 5, 6, {"name": "x", "value": float("nan")})


def mutations(count: int, seed: int):
    """Payloads that were nearly right."""
    chance = random.Random(seed)
    said = (("event", BATCH), ("data", BATCH), ("beat", BEAT), ("link", UP), ("link", {"link": "lost"}))
    good = [(what, json.dumps(each, ensure_ascii=False).encode()) for what, each in said]
    words = [b'"boot"', b"null", b"true", b"-1", b"1e308", b"[[", b"}}", b'"\\ud800"', b"\\u0000", b"9" * 30]
    words.append(b"\xed\xa0\x80")
    for _ in range(count):
        what, text = chance.choice(good)
        data = bytearray(text)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(data) + 1)
            action = chance.randrange(4)
            if action == 0 and data:
                data[min(place, len(data) - 1)] ^= 1 << chance.randrange(8)
            elif action == 1:
                data[place:place + chance.randint(1, 12)] = b""
            elif action == 2:
                data[place:place] = chance.choice(words)
            else:
                data[place:place + chance.randint(0, 6)] = chance.choice(words)
        yield what, bytes(data)


@pytest.mark.req("SEC-03")
def test_fuzzed_payloads_give_a_message_or_are_refused():
    count = int(os.environ.get("FUZZ_COUNT", "20000"))
    taken = 0
    for what, data in mutations(count, 4):
        try:
            message = parse(what, data)
        except Refused as error:
            assert 0 < len(str(error)) < 100
            continue
        taken += 1
        for record in message.records if isinstance(message, Batch) else ():
            record.text.encode()
            assert protocol.meaning(json.loads(record.text)) == protocol.meaning(record.body)
    assert count // 50 < taken < count // 2
