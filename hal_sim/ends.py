"""How a simulated run of the firmware ends: exceptions no firmware handler may catch.

They derive from BaseException so that `except Exception` in the firmware lets them through,
as a real power cut would.
"""


class BoardReset(BaseException):
    """The controller restarts now; RTC memory, flash and everything outside it live on."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class PowerCut(BaseException):
    """Everything is off for for_ms; only flash and what has a battery of its own lives on."""

    def __init__(self, for_ms: int) -> None:
        super().__init__(for_ms)
        self.for_ms = for_ms


class SimEnd(BaseException):
    """The scenario is over."""
