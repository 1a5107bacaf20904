"""The schemas say what the firmware sends: every form, every field, nothing else; and the documents say the same."""

import json
import re

import pytest
from conftest import ROOT
from jsonschema import Draft202012Validator
from schema.samples import EVENTS, MESSAGES, PERIODIC, record
from test_docs import events, first_column

from firmware.commands import COMMAND, Commands
from tools import schema

GOOD = [*((name, each) for name, all_ in [*EVENTS.items(), *PERIODIC.items()] for each in all_)]
NAMES = [name for name, _ in GOOD]


def references(node):
    """Every $ref of a document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def forms() -> dict:
    """Of event.json: name of the event -> the definitions that are forms of it."""
    document = schema.files()["event.json"]
    found = {}
    for name in document["properties"]["event"]["enum"]:
        body = document["$defs"][name]
        found[name] = [each["$ref"].rsplit("/", 1)[1] for each in body["oneOf"]] if "oneOf" in body else [name]
    return found


@pytest.mark.parametrize("name", schema.files())
def test_a_schema_is_one_and_finds_what_it_refers_to(name):
    document = schema.files()[name]
    Draft202012Validator.check_schema(document)
    assert document["$id"] == name and document["title"] and document["description"]
    for reference in references(document):
        file, _, pointer = reference.partition("#")
        assert schema.pointed(schema.files()[file or name], pointer), reference


def test_every_schema_of_a_whole_thing_is_strict():
    """A field that nobody described is refused: in records, in messages and in every command."""
    for name, all_ in [*EVENTS.items(), *PERIODIC.items()]:
        for each in all_:
            assert schema.check("record", each) == [], name
            assert schema.check("record", {**each, "surplus": 1}) != [], name
    for topic, all_ in MESSAGES.items():
        for each in all_:
            assert schema.check(topic, each) == [], topic
            assert schema.check(topic, {**each, "surplus": 1}) != [], topic


def test_every_form_of_an_event_is_played_here():
    assert sorted(name for all_ in forms().values() for name in all_) == sorted(EVENTS)
    assert set(PERIODIC) == {"status", "activity"}


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_of_the_fullest_record_a_field_may_be_missing_only_where_another_one_lacks_it(name):
    """Required and optional: as the samples have it, field by field."""
    full, *others = {**EVENTS, **PERIODIC}[name]
    optional = {field for each in others for field in full if field not in each}
    for field in full:
        without = {key: value for key, value in full.items() if key != field}
        if field in ("sensor", "ieee", "place") and field in optional:
            continue  # all three or none: below
        may = field in optional or field in ("radio_mv", "days", "temperature")
        assert (schema.check("record", without) == []) is may, field


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_a_value_of_another_type_is_refused(name):
    for each in {**EVENTS, **PERIODIC}[name]:
        for field in each:
            if field == "value" and each.get("event") == "settings.changed":
                continue  # a setting may be anything
            assert schema.check("record", {**each, field: {"no": "such"}}) != [], field
            assert schema.check("record", {**each, field: -1.5}) != [] or field == "temperature", field


@pytest.mark.parametrize("change", [
    {"at": None}, {"clock": "unset"}, {"clock": "guessed"}, {"at": None, "clock": "late"}, {"up": -1}, {"up": None},
    {"seq": 0}, {"boot": "12"}, {"boot": True}, {"kind": "status"}, {"event": "door.ajar"}, {"test": None},
    {"ieee": "00124B0000000001"}, {"sensor": ""}, {"place": 41 * "가"},
], ids=json.dumps)
def test_what_is_wrong_with_an_event(change):
    good = EVENTS["door.opened"][0]
    assert schema.check("record", {**good, "at": None, "clock": "unset"}) == []
    assert schema.check("record", {**good, "clock": "late"}) == []
    assert schema.check("record", {**good, **change}) != []
    assert schema.check("up/event", {"boot": 1, "batch": 1, "records": [good, {**good, **change}]}) != []


def test_what_belongs_together():
    triggered, button, _ = EVENTS["emergency.triggered"]
    assert schema.check("record", {k: v for k, v in triggered.items() if k != "ieee"}) != []
    assert schema.check("record", {**button, "source": "부엌"}) != []
    assert schema.check("record", {**EVENTS["emergency.cancelled"][0], "by": "gateway"}) != []
    unknown = PERIODIC["activity"][1]
    assert schema.check("record", {k: v for k, v in unknown.items() if k != "from_up"}) != []
    assert schema.check("record", {**PERIODIC["activity"][0], "from": None, "from_up": 1}) != []
    assert schema.check("record", {**EVENTS["emergency.ended:test_over"][0], "test": False}) != []


def test_what_is_wrong_is_said_with_its_place():
    wrong = {**EVENTS["sensor.link"][0], "dbm": 5}
    assert schema.check("record", wrong) == ["dbm: 5 is greater than the maximum of -10"]
    batch = {"boot": 1, "batch": 1, "records": [EVENTS["door.opened"][0], wrong]}
    assert schema.check("up/event", batch) == ["records/1/dbm: 5 is greater than the maximum of -10"]
    with pytest.raises(LookupError, match="there is no schema 'recrod': one of up/event"):
        schema.check("recrod", {})


@pytest.mark.parametrize("count", [0, 11])
def test_a_batch_has_one_to_ten_records_of_its_topic(count):
    door, status = EVENTS["door.opened"][0], PERIODIC["status"][0]
    assert schema.check("up/event", {"boot": 1, "batch": 1, "records": count * [door]}) != []
    assert schema.check("up/event", {"boot": 1, "batch": 1, "records": 10 * [door]}) == []
    assert schema.check("up/event", {"boot": 1, "batch": 1, "records": [door, status]}) != []
    assert schema.check("up/data", {"boot": 1, "batch": 1, "records": [door]}) != []


def test_a_payload_is_checked_whole():
    good = json.dumps(MESSAGES["up/beat"][0]).encode()
    assert schema.check_payload("gw/GW-000001/up/beat", good) == []
    assert schema.check_payload("gw/GW-000001/up/beat", good + 4608 * b" ") == [
        f"payload: {len(good) + 4608} bytes, 4608 at most"]
    assert schema.check_payload("gw/GW-000001/up/beat", b"\xff{}")[0].startswith("payload: no JSON in UTF-8")
    assert schema.check_payload("gw/GW-000001/up/beat", good[:-1])[0].startswith("payload: no JSON in UTF-8")
    for topic in ("gw/GW-000001/up/nothing", "other/GW-000001/up/beat", "up/beat", ""):
        with pytest.raises(LookupError, match="there is no topic"):
            schema.check_payload(topic, good)


# ---------------------------------------------------------------------------- the same as elsewhere
def test_the_events_are_those_of_the_page_and_of_the_firmware():
    listed = set(re.findall(r"`([a-z]+\.[a-z_]+)`", first_column("docs/events.md")))
    assert len(listed) > 20
    assert set(forms()) == listed == events()


def told(pattern: str) -> set:
    """What that finds in the firmware's source, first group."""
    found = set()
    for path in (ROOT / "firmware").rglob("*.py"):
        found |= set(re.findall(pattern, path.read_text(encoding="utf-8")))
    return found


def test_the_periodic_records_are_those_of_the_firmware():
    assert told(r"\.periodic\(\s*\"(\w+)\"") == set(PERIODIC)
    for kind in PERIODIC:
        assert schema.files()[kind + ".json"]["properties"]["kind"] == {"const": kind}


def test_every_fault_the_firmware_names_has_a_form():
    """`fault="..."` and `"fault": "..."` in the source; radio_silence and interference come from a variable."""
    named = told(r"fault(?:=|\": )\"(\w+)\"") | told(r"_fault = \"(\w+)\"") | {"radio_silence", "interference"}
    described = {each["fault"] for _, each in GOOD if "fault" in each}
    described |= set(schema.files()["event.json"]["$defs"]["sensor.fault"]["properties"]["fault"]["enum"])
    assert len(named) > 12 and named == described


def test_the_commands_are_those_the_firmware_takes_from_the_relay():
    """Names and fields; `time` and `state` are the link's own."""
    table = {name: row[1] for name, row in Commands(None)._table.items() if row[0] & COMMAND}
    described = schema.files()["command.json"]["$defs"]
    of_the_link = {"time": ("at:i",), "state": ()}
    assert set(described) - {"command", "text"} == set(table) | set(of_the_link)
    for name, fields in [*table.items(), *of_the_link.items()]:
        body = described[name]
        wanted = {field.split(":")[0].rstrip("?"): "?" not in field for field in fields}
        assert set(body["properties"]) - {"name"} == set(wanted), name
        assert set(body.get("required", [])) == {field for field, needed in wanted.items() if needed}, name


def test_a_record_of_each_form_fits_into_a_message():
    for name, each in GOOD:
        assert len(json.dumps(each).encode()) <= 4608 // 2, name
    status = record("status", **{k: v for k, v in PERIODIC["status"][0].items() if k not in record("")})
    assert status == PERIODIC["status"][0]
