"""Settings and the known sensors, read from files on the writable flash and checked value by value.

Owns what a value may be. A bad one gives its default and is named in the log. There is no setting for 119.
"""

import json
import os

from firmware.numbers import fit_for_test

TYPE_CHECKING = False  # no const(): a tool on CPython reads this module too
if TYPE_CHECKING:
    from typing import Any

    from firmware.log import Log

_MAX_FILE_BYTES = 16384
_MAX_SENSORS = 32
KINDS = ("smoke", "activity", "call_button", "door")


def is_phone_number(value: object) -> bool:
    """Digits, with an optional leading +, 3 to 15 of them (E.164)."""
    if not isinstance(value, str):
        return False
    digits = value[1:] if value[:1] == "+" else value
    return 3 <= len(digits) <= 15 and digits.isdigit()


def is_tester(value: object) -> bool:
    """A number that may be dialled in test mode: any but an emergency number; empty means none is registered."""
    return value == "" or (isinstance(value, str) and is_phone_number(value) and fit_for_test(value))


def _is_volume(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= 5


def _is_numbers(value: object) -> bool:
    return isinstance(value, list) and len(value) <= 14 and all(is_phone_number(item) for item in value)


# name: (default, check). `allowed`: who may call in, besides 119 (EMG-09, CALL-04: 15 with it).
_TABLE = {
    "gateway": ("GW-000000", lambda value: isinstance(value, str) and 1 <= len(value) <= 32),
    "tester": ("", is_tester),
    "volume": (4, _is_volume),
    "allowed": ([], _is_numbers),
}


def check_setting(name: str, value: object) -> str:
    """Empty, or why this is not a setting."""
    if name not in _TABLE:
        return "setting '%s' is unknown" % name
    return "" if _TABLE[name][1](value) else "setting '%s' has a bad value" % name


class Unreadable(Exception):
    """The file is there, but what it says cannot be had; args[0] says why."""


def read_json(path: str) -> "Any":
    """The file's JSON value; None when there is no such file. Raises Unreadable."""
    try:
        size = os.stat(path)[6]
    except OSError:
        return None
    if size > _MAX_FILE_BYTES:
        raise Unreadable("%s is larger than %d bytes" % (path, _MAX_FILE_BYTES))
    try:
        with open(path) as file:
            return json.loads(file.read(size))  # asks for no more memory than the file has
    except ValueError:
        raise Unreadable("%s is not JSON" % path) from None
    except OSError as error:
        raise Unreadable("%s: %r" % (path, error)) from None


class Settings:
    """Attribute-like access by get(name); always a legal value."""

    def __init__(self, values: object, log: "Log") -> None:
        self._values = {}
        given = values if isinstance(values, dict) else {}
        for name in given:
            reason = check_setting(name, given[name])
            if reason:
                log.warning(reason + ": not used")
            else:
                self._values[name] = given[name]

    def get(self, name: str) -> "Any":
        return self._values.get(name, _TABLE[name][0])


def check_sensors(values: object, log: "Log") -> list:
    """The sensors that are whole: dicts of name, kind, place, ieee (16 hex digits). Others are named and left out."""
    good: list = []
    seen: set = set()
    for item in (values if isinstance(values, list) else [])[:_MAX_SENSORS]:
        if not isinstance(item, dict) or item.get("kind") not in KINDS or not isinstance(item.get("name"), str):
            log.warning("a sensor entry is not whole: left out")
            continue
        ieee = item.get("ieee")
        if not isinstance(ieee, str) or len(ieee) != 16 or ieee in seen:
            log.warning("sensor %s has no address of its own: left out" % item["name"])
            continue
        seen.add(ieee)
        good.append({"name": item["name"], "kind": item["kind"], "place": str(item.get("place", "")), "ieee": ieee})
    return good
