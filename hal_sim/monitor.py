"""The attached monitor: shows the view it was sent, sends touches back."""

import json

from hal_sim.lines import JsonLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler


class Monitor:
    """Far end of the monitor link; detaching cuts the link."""

    def __init__(self, sched: "Scheduler", emit: "Callable[..., None]") -> None:
        self._sched = sched
        self._emit = emit
        self._lines = JsonLines(self._view)
        self._stream: Any = None
        self._attached = True

    def attach(self, stream: "Any") -> None:
        """The gateway booted: its end of the link."""
        self._stream = stream
        self._lines = JsonLines(self._view)
        stream.peer = self
        stream.up = self._attached

    def set_attached(self, attached: bool) -> None:
        self._attached = attached
        if self._stream is not None:
            self._stream.up = attached
            if attached:
                self._send({"hello": 1})

    def touch(self, action: str, fields: "dict | None" = None) -> None:
        """Somebody touches an action; fields: what was chosen or typed with it."""
        if self._attached and self._stream is not None:
            message = dict(fields or {})
            message["touch"] = action
            self._send(message)

    def feed(self, data: bytes) -> None:
        self._lines.feed(data)

    def _view(self, view: dict) -> None:
        self._emit("screen" if "view" in view else "sensors", **view)

    def _send(self, message: dict) -> None:
        self._sched.after(1, self._stream.deliver, json.dumps(message).encode() + b"\n")
