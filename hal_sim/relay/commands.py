"""Commands to a gateway: each with an identity, a counter and an expiry, sent until it is taken or too late.

Owns the counters: they rise in the order of sending, so a command that waited gets its own when it goes out. What is
said again under the same identity is the same command again, with the same counter.
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
        self._sent: list = []  # (id, counter) of what went out
        self._counter = 0
        self._made = 0

    def ask(self, command: dict, is_up: bool) -> None:
        """A new one, or one that was asked for before. A gateway that is away gets it when it is back."""
        whole = self._whole(command)
        self.answered(whole["id"])
        self._open = self._open[-_KEPT + 1 :] + [whole]
        if is_up:
            self._go(whole, self._counter_of(whole["id"]))

    def back(self, taken: "Any") -> None:
        """The gateway is back, `taken` the highest counter it took: the time, then what it has not taken.

        What is too late meanwhile is not sent.
        """
        taken = taken if isinstance(taken, int) else 0
        self._counter = max(self._counter, taken)
        self.tell_time()
        now_ms = self._true_ms()
        self._open = [one for one in self._open if isinstance(one["expires"], int) and one["expires"] > now_ms]
        for command in self._open:
            counter = self._counter_of(command["id"])
            if not counter or counter > taken:
                self._go(command, 0)

    def tell_time(self) -> None:
        self._go(self._whole({"name": "time", "at": self._true_ms()}), 0)

    def answered(self, identity: "Any") -> None:
        """The gateway did it or refused it."""
        self._open = [one for one in self._open if one["id"] != identity]

    def _whole(self, command: dict) -> dict:
        """With identity and expiry."""
        whole = dict(command)
        if "id" not in whole:
            self._made += 1
            whole["id"] = "%s-%d" % (whole.get("name"), self._made)
        whole.setdefault("expires", self._true_ms() + _EXPIRES_MS)
        return whole

    def _counter_of(self, identity: "Any") -> int:
        """With which it went out last; 0: it did not."""
        for known, counter in self._sent:
            if known == identity:
                return counter
        return 0

    def _go(self, whole: dict, counter: int) -> None:
        """Send it, with this counter or, 0, the next one; with its own if it has one."""
        message = dict(whole)
        if "counter" not in message:
            if not counter:
                counter = self._counter = max(self._counter + 1, self._true_ms())
                self._sent = [one for one in self._sent if one[0] != whole["id"]][-_KEPT + 1 :]
                self._sent.append((whole["id"], counter))
            message["counter"] = counter
        self._send(message)
