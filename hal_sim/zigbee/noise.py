"""Garbage on the serial line: bursts of bytes between the chip's frames, some of which look like the beginning of one.

Owns the bursts. Deterministic: the same noise every time. Frames themselves stay whole.
"""

from hal_sim.zigbee.dice import Dice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal_sim.sched import Scheduler

_EVERY_MS = 37
_FOR_MS = 10_000
_LONGEST = 24  # bytes of a burst
_BAIT = (b"\xfe", b"\xfe\xfa", b"\xfe\x1d\x44\x81", b"\xfe\xff\xfe\x03", b"\xfe\x00\x61\x01")


class Noise:
    """put(data) sends on the line."""

    def __init__(self, sched: "Scheduler", put: "Callable[[bytes], None]") -> None:
        self._sched = sched
        self._put = put
        self._until_ms = -1
        self._dice = Dice(0x2545F491)
        self._next: list | None = None

    def start(self) -> None:
        """Make noise for ten seconds from now."""
        self._until_ms = self._sched.now_ms + _FOR_MS
        if self._next is None:
            self._next = self._sched.after(0, self._burst)

    def stop(self) -> None:
        self._sched.cancel(self._next)
        self._next = None
        self._until_ms = -1

    def _burst(self) -> None:
        if self._sched.now_ms >= self._until_ms:
            self._next = None
            return
        dice = self._dice
        data = bytes(dice.below(256) for _ in range(1 + dice.below(_LONGEST)))
        self._put(data + _BAIT[dice.below(len(_BAIT))])
        self._next = self._sched.after(_EVERY_MS, self._burst)
