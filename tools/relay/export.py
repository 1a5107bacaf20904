"""Committed records out of the database, in the order of gateway, boot and sequence: JSON lines or CSV.

JSON lines hold each record as it was sent, with the best date that is known beside it. CSV is for people and their
spreadsheets: a text cell that one would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

from tools.relay import RelayError
from tools.relay.store import Store

_COLUMNS = ("gateway", "boot", "seq", "at", "clock", "kind", "event", "test", "sensor", "place", "received", "record")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Wanted(NamedTuple):
    """None: all of them. `since`, ms since 1970: what happened then or later, or, undated, came then or later."""

    gateway: str | None
    since: int | None
    kind: str | None


def moment(text: str) -> int:
    """An ISO date or time in ms since 1970; local time when it says no zone. Raises RelayError."""
    try:
        at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return int(at.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise RelayError(f"--since {text!r} is no date or time such as 2026-03-01 or 2026-03-01T12:00+09:00") from None


def write(store: Store, wanted: Wanted, as_csv: bool, out: TextIO) -> None:
    """All that is wanted. Raises OSError when nobody reads it."""
    if as_csv:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for row in _rows(store, wanted):
            rows.writerow(_cells(*row))
    else:
        for row in _rows(store, wanted):
            out.write(_line(*row))
    out.flush()


def _rows(store: Store, wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    where, values = ["1 = 1"], []
    for column, value in (("gateway = ?", wanted.gateway), ("COALESCE(at, received) >= ?", wanted.since),
                          ("kind = ?", wanted.kind)):
        if value is not None:
            where.append(column)
            values.append(value)
    return store.stream(
        "SELECT gateway, boot, seq, at, clock, kind, event, test, received, record FROM records "
        f"WHERE {' AND '.join(where)} ORDER BY gateway, boot, seq", values)


def _line(gateway: str, _boot: int, _seq: int, at: int | None, clock: str, _kind: str, _event: str | None, _test: int,
          received: int, record: str) -> str:
    head = json.dumps({"gateway": gateway, "at": at, "clock": clock, "received": received})
    return f'{head[:-1]}, "record": {record}}}\n'


def _cells(gateway: str, boot: int, seq: int, at: int | None, clock: str, kind: str, event: str | None, test: int,
           received: int, record: str) -> list[Any]:
    said = json.loads(record)
    return [
        gateway, boot, seq, _iso(at), clock, kind, event or "", test,
        _text(said.get("sensor")), _text(said.get("place")), _iso(received), record,
    ]


def _iso(at: int | None) -> str:
    if at is None:
        return ""
    try:
        when = datetime.datetime.fromtimestamp(at // 1000, datetime.timezone.utc).replace(microsecond=at % 1000 * 1000)
    except (OverflowError, ValueError, OSError):
        return str(at)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text
