"""A push button on a pin, pressed = low: debounced presses, how long it is held, and a stuck one.

Owns no timing of its own: `sample(now_ms)` is called often while any button is down and seldom otherwise.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from machine import Pin

PRESSED = const(1)
RELEASED = const(2)
STUCK = const(3)
_DEBOUNCE_MS = const(20)  # longer than contact bounce (data sheets: 5 to 10 ms), shorter than any press
STUCK_MS = const(60000)  # fault 39


class Button:
    """pin: machine.Pin input with pull-up."""

    def __init__(self, pin: "Pin") -> None:
        self.pin = pin
        self.down = False
        self.down_ms = 0
        self._changed_ms = -1
        self._stuck = False

    def sample(self, now_ms: int) -> int:
        """PRESSED, RELEASED or STUCK once each, else 0."""
        level = self.pin.value() == 0
        if level == self.down:
            self._changed_ms = -1
            if self.down and not self._stuck and now_ms - self.down_ms >= STUCK_MS:
                self._stuck = True
                return STUCK
            return 0
        if self._changed_ms < 0:
            self._changed_ms = now_ms
            return 0
        if now_ms - self._changed_ms < _DEBOUNCE_MS:
            return 0
        self.down = level
        self.down_ms = self._changed_ms
        self._changed_ms = -1
        self._stuck = False
        return PRESSED if level else RELEASED

    def unsettled(self) -> bool:
        """Sample it often: it is down, or its level just changed."""
        return self.down or self._changed_ms >= 0 or self.pin.value() == 0

    def held_ms(self, now_ms: int) -> int:
        return now_ms - self.down_ms if self.down else 0
