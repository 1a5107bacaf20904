"""The two ends of a stream as an MQTT client uses them: whole packets out, one after the other; bytes in; and the end.

Owns the write lock and the reason why the connection is over. Must never wait without a limit to write, let two packets
mix, or leave anybody waiting for the socket once it is over. Knows no packet.

Waiting is for the raw socket and not for TLS on top of it: TLS is asked until it would block. On MicroPython's unix
port waiting for a TLS stream costs every task 1 ms a pass. Limits do without asyncio.wait_for_ms, which cancels its
caller when there is no memory for it.
"""

import asyncio

from micropython import const

from drivers import ready

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WRITE_MS = const(10000)  # in which a packet must be with the network stack
_SPURIOUS = const(4)  # times in a row that a socket may be ready for nothing (half a TLS record); from then on a pause
_PAUSE_MS = const(20)


class MqttError(Exception):
    """The connection is over, or never was; `code` is 1 to 5 when CONNACK refused it, else 0."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


class Wire:
    """stream: readinto and write, None when they would block (TLS, or raw itself); raw: what to wait on.

    clock_ms() must never wrap. `on_end` is called once, when it is over.
    """

    def __init__(self, stream: "Any", raw: "Any", clock_ms: "Callable[[], int]", on_end: "Callable[[], None]") -> None:
        self._stream = stream
        self._raw = raw
        self._clock_ms = clock_ms
        self._on_end = on_end
        self._waiting: list = [None, None]  # tasks that wait for the socket: to read, to write
        self.lock = asyncio.Lock()
        self.error: Exception | None = None  # why it is over
        self.sent_ms = self.heard_ms = clock_ms()

    def check(self) -> None:
        """Raises `error` when it is over."""
        if self.error is not None:
            raise self.error

    def end(self, error: Exception) -> None:
        """It is over: whoever waits for the socket is woken with `error`. The first reason stays."""
        if self.error is not None:
            return
        self.error = error
        for task in self._waiting:
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        self._on_end()

    def fail(self, error: BaseException) -> BaseException:
        """It is over because of `error`, unless it was already; returns what to raise."""
        if isinstance(error, asyncio.CancelledError):  # the caller's own
            self.end(MqttError("given up"))
            return error
        if isinstance(error, ValueError):  # what TLS raises beside OSError
            error = MqttError("stream: %s" % error)
        if not isinstance(error, Exception):
            return error
        self.end(error)
        return self.error or error

    def limit(self, limit_ms: int, error: Exception) -> "asyncio.Task":
        """Ends it with `error` in limit_ms; cancel the task when what it limits is done."""
        return asyncio.create_task(self._expire(limit_ms, error))

    async def _expire(self, limit_ms: int, error: Exception) -> None:
        await asyncio.sleep_ms(limit_ms)
        self.end(error)

    def close(self) -> None:
        """Close both streams, from anywhere, any number of times."""
        self.end(MqttError("closed here"))
        for each in (self._stream, self._raw):
            try:
                each.close()
            except (OSError, ValueError):
                pass

    # --- writing -----------------------------------------------------------------------------------------------

    async def send(self, packet: "bytes | bytearray | memoryview") -> None:
        """Write one packet, when its turn comes. MqttError, OSError: it is over."""
        await self.lock.acquire()  # bounded: who has it has a limit
        try:
            await self.write(memoryview(packet))
        finally:
            self.lock.release()

    async def write(self, data: memoryview) -> None:
        """With the lock held: all of data, in one piece when the stream takes it.

        TLS that would block is given the very same again. Cancelled, or WRITE_MS after it first blocked: half a packet
        may be out, it is over.
        """
        self.check()
        timer = None
        idle = 0
        try:
            while True:
                count = self._stream.write(data)
                if count == len(data):
                    break
                if count:
                    data = data[count:]
                    idle = 0
                else:
                    timer = timer or self.limit(WRITE_MS, MqttError("a write blocked for %d s" % (WRITE_MS // 1000)))
                    await self._ready(1, ready.to_write, idle)
                    idle += 1
        except BaseException as error:  # noqa: BLE001 - fail() gives back what is not ours
            raise self.fail(error)
        finally:
            if timer is not None:
                timer.cancel()
        self.sent_ms = self._clock_ms()

    # --- reading -----------------------------------------------------------------------------------------------

    async def read(self, chunk: memoryview) -> int:
        """Bytes into chunk, when some come; returns how many. MqttError, OSError: it is over.

        No limit of its own: whoever owns the connection ends it when nothing is heard.
        """
        self.check()
        empty = 0
        try:
            while True:
                count = self._stream.readinto(chunk)
                if count:
                    self.heard_ms = self._clock_ms()
                    return count
                if count is not None:
                    raise MqttError("closed by the other end")
                await self._ready(0, ready.to_read, empty)
                empty += 1
        except BaseException as error:  # noqa: BLE001 - fail() gives back what is not ours
            raise self.fail(error)

    async def _ready(self, which: int, wait: "Callable[[Any], Any]", tries: int) -> None:
        """Wait for the socket; end() cancels it."""
        self._waiting[which] = asyncio.current_task()
        try:
            if tries >= _SPURIOUS:
                await asyncio.sleep_ms(_PAUSE_MS)
            await wait(self._raw)
        except asyncio.CancelledError:
            self.check()  # end() it was that cancelled
            raise
        finally:
            self._waiting[which] = None
