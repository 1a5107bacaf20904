"""Commands of the care system as they come over the link: whose turn they are, each once, none too late.

Owns the highest counter, kept in flash before a command is carried out. What a command does is firmware/commands.py's.
Must never carry out a command twice, nor one that is old, and never keep anything from the emergency path.
"""

import asyncio
import json

from micropython import const

from firmware.commands import COMMAND
from firmware.jsonlines import has_halves

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_ID = const(40)
_MAX_COUNTER = const(1 << 53)
_USUAL_COUNTER = const(4_102_444_800_000)  # ms since 1970 in 2100: counters are times
_LEAP = const(1 << 32)  # beyond that: one order too large must not be the last that is ever taken
_WAITING = const(8)  # more at once are refused: they come again or not at all
_KEEP_MS = const(2000)  # flash may take so long to keep the counter
_SPREAD_MS = const(50)


def _any(_at_s: int) -> bool:
    return True


class Orders:
    """parts: the gateway: commands, recorder, clock, log, machine; kept: firmware.uplink.kept.Kept.

    fits(s since 1970): whether it can be so late.
    """

    def __init__(self, parts: "Any", kept: "Any", fits: "Callable[[int], bool]" = _any) -> None:
        self._parts = parts
        self._kept = kept
        self._fits = fits
        self._queue: list = []
        self._news = asyncio.Event()
        self.refused = 0  # of a bad form
        self.repeats = 0  # old ones, and those that came again

    def feed(self, payload: "memoryview") -> None:
        """A command's bytes. Never raises for what they say."""
        data = bytes(payload)
        try:
            order: Any = None if has_halves(data) else json.loads(data)
        except ValueError:
            order = None
        if not isinstance(order, dict) or _form(order) or order["counter"] > self._highest():
            self.refused += 1
        elif order["counter"] <= self._kept.counter:
            self.repeats += 1
        elif len(self._queue) >= _WAITING:
            self.refused += 1
        elif order["name"] == "time":  # what the others are judged by
            self._kept.take(order["counter"])
            self._answer(order, self._set_time(order))
        else:
            self._kept.take(order["counter"])
            self._queue.append(order)
            self._news.set()

    def _highest(self) -> int:
        """Counter that may come next at most."""
        return max(_USUAL_COUNTER, self._kept.counter + _LEAP)

    async def run(self) -> None:
        """For ever: carry out what came, one after the other."""
        while True:
            if not self._queue:
                self._news.clear()
                await self._news.wait()
            order = self._queue[0]
            try:
                if not self._parts.machine.open():  # nothing is written then; a command for it does not wait
                    await self._kept.flush(_KEEP_MS)
                await self._carry_out(order)
            finally:
                self._queue.pop(0)

    async def _carry_out(self, order: "Any") -> None:
        now_s = self._parts.clock.sure_s()
        if not now_s:
            self._answer(order, "the time is not known")
        elif order["expires"] < now_s * 1000:
            self._answer(order, "too late")
        elif order["name"] == "state":
            self._parts.recorder.event("command.done", id=order["id"], state=self._parts.state())
            await self._tell_sensors()
        else:
            self._answer(order, self._parts.commands.run(order["name"], order, COMMAND))

    async def _tell_sensors(self) -> None:
        """A status record of every sensor, not all in one go."""
        for sensor in self._parts.sensors.all:
            if sensor is not None:
                self._parts.watch.tell(sensor)
                await asyncio.sleep_ms(_SPREAD_MS)

    def _set_time(self, order: dict) -> str:
        at: Any = order.get("at")
        if not _is_whole(at):
            return "'at' has a bad value"
        if not self._fits(at // 1000):
            return "the relay's certificate is not of that time"
        return "" if self._parts.clock.set_wall(at) else "'at' has a bad value"

    def _answer(self, order: dict, reason: str) -> None:
        if reason:
            self._parts.recorder.event("command.refused", id=order["id"], reason=reason)
        elif order["name"] != "time":  # it comes with every connection and changes nothing that is seen
            self._parts.recorder.event("command.done", id=order["id"])


def _form(order: "Any") -> str:
    """Empty, or what is wrong with its form."""
    ident = order.get("id")
    if isinstance(ident, bool) or not isinstance(ident, (str, int)) or not 0 < len(str(ident)) <= _MAX_ID:
        return "id"
    for name in ("counter", "expires"):
        value = order.get(name)
        if not _is_whole(value) or not 0 < value <= _MAX_COUNTER:
            return name
    return "" if isinstance(order.get("name"), str) else "name"


def _is_whole(value: "Any") -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
