"""RTC memory: what survives a reset of the controller but no power cut."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RTC_MEMORY_BYTES = 2048  # ESP32-S3, MicroPython's machine.RTC.memory


class RTC:
    """machine.RTC as far as the firmware uses it; `cells` is the part that outlives a reset."""

    def __init__(self, cells: list) -> None:
        self._cells = cells  # one item: the bytes

    def memory(self, data: "Any" = None) -> "Any":
        if data is None:
            return self._cells[0]
        if len(data) > RTC_MEMORY_BYTES:
            raise ValueError("buffer too long")
        self._cells[0] = bytes(data)
        return None
