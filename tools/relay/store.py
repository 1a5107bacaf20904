"""The database as the relay uses it: all its tables behind one interface, in SQLite or PostgreSQL."""

from __future__ import annotations

from tools.relay import RelayError, schema
from tools.relay.gateways import Gateways
from tools.relay.orders import Orders
from tools.relay.records import Records


class Store(Gateways, Records, Orders):
    """See database.py, gateways.py, records.py, orders.py."""

    def prepare(self) -> None:
        """Make the tables that are not there. Raises RelayError: they are another version's."""
        for statement in schema.TABLES:
            self.execute(statement.format(blob=self.blob))
        found = self.execute("SELECT version FROM relay_schema").fetchone()
        if found is None:
            self.execute("INSERT INTO relay_schema VALUES (?)", (schema.VERSION,))
        elif found[0] != schema.VERSION:
            raise RelayError(f"the database is of version {found[0]}, this relay of {schema.VERSION}: another --db")
