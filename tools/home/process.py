"""One process of the home, the simulator or the relay: JSON lines in, JSON lines out.

Owns the process and its pipes, says when it died and with which last words. Every wait has a limit, every
buffer a size. Must never interpret a line.
"""

from __future__ import annotations

import asyncio
import collections
import json
import pathlib
from collections.abc import Callable

LINE_LIMIT = 1 << 18  # bytes; a status record is about 4 KB
TAIL_LINES = 30
WRITE_LIMIT_S = 5.0  # a process that reads nothing for so long is stuck
END_LIMIT_S = 2.0


class Process:
    """Starts, feeds and ends the process; `line` gets each object, `ended` (exit status, last lines) its death.

    mark: the field that every object has, `said` gets what comes on stderr.
    """

    def __init__(self, command: list[str], cwd: pathlib.Path, line: Callable[[dict], None],
                 ended: Callable[[int, list[str]], None], mark: str = "what",
                 said: Callable[[str], None] | None = None) -> None:
        self._command = command
        self._cwd = cwd
        self._line = line
        self._ended = ended
        self._mark = mark
        self._said = said
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task | None = None
        self._tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, first: dict) -> None:
        """Start the process and give it its scenario. Raises OSError when the program cannot be started."""
        self._tail.clear()
        self._process = await asyncio.create_subprocess_exec(
            *self._command, cwd=self._cwd, limit=LINE_LIMIT, start_new_session=True,  # Ctrl-C is ours to handle
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        self._watcher = asyncio.create_task(self._watch(self._process))
        await self.send(first)

    def post(self, message: dict) -> None:
        """Write one object without waiting: for what may be lost, and to who reads all the time."""
        if self._process is not None and self._process.returncode is None and self._process.stdin is not None:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def send(self, step: dict) -> bool:
        """Write one object; False when the process is gone or stuck."""
        process = self._process
        if process is None or process.returncode is not None or process.stdin is None:
            return False
        try:
            process.stdin.write(json.dumps(step, ensure_ascii=False).encode() + b"\n")
            await asyncio.wait_for(process.stdin.drain(), WRITE_LIMIT_S)
        except (OSError, asyncio.TimeoutError):
            return False
        return True

    async def stop(self) -> None:
        """End the process: ask, then kill. Its death is not reported."""
        process, watcher = self._process, self._watcher
        self._process = self._watcher = None
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait([watcher], timeout=END_LIMIT_S)
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_LIMIT_S)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None and process.stderr is not None
        await asyncio.gather(self._read(process.stdout, self._take),
                             self._read(process.stderr, self._hear))
        status = await process.wait()
        self._ended(status, list(self._tail))

    async def _read(self, stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
        while True:
            try:
                raw = await stream.readline()
            except ValueError:  # longer than LINE_LIMIT: asyncio dropped it
                self._tail.append("(a line longer than %d bytes was dropped)" % LINE_LIMIT)
                continue
            if not raw:
                return
            take(raw.decode("utf-8", "replace").rstrip())

    def _hear(self, text: str) -> None:
        self._tail.append(text[:400])
        if self._said is not None:
            self._said(text)

    def _take(self, text: str) -> None:
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if isinstance(line, dict) and self._mark in line:
            self._line(line)
        elif text:
            self._tail.append(text[:400])
