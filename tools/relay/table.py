"""Rows of gateways as text columns, whatever alphabet their sensors are named in. Pure."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

_GAP = "  "
_HEAD = ("gateway", "link", "heard", "waiting", "records", "repeats", "apart", "version", "last event")
_RIGHT = {2, 3, 4, 5, 6}
_EVENT = 8
_LESS = (7, 5, 4)  # left out in this order while the event has less room than
_ROOM = 24
_LATE_MS = 5000  # a heartbeat may come so much later


class Seen(NamedTuple):
    """A gateway as it is; times in ms since 1970."""

    gateway: str
    link: str
    silent: int | None
    heard: int
    waiting: int | None
    records: int
    repeats: int
    apart: int  # contradictions and what was refused
    version: str | None
    event: str | None
    every: int  # s between two heartbeats


def width(text: str) -> int:
    """Columns that it takes in a terminal: Hangul and other wide characters two, combining ones none."""
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn", "Me") or "\u1160" <= char <= "\u11ff":
        return 0  # the last ones: vowels and finals of a Hangul syllable that is written in parts
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def cut(text: str, most: int) -> str:
    """The text in at most that many columns."""
    if width(text) <= most:
        return text
    kept, used = "", 0
    for char in text:
        used += _width(char)
        if used > most - 1:
            break
        kept += char
    return kept + "…" if most > 0 else ""


def pad(text: str, columns: int, right: bool = False) -> str:
    """Filled up with spaces, on the left when `right`."""
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def ago(ms: int) -> str:
    """A time span, short."""
    seconds = max(0, ms) // 1000
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def draw(gateways: list[Seen], now: int, columns: int) -> list[str]:
    """Head and a line each, none wider than `columns`."""
    rows = [_HEAD, *(_cells(seen, now) for seen in gateways)]
    widths = {column: max(width(row[column]) for row in rows) for column in range(_EVENT)}
    for column in _LESS:
        if columns - sum(widths.values()) - len(_GAP) * len(widths) < _ROOM:
            del widths[column]
    lines = []
    for row in rows:
        cells = [pad(row[column], size, column in _RIGHT) for column, size in widths.items()]
        lines.append(cut(_GAP.join([*cells, row[_EVENT]]), columns))
    return lines


def _cells(seen: Seen, now: int) -> tuple[str, ...]:
    link = "silent" if seen.silent is not None else seen.link
    late = "?" if now - seen.heard > 1000 * seen.every + _LATE_MS else ""  # a link that comes up brings a heartbeat
    return (
        seen.gateway, link, ago(now - seen.heard), "-" if seen.waiting is None else f"{seen.waiting}{late}",
        str(seen.records), str(seen.repeats), str(seen.apart or "-"), seen.version or "-", seen.event or "-",
    )
