"""What the host sends over the air: a bounded line, a few at a time, with retries.

Owns the outgoing line and what is under way. Must never make anybody wait: posting returns at once, and what comes in
never passes through here. Confirmations to pendants go before everything else.
"""

import asyncio

from micropython import const

from zigbee.frames import AF_DATA_REQUEST
from zigbee.guard import wait_limited
from zigbee.link import Link, LinkError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

HOST_ENDPOINT = const(1)
_LINE = const(16)  # frames waiting
_UNDER_WAY = const(4)  # unconfirmed frames, urgent ones aside: the coprocessor's buffers are few (fault 28)
_TRIES = const(3)
_BACK_OFF_MS = const(2000)  # fault 28
_BUSY_MS = const(200)  # an urgent frame asks again sooner
_CONFIRM_MS = const(10_000)  # a sleeping child's frame is given up by the coordinator after 7.68 s
_OPTIONS = const(0x30)  # APS acknowledgement, route discovery
_RADIUS = const(30)
_MEMORY_ERROR = const(0x10)  # ZMemError, ZBufferFull of Z-Stack: try again later
_BUFFER_FULL = const(0x11)


class Outgoing:
    """One frame on its way. command: an SREQ of its own with the frame as its payload, which nothing confirms; 0: an
    AF_DATA_REQUEST.
    """

    def __init__(
        self, short: int, endpoint: int, cluster: int, frame: bytes, urgent: bool, command: int = 0,
        tries: int = _TRIES,
    ) -> None:  # fmt: skip
        self.short = short
        self.endpoint = endpoint
        self.cluster = cluster
        self.frame = frame
        self.urgent = urgent
        self.command = command
        self.tries = tries
        self.sent_ms = 0
        self.outcome = -1  # 0: delivered, 1: given up; -1: not known yet
        self.told: asyncio.Event | None = None  # set when the outcome is known

    def end(self, outcome: int) -> None:
        """It is known how it ended."""
        self.outcome = outcome
        if self.told is not None:
            self.told.set()


class Sender:
    """post() from anywhere; confirmed() with every AF_DATA_CONFIRM; run() for ever."""

    def __init__(self, link: Link, clock: "Any") -> None:
        self._link = link
        self._clock = clock
        self._urgent: list = []
        self._line: list = []
        self._under_way: dict = {}
        self._wake = asyncio.Event()
        self._hold_until_ms = 0
        self._number = 0
        self.enabled = False
        self.failed = 0
        self.lost = 0  # frames that found the line full

    def post(self, item: Outgoing) -> bool:
        """Put a frame in line. False: the line is full and it is lost."""
        line = self._urgent if item.urgent else self._line
        if len(line) >= _LINE:
            self.lost += 1
            return False
        line.append(item)
        self._wake.set()
        return True

    @property
    def room(self) -> int:
        """Places left for frames that are not urgent."""
        return _LINE - len(self._line)

    def withdraw(self, item: Outgoing) -> None:
        """Nobody waits for what this frame would bring any more: it is not sent, or not again."""
        item.tries = 0
        if item in self._line:
            self._line.remove(item)

    def confirmed(self, status: int, number: int) -> None:
        """The coprocessor told how transmission `number` ended (status 0: delivered)."""
        item = self._under_way.pop(number, None)
        if item is None:
            return
        self._wake.set()
        if status == 0:
            item.end(0)
        else:
            self._again(item)

    async def run(self) -> None:
        """For ever: send what is in line."""
        while True:
            item, wait_ms = self._next()
            if item is not None:
                await self._send(item)
                continue
            self._wake.clear()
            if wait_ms:
                await wait_limited(self._wake, wait_ms)
            else:
                await self._wake.wait()

    def enable(self, on: bool) -> None:
        """The network is up, or not: then everything waits."""
        self.enabled = on
        if on:
            for item in list(self._under_way.values()):
                item.end(1)
            self._under_way.clear()
            self._hold_until_ms = 0
        self._wake.set()

    def _next(self) -> tuple:
        """The frame to send now, or how long to wait in ms (0: until something changes)."""
        if not self.enabled or not (self._urgent or self._line):
            return None, 0
        now = self._clock.ms()
        if self._urgent:
            left = self._hold_until_ms - _BACK_OFF_MS + _BUSY_MS - now
            return (self._urgent.pop(0), 0) if left <= 0 else (None, left)
        self._expire(now)
        if now < self._hold_until_ms:
            return None, self._hold_until_ms - now
        if len(self._under_way) >= _UNDER_WAY:
            return None, _CONFIRM_MS
        return self._line.pop(0), 0

    async def _send(self, item: Outgoing) -> None:
        if item.command:
            await self._command(item)
            return
        self._number = self._number % 255 + 1
        number = self._number
        item.sent_ms = self._clock.ms()
        self._under_way[number] = item  # before asking: the confirmation may come with the answer
        head = bytes((
            item.short & 0xFF, item.short >> 8, item.endpoint, HOST_ENDPOINT, item.cluster & 0xFF, item.cluster >> 8,
            number, _OPTIONS, _RADIUS, len(item.frame),
        ))  # fmt: skip
        try:
            status = (await self._link.request(AF_DATA_REQUEST, head + item.frame))[0]
        except LinkError:
            status = _BUFFER_FULL
        if status == 0:
            return
        self._under_way.pop(number, None)
        self._refused(item, status)

    async def _command(self, item: Outgoing) -> None:
        """Requests of the device profile: the coprocessor answers that it took them, the device by itself."""
        try:
            status = (await self._link.request(item.command, item.frame))[0]
        except LinkError:
            status = _BUFFER_FULL
        if status:
            self._refused(item, status)

    def _refused(self, item: Outgoing, status: int) -> None:
        if status in (_MEMORY_ERROR, _BUFFER_FULL):
            self._hold_until_ms = self._clock.ms() + _BACK_OFF_MS
        self._again(item)

    def _again(self, item: Outgoing) -> None:
        item.tries -= 1
        if item.tries <= 0 or not self.post(item):
            self._give_up(item)

    def _give_up(self, item: Outgoing) -> None:
        self.failed += 1
        item.end(1)

    def _expire(self, now_ms: int) -> None:
        for number in [one for one, item in self._under_way.items() if now_ms - item.sent_ms >= _CONFIRM_MS]:
            self._give_up(self._under_way.pop(number))
