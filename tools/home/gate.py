"""The one address at which the gateway finds its relay: passes TCP on to the broker, or does not.

Owns the port, which stays while broker and relay come and go, and the switch between gateway and relay. Sees only what
TLS shows to everybody. Must never let a gateway in before the relay listens: the broker would take its records and
nobody would answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

HOST = "127.0.0.1"
_WAIT_S = 20.0  # for a relay that is just starting; the gateway itself waits no longer
_BLOCK = 65536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing is a reset, as from a computer where nobody listens


class Gate:
    """`listen`, then `lead(port)` while there is a relay, and `close`. `is_open`: the switch."""

    def __init__(self) -> None:
        self.port = 0
        self._target: int | None = None
        self._ready = asyncio.Event()
        self._is_open = True
        self._server: asyncio.Server | None = None
        self._passing: dict[asyncio.Task, asyncio.StreamWriter] = {}

    @property
    def is_open(self) -> bool:
        return self._is_open

    async def listen(self) -> None:
        """Take a free port. Raises OSError."""
        self._server = await asyncio.start_server(self._pass, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def lead(self, port: int | None) -> None:
        """Where the broker is; None: there is none now, and what was connected is cut."""
        self._target = port
        if port is None:
            self._ready.clear()
            self._cut()
        else:
            self._ready.set()

    def switch(self, is_open: bool) -> None:
        """Shut: what is connected is cut, and what comes is turned away."""
        self._is_open = is_open
        if not is_open:
            self._cut()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        passing = list(self._passing)
        self._cut()
        if passing:
            await asyncio.wait(passing, timeout=2)

    def _cut(self) -> None:
        for task, writer in self._passing.items():
            _reset(writer)
            task.cancel()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing[task] = writer
        try:
            if self._is_open:
                await asyncio.wait_for(self._ready.wait(), _WAIT_S)
                await _join(reader, writer, self._target)
                writer.close()  # as the far end did it, its last words first
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            pass  # however it ended, the gateway tries again
        finally:
            self._passing.pop(task, None)
            if not writer.is_closing():
                _reset(writer)


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int | None) -> None:
    """Both ways until one end closes. Raises OSError."""
    far_reader, far_writer = await asyncio.open_connection(HOST, port)
    ways = [asyncio.create_task(_copy(reader, far_writer)), asyncio.create_task(_copy(far_reader, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        far_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_BLOCK):
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
