"""What goes over the link (docs/relay-protocol.md): bytes to messages, checked, and back.

Pure: no I/O, no clock. Must never let anything out of `parse` but a message or `Refused`, whatever the bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

UP_BYTES = 4608
DOWN_BYTES = 1024
MOST_RECORDS = 10
MOST_NUMBER = 1 << 53  # whole numbers that every JSON reader keeps exactly
MOST_AT_MS = 253402300799999  # the end of year 9999
EVERY_S = 60  # of a gateway that has not said how often it sends a heartbeat
MOST_EVERY_S = 86400

_TOPIC = re.compile(r"gw/([A-Za-z0-9][A-Za-z0-9._-]{0,31})/up/(event|data|beat|link)", re.ASCII)
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,39}", re.ASCII)
_BATCH = re.compile(r'\{"boot":(\d{1,16}),"batch":(\d{1,16}),"records":\[', re.ASCII)
_CLOCKS = ("set", "late", "network", "unset")
_LINKS = ("up", "lost", "down")


class Refused(Exception):
    """Why a payload is not taken: a few words."""


class Record(NamedTuple):
    """One record as sent; `at` in ms since 1970, `up` in ms since the start of its boot."""

    boot: int
    seq: int
    kind: str
    event: str | None
    test: bool
    at: int | None
    clock: str
    up: int | None
    body: dict[str, Any]
    text: str


class Batch(NamedTuple):
    gateway: str
    boot: int
    batch: int
    records: list[Record]
    bad: list[tuple[str, str]]  # of single records that are none: why, and the JSON


class Beat(NamedTuple):
    gateway: str
    boot: int
    up: int
    at: int | None
    clock: str
    every: int  # s
    mains: bool
    waiting: int


class Link(NamedTuple):
    gateway: str
    state: str  # up, lost, down
    boot: int | None
    version: str | None
    counter: int  # the highest of a command that it has taken


Message = Batch | Beat | Link


def is_number(text: str) -> bool:
    """Whether a gateway can be called so."""
    return _NUMBER.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether a command can be called so."""
    return _WORD.fullmatch(text) is not None


def gateway_of(topic: str) -> str:
    """The gateway a topic names, "" when it is none of ours."""
    parts = topic.split("/")
    return parts[1] if len(parts) > 1 and parts[0] == "gw" and is_number(parts[1]) else ""


def parse(topic: str, payload: bytes) -> Message:
    """The message, checked. Raises Refused."""
    match = _TOPIC.fullmatch(topic)
    if not match:
        raise Refused("no topic of ours")
    if len(payload) > UP_BYTES:
        raise Refused(f"longer than {UP_BYTES} bytes")
    gateway, what = match.groups()
    said = _batch_object(payload) if what in ("event", "data") else _object(payload)
    if said.get("gateway", gateway) != gateway:
        raise Refused("speaks of another gateway than its topic")
    if what == "beat":
        return _beat(gateway, said)
    return _link(gateway, said) if what == "link" else _batch(gateway, said)


def text_of(body: Any) -> str:
    """JSON as it is kept: short, UTF-8. Raises Refused for what no JSON reader or database takes."""
    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode("utf-8")
    except (ValueError, RecursionError):
        raise Refused("not JSON that can be kept") from None
    return text


def meaning(body: dict[str, Any]) -> str:
    """What two records of one identity must have in common: all but their dates."""
    return json.dumps({key: body[key] for key in body if key not in ("at", "clock")}, sort_keys=True)


def ack(boot: int, batch: int) -> bytes:
    return b'{"boot":%d,"batch":%d}' % (boot, batch)


def command(identity: str, counter: int, expires: int, body: dict[str, Any]) -> bytes:
    """The payload of a command; `body` is its name and fields. Raises Refused when it is too long."""
    data = text_of({"id": identity, "counter": counter, "expires": expires, **body}).encode("utf-8")
    if len(data) > DOWN_BYTES:
        raise Refused(f"longer than {DOWN_BYTES} bytes")
    return data


def _batch_object(payload: bytes) -> dict[str, Any]:
    """As `_object`. A record that is no JSON, or no UTF-8, becomes a text and costs nobody but itself: its batch would
    come again for ever, and its lane behind it."""
    text = payload.decode("utf-8", "surrogateescape")
    try:
        return _object(payload)
    except Refused:
        match = _BATCH.match(text)
        if match is None:
            raise
    boot, batch = match.groups()
    return {"boot": int(boot), "batch": int(batch), "records": list(_pieces(text, match.end()))}


def _pieces(text: str, at: int) -> Iterator[Any]:
    """The records of a batch one by one, as sent by a gateway: without a space between them."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    end = at - 1
    while text[end : end + 1] in "[,":
        at = end + 1
        try:
            body, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = text.find("},{", at) + 1 or len(text)
            body = text[at:end]
        yield body
        if end >= len(text):
            return


def _object(payload: bytes) -> dict[str, Any]:
    try:
        said = json.loads(payload.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused("not JSON") from None
    if not isinstance(said, dict):
        raise Refused("no JSON object")
    return said


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _batch(gateway: str, said: dict[str, Any]) -> Batch:
    boot, batch = _whole(said, "boot"), _whole(said, "batch")
    records = said.get("records")
    if not isinstance(records, list) or not 1 <= len(records) <= MOST_RECORDS:
        raise Refused(f"not 1 to {MOST_RECORDS} records")
    good, bad = [], []
    for body in records:
        try:
            good.append(_record(gateway, body))
        except Refused as refused:
            bad.append((str(refused), _as_came(body)))
    return Batch(gateway, boot, batch, good, bad)


def _as_came(body: Any) -> str:
    try:
        return json.dumps(body)
    except (ValueError, RecursionError):
        raise Refused("not JSON that can be kept") from None


def _record(gateway: str, body: Any) -> Record:
    if not isinstance(body, dict):
        raise Refused("a record that is no JSON object")
    if body.get("gateway", gateway) != gateway:
        raise Refused("a record of another gateway than its topic")
    kind, event, test = body.get("kind"), body.get("event"), body.get("test", False)
    if not isinstance(kind, str) or not is_name(kind):
        raise Refused("a record without kind")
    if kind != "event":
        event = None
    elif not isinstance(event, str) or not is_name(event):
        raise Refused("an event without name")
    if not isinstance(test, bool):
        raise Refused("test is not true or false")
    at, clock = _date(body)
    up = None if "up" not in body else _whole(body, "up")  # before 0.2 no record had it: then it is never dated late
    return Record(_whole(body, "boot"), _whole(body, "seq"), kind, event, test, at, clock, up, body, text_of(body))


def _beat(gateway: str, said: dict[str, Any]) -> Beat:
    at, clock = _date(said)
    mains = said.get("mains")
    if not isinstance(mains, bool):
        raise Refused("mains is not true or false")
    every = _whole(said, "every", 1, MOST_EVERY_S)
    return Beat(gateway, _whole(said, "boot"), _whole(said, "up"), at, clock, every, mains, _whole(said, "waiting"))


def _link(gateway: str, said: dict[str, Any]) -> Link:
    state = said.get("link")
    if state not in _LINKS:
        raise Refused("link is not up, lost or down")
    if state != "up":
        return Link(gateway, str(state), None, None, 0)
    version = said.get("version")
    if not isinstance(version, str) or not 1 <= len(version) <= 40 or not version.isprintable():
        raise Refused("version is no short text")
    _date(said)
    return Link(gateway, "up", _whole(said, "boot"), version, _whole(said, "counter"))


def _date(said: dict[str, Any]) -> tuple[int | None, str]:
    clock = said.get("clock")
    if clock not in _CLOCKS:
        raise Refused("clock is not set, late or unset")
    if said.get("at") is None:
        return None, "unset"
    at = _whole(said, "at", 0, MOST_AT_MS)
    return (None, "unset") if clock == "unset" else (at, str(clock))


def _whole(said: dict[str, Any], field: str, least: int = 0, most: int = MOST_NUMBER) -> int:
    number = said.get(field)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise Refused(f"{field} is no whole number of {least} to {most}")
    return number
