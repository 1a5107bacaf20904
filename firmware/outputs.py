"""Beacon, siren and lamps. Must never raise: a dead lamp is not a reason for anything."""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from machine import Pin

    from firmware.boards.board import Board
    from firmware.log import Log


class Outputs:
    """board: its beacon, siren and lamp_* pins."""

    def __init__(self, board: "Board", log: "Log") -> None:
        self._beacon = board.beacon
        self._siren = board.siren
        self._lamps = {"119": board.lamp_119, "centre": board.lamp_centre, "call": board.lamp_call,
                       "cancel": board.lamp_cancel}
        self._log = log

    def alarm(self, light: bool, sound: bool) -> None:
        self._set(self._beacon, light)
        self._set(self._siren, sound)

    def lamp(self, name: str, lit: bool) -> None:
        self._set(self._lamps[name], lit)

    def _set(self, pin: "Pin", on: bool) -> None:
        try:
            pin.value(1 if on else 0)
        except Exception as error:  # noqa: BLE001
            self._log.error("output: %r" % error)
