"""How an interview can end other than well.

Owns the two words for it. No I/O, no state.
"""


class Away(Exception):
    """The device does not answer: it sleeps or is out of reach. Goes on at its next sign of life."""


class Refusal(Exception):
    """It is not to stay (unknown_kind, full, neighbour) or cannot do its job (failed); why is for the log."""

    def __init__(self, reason: str, why: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.why = why
