"""The store in PostgreSQL, by its URL; psycopg 3. For several relays and many gateways (docs/scale.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from tools.relay import RelayError
from tools.relay.database import Identity, Row, Unacceptable, Unavailable
from tools.relay.store import Store

_CONNECT_S = 10
_STATEMENT_MS = 30_000
_PREPARING = 0x67617465  # one number for all relays: whoever makes the tables holds the lock of this name
_TYPES = ("text", "bigint", "bigint", "text", "text", "integer", "bigint", "text", "bigint", "bigint", "text")
_CHUNK = 1000


class Postgres(Store):
    """The database behind a URL such as postgresql://user@host/name.

    Raises Unavailable when nobody answers there, RelayError when it will never be ours: role, password, database.
    """

    greatest = "GREATEST"
    blob = "BYTEA"

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            self._db = self._first()
            self._prepare()
        except Unacceptable as error:
            raise RelayError(f"cannot use the PostgreSQL database: {error}") from None

    def _first(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Raises Unavailable, Unacceptable.

        A connection that failed has no code, and its text is in the server's language: whether a server answers at
        all, the library tells. Tried again then: it may have come up just now.
        """
        try:
            return self._connect()
        except Unavailable:
            if not _answers(self._url):
                raise
        try:
            return self._connect()
        except Unavailable as error:
            if _answers(self._url):
                raise Unacceptable(str(error)) from None
            raise

    def _prepare(self) -> None:
        try:
            with self.transaction():
                self._db.execute("SELECT pg_advisory_xact_lock(%s)", (_PREPARING,))
                self.prepare()
        except BaseException:
            self._db.close()
            raise

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Raises Unavailable."""
        try:
            db = psycopg.connect(self._url, autocommit=True, connect_timeout=_CONNECT_S, client_encoding="utf8")
            db.execute(f"SET statement_timeout = {_STATEMENT_MS}; SET synchronous_commit = on")
        except psycopg.Error as error:  # its texts name host and user, never the password
            raise Unavailable(_line(error)) from None
        return db

    def execute(self, sql: str, values: Sequence[Any] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        return self._db.execute(_marked(sql), values)

    def execute_many(self, sql: str, rows: Sequence[Any]) -> None:
        if rows:
            with self._db.cursor() as cursor:
                cursor.executemany(_marked(sql), rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See Store."""
        try:
            with self._db.transaction():
                yield
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:  # gone, out of space, a deadlock, too slow
            raise Unavailable(_line(error)) from None
        except psycopg.Error as error:
            raise Unacceptable(_line(error)) from None

    def insert(self, rows: list[Row]) -> set[Identity]:
        """See Store."""
        if not rows:
            return set()
        arrays = ", ".join(f"?::{kind}[]" for kind in _TYPES)
        found = self._db.execute(
            _marked(f"INSERT INTO records ({', '.join(Row._fields)}) SELECT * FROM unnest({arrays}) "
                    "ON CONFLICT DO NOTHING RETURNING gateway, boot, seq"),
            [list(column) for column in zip(*sorted(rows, key=lambda row: row.identity), strict=True)],
        )
        return {(gateway, boot, seq) for gateway, boot, seq in found}

    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """See Store."""
        with self._db.transaction(), self._db.cursor(name="stream") as cursor:
            cursor.itersize = _CHUNK
            yield from cursor.execute(_marked(sql), values)

    def reopen(self) -> None:
        """See Store."""
        if self._db.closed or self._db.broken:
            self._db.close()
            self._db = self._connect()

    def close(self) -> None:
        self._db.close()


def _answers(url: str) -> bool:
    """Whether it is a server that says no, or the URL is none: not one that is away or starting."""
    try:
        where = psycopg.conninfo.make_conninfo(url, connect_timeout=_CONNECT_S)
    except psycopg.ProgrammingError:
        return True
    return psycopg.pq.PGconn.ping(where.encode()) in (psycopg.pq.Ping.OK, psycopg.pq.Ping.NO_ATTEMPT)


def _marked(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()  # none of our statements has another ? or a %


def _line(error: psycopg.Error) -> str:
    return " ".join(str(error).split()) or type(error).__name__
