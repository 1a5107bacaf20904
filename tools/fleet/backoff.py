"""When a gateway that lost its connection tries again: 1 s, doubled up to 5 min, any time up to that (full jitter).

Owns the number of attempts. Pure: time and dice come in with each call. Must never let many gateways that lost their
connection at one time come back at one time.
"""

from __future__ import annotations

import random

FIRST_S = 1.0
MOST_S = 300.0
LIVED_S = 60.0  # a connection that ends sooner was none: the back-off goes on where it was


class Backoff:
    """dice: of this gateway."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.attempts = 0

    def most_s(self) -> float:
        """The longest that the next delay may be, s."""
        return min(FIRST_S * 2.0 ** min(self.attempts, 30), MOST_S)

    def delay_s(self) -> float:
        """How long to wait before the next attempt, s; each call counts as one."""
        delay = self._dice.uniform(0.0, self.most_s())
        self.attempts += 1
        return delay

    def ended(self, lived_s: float) -> None:
        """A connection ended that had lived so long, s."""
        if lived_s >= LIVED_S:
            self.attempts = 0
