"""The backup of the network: when it is taken, whether it is kept.

Owns the kept backup. Must never let another network take the place of the kept one, never drop a sensor of the home
because the coprocessor forgot it, and never store again what did not change (flash wears) but for once a day: the
frame counter in it must not be older than a day (zigbee.net.restore says why).
"""

import asyncio
import gc

from micropython import const

from zigbee.guard import tell, wait_limited
from zigbee.link import Link, LinkError
from zigbee.net import backup as ocb
from zigbee.net.nvram import Nvram

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SOON_MS = const(5000)  # after a change: others often follow
_SPACING_MS = const(60_000)  # between two backups, however much changes
_FIRST_MS = const(60_000)  # after a start that changed nothing: the greeting comes first
_DAY_MS = const(24 * 3600 * 1000)


class Keeper:
    """on_backup(backup): keep this; set by the product before run_once(), as is `kept`."""

    def __init__(self, link: Link, clock: "Any", log: "Any") -> None:
        self._clock = clock
        self._log = log
        self._nv = Nvram(link)
        self.kept: dict | None = None
        self.may_form = False  # the product: a new gateway, without a backup and without sensors
        self.on_backup: Callable[[dict], None] | None = None
        self.belongs: Callable[[str], bool] | None = None  # whether the address (as printed) is of the home
        self.version = ""  # the coprocessor's firmware
        self.backups = 0
        self._up = False
        self._wake = asyncio.Event()
        self._due_ms = 0
        self._taken_ms = -_SPACING_MS
        self._failures = 0
        self._touched = False  # something changed since the last backup was begun
        self._always = False  # hand the next backup on even when nothing changed

    def touch(self) -> None:
        """Something changed: take a backup soon."""
        self._touched = True
        due = max(self._clock.ms() + _SOON_MS, self._taken_ms + _SPACING_MS)
        if due < self._due_ms:
            self._due_ms = due
        self._wake.set()

    def up(self, on: bool) -> None:
        """The network came into service, or went out of it."""
        self._up = on
        if on:
            soon = self._always or self.kept is None
            self._due_ms = self._clock.ms() + (0 if soon else _FIRST_MS)
        self._wake.set()

    def keep(self, backup: dict) -> None:
        """This is the backup from now on; the product stores it."""
        self.kept = backup
        self.may_form = False
        if self.on_backup is not None:
            try:
                self.on_backup(backup)
            except Exception as error:  # noqa: BLE001 - what cannot be kept now is kept with the next
                tell(self._log, "backup", error)

    async def run_once(self) -> None:
        """One step of the backups: wait until one is due, take it, hand it on when something changed."""
        self._wake.clear()
        left = self._due_ms - self._clock.ms()
        if not self._up:
            await self._wake.wait()
        elif left > 0:
            await wait_limited(self._wake, left)
        else:
            await self._take()

    async def _take(self) -> None:
        gc.collect()
        self._touched = False
        self._failures += 1
        self._due_ms = self._clock.ms() + min(_SPACING_MS << min(self._failures, 10), _DAY_MS)  # should it fail
        try:
            taken = await ocb.take(self._nv, self.version)
        except LinkError as error:
            self._log.warning("zigbee: no backup: %s" % error)
            return
        wrong = ocb.check(taken) or self._foreign(taken)
        if wrong:
            self._log.error("zigbee: the coprocessor's network cannot be backed up: %s" % wrong)
            return
        self._failures = 0
        await asyncio.sleep(0)  # an emergency may be open: one costly step at a time
        self._carry_over(taken)
        now = self._clock.ms()
        daily = self._always or now - self._taken_ms >= _DAY_MS or self._taken_ms < 0
        news = daily or self.kept is None or ocb.changed(self.kept, taken)
        await asyncio.sleep(0)
        if news:
            self._always = False
            self._taken_ms = now
            self.backups += 1
            self.keep(taken)
        self._due_ms = now + (_SPACING_MS if self._touched else _DAY_MS)

    def _foreign(self, taken: dict) -> str:
        """Whether it is another network than the kept one: then the kept one stays, and the next start restores it."""
        if self.kept is not None:
            for name in ("extended_pan_id", "coordinator_ieee"):
                if taken[name] != self.kept[name].lower():
                    return name
            if taken["network_key"]["key"] != self.kept["network_key"]["key"].lower():
                return "network_key"
        return ""

    def _carry_over(self, taken: dict) -> None:
        """A sensor of the home that the coprocessor forgot stays in the backup: its key is nowhere else."""
        if self.kept is None or self.belongs is None:
            return
        there = [device["ieee_address"] for device in taken["devices"]]
        lost = [one for one in self.kept["devices"] if one["ieee_address"].lower() not in there]
        lost = [one for one in lost if self.belongs(one["ieee_address"].lower())]
        if lost:
            taken["devices"] = sorted(taken["devices"] + lost, key=lambda one: one["ieee_address"].lower())
