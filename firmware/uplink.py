"""The way to the relay: records out as JSON lines, what it committed and what it commands back.

Owns the window of records under way. A stand-in for the MQTT link behind the same queue: end to end acknowledgement,
retransmission with the same identity. Nothing in the emergency path may wait for it.
"""

import asyncio

from micropython import const

from firmware.commands import COMMAND
from firmware.jsonlines import JsonLines

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.commands import Commands
    from firmware.records import Queue, Recorder

_WINDOW = 16
_RETRY_MS = 10000
_MAX_LINE = 1024
_COMMANDS_KEPT = 32  # identities remembered, so that a repeated command is not done twice


class Uplink:
    """stream: byte stream or None; commands: firmware.commands.Commands."""

    def __init__(self, stream: "Any", queue: "Queue", recorder: "Recorder", commands: "Commands") -> None:
        self._stream = stream
        self._queue = queue
        self._recorder = recorder
        self._commands = commands
        self._news = asyncio.Event()
        self._seen: list = []
        self._sent: set = set()
        self.lines = JsonLines(stream, self._message, _MAX_LINE)  # acknowledgements and commands
        self.on_ack: Callable[[int], None] | None = None  # called with seq
        recorder.on_record = self._news.set

    async def send(self) -> None:
        """Keep the oldest records under way; the same ones again when no answer comes."""
        if self._stream is None:
            await asyncio.Event().wait()
        while True:
            self._news.clear()
            self._send_window()
            if not len(self._queue):
                await self._news.wait()
                continue
            try:
                await asyncio.wait_for_ms(self._news.wait(), _RETRY_MS)
            except asyncio.TimeoutError:
                self._sent = set()

    def _send_window(self) -> None:
        for seq, data in self._queue.window(_WINDOW):
            if seq not in self._sent and self._stream.write(data + b"\n"):
                self._sent.add(seq)

    def _message(self, message: dict) -> bool:
        """From the relay; False: refused."""
        if "ack" in message:
            return self._ack(message["ack"])
        if "command" in message:
            return self._command(message["command"])
        if "hello" not in message:
            return False
        self._sent = set()
        self._news.set()
        return True

    def _ack(self, ack: object) -> bool:
        if not isinstance(ack, list) or len(ack) != 2 or ack[0] != self._recorder.boot or not self._queue.ack(ack[1]):
            return False
        self._sent.discard(ack[1])
        self._news.set()
        if self.on_ack is not None:
            self.on_ack(ack[1])
        return True

    def _command(self, command: "Any") -> bool:
        identity = command.get("id") if isinstance(command, dict) else None
        if not isinstance(identity, (str, int)) or identity in self._seen:
            return False
        self._seen.append(identity)
        if len(self._seen) > _COMMANDS_KEPT:
            self._seen.pop(0)
        reason = self._commands.run(command.get("name"), command, COMMAND)
        if reason:
            self._recorder.event("command.refused", id=identity, reason=reason)
        else:
            self._recorder.event("command.done", id=identity)
        return not reason
