"""The phone service: converges to the call that is wanted, whatever the modem does.

Owns the modem. `call`, `hang_up`, `report` and `answer` set levels and return at once; `run` makes them true.
`+CLCC` at 1 Hz is the truth, everything unsolicited only brings the next look forward. ATD is never gated on SIM,
registration or data. No failure here, want of memory included, ends the task or forgets the wanted call.
"""

import asyncio
import gc

from micropython import const

from drivers import at, eg25
from firmware.phone import events as ev
from firmware.phone.attempt import Attempt
from firmware.phone.dialler import NumberRefused
from firmware.phone.recovery import Recovery
from firmware.phone.report import Report
from firmware.phone.upkeep import Upkeep

_POLL_MS = const(1000)
_POLL_RINGING_MS = const(300)  # the report has 10 s from the answer: an answer must not wait for the next second
_SLICE_MS = const(20)
_BEAT_MS = const(5000)  # how often an idle phone looks whether something is due
_GONE_AGAIN_MS = const(200)
_CLEAR_TRIES = const(3)  # to end other calls before ATD goes out all the same
_DIAL_TRIES = const(3)  # ATD without any answer
_DEAF_TALKING_MS = const(15000)  # an answered call may live on while AT is silent: it is not reset at once
_DEAF_ENDING_MS = const(3000)
_RESTART_RADIO_AT = const(3)  # attempts in a row that found no network, then +CFUN 0, 1 once (fault 46)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from drivers.eg25 import Eg25
    from firmware.phone.dialler import Dialler


class Phone:
    """pins: modem_reset, modem_pwrkey, modem_vbat; clock: ms(); log: info, warning, error.

    sink(event, arg): see firmware.phone.events. files: [(name in the modem, local path)], set before run().
    """

    def __init__(self, modem: "Eg25", pins: "Any", dialler: "Dialler", clock: "Any", log: "Any") -> None:
        self._modem = modem
        self._dialler = dialler
        self._clock = clock
        self._log = log
        self._upkeep = Upkeep(modem, clock, log)
        self._recovery = Recovery(modem, pins, clock, log)
        self._attempt = Attempt()
        self._report = Report(modem, clock)
        self._wake = asyncio.Event()
        self._number: str | None = None
        self._may_dial = True
        self._level = 0  # counts the changes of what is wanted
        self._ending = False  # level: no call
        self._ending_ms = 0
        self._take = False  # level: answer what rings
        self._others: list = []  # calls seen while no attempt runs
        self._bad = 0  # attempts in a row that found no network
        self._worker: Any = None
        self._receiver: Any = None
        self._beater: Any = None
        self._restarting = False
        self.sink: Callable[[int, int], None] | None = None
        self.files: list = []
        self.ready = False  # the modem answered and is set up
        self.refusing = False  # level: calls that come in are refused, an emergency is going on
        self.survived = 0  # exceptions the task lived through
        modem.wake = self._wake.set

    # --- levels ------------------------------------------------------------------------------------------------

    def call(self, number: str) -> None:
        """One attempt to reach number; a running one to another number ends, one to the same goes on."""
        self._want(number, True)

    def find(self, number: str) -> None:
        """As call, but never dials: takes up a call that is there, else CALL_ENDED."""
        self._want(number, False)

    def _want(self, number: str, may_dial: bool) -> None:
        attempt = self._attempt
        if attempt.active and attempt.number == number and not self._ending:
            attempt.may_dial = attempt.may_dial or may_dial
            return
        if attempt.active:
            self._finish(ev.HUNG_UP)
        self._ending = False
        self._others = []
        self._number = number
        self._may_dial = may_dial
        self._hurry()

    def hang_up(self) -> None:
        """No call, of any kind."""
        self._number = None
        self._take = False
        self._ending = True
        self._ending_ms = self._clock.ms()
        self._bad = 0
        self._hurry()

    def report(self, name: str) -> None:
        """Play name.wav into the answered call, once."""
        self._report.want(name)
        self._wake.set()

    def answer(self) -> None:
        """Take the call that rings; nothing rings: nothing happens."""
        if self.incoming():
            self._take = True
            self._wake.set()

    def restart(self) -> None:
        """The attempt did not end in time: begin from nothing. Its CALL_ENDED is not sent any more."""
        self._attempt.active = False
        self._report.drop()
        self._number = None
        self._modem.at.hurry = False
        if self._worker is None:
            return
        try:
            self._restarting = True
            self._worker.cancel()
        except RuntimeError:  # asked from inside it: then it does not hang
            self._restarting = False

    def _hurry(self) -> None:
        """A level changed: what runs for the old one ends within 300 ms."""
        self._level += 1
        self._modem.at.hurry = True
        self._wake.set()

    def expect_boot(self) -> None:
        """Say before run() that the supply came on just now."""
        self._recovery.expect_boot()

    # --- what others ask ---------------------------------------------------------------------------------------

    @property
    def status(self) -> "Any":
        """alive, sim, registration, packet, rssi_dbm."""
        return self._upkeep.status

    @property
    def hard_resets(self) -> int:
        return self._recovery.hard_resets

    def trouble(self) -> str:
        """Empty, or why a call may fail though the modem works."""
        return self._upkeep.trouble()

    def incoming(self) -> bool:
        """A call comes in and is not answered yet."""
        return any([call[2] in (eg25.INCOMING, eg25.WAITING) for call in self._others])

    def busy(self) -> bool:
        """There is a call, or one is wanted."""
        return self._number is not None or bool(self._others)

    def cause_text(self, cause: int) -> str:
        return ev.cause_text(cause)

    # --- the task ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """For ever."""
        self._receiver = asyncio.create_task(self._modem.at.run())
        self._beater = asyncio.create_task(self._beat())
        self._recovery.rest()
        try:
            while True:
                self._worker = asyncio.create_task(self._work())
                try:
                    await self._worker
                except asyncio.CancelledError:
                    if not self._restarting and not self._worker.done():
                        self._worker.cancel()
                        raise  # it is we who were cancelled
                self._restarting = False
        finally:
            self._receiver.cancel()
            self._beater.cancel()

    async def _work(self) -> None:
        while True:
            try:
                await self._pass()
            except Exception as error:  # noqa: BLE001 - the wanted call is kept in fields: the next pass takes it up
                self._survive(error)
                await asyncio.sleep_ms(20)

    def _survive(self, error: Exception) -> None:
        self.survived += 1
        gc.collect()
        try:
            self._log.error("phone: %r" % error)
        except Exception:  # noqa: BLE001
            self.survived += 1

    async def _pass(self) -> None:
        if self._ending:
            await self._end_calls()
        elif self._number is not None:
            await self._pursue(self._number)
        else:
            await self._idle()

    async def _pause(self, ms: int) -> None:
        """Until something changed, at most ms. Short sleeps need no memory; wait_for_ms, when it gets none, raises
        CancelledError, which no handler of ours would survive."""
        start = self._clock.ms()
        while not self._wake.is_set() and self._clock.ms() - start < ms:
            await asyncio.sleep_ms(_SLICE_MS)
        self._wake.clear()

    async def _rest(self) -> None:
        """Until something changed, or the beat."""
        await self._wake.wait()
        self._wake.clear()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep_ms(_BEAT_MS)
            self._wake.set()

    def _tell(self, event: int, arg: int = 0) -> None:
        if self.sink is None:
            return
        try:
            self.sink(event, arg)
        except Exception:  # noqa: BLE001 - who listens badly must not keep the call from going on
            self.survived += 1

    # --- an attempt --------------------------------------------------------------------------------------------

    async def _pursue(self, number: str) -> None:
        """One look at the modem, and one step on from what is there."""
        attempt = self._attempt
        level = self._level
        if not attempt.active:
            self._modem.hint = eg25.HINT_NONE
            attempt.begin(number, self._may_dial)
        if self._bad == _RESTART_RADIO_AT:
            self._bad += 1
            await self._restart_radio()
        calls = await self._modem.calls(True)
        if self._level != level or not attempt.active:
            return
        if calls is None:
            await self._deaf()
            return
        attempt.deaf_ms = 0
        mine = attempt.find(calls)
        if self._rebooted() and attempt.placed and mine is None:
            self._finish(ev.MODEM_RESET)
        elif mine is not None:
            await self._follow(mine, calls)
        elif attempt.placed:
            await self._gone()
        elif attempt.may_dial:
            await self._dial(calls)
        else:
            self._finish(ev.NO_CARRIER)

    async def _dial(self, others: list) -> None:
        attempt = self._attempt
        if others and attempt.clearing < _CLEAR_TRIES:
            attempt.clearing += 1
            await self._modem.hang_up()
            return
        try:
            command = self._dialler.command(attempt.number)
        except NumberRefused as error:
            self._log.warning("phone: %s refused: %s" % (attempt.number, error.args[0]))
            self._finish(ev.REFUSED)
            return
        level = self._level
        attempt.tries += 1
        result = await self._modem.dial(command)
        if self._level != level or not attempt.active:
            return  # what was dialled is ended by the level that changed
        if result.ok:
            self._placed()
        elif result.status in (at.ERROR, at.REFUSED) or attempt.tries >= _DIAL_TRIES:
            self._bad += 1
            self._finish(ev.FAILED)
        # no answer to ATD: the next +CLCC says whether it was taken

    def _placed(self) -> None:
        attempt = self._attempt
        attempt.placed = True
        attempt.dialled_ms = self._clock.ms()
        self._tell(ev.CALL_PLACED)

    async def _follow(self, mine: tuple, calls: list) -> None:
        """Our call is there."""
        attempt = self._attempt
        if not attempt.placed:
            self._placed()
        attempt.see(mine[2], self._clock.ms(), self._progress)
        for call in calls:
            if call is not mine:
                await self._modem.hang_up_one(call[0])
        if attempt.overdue(self._clock.ms()):
            await self._modem.hang_up()
            self._finish(ev.NO_ANSWER)
            return
        if not self.ready:
            self.ready = await self._upkeep.set_up(True)
        if attempt.answered:
            self._tell(ev.CALL_ALIVE)
        done = await self._report.step(attempt.answered)
        if done is not None:
            self._tell(ev.REPORT_DONE, done)
        await self._pause(_POLL_MS if attempt.answered else _POLL_RINGING_MS)

    def _progress(self, what: int) -> None:
        self._bad = 0
        self._tell(ev.CALL_RINGING if what == 1 else ev.CALL_ANSWERED)

    async def _gone(self) -> None:
        """Our call is not in the list; twice in a row it is over."""
        attempt = self._attempt
        if not attempt.vanished():
            await asyncio.sleep_ms(_GONE_AGAIN_MS)
            return
        cause = await self._cause()
        if attempt.active:
            self._bad += 0 if attempt.ringing or attempt.answered or cause == ev.BUSY else 1
            self._finish(cause)

    async def _cause(self) -> int:
        """Why our call ended: the result code, else +CEER, else the network."""
        attempt = self._attempt
        modem = self._modem
        hint = modem.hint
        if hint not in (eg25.HINT_BUSY, eg25.HINT_NO_ANSWER) and not attempt.answered:
            hint = await modem.release_hint()
        if attempt.answered:
            return ev.NO_CARRIER
        if hint == eg25.HINT_BUSY:
            return ev.BUSY
        if hint == eg25.HINT_NO_ANSWER:
            return ev.NO_ANSWER
        if not attempt.ringing and not await modem.registered():
            return ev.NETWORK
        return ev.NO_CARRIER

    async def _deaf(self) -> None:
        """The modem does not answer in an attempt."""
        attempt = self._attempt
        now = self._clock.ms()
        if not attempt.deaf_ms:
            attempt.deaf_ms = now
            self._log.warning("modem: no answer in a call")
        if attempt.answered and now - attempt.deaf_ms < _DEAF_TALKING_MS:
            await self._recovery.soft(True)
            return
        await self._recovery.climb(True)

    async def _restart_radio(self) -> None:
        self._log.warning("modem: no network for calls, radio off and on")
        await self._modem.function(0, True)
        await self._modem.function(1, True)

    def _rebooted(self) -> bool:
        """The modem restarted since the last look; it has to be set up again."""
        if not self._modem.rebooted:
            return False
        self._modem.rebooted = False
        self.ready = False
        self._log.warning("modem: restarted")
        return True

    def _finish(self, cause: int) -> None:
        """The one CALL_ENDED of this attempt."""
        attempt = self._attempt
        attempt.active = False
        self._number = None
        self._modem.at.hurry = self._ending
        if self._report.drop():
            self._tell(ev.REPORT_DONE, 1)
        self._tell(ev.CALL_ENDED, cause)

    # --- ending ------------------------------------------------------------------------------------------------

    async def _end_calls(self) -> None:
        """hang_up() was asked for: until the list is empty."""
        await self._modem.hang_up()
        if not self._ending:
            return
        calls = await self._modem.calls(True)
        if not self._ending:
            return
        ended = calls is not None and not calls
        if self._attempt.active and (ended or self._clock.ms() - self._ending_ms >= _DEAF_ENDING_MS):
            self._finish(ev.HUNG_UP)
        if ended:
            self._others = []
            self._ending = False
            self._modem.at.hurry = self._number is not None
        elif calls is None:
            await self._recovery.climb(True)
            self._rebooted()
        else:
            await asyncio.sleep_ms(_GONE_AGAIN_MS)

    # --- idle --------------------------------------------------------------------------------------------------

    async def _idle(self) -> None:
        """Bring up, supervise, keep files; look at calls that come in."""
        self._modem.at.hurry = False
        if self._report.drop():
            self._tell(ev.REPORT_DONE, 1)
        if self._rebooted() or not self.ready:
            await self._bring_up()
            return
        modem = self._modem
        if modem.ringing or self._others:
            await self._attend()
            return
        if not self._upkeep.due_ms():
            if not await self._upkeep.supervise():
                self.ready = False
            return
        entry = self._upkeep.missing(self.files)
        if entry is not None:
            if not await self._upkeep.one_file(entry[0], entry[1]):
                await self._pause(_POLL_MS)
            return
        await self._rest()

    async def _bring_up(self) -> None:
        if not await self._recovery.climb(False):
            return
        if self._modem.rebooted:
            self._modem.rebooted = False
        self.ready = await self._upkeep.set_up(False)
        if self.ready:
            self._log.info("modem: ready")

    async def _attend(self) -> None:
        """A call comes in, or one that was answered goes on."""
        modem = self._modem
        calls = await modem.calls()
        if calls is None:
            if not modem.at.hurry and not await self._recovery.soft(False):
                self.ready = False
            return
        modem.ringing = False
        self._others = calls
        if self.refusing and calls:
            self._take = False
            await modem.hang_up()
        elif self._take and self.incoming():
            self._take = False
            await modem.answer()
        elif calls:
            await self._pause(_POLL_MS)
