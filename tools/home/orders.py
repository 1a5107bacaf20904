"""Commands of the care system, as a page asks for them.

Owns how they are written: a name, and fields as `name=value name="two words"`. Whether the gateway knows such a
command is for the gateway to say. Must never send a command that could not be sent by `python -m tools.relay send`.
"""

from __future__ import annotations

import json
import pathlib
import shlex

from tools.home.steps import TEXT_MAX
from tools.relay import RelayError, commands
from tools.relay.database import Unacceptable, Unavailable
from tools.relay.databases import open_store
from tools.relay.protocol import is_name

MINUTES = 10  # it is good for, in the home's time
_OWN = ("id", "counter", "expires", "name")  # the relay's to say


class Wrong(Exception):
    """One line that says why this is no command, or why it cannot be put down."""


def parse(wish: object) -> tuple[str, dict]:
    """Name and fields of {"name": ..., "fields": "name=value ..."}. A value is JSON or a word. Raises Wrong."""
    if not isinstance(wish, dict):
        raise Wrong("a command is an object with 'name'")
    name, text = wish.get("name"), wish.get("fields", "")
    if not isinstance(name, str) or not isinstance(text, str) or not is_name(name) or len(text) > TEXT_MAX:
        raise Wrong("no command: a name such as state or settings.set")
    try:
        return name, dict(_field(word) for word in shlex.split(text))
    except ValueError:
        raise Wrong("a quotation mark is missing") from None


def _field(word: str) -> tuple[str, object]:
    name, equals, value = word.partition("=")
    if not equals or not is_name(name) or name in _OWN:
        raise Wrong(f"{word!r} is no field: name=value")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def put_down(database: pathlib.Path, gateway: str, name: str, fields: dict, now_ms: int) -> None:
    """Into the relay's database, as `tools.relay send` does; for a thread. Raises Wrong."""
    words = [f"{field}={json.dumps(value, ensure_ascii=False)}" for field, value in fields.items()]
    try:
        store = open_store(f"sqlite:///{database}", make=False)
        try:
            commands.put_down(store, gateway, name, words, MINUTES, now_ms)
        finally:
            store.close()
    except (RelayError, Unavailable, Unacceptable) as error:
        raise Wrong(str(error)) from None
