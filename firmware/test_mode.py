"""Test mode: entered and left on the gateway, ends by itself, and never survives a boot (TST-01, TST-02, TST-05).

Owns whether it is on. Nothing is kept across a reset on purpose: every boot is normal mode. The dialler asks `active`.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.clock import Clock
    from firmware.emergency.machine import Machine
    from firmware.settings import Settings

LENGTH_MS = 10 * 60 * 1000


class TestMode:
    """settings: for the tester's number; record(event, **fields); say(name): speak a text."""

    def __init__(
        self, settings: "Settings", clock: "Clock", record: "Callable[..., Any]", say: "Callable[[str], Any]"
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._record = record
        self._say = say
        self.active = False
        self.ends_ms = 0
        self.on_left: Callable[[], None] | None = None

    def enter(self, emergency_open: bool) -> bool:
        """False: no tester is registered, or an emergency is going on."""
        if emergency_open or self.active:
            return False
        if not self._settings.get("tester"):
            self._say("test_refused")
            return False
        self.active = True
        self.ends_ms = self._clock.ms() + LENGTH_MS
        self._record("test.entered", minutes=LENGTH_MS // 60000)
        self._say("test_entered")
        return True

    def extend(self) -> bool:
        """Ten minutes more; False when test mode is not on."""
        if not self.active:
            return False
        self.ends_ms += LENGTH_MS
        self._record("test.extended", minutes=LENGTH_MS // 60000)
        self._say("test_extended")
        return True

    def leave(self, why: str) -> bool:
        """why: gateway, time or real. Normal mode from this instant."""
        if not self.active:
            return False
        self.active = False
        self._record("test.left", why=why, test=True)
        if why != "real":
            self._say("test_ending")
        if self.on_left is not None:
            self.on_left()
        return True

    def tick(self) -> None:
        """Call at least once a second."""
        if self.active and self._clock.ms() >= self.ends_ms:
            self.leave("time")


class Testing:
    """What the dialler asks: test mode is on, or the emergency that is open began in it."""

    def __init__(self, test_mode: "TestMode", machine: "Machine") -> None:
        self._test_mode = test_mode
        self._machine = machine

    @property
    def active(self) -> bool:
        return bool(self._test_mode.active) or (self._machine.open() and self._machine.test)
