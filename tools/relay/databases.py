"""A store by its URL."""

from __future__ import annotations

import pathlib

from tools.relay import RelayError
from tools.relay.sqlite import Sqlite
from tools.relay.store import Store

DEFAULT = "sqlite:///relay.db"


def open_store(url: str, make: bool = True) -> Store:
    """`sqlite:///relay.db` (four slashes: from the root), `postgresql://...`. Raises RelayError.

    `make`: an SQLite file that is not there is made.
    """
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return Sqlite(pathlib.Path(url[len("sqlite:///"):]), make)
    if url.startswith(("postgresql://", "postgres://")):
        try:
            from tools.relay.postgres import Postgres
        except ImportError:
            raise RelayError("PostgreSQL needs psycopg: pip install 'psycopg[binary]'") from None
        return Postgres(url)
    raise RelayError("--db is sqlite:///FILE or postgresql://USER@HOST/NAME")
