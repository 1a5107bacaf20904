"""Settings: the installer's file is the base, what was changed at run time is kept in the store and wins.

Owns what a value may be. A bad one gives its default and is named in the log. There is no setting for 119.
"""

import json
import os

from firmware.numbers import fit_for_test

TYPE_CHECKING = False  # no const(): a tool on CPython reads this module too
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.log import Log

_MAX_FILE_BYTES = 16384
_BLOCK = "settings"
_HOST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:"


def is_phone_number(value: object) -> bool:
    """Digits, with an optional leading +, 3 to 15 of them (E.164)."""
    if not isinstance(value, str):
        return False
    digits = value[1:] if value[:1] == "+" else value
    return 3 <= len(digits) <= 15 and digits.isdigit()


def is_tester(value: object) -> bool:
    """A number that may be dialled in test mode: any but an emergency number; empty means none is registered."""
    return value == "" or (isinstance(value, str) and is_phone_number(value) and fit_for_test(value))


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_host(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 64 and all(char in _HOST for char in value)


def _is_numbers(value: object) -> bool:
    return isinstance(value, list) and len(value) <= 14 and all(is_phone_number(item) for item in value)


# name: (default, check, may be changed at run time). `allowed`: who may call in, besides 119 (EMG-09, CALL-04: 15 with
# it). `day_from`, `day_to`: the hours between which what can wait is said aloud. `relay_host`: name or address of the
# relay's broker, empty: there is none; `relay_name`: what its certificate must say, empty: the same. `beat_s`,
# `beat_battery_s`: s between two heartbeats (TEL-10).
_TABLE = {
    "gateway": ("GW-000000", lambda value: isinstance(value, str) and 1 <= len(value) <= 32, False),
    "tester": ("", is_tester, False),
    "volume": (4, lambda value: _is_whole(value, 0, 5), False),
    "allowed": ([], _is_numbers, False),
    "install_code_required": (False, _is_bool, True),
    "door_announce": (True, _is_bool, True),
    "status_period_h": (4, lambda value: _is_whole(value, 1, 4), True),
    "day_from": (8, lambda value: _is_whole(value, 0, 12), True),
    "relay_host": ("", _is_host, False),
    "relay_port": (8883, lambda value: _is_whole(value, 1, 65535), False),
    "relay_name": ("", _is_host, False),
    "beat_s": (60, lambda value: _is_whole(value, 15, 3600), True),
    "beat_battery_s": (900, lambda value: _is_whole(value, 60, 3600), True),
    "day_to": (21, lambda value: _is_whole(value, 13, 24), True),
}
_STRICT = {"install_code_required": True}


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
    """Attribute-like access by get(name); always a legal value. values: of the file; store: firmware.store.Store."""

    def __init__(self, values: object, log: "Log", store: "Any" = None) -> None:
        self._log = log
        self._store = store
        self._base = self._legal(values)
        self._changed = self._legal(self._stored())
        if store is not None and store.works and _BLOCK in store.lost:
            self._changed = dict(_STRICT)  # what was set is lost: the stricter until somebody says otherwise
        self.on_change: Callable[[str, Any, str], Any] | None = None  # name, value, by

    def _legal(self, values: object) -> dict:
        good = {}
        given = values if isinstance(values, dict) else {}
        for name in given:
            reason = check_setting(name, given[name])
            if reason:
                self._log.warning(reason + ": not used")
            else:
                good[name] = given[name]
        return good

    def _stored(self) -> object:
        data = self._store.load(_BLOCK) if self._store is not None else None
        try:
            return json.loads(data) if data else None
        except ValueError:
            self._log.warning("the settings changed at run time cannot be read: not used")
            return None

    def get(self, name: str) -> "Any":
        if name in self._changed:
            return self._changed[name]
        return self._base.get(name, _TABLE[name][0])

    def change(self, name: "Any", value: "Any", by: str) -> str:
        """Change one at run time, for good; empty, or why not. by: who, for the record."""
        reason = check_setting(name, value) if isinstance(name, str) else "which setting?"
        if not reason and not _TABLE[name][2]:
            reason = "setting '%s' cannot be changed at run time" % name
        if not reason and value != self.get(name):
            self._changed[name] = value
            if self._store is not None:
                self._store.save(_BLOCK, json.dumps(self._changed).encode())
            if self.on_change is not None:
                self.on_change(name, value, by)
        return reason

    def all(self) -> dict:
        """Every setting that is not the default: what another gateway would have to take over."""
        return {name: self.get(name) for name in _TABLE if self.get(name) != _TABLE[name][0]}

    def changeable(self) -> dict:
        """What may be changed at run time, as it is now."""
        return {name: self.get(name) for name in _TABLE if _TABLE[name][2]}
