"""Playing one report message into the call.

Owns whether a report is wanted and how far it is. Must never wait for the modem's word alone: it asks as well, and
gives up after the longest message there can be.
"""

from micropython import const

from drivers import eg25

_LIMIT_MS = const(12000)  # a message twice fits 10 s; a single one never takes this long
_ASK_AFTER_MS = const(1500)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from drivers.eg25 import Eg25


class Report:
    """`step` returns 0 when the file was played to its end, 1 when it was not, None while there is nothing to say."""

    def __init__(self, modem: "Eg25", clock: "Any") -> None:
        self._modem = modem
        self._clock = clock
        self._name = ""
        self._started_ms = -1

    def want(self, name: str) -> None:
        """Play name.wav once; what is playing gives way."""
        self._name = name
        self._started_ms = -1

    def drop(self) -> bool:
        """Forget it. True: one was wanted."""
        wanted = self._name != ""
        self._name = ""
        self._started_ms = -1
        return wanted

    async def step(self, answered: bool) -> "int | None":
        """One look; call it whenever the modem woke us, and once a second."""
        name = self._name
        if not name:
            return None
        if not answered:
            self.drop()
            return 1
        if self._started_ms < 0:
            return await self._start(name)
        return await self._look(name)

    async def _start(self, name: str) -> "int | None":
        if not self._modem.play_ended:
            await self._modem.play_stop()
        self._started_ms = self._clock.ms()
        if await self._modem.play(name + ".wav"):
            return None
        self.drop()
        return 1

    async def _look(self, name: str) -> "int | None":
        """Ended by its URC, or by what the module says when the URC got lost."""
        modem = self._modem
        passed = self._clock.ms() - self._started_ms
        if not modem.play_ended:
            if passed >= _LIMIT_MS:
                await modem.play_stop()
                self.drop()
                return 1
            if passed < _ASK_AFTER_MS or await modem.play_state() != eg25.PLAY_IDLE:
                return None
            modem.play_ended = True
        if name != self._name:
            return None  # another one was asked for meanwhile
        self.drop()
        return 0
