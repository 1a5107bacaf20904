"""Virtual time, a client, and a far end that answers by rule. MicroPython only; a line of JSON for each thing told.

The far end reads what the client writes with a parser of its own, so that the client's is not judged by itself.
"""

import json
import sys

sys.path.append(".")

from hal_sim import vtime  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402

sched = Scheduler()
kernel = vtime.install(sched)

import asyncio  # noqa: E402

from drivers.mqtt import Mqtt  # noqa: E402

NAMES = {1: "connect", 3: "publish", 4: "puback", 8: "subscribe", 12: "ping", 14: "disconnect"}


def now() -> int:
    return sched.now_ms


def tell(what: str, *args: object) -> None:
    print(json.dumps([sched.now_ms, what] + list(args)))


class Far:
    """A stream to the client. `after`: ms until each kind is answered, None: never; `takes`: bytes it still accepts."""

    def __init__(self, **after: object) -> None:
        self.after = {"connect": 30, "subscribe": 30, "publish": 30, "ping": 30}
        self.after.update(after)
        self.connack = b"\x20\x02\x00\x00"
        self.granted = 1
        self.takes = None  # all
        self.step = 0  # bytes a read gives at most, 0: all there are
        self.times = 1  # each answer so often
        self.seen = []  # names of the packets the client sent
        self.ids = []
        self.pubacks = []
        self.closed = 0
        self.error = None
        self._rx = bytearray()
        self._tx = bytearray()
        self._eof = False
        self.writes = 0

    # --- the client's side
    def readinto(self, buf: memoryview) -> object:
        if self.error:
            raise OSError(self.error)
        if not self._rx:
            return 0 if self._eof else None
        count = min(len(buf), len(self._rx), self.step or len(buf))
        buf[:count] = self._rx[:count]
        self._rx = self._rx[count:]
        return count

    def write(self, buf: memoryview) -> object:
        if self.error:
            raise OSError(self.error)
        count = len(buf)
        if self.takes is not None:
            count = min(count, self.takes)
            self.takes -= count
            if not count:
                return None
        self.writes += 1
        self._tx += bytes(buf[:count])
        self._parse()
        return count

    def ioctl(self, request: int, arg: int) -> int:
        if request != 3:
            return 0
        readable = self._rx or self._eof or self.error
        return (arg & 1 if readable else 0) | (arg & 4 if self.takes != 0 or self.error else 0)

    def close(self) -> None:
        self.closed += 1

    # --- the far side
    def say(self, data: bytes) -> None:
        self._rx += data

    def later(self, delay_ms: int, data: bytes) -> None:
        sched.after(delay_ms, self.say, data)

    def end(self) -> None:
        self._eof = True

    def reset(self) -> None:
        self.error = 104

    def room(self, count: object) -> None:
        self.takes = count

    def _parse(self) -> None:
        while len(self._tx) >= 2:
            size, at = 0, 1
            while True:
                if at >= len(self._tx):
                    return
                size |= (self._tx[at] & 127) << 7 * (at - 1)
                at += 1
                if self._tx[at - 1] < 128:
                    break
            if len(self._tx) < at + size:
                return
            first, body = self._tx[0], bytes(self._tx[at:at + size])
            self._tx = self._tx[at + size:]
            self._packet(first, body)

    def _packet(self, first: int, body: bytes) -> None:
        name = NAMES[first >> 4]
        self.seen.append(name)
        answer = b""
        if name == "connect":
            answer = self.connack
        elif name == "subscribe":
            answer = b"\x90\x03" + body[:2] + bytes((self.granted,))
        elif name == "publish" and first & 2:
            at = 2 + (body[0] << 8 | body[1])
            self.ids.append(body[at] << 8 | body[at + 1])
            answer = b"\x40\x02" + body[at:at + 2]
        elif name == "ping":
            answer = b"\xd0\x00"
        elif name == "puback":
            self.pubacks.append(body[0] << 8 | body[1])
        if answer and self.after[name] is not None:
            for _ in range(self.times):
                self.later(self.after[name], answer)


def put(client: Mqtt, data: bytes) -> int:
    client.payload[:len(data)] = data
    return len(data)


async def end_of(client: Mqtt) -> None:
    """run(), and how it ended."""
    try:
        await client.run()
    except Exception as error:  # noqa: BLE001
        tell("over", type(error).__name__, str(error))


async def attempt(what: str, work: object) -> object:
    """Await it and tell how it went."""
    try:
        result = await work
        tell(what, "done", result)
        return result
    except Exception as error:  # noqa: BLE001
        tell(what, type(error).__name__, str(error), getattr(error, "code", None))
    except asyncio.CancelledError:
        tell(what, "cancelled")
    return None


def start(far: Far, room: object = None) -> Mqtt:
    client = Mqtt(far, far, now, room)
    client.on_message = lambda topic, payload: tell("message", topic, bytes(payload).decode())
    client.on_puback = lambda number: tell("puback", number)
    return client


def go(far: Far, main: object, until_ms: int = 200000) -> None:
    """Connect, run() as a task, then main(client)."""
    async def work() -> None:
        client = start(far)
        await attempt("connect", client.connect("GW-000000", "gw/GW-000000/up/link", b"lost", 20, 20000))
        task = asyncio.create_task(end_of(client))
        await main(client)
        if until_ms > now():
            await asyncio.sleep_ms(until_ms - now())
        tell("end", far.seen, task.done(), client.in_flight)

    asyncio.run(work())
