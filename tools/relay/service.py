"""The relay itself: inbox to database to acknowledgements, and what is done from time to time.

Owns the order: commit, answer the gateway, acknowledge to the broker, then show. One thread; the link has its own.
Must never end because of what a gateway sent or because database or broker are away: it waits and goes on.
"""

from __future__ import annotations

import functools
import secrets
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tools.relay import protocol
from tools.relay.commands import ANSWER_MS, Commands
from tools.relay.committer import Group, Notice, Outcome, Parsed, read
from tools.relay.database import Unacceptable, Unavailable
from tools.relay.link import Link
from tools.relay.messages import Inbox
from tools.relay.show import Show
from tools.relay.store import Store

GROUP = 500  # messages in one transaction
_POLL_S = 0.2  # commands in the database
_CHORES_S = 1.0
_RETRY_S = (0.1, 5.0)
_TIME_EVERY_MS = 60_000  # at most so often is one gateway told the time

_Result = TypeVar("_Result")


class Relay:
    """`run` until `stop` is called, from a signal or another thread."""

    def __init__(
        self, store: Store, link: Link, inbox: Inbox, show: Show, name: str, stop: threading.Event | None = None
    ) -> None:
        self._store = store
        self._link = link
        self._inbox = inbox
        self._show = show
        self._name = name
        self._commands = Commands(store, name, link.publish)
        self._told_time: dict[str, int] = {}  # gateway -> when it was told the time last, ms since 1970
        self._listening: float | None = None
        self._run = secrets.token_hex(8)
        self._begun = False
        self.replaced = False  # another program was started under this relay's name
        self._dropped = 0
        self._stop = stop or threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        """Until stopped, or until another relay connected under this one's name."""
        next_poll = next_chores = time.monotonic()
        while not self._stop.is_set() and not self.replaced:
            group = self._inbox.take(GROUP, _POLL_S)
            if group:
                self._commit([read(arrived) for arrived in group])
            if time.monotonic() >= next_poll:
                next_poll = time.monotonic() + _POLL_S
                self._calmly(self._poll)
            if time.monotonic() >= next_chores:
                next_chores = time.monotonic() + _CHORES_S
                self._calmly(self._chores)

    # ------------------------------------------------------------------ committing
    def _commit(self, parsed: list[Parsed]) -> None:
        group = Group(self._name, parsed)
        try:
            outcome = self._patiently(lambda: group.commit(self._store, _now()))
        except Unacceptable as error:
            self._one_by_one(parsed, str(error))
            return
        if outcome is not None:
            self._answer(parsed, outcome)

    def _one_by_one(self, parsed: list[Parsed], why: str) -> None:
        """The database will not take something of this group: the rest goes on, that one is put aside."""
        if len(parsed) > 1:
            for each in parsed:
                self._commit([each])
        elif parsed[0].message is not None:
            self._commit([Parsed(parsed[0].arrived, None, f"the database does not take it: {why}"[:200])])
        else:
            self._show.notice(Notice("", "relay", f"the database does not even keep what is refused: {why}"))

    def _answer(self, parsed: list[Parsed], outcome: Outcome) -> None:
        for gateway, boot, batch in outcome.acks:
            self._link.publish(f"gw/{gateway}/down/ack", protocol.ack(boot, batch))
        for gateway, asked in outcome.times.items():
            self._calmly(functools.partial(self._send_time, gateway, asked))
        for each in parsed:
            self._link.acknowledge(each.arrived)
        self._show.committed(outcome)

    def _send_time(self, gateway: str, asked: bool) -> None:
        """Asked: its link came up. Else a heartbeat said that it does not know the time."""
        now = _now()
        if asked or now - self._told_time.get(gateway, 0) >= _TIME_EVERY_MS:
            self._told_time[gateway] = now
            self._commands.send_time(gateway, now, _now)

    # ---------------------------------------------------------- from time to time
    def _poll(self) -> None:
        if self._link.since != self._listening:
            self._listening = self._link.since
            self._commands.forget()
        while not self._link.passed.empty():
            self._commands.passed(*self._link.passed.get_nowait())
        if self._listening is not None:
            for line in self._commands.send_waiting(_now()):
                self._show.notice(Notice(line.split()[0], "command", line.partition(" ")[2]))

    def _chores(self) -> None:
        now = _now()
        silent: list[tuple[str, int]] = []
        with self._store.transaction():
            self._store.expire(now, ANSWER_MS)
            begun = self._be_known(now)
            if self._listening is not None:
                silent = self._store.fall_silent(now, int(self._listening))
        self.replaced = self._begun and not begun  # not before it is committed
        self._begun = begun
        for gateway, heard in silent:
            self._show.notice(Notice(gateway, "silent", f"silent: last heard {(now - heard) // 1000} s ago"))
        if self._inbox.dropped != self._dropped:
            text = f"{self._inbox.dropped - self._dropped} messages dropped, not answered: too many at once"
            self._show.notice(Notice("", "relay", text))
            self._dropped = self._inbox.dropped
        self._show.refresh(self._store, now)

    def _be_known(self, now: int) -> bool:
        """Whether this program goes by the relay's name.

        Of two programs under one name the broker keeps whichever connected last: they would throw each other out
        for ever, and neither be connected when it looks. So the one that came first ends, connected or not.
        """
        if self._begun:
            return self._store.alive(self._name, self._run, None if self._listening is None else now)
        subscribed = self._link.once_subscribed
        if subscribed:
            self._store.begin(self._name, self._run, now)
        return subscribed

    def _calmly(self, work: Callable[[], None]) -> None:
        """As `_patiently`; what the database will never take is said, and left."""
        try:
            self._patiently(work)
        except Unacceptable as error:
            self._show.notice(Notice("", "relay", f"the database does not take it: {error}"))

    def _patiently(self, work: Callable[[], _Result]) -> _Result | None:
        """Do it, again and again while the database does not answer; None: stopped meanwhile. Raises Unacceptable."""
        wait_s, said = _RETRY_S[0], False
        while True:
            try:
                done = work()
                if said:
                    self._show.notice(Notice("", "relay", "the database answers again"))
                return done
            except Unavailable as error:
                if not said:
                    self._show.notice(Notice("", "relay", f"the database does not answer: {error}"))
                said = True
            if self._stop.wait(wait_s):
                return None
            wait_s = min(wait_s * 2, _RETRY_S[1])
            try:
                self._store.reopen()
            except Unavailable:
                continue


def _now() -> int:
    return int(time.time() * 1000)
