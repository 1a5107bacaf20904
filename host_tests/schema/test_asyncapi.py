"""The machine-readable description of the topics: it holds together, and says what docs/relay-protocol.md says."""

import json
import re

import pytest
from conftest import ROOT
from schema.samples import MESSAGES
from schema.test_schema import references

from tools import schema

PAGE = (ROOT / "docs" / "relay-protocol.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `gw/GW/((?:up|down)/\w+)` \| ([01]) \| ([^|]+) \|", PAGE, re.M)


def test_every_reference_leads_somewhere():
    document = schema.asyncapi()
    found = list(references(document))
    assert len(found) > 20
    for reference in found:
        file, _, pointer = reference.partition("#")
        assert schema.pointed(schema.files()[file] if file else document, pointer), reference


def test_the_topics_are_those_of_the_page():
    assert len(ROWS) == 6 and {topic for topic, _, _ in ROWS} == set(schema.topics()) == set(MESSAGES)


def operations() -> dict:
    """topic's end -> the operation on it."""
    document = schema.asyncapi()
    found = {}
    for each in document["operations"].values():
        channel = schema.pointed(document, each["channel"]["$ref"][1:])
        assert channel["address"].startswith("gw/{gateway}/") and "gateway" in channel["parameters"]
        found[channel["address"].split("/", 2)[2]] = each
    assert len(found) == len(document["operations"]) == len(document["channels"])
    return found


@pytest.mark.parametrize("topic,qos,sender", ROWS)
def test_quality_and_direction_are_those_of_the_page(topic, qos, sender):
    operation = operations()[topic]
    binding = operation["bindings"]["mqtt"]
    assert binding["qos"] == int(qos) and binding["retain"] is False
    assert operation["action"] == ("send" if "gateway" in sender else "receive")
    assert topic.startswith("up/" if "gateway" in sender else "down/")


def test_the_largest_payloads_are_those_of_the_page():
    up, down = re.search(r"at most ([\d,]+) bytes \(`down`: ([\d,]+)\)", PAGE).groups()
    for topic, (_, largest) in schema.topics().items():
        assert largest == int((up if topic.startswith("up/") else down).replace(",", "")), topic


def test_the_will_is_a_message_of_its_topic():
    will = schema.asyncapi()["servers"]["relay"]["bindings"]["mqtt"]["lastWill"]
    assert will["topic"] == "gw/{gateway}/up/link" and will["qos"] == 1 and will["retain"] is False
    assert schema.check_payload("gw/GW-000001/up/link", will["message"].encode()) == []


def test_what_the_page_shows_as_examples_is_right():
    """The lines in its code blocks that begin with a topic, and the command; `...` stands for what is left out."""
    shown = re.findall(r"^((?:up|down)/\w+) +(\{.*\})$", PAGE, re.M)
    assert {topic for topic, _ in shown} == set(schema.topics()) - {"up/data"}
    for topic, text in shown:
        if "..." not in text:
            assert schema.check(topic, json.loads(text)) == [], text
