"""What came from a short address that nobody knows, kept until its IEEE address is found.

Owns a fixed number of places. Must never refuse an alarm for the sake of something else, nor the first alarm of one
sender for the sake of another's many.
"""

from micropython import const

from zigbee.told import BUTTON

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

_PLACES = const(24)
_EACH = const(4)  # of one sender: an alarm and its end, something else, one more
_URGENT = BUTTON  # kinds up to this one may be alarms


class Held:
    """Events as tuples (short, endpoint, kind, value, tsn, lqi), oldest first."""

    def __init__(self) -> None:
        self._events: list = []
        self.lost = 0

    def put(self, short: int, endpoint: int, kind: int, value: int, tsn: int, lqi: int) -> bool:
        """Keep one; the same once more is kept already. False: it is lost.

        When its sender has its share, or all is full, something less urgent goes, or else the newcomer.
        """
        mine = 0
        for event in self._events:
            if event[0] == short:
                if event[2] == kind and event[3] == value:
                    return True
                mine += 1
        if mine >= _EACH:
            if not self._make_room(kind, short):
                return False
        elif len(self._events) >= _PLACES and not self._make_room(kind, -1) and (mine or not self._share()):
            self.lost += 1
            return False
        self._events.append((short, endpoint, kind, value, tsn, lqi))
        return True

    def shorts(self) -> list:
        """The addresses that are waited for, each once, in order of arrival."""
        found: list = []
        for event in self._events:
            if event[0] not in found:
                found.append(event[0])
        return found

    def take(self, short: int, give: "Callable[[tuple], None]") -> None:
        """Hand over and forget what came from this address; what could not be handed over is kept for another try."""
        if not self._events:
            return
        for event in [one for one in self._events if one[0] == short]:
            give(event)
            self._events.remove(event)

    def drop(self, short: int) -> int:
        """Forget what came from this address; returns how many."""
        before = len(self._events)
        self._events = [event for event in self._events if event[0] != short]
        self.lost += before - len(self._events)
        return before - len(self._events)

    def _make_room(self, kind: int, short: int) -> bool:
        """For something urgent: what is not goes, the newest first; of this sender only, unless it is -1."""
        if kind > _URGENT:
            return False
        for place in range(len(self._events) - 1, -1, -1):
            event = self._events[place]
            if event[2] > _URGENT and short in (-1, event[0]):
                return self._lose(place)
        return False

    def _share(self) -> bool:
        """For a sender that has nothing here yet: the newest of one that has several places."""
        for place in range(len(self._events) - 1, -1, -1):
            if sum(1 for event in self._events if event[0] == self._events[place][0]) > 1:
                return self._lose(place)
        return False

    def _lose(self, place: int) -> bool:
        del self._events[place]
        self.lost += 1
        return True
