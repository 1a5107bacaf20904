"""What came from a short address that nobody knows, kept until its IEEE address is found.

Owns a fixed number of places. Must never refuse an alarm for the sake of something else.
"""

from micropython import const

from zigbee.told import BUTTON, NOTIFIED

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

_PLACES = const(8)


class Held:
    """Events as tuples (kind, value, tsn, cluster, lqi) by short address, oldest first."""

    def __init__(self) -> None:
        self._events: list = []
        self.lost = 0

    def put(self, short: int, endpoint: int, kind: int, value: int, tsn: int, lqi: int) -> None:
        """Keep one; when full, something that is no alarm goes, or the newcomer if all are alarms."""
        if len(self._events) >= _PLACES and not self._make_room(kind):
            self.lost += 1
            return
        self._events.append((short, endpoint, kind, value, tsn, lqi))

    def shorts(self) -> list:
        """The addresses that are waited for, each once, in order of arrival."""
        found: list = []
        for event in self._events:
            if event[0] not in found:
                found.append(event[0])
        return found

    def take(self, short: int, give: "Callable[[tuple], None]") -> None:
        """Hand over and forget what came from this address."""
        mine = [event for event in self._events if event[0] == short]
        self._events = [event for event in self._events if event[0] != short]
        for event in mine:
            give(event)

    def drop(self, short: int) -> int:
        """Forget what came from this address; returns how many."""
        before = len(self._events)
        self._events = [event for event in self._events if event[0] != short]
        self.lost += before - len(self._events)
        return before - len(self._events)

    def _make_room(self, kind: int) -> bool:
        if kind not in (NOTIFIED, BUTTON):
            return False
        for place, event in enumerate(self._events):
            if event[2] not in (NOTIFIED, BUTTON):
                del self._events[place]
                self.lost += 1
                return True
        return False
