"""Seeded chance for the simulated radio: the same seed, the same luck, under both Pythons.

Owns one generator's state. Must never be used for anything that has to be secret.
"""


class Dice:
    """A linear congruential generator (the constants of ISO C's example `rand`)."""

    def __init__(self, seed: int) -> None:
        self._state = seed & 0x7FFFFFFF

    def below(self, limit: int) -> int:
        """A whole number from 0 to limit - 1."""
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % limit

    def octets(self, count: int) -> bytes:
        return bytes([self.below(256) for _ in range(count)])
