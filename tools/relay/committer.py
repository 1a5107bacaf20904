"""A group of messages into the database in one transaction, and what is to be answered when it holds.

Owns what is new, a repeat, a contradiction; late dating; what a message says of its gateway. Pure but for the store it
is given: run again after a failure it does the same. Must never tell of anything that is not committed.
"""

from __future__ import annotations

import dataclasses
import json
from typing import NamedTuple

from tools.relay import protocol
from tools.relay.database import Identity, Row
from tools.relay.gateways import Tally, Touch
from tools.relay.messages import Arrived
from tools.relay.protocol import Batch, Beat, Link, Message, Record, Refused
from tools.relay.store import Store

# A command sent so shortly before the link is said to be up may have gone over the new connection already.
RACE_MS = 2000
_TELLING = ("cause", "fault", "now", "place", "sensor", "id")  # fields of an event that say most
_OFF_MS = 10_000  # a heartbeat may have been on its way for some seconds


class Notice(NamedTuple):
    """Something a person should see."""

    gateway: str
    what: str  # link, conflict, refused, heard, silent, relay
    text: str


class Told(NamedTuple):
    """A record that is committed; new: it was not there before."""

    gateway: str
    record: Record
    new: bool


@dataclasses.dataclass
class Outcome:
    """What a committed group leads to."""

    acks: list[tuple[str, int, int]] = dataclasses.field(default_factory=list)  # gateway, boot, batch
    times: dict[str, bool] = dataclasses.field(default_factory=dict)  # to be told the time; True: its link came up
    told: list[Told] = dataclasses.field(default_factory=list)
    notices: list[Notice] = dataclasses.field(default_factory=list)


class Parsed(NamedTuple):
    arrived: Arrived
    message: Message | None
    refused: str


def read(arrived: Arrived) -> Parsed:
    """What it says, or why it is not taken."""
    try:
        return Parsed(arrived, protocol.parse(arrived.topic, arrived.payload), "")
    except Refused as refused:
        return Parsed(arrived, None, str(refused))


class Group:
    """One group on its way into the database; `commit` may be called again after it raised."""

    def __init__(self, relay: str, parsed: list[Parsed]) -> None:
        self._relay = relay
        self._parsed = parsed
        self._messages = [(each.message, each.arrived) for each in parsed if each.message is not None]
        self._outcome = Outcome()

    def commit(self, store: Store, now: int) -> Outcome:
        """All of it, or nothing and Unavailable or Unacceptable is raised. `now` in ms since 1970."""
        self._outcome = Outcome()
        with store.transaction():
            self._gateways(store, now)
            self._records(store, now)
            self._refusals(store, now)
        return self._outcome

    # ------------------------------------------------------------------ gateways
    def _gateways(self, store: Store, now: int) -> None:
        touches: dict[str, Touch] = {}
        for message, arrived in self._messages:
            new = _touch(message, arrived.received, self._relay)
            old = touches.get(message.gateway)
            touches[message.gateway] = new if old is None else _both(old, new)
        store.touch(touches.values(), now)
        spoken = [touch.gateway for touch in touches.values() if touch.heard is not None]
        for gateway, since in store.returned(spoken, now):
            self._outcome.notices.append(Notice(gateway, "heard", f"heard again after {(now - since) // 1000} s"))
        for message, arrived in self._messages:
            if isinstance(message, Link):
                self._link(store, message, arrived)
            elif isinstance(message, Beat) and _is_off(message, arrived.received):
                self._outcome.times.setdefault(message.gateway, False)

    def _link(self, store: Store, link: Link, arrived: Arrived) -> None:
        text = f"link {link.state}"
        if link.state == "up":
            text += f", version {link.version}, boot {link.boot}"
            store.send_again(link.gateway, link.counter, arrived.received - RACE_MS)
            self._outcome.times[link.gateway] = True
        self._outcome.notices.append(Notice(link.gateway, "link", text))

    # ------------------------------------------------------------------- records
    def _records(self, store: Store, now: int) -> None:
        batches = [(message, arrived) for message, arrived in self._messages if isinstance(message, Batch)]
        started = self._date(store, batches)
        rows: dict[Identity, Row] = {}
        again: list[tuple[Row, Record]] = []
        for batch, _ in batches:
            for record in batch.records:
                row = _row(batch.gateway, record, started, now)
                if row.identity in rows:
                    again.append((row, record))
                else:
                    rows[row.identity] = row
        new = store.insert(list(rows.values()))
        kept = store.kept(identity for identity in rows if identity not in new)
        kept.update({identity: rows[identity].record for identity in new})
        conflicts = self._compare(store, [*(row for row in rows.values() if row.identity not in new),
                                          *(row for row, _ in again)], kept)
        self._tell(store, batches, new, conflicts)
        _answers(store, batches, now)

    def _date(self, store: Store, batches: list[tuple[Batch, Arrived]]) -> dict[tuple[str, int], int]:
        """When the boots of this group began, as far as it is known; what it tells anew is put to use."""
        seen: dict[tuple[str, int], int] = {}
        wanted: set[tuple[str, int]] = set()
        for message, _ in self._messages:
            if isinstance(message, Beat) and message.at is not None and message.clock != "network":
                seen.setdefault((message.gateway, message.boot), message.at - message.up)
        for batch, _ in batches:
            for record in batch.records:
                wanted.add((batch.gateway, record.boot))
                if record.at is not None and record.up is not None and record.clock != "network":
                    seen.setdefault((batch.gateway, record.boot), record.at - record.up)
        started = store.started(wanted | set(seen))
        for (gateway, boot), moment in sorted(seen.items()):
            if (gateway, boot) not in started and moment >= 0:
                store.date(gateway, boot, moment)
                started[gateway, boot] = moment
        return started

    def _compare(self, store: Store, rows: list[Row], kept: dict[Identity, str]) -> dict[str, int]:
        """Repeats against what is kept; how many contradictions each gateway has."""
        conflicts: dict[str, int] = {}
        for row in rows:
            old = kept[row.identity]
            if old == row.record or protocol.meaning(json.loads(old)) == protocol.meaning(json.loads(row.record)):
                continue
            if store.conflict(row):
                conflicts[row.gateway] = conflicts.get(row.gateway, 0) + 1
                text = f"boot {row.boot} seq {row.seq} says something else than before: kept apart"
                self._outcome.notices.append(Notice(row.gateway, "conflict", text))
        return conflicts

    def _tell(
        self, store: Store, batches: list[tuple[Batch, Arrived]], new: set[Identity], conflicts: dict[str, int]
    ) -> None:
        """Which records there were, and each gateway's counts."""
        tallies = {gateway: Tally(0, 0, count, None, None, gateway) for gateway, count in conflicts.items()}
        first = set(new)
        for batch, arrived in batches:
            tally = tallies.get(batch.gateway) or Tally(0, 0, 0, None, None, batch.gateway)
            for record in batch.records:
                identity = (batch.gateway, record.boot, record.seq)
                fresh = identity in first
                first.discard(identity)
                self._outcome.told.append(Told(batch.gateway, record, fresh))
                tally = tally._replace(records=tally.records + fresh, repeats=tally.repeats + (not fresh))
                if fresh and record.event is not None:
                    tally = tally._replace(event=summary(record), event_at=arrived.received)
            tallies[batch.gateway] = tally
        store.tally(tallies.values())

    # ------------------------------------------------------------------ refusals
    def _refusals(self, store: Store, now: int) -> None:
        for arrived, message, reason in self._parsed:
            if message is None:
                gateway = protocol.gateway_of(arrived.topic)
                self._refuse(store, gateway, arrived.topic, reason, arrived.payload, now)
            elif isinstance(message, Batch):
                kept = [
                    self._refuse(store, message.gateway, arrived.topic, why, text.encode(), now)
                    for why, text in message.bad
                ]
                if all(kept):  # nothing is answered for that is neither committed nor kept aside
                    self._outcome.acks.append((message.gateway, message.boot, message.batch))

    def _refuse(self, store: Store, gateway: str, topic: str, reason: str, payload: bytes, now: int) -> bool:
        self._outcome.notices.append(Notice(gateway, "refused", f"refused {len(payload)} bytes: {reason}"))
        return store.refuse(gateway, printable(topic, 200), reason, payload[:2 * protocol.UP_BYTES], now)


def _answers(store: Store, batches: list[tuple[Batch, Arrived]], now: int) -> None:
    """Commands that these records answer."""
    for batch, _ in batches:
        for record in batch.records:
            identity = record.body.get("id")
            if record.event in ("command.done", "command.refused") and isinstance(identity, str):
                reason = printable(str(record.body.get("reason", "")), 200) or None
                store.answered(batch.gateway, identity, record.event.partition(".")[2], reason, now)


def summary(record: Record) -> str:
    """An event in a few words: its name, and of whom."""
    words = [record.event or record.kind]
    words += [str(record.body[key]) for key in _TELLING if record.body.get(key)]
    return printable(" ".join(words), 120) + (" (test)" if record.test else "")


def printable(text: str, most: int) -> str:
    """Without what could move a terminal's cursor or that no database takes."""
    return "".join(char if char.isprintable() else "?" for char in text[:most])


def _touch(message: Message, received: int, relay: str) -> Touch:
    said = Touch(message.gateway, heard=received, link="up")
    if isinstance(message, Beat):
        return said._replace(
            boot=message.boot, waiting=message.waiting, every=message.every, mains=int(message.mains))
    if isinstance(message, Batch):
        return said._replace(boot=message.boot)
    if message.state == "up":
        return said._replace(boot=message.boot, version=message.version, taken=message.counter, relay=relay)
    heard = received if message.state == "down" else None  # the last will is the broker's word
    return said._replace(heard=heard, link=message.state)


def _both(old: Touch, new: Touch) -> Touch:
    """What two messages of one gateway say together: the later one's word where it has one."""
    said = {field: value for field, value in new._asdict().items() if value is not None}
    return old._replace(**said)._replace(taken=max(old.taken, new.taken))


def _row(gateway: str, record: Record, started: dict[tuple[str, int], int], now: int) -> Row:
    at, clock = record.at, record.clock
    begin = started.get((gateway, record.boot))
    if at is None and record.up is not None and begin is not None:
        at, clock = begin + record.up, "late"
    return Row(gateway, record.boot, record.seq, record.kind, record.event, int(record.test), at, clock, record.up, now,
               record.text)


def _is_off(beat: Beat, received: int) -> bool:
    """It does not surely know the time, or its clock has drifted on a connection that has been up for weeks."""
    return beat.at is None or beat.clock == "network" or abs(beat.at - received) > _OFF_MS
