"""The room loudspeaker: spoken texts from WAV files through I2S and a MAX98357A amplifier.

Owns the I2S output and the amplifier's enable pin. Must never wait for the amplifier, the file system or anything
else without a limit, never let a fault out of its task, and never keep the amplifier on when nothing is spoken.

machine.I2S on the ESP32 (ports/esp32/machine_i2s.c): write() blocks until the object was polled once; from then on
it takes what its DMA buffers have room for and returns. So this polls once, and then offers samples every _STEP_MS.
"""

import asyncio
import gc
import select
import time

from micropython import const

from drivers import wav
from drivers.wav_source import WavSource

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_IBUF_BYTES = const(2048)  # what the board's I2S holds: 64 ms
_EMPTY_MS = const(68)  # so long after the last write the I2S buffer has played out (64 ms and a DMA interrupt)
_STEP_MS = const(16)
_WRITES_A_STEP = const(4)
_STUCK_MS = const(300)  # an output or file that makes no progress for so long is given up for this text
_TOLD_LIMIT = const(32)  # more different faults than that are not logged

_IDLE = const(0)
_EMPTYING = const(1)  # what was spoken before is still in the I2S buffer; the amplifier is off
_SPEAKING = const(2)


class Speaker:
    """Speaks one text at a time; the latest say() or stop() counts.

    i2s: machine.I2S (TX, 16 kHz, 16-bit, mono) or None when the board has none; amp_enable: machine.Pin, 1 = on
    (MAX98357A data sheet, SD_MODE pin: low = shutdown); root: folder that holds `sound/`; log: error(text), info(text).
    speaking: from say() until its end; finished and failed count texts.
    """

    def __init__(self, i2s: "Any", amp_enable: "Any", root: str, log: "Any") -> None:
        self._i2s = i2s
        self._amp = amp_enable
        self._source = WavSource(root + "/sound")
        self._log = log
        self.speaking = False
        self.finished = 0
        self.failed = 0
        self.log_failures = 0
        self._wake = asyncio.Event()
        self._name = ""
        self._plays = 0
        self._gap_bytes = 0
        self._asked = 0
        self._served = 0
        self._state = _IDLE
        self._written_ms = 0
        self._buffered = False  # something was written at _written_ms and may still sound
        self._moved_ms = 0
        self._at = 0  # of the chunk in _source.view
        self._end = 0
        self._told: set[str] = set()
        self._bad = False

    def say(self, name: str, plays: int = 1, gap_ms: int = 0) -> None:
        """Speak `sound/<name>.wav` plays times with gap_ms of silence between, instead of whatever is spoken.

        Returns at once. From any task, not from an interrupt. The same name starts again.
        """
        self._plays = max(1, plays)
        self._gap_bytes = max(0, gap_ms) * wav.BYTES_A_MS
        self._ask(name)

    def stop(self) -> None:
        """Silence, at once."""
        self._ask("")

    def length_ms(self, name: str) -> int:
        """How long one play lasts, in ms, from the WAV header; 0 when there is no such file or it is not sound."""
        try:
            return self._source.length_ms(name)
        except (OSError, wav.WavError, MemoryError) as error:
            self._tell("%s.wav: %r" % (name, error))
            return 0

    async def run(self) -> None:
        """For ever: speak what was asked for."""
        self._never_block()
        try:
            while True:
                wait_ms = self.poll()
                if wait_ms >= 0:
                    await asyncio.sleep_ms(wait_ms)
                else:
                    await self._wake.wait()
                    self._wake.clear()
        finally:
            self._end_text()

    def poll(self) -> int:
        """Do what can be done now. In how many ms to call again; -1: not before the next say()."""
        try:
            return self._step()
        except Exception as error:  # noqa: BLE001 - whatever a part raises, the task lives and speaks the next text
            self._recover(error)
        return _STEP_MS if self._state != _IDLE else -1

    def _ask(self, name: str) -> None:
        self._name = name
        self._asked = (self._asked + 1) & 0xFFFF
        self.speaking = bool(name)
        self._set_amp(0)  # silent now, whatever the I2S buffer still holds
        self._wake.set()

    def _step(self) -> int:
        now: Any = time.ticks_ms()
        if self._served != self._asked:
            self._served = self._asked
            self._source.close()
            self._moved_ms = now
            self._state = _EMPTYING if self._name else _IDLE
        if self._state == _EMPTYING:
            left = self._sounds_on_ms(now)
            if left > 0:
                return min(left, _STEP_MS)
            self._begin(now)
        if self._state == _SPEAKING and not self._pump(now):
            self.finished += 1
            self._buffered = False  # what is in the buffer is silence
            self._works_again()
            self._end_text()
        return _STEP_MS if self._state != _IDLE else -1

    def _sounds_on_ms(self, now: int) -> int:
        """How long the I2S buffer may still play what was written; a wrapped clock (6 days) counts as over."""
        passed = time.ticks_diff(now, self._written_ms)
        if self._buffered and 0 <= passed < _EMPTY_MS:
            return _EMPTY_MS - passed
        self._buffered = False
        return 0

    def _begin(self, now: int) -> None:
        """Open the file and switch the amplifier on; a file that is not there or not sound ends the text."""
        if self._i2s is None:
            self._give_up("no I2S output")
            return
        try:
            self._source.open(self._name, self._plays, self._gap_bytes, _IBUF_BYTES)
        except (OSError, wav.WavError) as error:
            self._give_up("%s.wav: %r" % (self._name, error))
            return
        self._at = self._end = 0
        self._moved_ms = now
        self._set_amp(1)
        self._state = _SPEAKING

    def _pump(self, now: int) -> bool:
        """Offer samples until the output takes no more. False when all was taken. OSError when it is stuck."""
        for _ in range(_WRITES_A_STEP):
            if self._at >= self._end:
                self._at = self._end = 0
                self._end = self._source.next_chunk()
                if not self._end:
                    return False
            took = self._i2s.write(self._source.view[self._at:self._end])
            if not took:
                break
            self._at += took
            self._moved_ms = self._written_ms = now
            self._buffered = True
        if time.ticks_diff(now, self._moved_ms) > _STUCK_MS:
            raise OSError("the output takes no samples")
        return True

    def _recover(self, error: Exception) -> None:
        """After a fault: try on for _STUCK_MS, then leave this text. One log line until a text was spoken again."""
        gc.collect()
        if not self._bad:
            self._bad = True
            self._write_log(self._log.error, "speaker: %r" % error)
        if time.ticks_diff(time.ticks_ms(), self._moved_ms) > _STUCK_MS:
            self.failed += 1
            self._end_text()

    def _give_up(self, why: str) -> None:
        self._tell(why)
        self.failed += 1
        self._end_text()

    def _works_again(self) -> None:
        if self._bad:
            self._bad = False
            self._write_log(self._log.info, "speaker: works again")

    def _end_text(self) -> None:
        """Nothing is spoken any more; what was asked for meanwhile stays asked."""
        self._state = _IDLE
        self._source.close()
        self._set_amp(0)
        if self._served == self._asked:
            self.speaking = False

    def _set_amp(self, on: int) -> None:
        try:
            self._amp.value(on)
        except Exception as error:  # noqa: BLE001 - say() and stop() return whatever the pin does
            self._tell("amplifier pin: %r" % error)

    def _never_block(self) -> None:
        """Put the I2S into asyncio mode: one poll does it (see the top)."""
        if self._i2s is None:
            return
        try:
            poller = select.poll()
            poller.register(self._i2s, select.POLLOUT)
            poller.poll(0)
            poller.unregister(self._i2s)
        except Exception as error:  # noqa: BLE001 - without the poll a write could hold the whole controller
            self._i2s = None
            self._tell("I2S cannot be polled: %r" % error)

    def _tell(self, what: str) -> None:
        """Log a fault the first time it shows."""
        if what not in self._told and len(self._told) < _TOLD_LIMIT:
            self._told.add(what)
            self._write_log(self._log.error, "speaker: " + what)

    def _write_log(self, write: "Callable[[str], None]", text: str) -> None:
        try:
            write(text)
        except Exception:  # noqa: BLE001 - a full log must not silence a prompt
            self.log_failures += 1
