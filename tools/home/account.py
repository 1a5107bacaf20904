"""What the pages show of the link between gateway and relay. Pure: folds what relay and database say.

Owns the account: in which way there is a relay, whether the gateway's link is up and since when, what waits and what
is committed. Times are ms of the home. Must never say more than the relay knows.
"""

from __future__ import annotations

from tools.home.ledger import Entry, Order

_ENDED = ("done", "refused", "expired")


class Account:
    """`told`: the account as the pages get it; `epoch_ms`: when the home began, ms since 1970."""

    def __init__(self, broker: str, gateway: str, epoch_ms: float) -> None:
        self._epoch_ms = epoch_ms
        self._last: Entry | None = None
        self._ended: dict[str, str] = {}  # commands that were told: id -> done, refused or expired
        self.told: dict = {
            "broker": broker,  # mosquitto, embedded, or simulated: broker and relay are part of the simulated home
            "gateway": gateway, "relay": "up" if broker == "simulated" else "starting", "tail": [],
            "link": None, "since": None, "heard": None, "waiting": None, "silent": False,
            "records": 0, "repeats": 0, "conflicts": 0, "committed": None,
        }

    def relay(self, state: str, tail: list[str]) -> None:
        """The relay is starting, up or dead (then with its last words)."""
        self.told.update(relay=state, tail=tail)

    def record(self, t: float, new: bool) -> None:
        """The relay committed a record, or dropped a repeat."""
        self.told["committed"] = t
        self.told["records" if new else "repeats"] += 1

    def line(self, line: dict) -> None:
        """A timeline line, of a home whose relay is simulated too."""
        what = line["what"]
        if what in ("relay", "repeat"):
            self.record(line["t"], what == "relay")
        elif what == "link":
            self.told.update(link=line["link"], since=line["t"], silent=False)
        elif what in ("silent", "heard"):
            self.told["silent"] = what == "silent"

    def entry(self, entry: Entry) -> list[dict]:
        """What the database says now; the timeline's lines for what is new in it."""
        last, self._last = self._last, entry
        if entry == last:
            return []
        self.told.update(
            link=entry.link, since=entry.link_at - self._epoch_ms, heard=entry.heard - self._epoch_ms,
            waiting=entry.waiting, silent=entry.silent is not None, records=entry.records, repeats=entry.repeats,
            conflicts=entry.conflicts)
        lines = []
        if last is None or (entry.link, entry.link_at) != (last.link, last.link_at):
            lines.append({"what": "link", "link": entry.link})
        if (entry.silent is None) != (last is None or last.silent is None):
            lines.append({"what": "heard" if entry.silent is None else "silent"})
        return [{**line, "gateway": self.told["gateway"]} for line in lines]

    def orders(self, orders: list[Order]) -> list[dict]:
        """The timeline's lines for the commands that ended since; one that had expired may be answered after all."""
        lines = []
        for order in orders:
            if order.state in _ENDED and self._ended.get(order.id) != order.state:
                self._ended[order.id] = order.state
                lines.append({"what": "order", "name": order.name, "state": order.state, "reason": order.reason})
        return lines
