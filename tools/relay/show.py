"""What a person or a program sees of the running relay: a table, lines, or JSON lines.

Owns stdout and stderr of the relay. What gateways sent is shown without anything that could move a cursor. Must never
end the relay: when nobody reads any more it goes on without.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from typing import Protocol, TextIO

from tools.relay import table
from tools.relay.committer import Notice, Outcome, printable, summary
from tools.relay.protocol import Record
from tools.relay.store import Store

_LAST = 6  # notices below the table


class Show(Protocol):
    """See the module. `notice` may come from any thread."""

    def notice(self, notice: Notice) -> None: ...

    def committed(self, outcome: Outcome) -> None: ...

    def refresh(self, store: Store, now: int) -> None: ...


class _Out:
    """A stream that may go away."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        with self._lock:
            if self._stream is None:
                return
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None


def line(notice: Notice, now_s: float) -> str:
    """One plain line."""
    words = [time.strftime("%H:%M:%S", time.localtime(now_s)), notice.gateway or "relay", notice.text]
    return printable(" ".join(words), 300)


def notices(outcome: Outcome) -> list[Notice]:
    """New events, and what else there is to say of a committed group."""
    events = [
        Notice(told.gateway, "event", summary(told.record))
        for told in outcome.told if told.new and told.record.event is not None
    ]
    return events + outcome.notices


class Lines:
    """A line an event, and one for whatever else a person should see."""

    def __init__(self, stream: TextIO) -> None:
        self._out = _Out(stream)

    def notice(self, notice: Notice) -> None:
        self._out.write(line(notice, time.time()) + "\n")

    def committed(self, outcome: Outcome) -> None:
        for notice in notices(outcome):
            self.notice(notice)

    def refresh(self, store: Store, now: int) -> None:
        """Nothing: it has been said."""


class Follow:
    """Each committed record as a JSON object a line on stdout: gateway, record, new; notices on stderr."""

    def __init__(self, stream: TextIO, errors: TextIO) -> None:
        self._out = _Out(stream)
        self._errors = Lines(errors)

    def notice(self, notice: Notice) -> None:
        self._errors.notice(notice)

    def committed(self, outcome: Outcome) -> None:
        self._out.write("".join(_json(told.gateway, told.record, told.new) for told in outcome.told))
        for notice in outcome.notices:
            self.notice(notice)

    def refresh(self, store: Store, now: int) -> None:
        """Nothing: only what is new is told."""


def _json(gateway: str, record: Record, new: bool) -> str:
    return '{"gateway":%s,"record":%s,"new":%s}\n' % (json.dumps(gateway), record.text, "true" if new else "false")


class Table:
    """A table of gateways, drawn again in place, and the last events and notices below it."""

    def __init__(self, stream: TextIO, place: str) -> None:
        self._out = _Out(stream)
        self._place = place  # of the relay, in the first line
        self._notices: list[str] = []
        self._rows = [place, ""]  # as they were drawn last
        self._out.write("\x1b[2J")

    def notice(self, notice: Notice) -> None:
        self._notices = [*self._notices, line(notice, time.time())][-_LAST:]
        if notice.what == "relay":  # while the database is away nothing refreshes
            self._draw()

    def committed(self, outcome: Outcome) -> None:
        for notice in notices(outcome):
            self.notice(notice)

    def refresh(self, store: Store, now: int) -> None:
        """Take a look, and draw."""
        columns, rows = shutil.get_terminal_size()
        with store.transaction():
            shown = store.overview(max(3, rows - _LAST - 4))
            count, silent = store.count()
        clock = time.strftime("%H:%M:%S", time.localtime(now / 1000))
        gateways = f"{len(shown)} of {count}" if len(shown) < count else str(count)
        head = f"{self._place}   gateways {gateways}, silent {silent}   {clock}"
        self._rows = [head, "", *table.draw(shown, now, columns - 1), ""]
        self._draw()

    def _draw(self) -> None:
        """One write, so that it does not flicker."""
        columns, rows = shutil.get_terminal_size()
        lines = [table.cut(text, columns - 1) for text in self._rows]
        lines += [table.cut(text, columns - 1) for text in self._notices[-max(1, rows - len(lines) - 1):]]
        self._out.write("\x1b[H" + "".join(f"{text}\x1b[K\n" for text in lines[:rows - 1]) + "\x1b[J")


def choose(follow: bool, view: bool, place: str) -> Show:
    """A table on a terminal, lines elsewhere; JSON lines when asked for."""
    if follow:
        return Follow(sys.stdout, sys.stderr)
    return Table(sys.stdout, place) if view and sys.stdout.isatty() else Lines(sys.stdout)
