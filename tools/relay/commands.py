"""Commands on their way: which are sent now, under which counter, and what the broker said of them.

Owns the `commands` table's way from waiting to sent; answers are settled by the committer. A counter is in the database
before the command leaves, so a relay that dies in between sends the same again: to the gateway a repeat.
Must never send a command under a counter that is not larger than the gateway's last one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from tools.relay import RelayError, protocol
from tools.relay.orders import Open
from tools.relay.protocol import Refused
from tools.relay.store import Store

TIME_MS = 60_000  # a `time` that is older says nothing good
ALIVE_MS = 5000  # a relay that did not say so for this long is dead
ANSWER_MS = 120_000  # an answer may be that late
MOST_MINUTES = 7 * 1440
_RESERVED = ("id", "counter", "expires", "name")


class Commands:
    """`publish(topic, payload)` gives the message's number, None when there is no connection."""

    def __init__(self, store: Store, relay: str, publish: Callable[[str, bytes], int | None]) -> None:
        self._store = store
        self._relay = relay
        self._publish = publish
        self._under_way: dict[int, tuple[str, str]] = {}  # number of the message -> gateway, id

    def forget(self) -> None:
        """The connection ended: what was under way is not known to have arrived, and is sent again."""
        self._under_way = {}

    def send_waiting(self, now: int) -> list[str]:
        """Send what is to be sent; a line each. Raises Unavailable, Unacceptable."""
        with self._store.transaction():
            found = self._store.to_send(self._relay, now, now - ALIVE_MS)
        busy = set(self._under_way.values())
        return [line for each in found if (each.gateway, each.id) not in busy for line in self._send(each, now)]

    def _send(self, each: Open, now: int) -> list[str]:
        counter = each.counter
        with self._store.transaction():
            if each.state == "waiting":
                counter = self._store.take_counter(each.gateway, now)
            try:
                payload = protocol.command(each.id, self._checked(counter), each.expires, json.loads(each.body))
            except Refused as refused:
                self._store.answered(each.gateway, each.id, "refused", f"relay: {refused}", now)
                return [f"{each.gateway} command {each.id} cannot be sent: {refused}"]
            if each.state == "waiting" and not self._store.sending(each.gateway, each.id, counter or 0, now):
                return []
        number = self._publish(f"gw/{each.gateway}/down/command", payload)
        if number is not None:
            self._under_way[number] = (each.gateway, each.id)
        return [f"{each.gateway} command {each.id} sent: {json.loads(each.body)['name']}"]

    def _checked(self, counter: int | None) -> int:
        if counter is None or counter > protocol.MOST_NUMBER:
            raise Refused("the gateway's counters are used up")
        return counter

    def passed(self, number: int, reached: bool) -> None:
        """The broker took a message. Raises Unavailable, Unacceptable."""
        gateway, identity = self._under_way.pop(number, ("", ""))
        if gateway:
            with self._store.transaction():
                self._store.taken_by_broker(gateway, identity, reached)

    def send_time(self, gateway: str, now: int, clock: Callable[[], int]) -> None:
        """Tell the gateway the time; `clock` in ms since 1970. Raises Unavailable, Unacceptable."""
        with self._store.transaction():
            counter = self._store.take_counter(gateway, now)
        if counter <= protocol.MOST_NUMBER:
            at = clock()
            payload = protocol.command(f"time-{counter}", counter, at + TIME_MS, {"name": "time", "at": at})
            self._publish(f"gw/{gateway}/down/command", payload)


def put_down(store: Store, gateway: str, name: str, fields: list[str], minutes: int, now: int) -> str:
    """A command from the command line, into the database; its id. Raises RelayError."""
    if not protocol.is_number(gateway):
        raise RelayError(f"{gateway!r} is no gateway's number")
    if not protocol.is_name(name):
        raise RelayError(f"{name!r} is no command: a name such as state or settings.set")
    body: dict[str, Any] = {"name": name, **dict(_field(field) for field in fields)}
    identity = f"c-{secrets.token_hex(6)}"
    try:
        protocol.command(identity, protocol.MOST_NUMBER, protocol.MOST_AT_MS, body)
    except Refused as refused:
        raise RelayError(f"the command is {refused}") from None
    with store.transaction():
        if not store.add_command(gateway, identity, body, now, now + minutes * 60_000):
            raise RelayError(f"{gateway} was never heard by this relay: check the number")
    return identity


def _field(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not protocol.is_name(name) or name in _RESERVED:
        raise RelayError(f"{text!r} is no field of a command: name=value, the value JSON or a word")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value
