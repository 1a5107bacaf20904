"""The controller's own clock and its memory: what survives a reset of the controller but no power cut."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_START = (2000, 1, 1, 5, 0, 0, 0, 0)  # as MicroPython's esp32 port has it without a time
RTC_MEMORY_BYTES = 2048  # ESP32-S3, MicroPython's machine.RTC.memory


class RTC:
    """machine.RTC as far as the firmware uses it; `cells` is the part that outlives a reset."""

    def __init__(self, cells: list) -> None:
        self._cells = cells  # the bytes; then the time, when it was set

    def datetime(self, date: "Any" = None) -> "Any":
        """(year, month, day, weekday, hour, minute, second, subsecond). It stands still once set."""
        if date is not None:
            self._cells[1:] = [tuple(date)]
        return self._cells[1] if date is None and len(self._cells) > 1 else _START

    def memory(self, data: "Any" = None) -> "Any":
        if data is None:
            return self._cells[0]
        if len(data) > RTC_MEMORY_BYTES:
            raise ValueError("buffer too long")
        self._cells[0] = bytes(data)
        return None
