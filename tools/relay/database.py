"""What the relay's tables stand on: statements, a transaction, and the two ways in which a database says no.

The SQL above it is common to SQLite and PostgreSQL; what differs is in sqlite.py and postgres.py. All of it runs inside
`transaction()`, on one thread. Must never leave a transaction half done: it commits whole, or raises and has changed
nothing.
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

_AT_ONCE = 500  # keys in one question

Identity = tuple[str, int, int]  # gateway, boot, seq


class Unavailable(Exception):
    """The database does not answer, or is busy: nothing was changed; try again."""


class Unacceptable(Exception):
    """The database will never take this: nothing was changed."""


class Row(NamedTuple):
    """A record as it is kept."""

    gateway: str
    boot: int
    seq: int
    kind: str
    event: str | None
    test: int
    at: int | None
    clock: str
    up: int | None
    received: int
    record: str

    @property
    def identity(self) -> Identity:
        return self.gateway, self.boot, self.seq


class Database(abc.ABC):
    """See the module. Times are ms since 1970."""

    greatest = "MAX"  # the larger of its arguments
    blob = "BLOB"

    @abc.abstractmethod
    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """A cursor; `?` stands for a value."""

    @abc.abstractmethod
    def execute_many(self, sql: str, rows: Sequence[Any]) -> None:
        """The statement for each of the rows, a sequence of values each."""

    @abc.abstractmethod
    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Commit at the end, roll back when something is raised. Raises Unavailable, Unacceptable."""

    @abc.abstractmethod
    def insert(self, rows: list[Row]) -> set[Identity]:
        """Keep the rows whose identity is free; which these were. Identities differ from each other."""

    @abc.abstractmethod
    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Rows of a long answer, not all at once in memory."""

    @abc.abstractmethod
    def reopen(self) -> None:
        """After Unavailable: a new connection where the old one is gone. Raises Unavailable."""

    @abc.abstractmethod
    def close(self) -> None: ...


def parts(values: list[Any]) -> Iterator[list[Any]]:
    """So many of them at once that one question takes them."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start:start + _AT_ONCE]


def marks(values: Sequence[Any], mark: str = "?") -> str:
    """A place for each of the values."""
    return ", ".join([mark] * len(values))
