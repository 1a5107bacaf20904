"""What the relay's database says of a gateway. Reads only; for a thread, because a busy database makes it wait."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
from typing import NamedTuple

_WAIT_S = 1.0


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


def read(path: pathlib.Path, gateway: str) -> Entry | None:
    """None: it was never heard, or the database is not there or busy."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(
        sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_WAIT_S)
    ) as database:
        found = database.execute(
            f"SELECT {', '.join(Entry._fields)} FROM gateways WHERE gateway = ?", (gateway,)).fetchone()
        return None if found is None else Entry(*found)
    return None
