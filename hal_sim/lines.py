"""JSON lines out of a byte stream, for the far ends that speak them."""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class JsonLines:
    """feed(bytes) calls handle(dict) for each whole line; what is not a JSON object is counted."""

    def __init__(self, handle: "Any") -> None:
        self._handle = handle
        self._held = b""
        self.refused = 0

    def feed(self, data: bytes) -> None:
        self._held += data
        while b"\n" in self._held:
            line, self._held = self._held.split(b"\n", 1)
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            if isinstance(value, dict):
                self._handle(value)
            else:
                self.refused += 1
