"""What is sent over the link to the relay, checked against docs/schema: records, batches, every message of a topic.

Owns how the schema files find each other, and how what is wrong is said: "path: what", a line each. Must never change
what it checks, and must not be needed by anything that runs on a gateway.
"""

from __future__ import annotations

import functools
import json
import pathlib
from collections.abc import Iterable
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "docs" / "schema"
ASYNCAPI = "asyncapi.json"
_OTHER_FORM = 100  # a constant that differs: the object is of another form than this branch is for


@functools.lru_cache(maxsize=1)
def files() -> dict[str, dict]:
    """Every JSON Schema by its file's name; asyncapi.json is none."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        if path.name != ASYNCAPI:
            found[path.name] = json.loads(path.read_text(encoding="utf-8"))
    return found


@functools.lru_cache(maxsize=1)
def asyncapi() -> dict:
    """The description of the topics, AsyncAPI 3.0."""
    return json.loads((FOLDER / ASYNCAPI).read_text(encoding="utf-8"))


def pointed(document: Any, pointer: str) -> Any:
    """What a JSON pointer ("/a/b", empty: the whole) finds in a document. Raises KeyError with the pointer."""
    found = document
    try:
        for part in pointer.split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            found = found[int(part)] if isinstance(found, list) else found[part]
    except (KeyError, IndexError, ValueError, TypeError):
        raise KeyError(pointer) from None
    return found


@functools.lru_cache(maxsize=1)
def topics() -> dict[str, tuple[str, int]]:
    """Of each topic's end ("up/event"): the schema of its payload ("batch.json#/$defs/event") and its largest size."""
    document = asyncapi()
    found = {}
    for channel in document["channels"].values():
        ((_, message),) = channel["messages"].items()
        message = pointed(document, message["$ref"][1:])
        found[channel["address"].split("/", 2)[2]] = (message["payload"]["schema"]["$ref"], message["x-max-bytes"])
    return found


@functools.lru_cache(maxsize=64)
def _validator(reference: str) -> Any:
    resources = [(name, DRAFT202012.create_resource(each)) for name, each in files().items()]
    return Draft202012Validator({"$ref": reference}, registry=Registry().with_resources(resources))


def check(kind: str, thing: Any) -> list[str]:
    """What is wrong with it, a line each; empty: nothing. kind: a topic's end ("up/event") or the name of a schema
    ("record", "event", "status", "activity", "ack", "beat", "link", "command"). Raises LookupError for any other."""
    reference = topics()[kind][0] if kind in topics() else kind + ".json"
    if reference.split("#")[0] not in files():
        raise LookupError(f"there is no schema '{kind}': one of {', '.join([*topics(), *files()])}")
    return sorted(set(_lines(_validator(reference).iter_errors(thing))))


def check_payload(topic: str, payload: bytes) -> list[str]:
    """The same of a whole message as it is on the wire, its size too. topic: "gw/GW/up/event". Raises LookupError."""
    end = topic.split("/", 2)[-1]
    if not topic.startswith("gw/") or end not in topics():
        raise LookupError(f"there is no topic '{topic}'")
    if len(payload) > topics()[end][1]:
        return [f"payload: {len(payload)} bytes, {topics()[end][1]} at most"]
    try:
        return check(end, json.loads(payload.decode("utf-8")))
    except ValueError as error:
        return [f"payload: no JSON in UTF-8: {error}"]


def _lines(errors: Iterable[ValidationError]) -> list[str]:
    """What is not evaluated is told only when nothing else is wrong there: else it is what the others left over."""
    found: list[str] = []
    errors = list(errors)
    wrong = [list(error.absolute_path) for error in errors if error.validator != "unevaluatedProperties"]
    for error in errors:
        here = list(error.absolute_path)
        if error.validator == "unevaluatedProperties" and any(path[: len(here)] == here for path in wrong):
            continue
        branch = _branch(error)
        if branch is None:
            path = "/".join(str(part) for part in error.absolute_path) or "it"
            found.append(f"{path}: {error.message[:300]}")
        else:
            found += _lines(branch)
    return found


def _branch(error: ValidationError) -> list[ValidationError] | None:
    """Of a choice that none fits: the errors of the form that it was meant to be; None: it is no choice."""
    if error.validator not in ("oneOf", "anyOf") or not error.context:
        return None
    branches: dict[int, list[ValidationError]] = {}
    for each in error.context:
        branches.setdefault(each.schema_path[0], []).append(each)
    return min(branches.values(), key=lambda errors: sum(map(_far, errors)))


def _far(error: ValidationError) -> int:
    """How far the object is from what this asks for."""
    branch = _branch(error)
    if branch is not None:
        return sum(map(_far, branch))
    return _OTHER_FORM if error.validator == "const" else 10 if error.validator == "enum" else 1
