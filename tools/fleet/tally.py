"""What the fleet counts while it runs: records, answers, how long these took, connections and when they came back.

Owns the arithmetic. Bounded: a histogram has a fixed number of steps whatever the count. Must never be asked to judge.
"""

from __future__ import annotations

import math

_STEP = 1.05  # of a histogram: what it tells is right within 5 %
_LEAST_S = 0.0001
_STEPS = 360  # up to about an hour


class Spread:
    """How values are spread: times in s, 0.1 ms to an hour."""

    def __init__(self) -> None:
        self._counts = [0] * _STEPS
        self.count = 0
        self.total = 0.0
        self.most = 0.0

    def add(self, value: float) -> None:
        place = 0 if value <= _LEAST_S else int(math.log(value / _LEAST_S, _STEP)) + 1
        self._counts[min(place, _STEPS - 1)] += 1
        self.count += 1
        self.total += value
        self.most = max(self.most, value)

    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """So many percent of the values are at most this, within 5 %; 0 when there is none."""
        wanted = math.ceil(self.count * percent / 100)
        seen = 0
        for place, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return min(_LEAST_S * _STEP**place, self.most)
        return self.most

    def summary(self) -> dict[str, float]:
        """count, and mean, p50, p90, p99 and max in ms."""
        figures = {"mean": self.mean(), "max": self.most}
        figures.update({f"p{percent}": self.percentile(percent) for percent in (50, 90, 99)})
        return {"count": self.count, **{name: round(1000 * value, 1) for name, value in sorted(figures.items())}}


class Reconnects:
    """When gateways came back, by the second since the moment from which they could."""

    def __init__(self) -> None:
        self.since: float | None = None  # of the clock that the gateways use; None: nothing was out
        self.seconds: dict[int, int] = {}

    def came(self, now: float) -> None:
        if self.since is not None and now >= self.since:
            second = int(now - self.since)
            self.seconds[second] = self.seconds.get(second, 0) + 1

    def busiest(self) -> int:
        """The most that came within one second."""
        return max(self.seconds.values(), default=0)

    def bars(self, most: int = 12) -> list[str]:
        """A line a stretch of time, at most so many: how many came in it."""
        if not self.seconds:
            return []
        wide = -(-(max(self.seconds) + 1) // most)
        sums = [0] * -(-(max(self.seconds) + 1) // wide)
        for second, count in self.seconds.items():
            sums[second // wide] += count
        scale = max(sums)
        return [f"  {wide * n:>4}-{wide * (n + 1):<4} s {count:>6} {'#' * -(-40 * count // scale)}"
                for n, count in enumerate(sums)]


class Tally:
    """Of all gateways together."""

    def __init__(self) -> None:
        self.made = 0  # records
        self.answered = 0  # records the relay has committed, as its answers say
        self.batches = 0
        self.again = 0  # batches that were sent again, for want of an answer or after a reconnect
        self.strange = 0  # answers for what is not under way
        self.overtaken = 0  # answers that came before that of an older batch of the same topic
        self.commands = 0
        self.beats = 0
        self.up = 0  # gateways connected now
        self.most_up = 0
        self.connects = 0
        self.failures: dict[str, int] = {}  # attempts that failed, by what was said
        self.ends: dict[str, int] = {}  # connections that ended by themselves
        self.connecting = Spread()  # TCP, TLS, MQTT and the subscription
        self.answering = Spread()  # from a batch to its answer
        self.events = Spread()  # from an event to the answer for it
        self.reconnects = Reconnects()

    def waiting(self) -> int:
        """Records made and not answered yet."""
        return self.made - self.answered

    def opened(self, now: float, took_s: float) -> None:
        self.up += 1
        self.most_up = max(self.most_up, self.up)
        self.connects += 1
        self.connecting.add(took_s)
        self.reconnects.came(now)

    def ended(self, why: str) -> None:
        self.up -= 1
        _count(self.ends, why)

    def failed(self, why: str) -> None:
        _count(self.failures, why)


def _count(what: dict[str, int], name: str) -> None:
    """Bounded, whatever a broker says."""
    name = name[:80] if name[:80] in what or len(what) < 20 else "others"
    what[name] = what.get(name, 0) + 1
