"""A gateway that replaces another: everything the old one kept, in one encrypted file, taken over in one step (ZB-19).

Owns `takeover.bin` in the board's root, and `takeover.code` beside it. Made on request, with a new code each time,
which is only shown, never kept. Taken over only by a gateway without sensors: all or nothing, then it restarts. Must
never form a network while a file waits, and never work while an emergency is open.
"""

import asyncio
import gc
import os

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_CODE_BYTES = const(100)  # of takeover.code, at most
_SHOWN_MS = const(600_000)  # how long the code stays on the screen
_MAKE = "make"


class Takeover:
    """parts: board, store, registry, settings, coordinator, journal, machine, recorder, clock, log; changed()."""

    def __init__(self, parts: "Any") -> None:
        self._parts = parts
        self._path = parts.board.root + "/takeover.bin"
        self._code_path = parts.board.root + "/takeover.code"
        self._wake = asyncio.Event()
        self._job = ""  # "", _MAKE, or the code to take over with
        self._code = ""  # of the file made last, while it is shown
        self._code_ms = 0
        self.refusal = ""  # why the file that waits was not taken
        self.waiting = False  # a file is there for this gateway, which has nothing yet
        if parts.store.adopted:
            self._forget_files()
            parts.store.settled()
        elif not parts.registry.count() and _exists(self._path):
            self.waiting = True
            if _exists(self._code_path):
                with open(self._code_path, "rb") as file:
                    self._start("".join([chr(byte) for byte in file.read(_CODE_BYTES) if byte < 128]) or "?")

    # ------------------------------------------------------------------ what people do
    def make(self) -> str:
        """Write the file; its code is shown on the screen. Empty, or why not."""
        parts = self._parts
        if parts.machine.open():
            return "an emergency is open"
        if self._job or self.waiting:
            return "not now"
        for name in ("network", "sensors"):
            if not parts.store.load(name):
                return "there is no %s to hand over" % name
        self._start(_MAKE)
        return ""

    def take(self, code: str) -> str:
        """Take the waiting file over with this code. Empty, or why not; what comes of it is shown."""
        if not self.waiting or self._job:
            return "no file waits"
        if self._parts.machine.open():
            return "an emergency is open"
        from firmware import sealed

        try:
            sealed.code_of(code)
        except sealed.Refused as error:
            return str(error)
        self._start(code)
        return ""

    def drop(self) -> str:
        """This gateway shall begin anew, whatever file is there."""
        if not self.waiting or self._job:
            return "no file waits"
        self._forget_files()
        self.waiting = False
        self._parts.board.reset()
        return ""

    def _start(self, job: str) -> None:
        self._job = job
        self._wake.set()

    def line(self) -> str:
        """For the screen; empty: nothing to say."""
        if self._code and self._parts.clock.ms() - self._code_ms < _SHOWN_MS:
            return "인수 코드: " + self._code
        self._code = ""
        if not self.waiting:
            return ""
        if self._job:
            return "이전 기기의 설정을 넘겨받고 있습니다"
        return self.refusal or "이전 기기의 설정 파일이 있습니다. 인수 코드를 입력해 주세요"

    # ------------------------------------------------------------------ the work
    async def run(self) -> None:
        """For ever: what was asked for, one after the other, and never into an emergency."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._quiet()
            try:
                await self._work(self._job)
            except Exception as error:  # noqa: BLE001 - a file or a file system that fails costs nothing else
                self._refuse(str(error) or repr(error))
            finally:
                self._job = ""
                gc.collect()
            self._parts.changed()

    async def _quiet(self) -> None:
        while self._parts.machine.open():
            await asyncio.sleep_ms(1000)

    async def _work(self, job: str) -> None:
        from firmware import handover  # big, and needed once in a gateway's life

        if job == _MAKE:
            self._code = await handover.make(self._parts, self._path)
            self._code_ms = self._parts.clock.ms()
            self._parts.log.info("takeover: the file is written")
            return
        if await handover.take(self._parts, self._path, job):
            self._parts.log.info("takeover: done, the gateway restarts")
            self._forget_files()
        else:
            self._parts.log.error("takeover: the flash did not take it, the gateway restarts empty")
            os.rename(self._path, self._path + ".failed")
        await self._quiet()
        self._parts.board.reset()

    def _refuse(self, why: str) -> None:
        self._parts.log.error("takeover: refused: " + why)
        self._parts.recorder.event("gateway.fault", fault="takeover", error=why[:80])
        if not self.waiting:
            self._parts.screen.notice("파일을 쓰지 못했습니다")
            return
        self.refusal = "이전 기기의 설정을 넘겨받지 못했습니다. 코드와 파일을 확인해 주세요"

    def _forget_files(self) -> None:
        for path in (self._code_path, self._path):
            if _exists(path):
                os.remove(path)


def _exists(path: str) -> bool:
    try:
        os.stat(path)
        return True
    except OSError:
        return False
