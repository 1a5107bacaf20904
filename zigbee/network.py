"""Which network it is: whether the coprocessor's is the home's own, what to do when it is not, and the backup of it.

Owns the kept backup and every decision about the network. Must never form a network while there is a backup or there
are sensors: a new network would silently lose every sensor of the home. Must never wipe a memory because of one
reading, and never take an unknown layout for another network.

- The coprocessor's network is the kept one: it is started.
- It is another one, or none, or its frame counter went back: it is restored from the backup, with the counter ahead.
- No backup, but a network: it is taken over and backed up (an installation from before there were backups).
- No backup, no network, no sensors (`may_form`): a new network is formed.
- No backup, no network, but sensors: trouble, told loudly, until people help.
"""

import asyncio
import gc
from binascii import hexlify

from micropython import const

from zigbee import backup as ocb
from zigbee import nvram
from zigbee.guard import tell, wait_limited
from zigbee.link import Link, LinkError
from zigbee.nvram import Nvram, get16
from zigbee.survey import Survey

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zigbee.supervisor import Supervisor

START = const(1)
ADOPT = const(2)
RESTORE = const(3)
FORM = const(4)
_SOON_MS = const(5000)  # after a change: others often follow
_SPACING_MS = const(60_000)  # between two backups, however much changes
_FIRST_MS = const(60_000)  # after a start that changed nothing: the greeting comes first
_FAR_AHEAD = const(2_000_000)  # frames: a restoration was cut off after its last step, or a very busy day
_DAY_MS = const(24 * 3600 * 1000)
# Z-Stack 3.x.0 for the CC2652 (product 1, release 2.7) by their revision: what this host was made for
_PRODUCT = const(1)
_KNOWN = (20210708, 20211217, 20220219, 20221226, 20230507, 20240710, 20250321)


class NoNetwork(Exception):
    """There is no network and none may be made; its text says why in one word."""


class Found:
    """What the coprocessor's memory says about its network."""

    def __init__(self) -> None:
        self.formed = False
        self.finished = False  # who formed or restored it came to the end
        self.legible = True  # the memory is laid out as this host knows it
        self.ieee = ""
        self.extended_pan = ""
        self.key = b""
        self.sequence = 0
        self.pan = ""
        self.channel = 0
        self.update_id = 0
        self.counter = -1


async def examine(nv: Nvram, formed: bool) -> Found:
    """Read who the coprocessor is. LinkError: it could not be read."""
    found = Found()
    found.ieee = ocb.printed(await nv.read(nvram.EXTADDR))
    found.formed = formed
    if not formed:
        return found
    found.finished = await nv.read(nvram.CONFIGURED) == b"\x55"
    nib = await nv.read(nvram.NIB)
    key = await nv.read(nvram.ACTIVE_KEY)
    found.key, found.sequence = key[1:17], key[0] if key else 0
    if len(nib) != nvram.NIB_SIZE:
        found.legible = False
        found.extended_pan = ocb.printed(await nv.read(nvram.EXTENDED_PAN_ID))
        return found
    extended_pan = nib[nvram.NIB_EXT_PAN:nvram.NIB_EXT_PAN + 8]
    found.extended_pan = ocb.printed(extended_pan)
    found.pan = "%04x" % get16(nib, nvram.NIB_PAN)
    found.channel = nib[nvram.NIB_CHANNEL]
    found.update_id = nib[nvram.NIB_UPDATE_ID]
    found.counter = await ocb.frame_counter(nv, extended_pan)
    return found


def differs(found: Found, kept: dict) -> str:
    """In what the coprocessor's network is not the kept one; "": it is.

    A PAN or channel that moved on (a later update id) is the same network: the sensors were told and followed.
    """
    if not found.formed:
        return "no network"
    if found.extended_pan != kept["extended_pan_id"].lower():
        return "extended PAN"
    if hexlify(found.key).decode() != kept["network_key"]["key"].lower():
        return "key"
    if not found.legible:
        return ""
    if found.sequence != kept["network_key"]["sequence_number"]:
        return "key number"
    if found.ieee != kept["coordinator_ieee"].lower():
        return "coordinator's address"
    if found.counter < kept["network_key"]["frame_counter"]:
        return "frame counter"
    moved = found.pan != kept["pan_id"].lower() or found.channel != kept["channel"]
    if moved and not 0 < (found.update_id - kept["nwk_update_id"]) & 0xFF < 0x80:
        return "PAN or channel"
    return ""


def decide(found: Found, kept: "dict | None", may_form: bool) -> int:
    """START, ADOPT, RESTORE or FORM. NoNetwork: nothing of these."""
    if kept is not None:
        if not differs(found, kept):
            return START
        if not found.legible:
            raise NoNetwork("unknown_firmware")
        return RESTORE
    if found.formed and (not may_form or (found.finished and not _is_weak(found.key))):
        return ADOPT  # without sensors nothing is lost when an unfinished or a well-known network is not taken over
    if may_form:
        return FORM
    raise NoNetwork("no_backup")


def _is_weak(key: bytes) -> bool:
    from zigbee.form import is_weak  # loaded only where a network may be formed

    return is_weak(key)


class Network:
    """kept, may_form and the callbacks are set by the product before run().

    on_backup(backup): keep this. on_trouble(reason): the radio does not serve. on_recovered(reason, down_ms): it does
    again. Reasons: reset, silent, stopped, failed, and those of `trouble`.
    """

    def __init__(self, link: Link, clock: "Any", log: "Any") -> None:
        self._link = link
        self._clock = clock
        self._log = log
        self._nv = Nvram(link)
        self.survey = Survey(link)
        self.kept: dict | None = None
        self.may_form = False
        self.on_backup: Callable[[dict], None] | None = None
        self.on_trouble: Callable[[str], None] | None = None
        self.on_recovered: Callable[[str, int], None] | None = None
        self.trouble = ""  # why there is no network: no_backup, bad_backup, unknown_firmware, not_formed, not_restored
        self.version = ""
        self.known_firmware = False  # pairing is refused while it is not; alarms are not
        self.belongs: Callable[[str], bool] | None = None  # whether the address (as printed) is of the home
        self.backups = 0
        self.restored = 0
        self._up = False
        self._wake = asyncio.Event()
        self._due_ms = 0
        self._taken_ms = -_SPACING_MS
        self._failures = 0
        self._always = False  # hand the next backup on even when nothing changed

    async def energy(self) -> list:
        """The energy on channels 11 to 26, 0 (quiet) to 255; the radio is deaf for 0.8 s. LinkError: not now."""
        if not self._up:
            raise LinkError("the network is not up")
        return await self.survey.energy()

    def touch(self) -> None:
        """Something changed: take a backup soon."""
        due = max(self._clock.ms() + _SOON_MS, self._taken_ms + _SPACING_MS)
        if due < self._due_ms:
            self._due_ms = due
        self._wake.set()

    def firmware(self, answer: bytes) -> None:
        """The answer to SYS_VERSION."""
        revision = nvram.get32(answer, 5) if len(answer) >= 9 else 0
        self.version = "%d.%d.%d/%d" % (answer[2], answer[3], answer[4], revision)
        self.known_firmware = answer[1] == _PRODUCT and answer[2:4] == b"\x02\x07" and revision in _KNOWN
        if not self.known_firmware:
            self._log.warning("zigbee: firmware %s is not known: alarms are taken, pairing is not" % self.version)

    # ------------------------------------------------------------------ before each start

    async def settle(self, chip: "Supervisor", running: bool) -> bool:
        """See to it that the memory holds the home's network. True: the coprocessor was reset for it.

        running: it is in service, and is left alone when it is on the right network. LinkError: a step failed, try
        again. NoNetwork: only people can help.
        """
        formed = await self._nv.read(nvram.ON_A_NETWORK) == b"\x01"
        if self.kept is not None:
            wrong = ocb.check(self.kept)
            if wrong:
                self._log.error("zigbee: the kept backup is refused: %s" % wrong)
                if not formed:
                    raise NoNetwork("bad_backup")
                self.kept = None  # the network itself is there and worth more
                self.may_form = False
        found = await examine(self._nv, formed)
        what = decide(found, self.kept, self.may_form)
        if what == ADOPT and not running:
            self._log.warning("zigbee: network %s is taken over, there was no backup of it" % found.extended_pan)
        if what == START:
            self._follow(found)
        if what in (START, ADOPT):
            return await self._adjust(chip, running)
        if what == RESTORE:
            await self._confirm_restore(found, chip)
            await self._restore(chip)
        else:
            await self._form(chip, found)
        return True

    def _follow(self, found: Found) -> None:
        """What the coprocessor is ahead in. Numbers that it may have used must not be used by a later restoration."""
        kept = self.kept
        assert kept is not None
        if found.legible and found.update_id != kept["nwk_update_id"]:
            self._always = True
        if found.counter - kept["network_key"]["frame_counter"] >= _FAR_AHEAD:
            kept["network_key"]["frame_counter"] = found.counter
            self._keep(kept)

    def check_running(self, extended_pan: bytes) -> None:
        """LinkError: the coprocessor runs another network than its memory holds; a reset makes them one."""
        if self.kept is not None and ocb.printed(extended_pan) != self.kept["extended_pan_id"].lower():
            raise LinkError("the coprocessor runs another network than its memory holds")

    async def _adjust(self, chip: "Supervisor", running: bool) -> bool:
        """Without this setting the answers of the device profile never come; it counts from the next reset on."""
        if await self._nv.read(nvram.ZDO_DIRECT_CB) == b"\x01":
            return False
        await self._nv.write(nvram.ZDO_DIRECT_CB, b"\x01")
        if running:
            return False
        await chip.reset()
        return True

    async def _confirm_restore(self, found: Found, chip: "Supervisor") -> None:
        """The memory is wiped only when it says the same once more after a reset."""
        assert self.kept is not None
        before = differs(found, self.kept)
        await chip.reset()
        formed = await self._nv.read(nvram.ON_A_NETWORK) == b"\x01"
        again = await examine(self._nv, formed)
        if differs(again, self.kept) != before:
            raise LinkError("the memory says one thing, then another")
        if formed:
            self._log.error(
                "zigbee: the coprocessor has another network (%s: %s); it is overwritten" % (again.extended_pan, before)
            )
        self._log.warning(
            "zigbee: network %s is restored from its backup; the radio chip it comes from must not run any more"
            % self.kept["extended_pan_id"]
        )

    async def _restore(self, chip: "Supervisor") -> None:
        from zigbee import restore  # loaded when it is needed

        gc.collect()
        try:
            await restore.wipe(self._nv, chip)
            await restore.provisional(self._nv, self._link, chip)
            await chip.reset()
            assert self.kept is not None
            await self._write(chip, restore.advanced(self.kept["network_key"]["frame_counter"]))
        except LinkError:
            self.trouble = "not_restored"
            raise

    async def _write(self, chip: "Supervisor", counter: int) -> None:
        """Write the kept network over the provisional one, and keep that its counter is ahead before it is used."""
        from zigbee import restore

        kept = self.kept
        assert kept is not None
        await restore.write(self._nv, kept, counter)
        await chip.reset()
        await restore.verify(self._nv, kept, counter, self.version)
        kept["network_key"]["frame_counter"] = counter  # a second restoration must not use these numbers again
        self.restored += 1
        self._keep(kept)
        self._always = True

    async def _form(self, chip: "Supervisor", found: Found) -> None:
        """A network for a new home. It is kept before it is written: a cut leaves nothing, or what is restored."""
        from zigbee import form, restore

        gc.collect()
        try:
            await restore.wipe(self._nv, chip)
            neighbours = await self.survey.discover()
            await restore.provisional(self._nv, self._link, chip)
            channel = await form.quietest(self.survey, neighbours)
            await chip.reset()
            address = await self._nv.read(nvram.EXTADDR)
            self._keep(form.identity(address, channel, neighbours))
            await self._write(chip, form.FIRST_COUNTER)
            self._log.warning("zigbee: a new network was formed on channel %d" % channel)
        except LinkError:
            self.trouble = "not_formed"
            raise

    # ------------------------------------------------------------------ backups

    def up(self, on: bool) -> None:
        """The network came into service, or went out of it."""
        self._up = on
        if on:
            self.trouble = ""
            soon = self._always or self.kept is None
            self._due_ms = self._clock.ms() + (0 if soon else _FIRST_MS)
        self._wake.set()

    def _keep(self, backup: dict) -> None:
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
        self._carry_over(taken)
        now = self._clock.ms()
        daily = self._always or now - self._taken_ms >= _DAY_MS or self._taken_ms < 0
        if daily or self.kept is None or ocb.changed(self.kept, taken):
            self._always = False
            self._taken_ms = now
            self.backups += 1
            self._keep(taken)
        self._due_ms = now + _DAY_MS

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
