"""A simulated GPIO pin: machine.Pin on one side, whoever drives or watches it on the other.

Owns one level. Must never know what is connected.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Pin:
    """machine.Pin; `drive` is the outside acting on an input, `watch` sees an output change."""

    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, level: int = 0, watch: "Callable[[int], None] | None" = None) -> None:
        self._level = level
        self._watch = watch  # called with the new level
        self._handler: Callable[[Any], None] | None = None
        self._trigger = 0

    def init(self, *_args: "Any", **_options: "Any") -> None:
        pass

    def value(self, level: "Any" = None) -> "Any":
        """The level, or set it (None returned)."""
        if level is None:
            return self._level
        level = 1 if level else 0
        if level != self._level:
            self._level = level
            if self._watch is not None:
                self._watch(level)
        return None

    def __call__(self, level: "Any" = None) -> "Any":
        return self.value(level)

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)

    def irq(
        self, handler: "Callable[[Any], None] | None" = None, trigger: int = IRQ_RISING | IRQ_FALLING,
        hard: bool = False,
    ) -> "Pin":
        self._handler = handler
        self._trigger = trigger
        return self

    def drive(self, level: int) -> None:
        """The outside sets an input; an edge the firmware asked for calls its handler."""
        if level == self._level:
            return
        self._level = level
        edge = self.IRQ_RISING if level else self.IRQ_FALLING
        if self._handler is not None and self._trigger & edge:
            self._handler(self)
