"""The only place that makes a dial command.

Owns the refusal of emergency numbers in test mode (invariant I14): by construction, not by its callers' care.
Must never let a character through that the modem could take for more than a digit.
"""

from micropython import const

from firmware.numbers import DIGITS, fit_for_test

_LONGEST = const(20)  # digits an address takes in TS 24.008 10.5.4.7 as the modem accepts it

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Protocol

    class TestMode(Protocol):
        """Whether test mode is on, now."""

        @property
        def active(self) -> bool: ...


class NumberRefused(ValueError):
    """This number is not dialled; args[0] says why."""


class Dialler:
    """test_mode: object with `active`, asked at every command."""

    def __init__(self, test_mode: "TestMode") -> None:
        self._test_mode = test_mode
        self.refused = 0

    def command(self, number: str) -> bytes:
        """`ATD<number>;`, a voice call. NumberRefused: not a number, or not one for test mode."""
        body = number[1:] if number[:1] == "+" else number
        if not 0 < len(body) <= _LONGEST or any([c not in DIGITS for c in body]):
            self._refuse("not a telephone number")
        if self._test_mode.active and not fit_for_test(number):
            self._refuse("not in test mode")
        return ("ATD" + number + ";").encode()

    def _refuse(self, why: str) -> None:
        self.refused += 1
        raise NumberRefused(why)
