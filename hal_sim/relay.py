"""The stand-in relay: commits records, drops repeats, answers with what it committed, sends commands.

Owns what was committed. It is told nothing but the bytes of the link.
"""

import json

from hal_sim.lines import JsonLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler

_COMMIT_MS = 40  # network and database, one way
_MOST = 1 << 24  # records of one boot
_MORE = 64  # bytes the memory of a boot grows by


class Relay:
    """Far end of the uplink; survives every reset of the gateway."""

    def __init__(self, sched: "Scheduler", emit: "Callable[..., None]") -> None:
        self._sched = sched
        self._emit = emit
        self._lines = JsonLines(self._record)
        self._committed: dict = {}  # boot -> a bit for each record: what lasts for months takes little memory
        self._commands: list = []  # those that could not be sent yet
        self._stream: Any = None
        self._up = True

    def attach(self, stream: "Any") -> None:
        """The gateway booted: its end of the link."""
        self._stream = stream
        self._lines = JsonLines(self._record)
        stream.peer = self
        stream.up = self._up

    def set_up(self, up: bool) -> None:
        self._up = up
        if self._stream is not None:
            self._stream.up = up
            if up:
                self._send({"hello": 1})
                for command in self._commands:
                    self._send({"command": command})
                self._commands = []

    def command(self, command: dict) -> None:
        if self._up and self._stream is not None:
            self._send({"command": command})
        else:
            self._commands.append(command)

    def feed(self, data: bytes) -> None:
        self._lines.feed(data)

    def _record(self, record: dict) -> None:
        identity = (record.get("boot"), record.get("seq"))
        self._sched.after(_COMMIT_MS, self._commit, identity, record)

    def _commit(self, identity: tuple, record: dict) -> None:
        if not self._up:
            return
        self._emit("relay" if self._is_new(*identity) else "repeat", record=record)
        self._send({"ack": list(identity)})

    def _is_new(self, boot: "Any", seq: "Any") -> bool:
        """Commit this identity; False: it was committed before. One that no gateway gives is always new."""
        if not isinstance(seq, int) or not 0 <= seq < _MOST:
            return True
        bits = self._committed.setdefault(boot, bytearray())
        if seq >> 3 >= len(bits):
            bits.extend(bytes((seq >> 3) + _MORE - len(bits)))
        known = bits[seq >> 3] >> (seq & 7) & 1
        bits[seq >> 3] |= 1 << (seq & 7)
        return not known

    def _send(self, message: dict) -> None:
        self._sched.after(_COMMIT_MS, self._stream.deliver, json.dumps(message).encode() + b"\n")
