"""What the broker keeps of a client: its subscriptions, and what it has not acknowledged yet.

Owns packet identifiers towards the client. Bounded: what is too much is dropped and counted.
"""

from hal_sim.relay import answers
from hal_sim.relay.topics import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WINDOW = 16  # publications under way to a client
_WAITING = 64
FILTERS = 16


class Session:
    """`connection`: hal_sim.relay.connection.Connection while the client is there, else None."""

    def __init__(self, clean: bool) -> None:
        self.clean = clean
        self.connection: Any = None
        self.filters: dict = {}  # filter -> QoS
        self.dropped = 0
        self._under_way: list = []  # (packet identifier, topic, payload), the oldest first
        self._waiting: list = []
        self._identifier = 0

    def subscribe(self, pattern: str, qos: int) -> int:
        """The code of SUBACK: the QoS that is given, or 0x80."""
        if pattern not in self.filters and len(self.filters) >= FILTERS:
            return 0x80
        self.filters[pattern] = min(qos, 1)
        return self.filters[pattern]

    def wants(self, topic: str) -> int:
        """The highest QoS of the filters that ask for it; -1: none does."""
        found = -1
        for pattern in self.filters:
            if matches(pattern, topic):
                found = max(found, self.filters[pattern])
        return found

    def deliver(self, topic: str, payload: bytes, qos: int) -> None:
        """To the client, if it asked for it. Without QoS 1 it has to be there."""
        wanted = min(qos, self.wants(topic))
        if wanted == 0 and self.connection is not None:
            self.connection.send(answers.publish(topic, payload))
        if wanted < 1:
            return
        if len(self._waiting) >= _WAITING:
            self.dropped += 1
            return
        self._waiting.append((topic, payload))
        self._send()

    def _send(self) -> None:
        while self.connection is not None and self._waiting and len(self._under_way) < _WINDOW:
            topic, payload = self._waiting.pop(0)
            identifier = self._free()
            self._under_way.append((identifier, topic, payload))
            self.connection.send(answers.publish(topic, payload, identifier))

    def _free(self) -> int:
        """An identifier that nothing under way has."""
        while True:
            self._identifier = self._identifier % 0xFFFF + 1
            if all(self._identifier != one[0] for one in self._under_way):
                return self._identifier

    def acknowledged(self, identifier: int) -> None:
        """PUBACK; one for what is not under way does nothing."""
        for one in self._under_way:
            if one[0] == identifier:
                self._under_way.remove(one)
                self._send()
                return

    def resume(self) -> None:
        """The client is back: what it has not acknowledged again, in order, then what waited."""
        for identifier, topic, payload in self._under_way:
            self.connection.send(answers.publish(topic, payload, identifier, again=True))
        self._send()
