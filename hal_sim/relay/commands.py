"""Commands to a gateway: each with an identity, a counter and an expiry, sent until it is answered or too late.

Owns the counters. What is said again under the same identity is the same command again, with the same counter.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_EXPIRES_MS = 10 * 60 * 1000
_KEPT = 64  # commands that are not answered yet; identities that are known


class Commands:
    """send(dict) gives one to the gateway; true_ms(): ms since 1970."""

    def __init__(self, send: "Callable[[dict], Any]", true_ms: "Callable[[], int]") -> None:
        self._send = send
        self._true_ms = true_ms
        self._open: list = []  # what was asked for and not answered, the oldest first
        self._known: list = []  # (id, counter, expires)
        self._counter = 0
        self._made = 0

    def taken(self, counter: "Any") -> None:
        """The gateway says that this was the highest counter it took."""
        if isinstance(counter, int) and counter > self._counter:
            self._counter = counter

    def time(self) -> dict:
        """The command that tells the time."""
        return self._whole({"name": "time", "at": self._true_ms()})

    def ask(self, command: dict, is_up: bool) -> None:
        """A new one, or one that was asked for before. A gateway that is away gets it when it is back."""
        whole = self._whole(command)
        self.answered(whole["id"])
        self._open = self._open[-_KEPT + 1 :] + [whole]
        if is_up:
            self._send(whole)

    def back(self) -> None:
        """The gateway is back: what it did not answer. What is too late meanwhile is not sent."""
        now_ms = self._true_ms()
        self._open = [one for one in self._open if isinstance(one["expires"], int) and one["expires"] > now_ms]
        for command in self._open:
            self._send(command)

    def answered(self, identity: "Any") -> None:
        """The gateway did it or refused it."""
        self._open = [one for one in self._open if one["id"] != identity]

    def _whole(self, command: dict) -> dict:
        """With all that a command needs."""
        whole = dict(command)
        if "id" not in whole:
            self._made += 1
            whole["id"] = "%s-%d" % (whole.get("name"), self._made)
        known = [one for one in self._known if one[0] == whole["id"]]
        counter, expires = known[0][1:] if known else (self._next(), self._true_ms() + _EXPIRES_MS)
        whole.setdefault("counter", counter)
        whole.setdefault("expires", expires)
        if not known:
            self._known.append((whole["id"], whole["counter"], whole["expires"]))
            self._known = self._known[-_KEPT:]
        return whole

    def _next(self) -> int:
        self._counter = max(self._counter + 1, self._true_ms())
        return self._counter
