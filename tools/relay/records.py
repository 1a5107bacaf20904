"""The tables of records, of the begin of boots, and of what is kept apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tools.relay.database import Database, Identity, Row, marks, parts

MOST_REFUSED = 1000  # payloads of one gateway that are kept; further ones are counted


class Records(Database):
    """Times are ms since 1970."""

    def started(self, boots: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """When those of these boots began of which it is known."""
        return {
            (gateway, boot): started
            for part in parts(sorted(set(boots)))
            for gateway, boot, started in self.execute(
                f"SELECT gateway, boot, started FROM boots WHERE (gateway, boot) IN (VALUES {marks(part, '(?, ?)')})",
                [value for key in part for value in key],
            )
        }

    def date(self, gateway: str, boot: int, started: int) -> int:
        """The boot's begin became known: date its records that had none; how many these were."""
        self.execute("INSERT INTO boots VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (gateway, boot, started))
        return int(self.execute(
            "UPDATE records SET at = CAST(? AS BIGINT) + up, clock = 'late' "
            "WHERE gateway = ? AND boot = ? AND at IS NULL AND up IS NOT NULL",
            (started, gateway, boot),
        ).rowcount)

    def kept(self, identities: Iterable[Identity]) -> dict[Identity, str]:
        """The records that are kept under these identities."""
        return {
            (gateway, boot, seq): record
            for part in parts(sorted(identities))
            for gateway, boot, seq, record in self.execute(
                "SELECT gateway, boot, seq, record FROM records "
                f"WHERE (gateway, boot, seq) IN (VALUES {marks(part, '(?, ?, ?)')})",
                [value for identity in part for value in identity],
            )
        }

    def conflict(self, row: Row) -> bool:
        """Keep a second record of a used identity apart; False: it is there already."""
        digest = hashlib.sha256(row.record.encode()).hexdigest()
        return bool(self.execute(
            "INSERT INTO conflicts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*row.identity, digest, row.received, row.record),
        ).rowcount)

    def refuse(self, gateway: str, topic: str, reason: str, payload: bytes, now: int) -> bool:
        """Keep what could not be read; False: this gateway has so many already that it was only counted."""
        kept, _ = self.execute(
            "INSERT INTO refusals VALUES (?, 0, 1) "
            "ON CONFLICT (gateway) DO UPDATE SET count = refusals.count + 1 RETURNING kept, count", (gateway,),
        ).fetchone()
        digest = hashlib.sha256(payload).hexdigest()
        if kept >= MOST_REFUSED:
            there = self.execute("SELECT 1 FROM refused WHERE gateway = ? AND digest = ?", (gateway, digest)).fetchone()
            return there is not None
        if self.execute(
            "INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (gateway, digest, now, topic, reason, payload),
        ).rowcount:
            self.execute("UPDATE refusals SET kept = kept + 1 WHERE gateway = ?", (gateway,))
        return True
