"""The ladder for a modem that does not answer.

Owns the modem's pins, and how often it may be restarted. Must never restart it twice within 60 s, nor more than
6 times an hour while nobody needs the phone; must never wait longer than a boot takes.

Rungs: AT; multiplexer close-down; +++ with its silence; RESET_N and PWRKEY; supply off and on. A PWRKEY press of
560 ms turns on a module that is off (500 ms) and leaves one that runs alone (650 ms to turn off), so that one rung
serves both.
Source: EG25-G Hardware Design V1.4, 3.6 to 3.8: RESET_N 150 to 460 ms, PWRKEY 500 ms on, 650 ms off, RDY after 12 s.
"""

import asyncio

from micropython import const

_RESET_MS = const(250)
_PWRKEY_MS = const(560)
_SUPPLY_OFF_MS = const(1000)
_SUPPLY_ON_MS = const(100)  # VBAT stable before PWRKEY: 30 ms
_BOOT_LIMIT_MS = const(22000)
_PROBE_EVERY_MS = const(1500)
_APART_MS = const(60000)
_HOUR_MS = const(3600000)
_PER_HOUR = const(6)
_RETRY_MS = const(1000)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from drivers.eg25 import Eg25


class Recovery:
    """pins: modem_reset, modem_pwrkey, modem_vbat. `climb` is called again and again until it returns True."""

    def __init__(self, modem: "Eg25", pins: "Any", clock: "Any", log: "Any") -> None:
        self._modem = modem
        self._pins = pins
        self._clock = clock
        self._log = log
        self._hard_ms: list = []  # when the last restarts were, at most _PER_HOUR
        self._in_vain = 0  # restarts since AT was heard
        self._boot_until_ms = 0
        self.hard_resets = 0
        self._cold = False

    def expect_boot(self) -> None:
        """The supply came on just now: the module is off or starting, which is not silence."""
        self._cold = True

    def rest(self) -> None:
        """The pins as they are while all is well."""
        self._pins.modem_reset.value(0)
        self._pins.modem_pwrkey.value(0)
        self._pins.modem_vbat.value(1)

    async def climb(self, urgent: bool) -> bool:
        """One way up the ladder. True: AT is answered."""
        if self._cold:
            self._cold = False
            self._boot_until_ms = self._clock.ms() + _BOOT_LIMIT_MS
            await self._press()
        if self._clock.ms() < self._boot_until_ms and await self._booted():
            return True
        if await self.soft(urgent):
            return True
        if self._modem.at.hurry and not urgent:
            return False  # pre-empted, which is not silence
        if not self.may_restart(urgent):
            await asyncio.sleep_ms(_RETRY_MS)
            return False
        await self._restart()
        return await self._booted()

    async def soft(self, urgent: bool) -> bool:
        """What loses nothing: AT, out of the multiplexer, out of data mode."""
        modem = self._modem
        for _ in range(2):
            if await modem.probe(urgent):
                return self._heard()
        await modem.close_multiplexer(urgent)
        if await modem.probe(urgent):
            return self._heard()
        await modem.escape(urgent)
        if await modem.probe(urgent):
            return self._heard()
        return False

    def may_restart(self, urgent: bool) -> bool:
        """Restarts are 60 s apart always, and 6 an hour when nobody needs the phone."""
        now = self._clock.ms()
        times = self._hard_ms
        if times and now - times[-1] < _APART_MS:
            return False
        return urgent or len(times) < _PER_HOUR or now - times[0] >= _HOUR_MS

    def _heard(self) -> bool:
        self._in_vain = 0
        self._boot_until_ms = 0
        return True

    async def _restart(self) -> None:
        """RESET_N and PWRKEY; every second time in vain, the supply."""
        pins = self._pins
        now = self._clock.ms()
        if len(self._hard_ms) >= _PER_HOUR:
            self._hard_ms.pop(0)
        self._hard_ms.append(now)
        self.hard_resets += 1
        self._boot_until_ms = now + _BOOT_LIMIT_MS
        self._modem.rebooted = False
        try:
            if self._in_vain % 2:
                self._log.warning("modem: power cycle")
                pins.modem_vbat.value(0)
                await asyncio.sleep_ms(_SUPPLY_OFF_MS)
            else:
                self._log.warning("modem: reset")
                pins.modem_vbat.value(1)
                pins.modem_reset.value(1)
                await asyncio.sleep_ms(_RESET_MS)
        finally:
            pins.modem_reset.value(0)
            pins.modem_vbat.value(1)
        self._in_vain += 1
        await self._press()

    async def _press(self) -> None:
        await asyncio.sleep_ms(_SUPPLY_ON_MS)
        try:
            self._pins.modem_pwrkey.value(1)
            await asyncio.sleep_ms(_PWRKEY_MS)
        finally:
            self._pins.modem_pwrkey.value(0)

    async def _booted(self) -> bool:
        """Wait for RDY or an answer, as long as a boot takes. True: AT is answered; `rebooted` is set then."""
        modem = self._modem
        probed = self._clock.ms()
        while self._clock.ms() < self._boot_until_ms:
            now = self._clock.ms()
            if modem.rebooted or now - probed >= _PROBE_EVERY_MS:
                probed = now
                if await modem.probe(True):
                    modem.rebooted = True
                    return self._heard()
            await asyncio.sleep_ms(50)
        return False
