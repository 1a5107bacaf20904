"""The proof-of-delivery ladder of one emergency (EMG-21): which steps were reached, and when.

Owns eight times. The person sees it on the screen; it is stored with the record that closes the emergency.
"""

from micropython import const

PRESSED = const(0)
HEARD = const(1)
PROMPTING = const(2)
DIALLING = const(3)
ANSWERED = const(4)
REPORTED = const(5)
CLOSED = const(6)
ACKNOWLEDGED = const(7)  # the relay committed the record that closed it

STEPS = ("pressed", "heard", "prompting", "dialling", "answered", "reported", "closed", "acknowledged")


class Ladder:
    """Times in ms since the trigger; -1: not reached."""

    def __init__(self) -> None:
        self.times = [-1] * len(STEPS)
        self.start_ms = -1
        self.changes = 0  # counts up, so that the screen sees that there is something new

    def begin(self, now_ms: int) -> None:
        self.start_ms = now_ms
        for step in range(len(STEPS)):
            self.times[step] = -1
        self.reach(PRESSED, now_ms)
        self.reach(HEARD, now_ms)

    def reach(self, step: int, now_ms: int) -> None:
        """A step is reached once; the first time counts."""
        if self.times[step] < 0:
            self.times[step] = now_ms - self.start_ms
            self.changes += 1

    def as_dict(self) -> dict:
        """{step: ms} of the steps that were reached."""
        return {STEPS[index]: time for index, time in enumerate(self.times) if time >= 0}

    def as_list(self) -> list:
        """[{step, at}] of all steps, at None when not reached."""
        return [{"step": STEPS[index], "at": None if time < 0 else time} for index, time in enumerate(self.times)]
