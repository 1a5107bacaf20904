"""The tables of gateways, their silences, and the relays.

A transaction that touches gateways begins with `touch`: it locks their rows, in the order of their names, so that
several relays on one database take turns and never wait for each other in a ring.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tools.relay.database import Database, marks
from tools.relay.protocol import EVERY_S
from tools.relay.table import Seen


class Touch(NamedTuple):
    """What messages said of their gateway; None: nothing new."""

    gateway: str
    heard: int | None = None
    link: str | None = None
    boot: int | None = None
    version: str | None = None
    waiting: int | None = None
    every: int | None = None
    mains: int | None = None
    taken: int = 0
    relay: str | None = None


class Tally(NamedTuple):
    """To be added to what a gateway has, and its last event."""

    records: int
    repeats: int
    conflicts: int
    event: str | None
    event_at: int | None
    gateway: str


class Gateways(Database):
    """Times are ms since 1970."""

    def touch(self, touches: Iterable[Touch], now: int) -> None:
        """Take over what was said of each gateway, and hold their rows until the end of the transaction."""
        ordered = sorted(touches, key=lambda touch: touch.gateway)
        self.execute_many(_TOUCH, [_touch_values(touch, now) for touch in ordered])

    def tally(self, tallies: Iterable[Tally]) -> None:
        ordered = sorted(tallies, key=lambda tally: tally.gateway)
        self.execute_many(
            "UPDATE gateways SET records = records + ?, repeats = repeats + ?, conflicts = conflicts + ?, "
            "event = COALESCE(?, event), event_at = COALESCE(?, event_at) WHERE gateway = ?", ordered)

    def take_counter(self, gateway: str, now: int) -> int:
        """The next counter of a command to this gateway."""
        return int(self.execute(
            f"UPDATE gateways SET counter = {self.greatest}(counter, taken, CAST(? AS BIGINT)) + 1 "
            "WHERE gateway = ? RETURNING counter", (now - 1, gateway),
        ).fetchone()[0])

    def returned(self, gateways: Iterable[str], now: int) -> list[tuple[str, int]]:
        """Those of them that were silent until now, and since when."""
        names = sorted(gateways)
        found = self.execute(
            f"SELECT gateway, silent FROM gateways WHERE silent IS NOT NULL AND gateway IN ({marks(names)})", names
        ).fetchall() if names else []
        for gateway, since in found:
            self.execute("UPDATE silences SET until = ? WHERE gateway = ? AND since = ?", (now, gateway, since))
            self.execute("UPDATE gateways SET silent = NULL WHERE gateway = ?", (gateway,))
        return [(gateway, since) for gateway, since in found]

    def fall_silent(self, now: int, listening_since: int) -> list[tuple[str, int]]:
        """Gateways that are silent from now on, and when they were heard last; each is told once.

        Nobody is silent before the relay itself has listened for three of its heartbeats.
        """
        found = self.execute(
            "UPDATE gateways SET silent = heard WHERE silent IS NULL AND silent_at <= ? "
            f"AND 3000 * COALESCE(every, {EVERY_S}) <= ? RETURNING gateway, heard",
            (now, now - listening_since),
        ).fetchall()
        for gateway, heard in found:
            self.execute("INSERT INTO silences VALUES (?, ?, NULL) "
                         "ON CONFLICT (gateway, since) DO UPDATE SET until = NULL", (gateway, heard))
        return [(gateway, heard) for gateway, heard in found]

    def begin(self, relay: str, run: str, now: int) -> None:
        """This relay is connected to its broker for the first time since it was started."""
        self.execute("INSERT INTO relays VALUES (?, ?, ?) "
                     "ON CONFLICT (relay) DO UPDATE SET seen = excluded.seen, run = excluded.run", (relay, now, run))

    def alive(self, relay: str, run: str, seen: int | None) -> bool:
        """False: another program goes by this relay's name by now. seen: now, if it is connected to its broker."""
        question = "UPDATE relays SET seen = COALESCE(?, seen) WHERE relay = ? AND run = ?"
        done = self.execute(question, (seen, relay, run))
        return bool(done.rowcount)

    def overview(self, most: int) -> list[Seen]:
        """Silent gateways, then those without a link, those with something kept apart, those that were heard last."""
        found = self.execute(
            "SELECT g.gateway, link, silent, heard, waiting, records, repeats, conflicts + COALESCE(r.count, 0), "
            f"version, event, COALESCE(every, {EVERY_S}), "
            "CASE WHEN silent IS NOT NULL THEN 0 WHEN link <> 'up' THEN 1 "
            "WHEN conflicts + COALESCE(r.count, 0) > 0 THEN 2 ELSE 3 END AS rank "
            "FROM gateways g LEFT JOIN refusals r ON r.gateway = g.gateway ORDER BY rank, heard DESC LIMIT ?", (most,))
        shown = sorted(found, key=lambda row: (row[-1], row[0]))  # by numbers: a row that stays put can be read
        return [Seen(*row[:-1]) for row in shown]

    def count(self) -> tuple[int, int]:
        """How many gateways there are, and how many of them are silent."""
        found = self.execute("SELECT COUNT(*), COUNT(silent) FROM gateways").fetchone()
        return int(found[0]), int(found[1])


_TOUCH = f"""
INSERT INTO gateways
    (gateway, first, heard, silent_at, link, link_at, boot, version, waiting, every, mains, taken, relay)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (gateway) DO UPDATE SET
    heard = COALESCE(?, gateways.heard),
    silent_at = COALESCE(?, gateways.heard) + 3000 * COALESCE(excluded.every, gateways.every, {EVERY_S}),
    link = COALESCE(?, gateways.link),
    link_at = CASE WHEN COALESCE(?, gateways.link) = gateways.link THEN gateways.link_at ELSE excluded.link_at END,
    boot = COALESCE(excluded.boot, gateways.boot), version = COALESCE(excluded.version, gateways.version),
    waiting = COALESCE(excluded.waiting, gateways.waiting), every = COALESCE(excluded.every, gateways.every),
    mains = COALESCE(excluded.mains, gateways.mains), relay = COALESCE(excluded.relay, gateways.relay),
    taken = CASE WHEN excluded.taken > gateways.taken THEN excluded.taken ELSE gateways.taken END
"""


def _touch_values(touch: Touch, now: int) -> tuple[Any, ...]:
    heard = now if touch.heard is None else touch.heard
    silent_at = heard + 3000 * (touch.every or EVERY_S)
    return (
        touch.gateway, now, heard, silent_at, touch.link or "up", now, touch.boot, touch.version, touch.waiting,
        touch.every, touch.mains, touch.taken, touch.relay,
        touch.heard, touch.heard, touch.link, touch.link,
    )
