"""The store in an SQLite file: the default. Write-ahead log, every commit on disk before it is answered.

Several programs may use the file at once (relays, `send`, `export`); writers take turns.
"""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from tools.relay import RelayError
from tools.relay.database import Identity, Row, Unacceptable, Unavailable
from tools.relay.store import Store

_BUSY_S = 5.0  # how long a writer waits for another one
_OLDEST = (3, 35)  # RETURNING


class Sqlite(Store):
    """The database in a file; made when it is not there. Raises RelayError when it cannot be."""

    def __init__(self, path: pathlib.Path, make: bool = True) -> None:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise RelayError(f"SQLite {sqlite3.sqlite_version} is too old: Python with 3.35 or newer is needed")
        if not make and not path.exists():
            raise RelayError(f"there is no database {path}: is it the one the relay was started with (--db)?")
        self._path = path
        self._db = self._connect()
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        except sqlite3.Error as error:
            raise RelayError(f"cannot open the database {self._path}: {error}") from None

    def _prepare(self) -> None:
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            with self.transaction():
                self.prepare()
        except (sqlite3.Error, Unavailable, Unacceptable) as error:
            raise RelayError(f"cannot use the database {self._path}: {error}") from None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._db.execute(sql, values)

    def execute_many(self, sql: str, rows: Sequence[Any]) -> None:
        self._db.executemany(sql, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See Store."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:  # locked, disk full, the file is gone
            raise Unavailable(str(error)) from None
        except sqlite3.Error as error:
            raise Unacceptable(str(error)) from None
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def insert(self, rows: list[Row]) -> set[Identity]:
        """See Store."""
        mark = ", ".join("?" * len(Row._fields))
        sql = f"INSERT INTO records ({', '.join(Row._fields)}) VALUES ({mark}) ON CONFLICT DO NOTHING"
        return {row.identity for row in rows if self._db.execute(sql, row).rowcount}

    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """See Store."""
        yield from self._db.execute(sql, values)

    def reopen(self) -> None:
        """See Store: nothing to do, a file does not go away by itself."""

    def close(self) -> None:
        """Fold the write-ahead log into the file, when nobody else has it open."""
        self._db.close()
