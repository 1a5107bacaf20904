"""A TCP line of a certain length with faults: a proxy on 127.0.0.1 between a gateway and a broker.

Owns the listening port and a thread. What goes in comes out in order, delay_s later. Must never look into what it
carries: it only counts and keeps the first bytes.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable

ROUND_TRIP_S = 0.06
_CHUNK = 65536
_UNDER_WAY = 1024  # chunks in one direction; who sends faster than the far end reads is held back
_KEPT = 1 << 16  # of the first bytes of a connection, each direction

_END_S = 10


class Passage:
    """One connection over the line. up: from the gateway; down: to it. opened: s of time.monotonic()."""

    def __init__(self) -> None:
        self.opened = time.monotonic()
        self.closed = 0.0  # 0: open
        self.up_bytes = self.down_bytes = 0
        self.up_start = bytearray()
        self.down_start = bytearray()
        self.writers: list[asyncio.StreamWriter] = []


class Line:
    """`port`: where to connect to; `target`: the far port, may be changed at any time. `close` ends it."""

    def __init__(self, target: int, round_trip_s: float = ROUND_TRIP_S) -> None:
        self.target = target
        self.delay_s = round_trip_s / 2
        self.passages: list[Passage] = []
        self._flows = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(listening,), name="line", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ faults
    def cut(self) -> None:
        """Every connection is reset."""
        self._do(self._abort_all)

    def stall(self) -> None:
        """Nothing passes any more, and nobody is told. Who connects meanwhile is let in and hears nothing."""
        self._do(self._flows.clear)

    def flow(self) -> None:
        """The end of `stall`: what was held goes on its way."""
        self._do(self._flows.set)

    def open_now(self) -> int:
        """Connections that are open."""
        return sum(not passage.closed for passage in list(self.passages))

    @property
    def up_bytes(self) -> int:
        return sum(passage.up_bytes for passage in list(self.passages))

    @property
    def down_bytes(self) -> int:
        return sum(passage.down_bytes for passage in list(self.passages))

    def close(self) -> None:
        """The port is shut, every connection reset, the thread gone."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    # ------------------------------------------------------------------ the thread
    def _do(self, work: Callable[[], object]) -> None:
        """In the thread, before this returns."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(work)
        self._loop.call_soon_threadsafe(done.set)
        done.wait()

    def _abort_all(self) -> None:
        for passage in self.passages:
            _abort(passage)

    def _run(self, listening: socket.socket) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        self._flows.set()
        server = loop.run_until_complete(asyncio.start_server(self._serve, sock=listening))
        loop.run_forever()
        server.close()
        self._flows.set()
        self._abort_all()
        left = asyncio.all_tasks(loop)
        if left:  # each sees the end of what it reads; one that is cancelled makes asyncio's streams complain
            loop.run_until_complete(asyncio.wait(left, timeout=_END_S))
        loop.run_until_complete(asyncio.sleep(0))  # what was aborted is closed in the next turn
        loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passage = Passage()
        self.passages.append(passage)
        passage.writers.append(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            passage.writers.append(far_writer)
            if not passage.closed:
                await asyncio.wait(
                    [asyncio.ensure_future(self._carry(reader, far_writer, passage, True)),
                     asyncio.ensure_future(self._carry(far_reader, writer, passage, False))],
                    return_when=asyncio.ALL_COMPLETED)
        except OSError:
            pass  # nobody is there: the gateway's connection is reset
        finally:
            _abort(passage)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passage: Passage,
                     up: bool) -> None:
        """One direction, to its end; an end is passed on like anything else, after everything before it."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_UNDER_WAY)
        out = asyncio.ensure_future(self._deliver(under_way, writer, passage))
        try:
            while True:
                try:
                    data = await reader.read(_CHUNK)
                except OSError:
                    data = b""
                _count(passage, up, data)
                await under_way.put((self._loop.time() + self.delay_s, data))
                if not data:
                    break
            await out
        finally:
            out.cancel()

    async def _deliver(self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter,
                       passage: Passage) -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(max(due - self._loop.time(), 0))
            await self._flows.wait()
            if not data:
                writer.close()
                return
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                _abort(passage)  # it reads no more: neither direction goes on
                return


def _count(passage: Passage, up: bool, data: bytes) -> None:
    kept = passage.up_start if up else passage.down_start
    kept += data[:max(_KEPT - len(kept), 0)]
    if up:
        passage.up_bytes += len(data)
    else:
        passage.down_bytes += len(data)


def _abort(passage: Passage) -> None:
    passage.closed = passage.closed or time.monotonic()
    for writer in passage.writers:
        writer.transport.abort()
