"""The link to the coprocessor: one question at a time with its answer, and what it says unasked handed on at once.

Owns the UART. Must never hold an unsolicited frame back because a question is open, never wait without a limit,
never take the answer to one question for the answer to another, and never end because of what a frame contained.

The wire has no numbers for questions: an answer is known by its command alone. After a question went unanswered its
answer may still come; before the same question is asked again another one is asked, whose answer proves that the old
one is past.
"""

import asyncio
import gc

from micropython import const

from zigbee.frames import RPC_ERROR, SYS_PING, SYS_VERSION, answer_of, encode
from zigbee.guard import tell, wait_limited
from zigbee.reader import Reader

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ANSWER_MS = const(2000)  # the slowest SRSP seen takes some 100 ms; fault 21 allows 2 to 3 s
_WAITING_LIMIT = const(8)  # questions in line; more is a fault of the caller
_CHUNK_BYTES = const(256)
_IDLE_MS = const(20)  # a stream that says ready and gives nothing must not make the loop spin


class LinkError(Exception):
    """The coprocessor did not answer in time, refused the command, or too many questions wait."""


class Link:
    """on_event(buffer, payload_at, payload_size, command) gets every AREQ; the buffer is only lent."""

    def __init__(
        self, uart: "Any", clock: "Any", log: "Any", on_event: "Callable[[bytearray, int, int, int], None]"
    ) -> None:
        self._uart = uart
        self._clock = clock
        self._log = log
        self._on_event = on_event
        self.reader = Reader(self._on_frame)
        self.heard_ms = clock.ms()  # when a whole frame last came, ms: garbage is no sign of life
        self._chunk = bytearray(_CHUNK_BYTES)
        self._partial = asyncio.Event()
        self._lock = asyncio.Lock()
        self._done = asyncio.Event()
        self._waiting = 0
        self._wanted = 0
        self._answer: bytes | None = None
        self._refused = False
        self._stale = 0  # the question whose answer may still come
        self.late = 0  # answers nobody waits for any more
        self.unanswered = 0
        self.failures = 0  # frames whose handling raised

    async def request(self, command: int, payload: bytes = b"", timeout_ms: int = ANSWER_MS) -> bytes:
        """Ask (an SREQ number of zigbee.frames) and return the payload of its SRSP. LinkError when there is none."""
        if self._waiting >= _WAITING_LIMIT:
            raise LinkError("busy")
        self._waiting += 1
        try:
            await self._lock.acquire()  # bounded: each of the few before us has its own limit
            try:
                if self._stale == command:
                    await self._exchange(SYS_VERSION if command == SYS_PING else SYS_PING, b"", timeout_ms)
                    self._stale = 0
                return await self._exchange(command, payload, timeout_ms)
            finally:
                self._lock.release()
        finally:
            self._waiting -= 1

    def send(self, command: int, payload: bytes = b"") -> None:
        """Send a command that has no answer."""
        self._uart.write(encode(command, payload))

    def abandon(self) -> None:
        """The coprocessor restarted: whoever waits for an answer fails now instead of at its limit."""
        self._done.set()

    async def _exchange(self, command: int, payload: bytes, timeout_ms: int) -> bytes:
        frame = encode(command, payload)
        self._done.clear()
        self._answer = None
        self._refused = False
        self._wanted = answer_of(command)
        try:
            self._uart.write(frame)
            await wait_limited(self._done, timeout_ms)
        finally:
            self._wanted = 0
        if self._refused:
            raise LinkError("%04x refused" % command)
        if self._answer is None:
            self.unanswered += 1
            self._stale = command
            raise LinkError("%04x unanswered" % command)
        return self._answer

    async def read(self) -> None:
        """For ever: take bytes as they come. Frames are handled here, in the order of the wire."""
        stream = asyncio.StreamReader(self._uart)
        while True:
            count = await stream.readinto(self._chunk)
            if not count:
                await asyncio.sleep_ms(_IDLE_MS)
                continue
            self.reader.push(self._chunk, count, self._clock.ms())
            if self.reader.held:
                self._partial.set()

    async def watch_gap(self) -> None:
        """For ever: give an unfinished frame up when the line falls silent inside it."""
        while True:
            await self._partial.wait()
            self._partial.clear()
            left_ms = self.reader.poll(self._clock.ms())
            while left_ms:
                await asyncio.sleep_ms(left_ms)
                left_ms = self.reader.poll(self._clock.ms())

    def _on_frame(self, buf: bytearray, at: int, size: int, command: int) -> None:
        self.heard_ms = self._clock.ms()
        try:
            self._dispatch(buf, at, size, command)
        except MemoryError as error:
            gc.collect()  # an alarm must not be lost to a full heap: once more with what was freed
            try:
                self._dispatch(buf, at, size, command)
            except Exception as second:  # noqa: BLE001
                self._failed(command, second)
            tell(self._log, "frame %04x" % command, error)
        except Exception as error:  # noqa: BLE001 - nothing a frame contains may end the reader
            self._failed(command, error)

    def _failed(self, command: int, error: Exception) -> None:
        self.failures += 1
        tell(self._log, "frame %04x" % command, error)

    def _dispatch(self, buf: bytearray, at: int, size: int, command: int) -> None:
        if command < 0x6000:
            self._on_event(buf, at, size, command)
        elif self._wanted and command == self._wanted:
            self._answer = bytes(buf[at:at + size])
            self._done.set()
        elif self._wanted and command == RPC_ERROR and answer_of(buf[at + 1] << 8 | buf[at + 2]) == self._wanted:
            self._refused = True
            self._done.set()
        else:
            self.late += 1
