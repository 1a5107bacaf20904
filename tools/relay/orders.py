"""The table of commands: waiting, sending (handed to the broker), sent, done, refused, expired."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tools.relay.database import Database


class Open(NamedTuple):
    """A command that is to be sent now."""

    gateway: str
    id: str
    body: str
    expires: int
    state: str
    counter: int | None


class Orders(Database):
    """Times are ms since 1970."""

    def add_command(self, gateway: str, identity: str, body: dict[str, Any], now: int, expires: int) -> bool:
        """Put a command down to be sent; False: no such gateway was ever heard."""
        if self.execute("SELECT 1 FROM gateways WHERE gateway = ?", (gateway,)).fetchone() is None:
            return False
        self.execute(
            "INSERT INTO commands (gateway, id, created, expires, body, state) VALUES (?, ?, ?, ?, ?, 'waiting')",
            (gateway, identity, now, expires, json.dumps(body, ensure_ascii=False)),
        )
        return True

    def to_send(self, relay: str, now: int, dead_before: int) -> list[Open]:
        """Commands for gateways whose link is up and that this relay speaks to, or nobody any more."""
        return [Open(*found) for found in self.execute(
            "SELECT c.gateway, c.id, c.body, c.expires, c.state, c.counter FROM commands c "
            "JOIN gateways g ON g.gateway = c.gateway LEFT JOIN relays r ON r.relay = g.relay "
            "WHERE c.state IN ('waiting', 'sending') AND c.expires > ? AND g.link = 'up' "
            "AND (g.relay = ? OR r.seen IS NULL OR r.seen < ?) "
            "ORDER BY c.gateway, c.state, c.counter, c.created, c.id LIMIT 200",
            (now, relay, dead_before),
        )]

    def sending(self, gateway: str, identity: str, counter: int, now: int) -> bool:
        """This relay sends it; False: another one does already."""
        return bool(self.execute(
            "UPDATE commands SET state = 'sending', counter = ?, sent = ? "
            "WHERE gateway = ? AND id = ? AND state = 'waiting'",
            (counter, now, gateway, identity),
        ).rowcount)

    def taken_by_broker(self, gateway: str, identity: str, reached: bool) -> None:
        """The broker passed it on, or has nobody there to give it to: then it waits again."""
        self.execute("UPDATE commands SET state = ? WHERE gateway = ? AND id = ? AND state = 'sending'",
                     ("sent" if reached else "waiting", gateway, identity))

    def send_again(self, gateway: str, taken: int, before: int) -> None:
        """The gateway is back and has taken no command above `taken`: those sent `before` wait again."""
        self.execute(
            "UPDATE commands SET state = 'waiting' "
            "WHERE gateway = ? AND state IN ('sending', 'sent') AND counter > ? AND sent < ?",
            (gateway, taken, before),
        )

    def answered(self, gateway: str, identity: str, state: str, reason: str | None, now: int) -> None:
        self.execute(
            "UPDATE commands SET state = ?, reason = ?, answered = ? "
            "WHERE gateway = ? AND id = ? AND state NOT IN ('done', 'refused')",
            (state, reason, now, gateway, identity),
        )

    def command(self, gateway: str, identity: str) -> tuple[str, str | None]:
        """State and reason of a command that is there."""
        question = "SELECT state, reason FROM commands WHERE gateway = ? AND id = ?"
        state, reason = self.execute(question, (gateway, identity)).fetchone()
        return state, reason

    def commands(self, gateway: str | None, most: int) -> list[tuple[Any, ...]]:
        """Gateway, id, created, state, reason, body; the newest first."""
        where, values = ("WHERE gateway = ? ", [gateway]) if gateway is not None else ("", [])
        sql = f"SELECT gateway, id, created, state, reason, body FROM commands {where}ORDER BY created DESC, id LIMIT ?"
        return [tuple(row) for row in self.execute(sql, [*values, most])]

    def expire(self, now: int, answer_ms: int) -> None:
        """Commands that are too late; one that was sent has `answer_ms` more for its answer to come."""
        self.execute(
            "UPDATE commands SET state = 'expired' WHERE state IN ('waiting', 'sending', 'sent') "
            "AND expires + CASE WHEN state = 'waiting' THEN 0 ELSE CAST(? AS BIGINT) END <= ?",
            (answer_ms, now),
        )
