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

import gc

from micropython import const

from zigbee.link import Link, LinkError
from zigbee.net import backup as ocb
from zigbee.net import nvram
from zigbee.net.identity import ADOPT, RESTORE, START, Found, NoNetwork, decide, differs, examine, is_foreign
from zigbee.net.keeper import Keeper
from zigbee.net.survey import Survey

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zigbee.net.supervisor import Supervisor

_FAR_AHEAD = const(2_000_000)  # frames: a restoration was cut off after its last step, or a very busy day
# Z-Stack 3.x.0 for the CC2652 (product 1, release 2.7) by their revision: what this host was made for
_PRODUCT = const(1)
_KNOWN = (20210708, 20211217, 20220219, 20221226, 20230507, 20240710, 20250321)


class Network(Keeper):
    """kept, may_form and the callbacks are set by the product before run().

    on_backup(backup): keep this. on_trouble(reason): the radio does not serve. on_recovered(reason, down_ms): it does
    again. Reasons: reset, silent, stopped, failed, and those of `trouble`.
    """

    def __init__(self, link: Link, clock: "Any", log: "Any") -> None:
        super().__init__(link, clock, log)
        self._link = link
        self.survey = Survey(link)
        self.on_trouble: Callable[[str], None] | None = None
        self.on_recovered: Callable[[str, int], None] | None = None
        self.reason = ""  # why the radio does not serve now, as on_trouble was told it
        self.trouble = ""  # why there is no network: no_backup, bad_backup, unknown_firmware, not_formed, not_restored
        self.known_firmware = False  # pairing is refused while it is not; alarms are not
        self.restored = 0

    async def energy(self) -> list:
        """The energy on channels 11 to 26, 0 (quiet) to 255; the radio is deaf for 0.8 s. LinkError: not now."""
        if not self._up:
            raise LinkError("the network is not up")
        return await self.survey.energy()

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
        found = await examine(self._nv, formed)
        if self.kept is not None:
            wrong = ocb.check(self.kept)
            if wrong:
                self._log.error("zigbee: the kept backup is refused: %s" % wrong)
                if not formed or is_foreign(found, self.kept):
                    raise NoNetwork("bad_backup")
                self.kept = None  # the network itself is there and worth more
                self.may_form = False
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
            self.keep(kept)

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
        from zigbee.net import restore  # loaded when it is needed

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
        from zigbee.net import restore

        kept = self.kept
        assert kept is not None
        await restore.write(self._nv, kept, counter)
        await chip.reset()
        await restore.verify(self._nv, kept, counter, self.version)
        kept["network_key"]["frame_counter"] = counter  # a second restoration must not use these numbers again
        self.restored += 1
        self.keep(kept)
        self._always = True

    async def _form(self, chip: "Supervisor", found: Found) -> None:
        """A network for a new home. It is kept before it is written: a cut leaves nothing, or what is restored."""
        from zigbee.net import form, restore

        gc.collect()
        try:
            await restore.wipe(self._nv, chip)
            neighbours = await self.survey.discover()
            await restore.provisional(self._nv, self._link, chip)
            channel = await form.quietest(self.survey, neighbours)
            await chip.reset()
            address = await self._nv.read(nvram.EXTADDR)
            self.keep(form.identity(address, channel, neighbours))
            await self._write(chip, form.FIRST_COUNTER)
            self._log.warning("zigbee: a new network was formed on channel %d" % channel)
        except LinkError:
            self.trouble = "not_formed"
            raise
