"""The only place that makes a dial command.

Owns the refusal of emergency numbers in test mode (invariant I14): by construction, not by its callers' care.
Must never let a character through that the modem could take for more than a digit.
"""

from micropython import const

_DIGITS = "0123456789"
_LONGEST = const(20)  # digits an address takes in TS 24.008 10.5.4.7 as the modem accepts it
_SHORTEST_IN_TEST = const(7)  # significant digits: every emergency and service number is shorter

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Protocol

    class TestMode(Protocol):
        """Whether test mode is on, now."""

        active: bool


class NumberRefused(ValueError):
    """This number is not dialled; args[0] says why."""


def significant(number: str) -> str:
    """The digits that decide where a call goes: +82, 0082 and trunk zeros taken off."""
    digits = "".join([c for c in number if c in _DIGITS])
    if digits.startswith("00"):
        digits = digits[2:]
    if digits.startswith("82"):
        digits = digits[2:]
    while digits.startswith("0"):
        digits = digits[1:]
    return digits


def is_emergency(number: str) -> bool:
    """119 or 112 in any writing: with country code, trunk zero, or an area code in front (02-119, 031-119)."""
    digits = significant(number)
    return len(digits) <= 5 and digits[-3:] in ("119", "112")


class Dialler:
    """test_mode: object with `active`, asked at every command."""

    def __init__(self, test_mode: "TestMode") -> None:
        self._test_mode = test_mode
        self.refused = 0

    def command(self, number: str) -> bytes:
        """`ATD<number>;`, a voice call. NumberRefused: not a number, or not one for test mode."""
        body = number[1:] if number[:1] == "+" else number
        if not 0 < len(body) <= _LONGEST or any([c not in _DIGITS for c in body]):
            self._refuse("not a telephone number")
        if self._test_mode.active and (is_emergency(number) or len(significant(number)) < _SHORTEST_IN_TEST):
            self._refuse("not in test mode")
        return ("ATD" + number + ";").encode()

    def _refuse(self, why: str) -> None:
        self.refused += 1
        raise NumberRefused(why)
