"""What the relay's database says of a gateway and of its commands.

Reads only; for a thread, because a busy database makes it wait.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import sqlite3
from typing import NamedTuple

_WAIT_S = 1.0
_MOST = 50  # commands, the newest: a person in front of a page sends no more at once


class Entry(NamedTuple):
    """A row of the table `gateways`; times are ms since 1970 of the relay's clock, which is the home's."""

    link: str  # up, down or lost
    link_at: int
    heard: int
    waiting: int | None  # records, as the last heartbeat said
    silent: int | None  # since when, if it is
    records: int
    repeats: int
    conflicts: int


class Order(NamedTuple):
    """A command, as it is now."""

    id: str
    name: str
    state: str  # waiting, sending, sent, done, refused, expired
    reason: str | None


def read(path: pathlib.Path, gateway: str) -> tuple[Entry | None, list[Order]]:
    """The gateway, None when it was never heard, and its commands; nothing of a database that is not there or busy."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(
        sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_WAIT_S)
    ) as database:
        found = database.execute(
            f"SELECT {', '.join(Entry._fields)} FROM gateways WHERE gateway = ?", (gateway,)).fetchone()
        orders = database.execute("SELECT id, body, state, reason FROM commands WHERE gateway = ? "
                                  "ORDER BY created DESC, id LIMIT ?", (gateway, _MOST)).fetchall()
        return (None if found is None else Entry(*found),
                [Order(key, json.loads(body)["name"], state, reason) for key, body, state, reason in reversed(orders)])
    return None, []
