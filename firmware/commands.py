"""What the care system may command and what may be touched on the monitor: one table, checked before anything is done.

Owns the names, their fields and who may use them. A reason to refuse is a short text; empty means that it was done.
Must never raise, act on a field of a bad form, or know a command that hangs up or keeps back an emergency call.
"""

from micropython import const

from firmware.emergency import events as ev

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

TOUCH = const(1)  # somebody at the gateway
COMMAND = const(2)  # the care system
_BOTH = const(3)
_MAX_TEXT = const(80)
_BY = {TOUCH: "gateway", COMMAND: "care"}


class Commands:
    """parts: the gateway. The table: name -> (who, fields, function(message, by)); a field's name ends in `?` when it
    may be missing, its type follows the colon: s text, i whole number, b true or false, * anything.
    """

    def __init__(self, parts: "Any") -> None:
        self._parts = parts
        self._table = {
            "test.enter": (TOUCH, (), self._test_enter),
            "test.leave": (TOUCH, (), self._test_leave),
            "test.extend": (TOUCH, (), self._test_extend),
            "test.real": (TOUCH, (), self._test_real),
            "alarm.silence": (TOUCH, (), self._alarm_silence),
            "cancel": (TOUCH, (), self._cancel),
            "alarm.cancel": (COMMAND, ("sensor:s", "incident?:i"), self._alarm_cancel),
            "smoke.silence": (_BOTH, ("sensor?:s",), self._smoke_silence),
            "sensors.register": (_BOTH, ("seconds?:i",), self._register),
            "sensors.register_close": (_BOTH, (), self._register_close),
            "sensors.code": (_BOTH, ("ieee:s", "code:s"), self._code),
            "sensors.rename": (_BOTH, ("sensor:s", "to?:s", "place?:s"), self._rename),
            "sensors.remove": (_BOTH, ("sensor:s",), self._remove),
            "sensors.replace": (_BOTH, ("sensor:s",), self._replace),
            "sensors.show": (TOUCH, (), self._show),
            "sensors.hide": (TOUCH, (), self._hide),
            "takeover.make": (_BOTH, (), self._takeover_make),
            "takeover.take": (TOUCH, ("code:s",), self._takeover_take),
            "takeover.drop": (TOUCH, (), self._takeover_drop),
            "settings.set": (_BOTH, ("setting:s", "value:*"), self._set),
        }

    def run(self, name: "Any", message: dict, who: int) -> str:
        """Do it. Empty, or why not."""
        row = self._table.get(name) if isinstance(name, str) else None
        if row is None or not row[0] & who:
            return "unknown command"
        for field in row[1]:
            reason = _check(field, message)
            if reason:
                return reason
        try:
            answer = row[2](message, _BY[who])
            return "not available" if answer == 0 else answer or ""
        except Exception as error:  # noqa: BLE001 - whoever asked is told; nothing else may suffer
            self._parts.log.failed("command", name, error)
            return "failed"

    # ------------------------------------------------------------------ test mode and the emergency
    def _test_enter(self, _message: dict, _by: str) -> str:
        return "" if self._parts.test_mode.enter(self._parts.machine.open()) else "not now"

    def _test_leave(self, _message: dict, by: str) -> str:
        return "" if self._parts.test_mode.leave(by) else "no test"

    def _test_extend(self, _message: dict, _by: str) -> str:
        return "" if self._parts.test_mode.extend() else "no test"

    def _test_real(self, _message: dict, _by: str) -> None:
        if self._parts.testing.active:
            self._parts.emergency.inbox.put(ev.REAL)

    def _alarm_silence(self, _message: dict, _by: str) -> None:
        self._parts.emergency.inbox.put(ev.SILENCE)

    def _cancel(self, _message: dict, _by: str) -> None:
        self._parts.cancel_pressed()

    def _alarm_cancel(self, message: dict, _by: str) -> str:
        """EMG-14: an abnormal alarm of a smoke detector or pendant, taken back from afar.

        A command may have been on its way for long: with `incident` it takes back that emergency's alarm and no later
        one's.
        """
        incident = message.get("incident")
        if incident is not None and incident != self._parts.machine.incident:
            return "that emergency is over"
        sensor = self._parts.sensors.find(message["sensor"])
        if sensor is None or sensor.kind not in ("smoke", "call_button"):
            return "no such smoke detector or pendant"
        return self._parts.emergency.withdraw(sensor.index)

    def _smoke_silence(self, message: dict, _by: str) -> str:
        """EMG-15: the sounders of the smoke detectors, not their detecting."""
        name = message.get("sensor")
        if name is None:
            self._parts.sensors.silence_all()
            return ""
        return "" if self._parts.sensors.silence(name) else "no such smoke detector"

    # ------------------------------------------------------------------ the sensors
    def _register(self, message: dict, _by: str) -> str:
        seconds = message.get("seconds")
        return self._parts.registration.open(60 if seconds is None else seconds)

    def _register_close(self, _message: dict, _by: str) -> str:
        return self._parts.registration.close()

    def _code(self, message: dict, _by: str) -> str:
        return self._parts.registration.code(message["ieee"], message["code"])

    def _rename(self, message: dict, _by: str) -> str:
        to, place = message.get("to"), message.get("place")
        return "nothing to change" if to is None and place is None else self._parts.registration.rename(
            message["sensor"], to, place)

    def _remove(self, message: dict, _by: str) -> str:
        return self._parts.registration.remove(message["sensor"])

    def _replace(self, message: dict, _by: str) -> str:
        return self._parts.registration.replace(message["sensor"])

    def _show(self, _message: dict, _by: str) -> None:
        self._parts.screen.show_sensors(True)

    def _hide(self, _message: dict, _by: str) -> None:
        self._parts.screen.show_sensors(False)

    def _set(self, message: dict, by: str) -> str:
        return self._parts.settings.change(message["setting"], message["value"], by)

    def _takeover_make(self, _message: dict, _by: str) -> str:
        return self._parts.takeover.make()

    def _takeover_take(self, message: dict, _by: str) -> str:
        return self._parts.takeover.take(message["code"])

    def _takeover_drop(self, _message: dict, _by: str) -> str:
        return self._parts.takeover.drop()


def _check(field: str, message: dict) -> str:
    """Empty, or what is wrong with this field of the message."""
    name, _, kind = field.partition(":")
    needed = name[-1] != "?"
    name = name if needed else name[:-1]
    if message.get(name) is None:
        return "'%s' is missing" % name if needed else ""
    value = message[name]
    if kind == "s":
        good = isinstance(value, str) and len(value) <= _MAX_TEXT
    elif kind == "i":
        good = isinstance(value, int) and not isinstance(value, bool)
    else:
        good = True
    return "" if good else "'%s' has a bad value" % name
