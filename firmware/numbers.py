"""Numbers of the manufactured unit. Compiled in: no setting, file or remote command changes them (EMG-04).

Must never import anything that can be written in the field.
"""

EMERGENCY_NUMBER = "119"  # fire and ambulance, Republic of Korea
EMERGENCY_NUMBERS = (EMERGENCY_NUMBER, "112")  # numbers the modem is told to treat as emergency calls
DIGITS = "0123456789"
_SHORTEST_IN_TEST = 7  # significant digits: every emergency and service number is shorter


def significant(number: str) -> str:
    """The digits that decide where a call goes: +82, 0082 and trunk zeros taken off."""
    digits = "".join([c for c in number if c in DIGITS])
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


def fit_for_test(number: str) -> bool:
    """Whether a test may dial it: no emergency number in any writing, and no service number."""
    return not is_emergency(number) and len(significant(number)) >= _SHORTEST_IN_TEST
