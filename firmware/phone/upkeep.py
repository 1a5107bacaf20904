"""What is done for the modem while nobody needs it: set-up, supervision, report files.

Owns the status others ask for. Must never dial, and stops within 300 ms when the channel hurries: every command then
comes back unanswered, and the work is begun again later. Faults are logged when they come and when they go, once.
"""

from micropython import const

from drivers import at, eg25
from drivers.eg25_files import Eg25Files, FileRefused, Interrupted, local_crc
from firmware.calendar import seconds_of
from firmware.numbers import EMERGENCY_NUMBERS

SUPERVISE_MS = const(30000)
_VOLUME = const(5)  # of 5; a setting for it comes with CALL-07
_FILE_TRIES = const(3)  # a boot: a worn store is not written again and again
_DEEP_MS = const(600000)  # after boot
_REGISTERED = (1, 5)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from drivers.eg25 import Eg25


class Status:
    """The modem as supervision saw it last. None or "unknown": not learnt yet."""

    def __init__(self) -> None:
        self.alive = False
        self.sim = "unknown"  # ready, missing, pin, unknown
        self.registration = 4  # <stat> of +CREG
        self.packet = 4  # <stat> of +CEREG
        self.rssi_dbm: int | None = None


class Upkeep:
    """`set_up`, `supervise` and `one_file` return False when they could not finish."""

    def __init__(self, modem: "Eg25", clock: "Any", log: "Any") -> None:
        self._modem = modem
        self._clock = clock
        self._log = log
        self._files = Eg25Files(modem.at)
        self._compared: list = []  # names of files compared by content since boot
        self._done: dict = {}  # file name -> tries left, 0 when it is as it should be
        self._waiting_off = False
        self._next_ms = 0
        self._trouble = ""
        self.status = Status()

    async def set_up(self, urgent: bool) -> bool:
        """After a restart of the modem."""
        self._waiting_off = False
        self._next_ms = 0
        return await self._modem.set_up(EMERGENCY_NUMBERS, _VOLUME, urgent)

    def due_ms(self) -> int:
        """ms until the next supervision."""
        return max(self._next_ms - self._clock.ms(), 0)

    async def supervise(self) -> bool:
        """Is it there, is its SIM, is it registered. False: no answer to AT."""
        modem = self._modem
        status = self.status
        result = await modem.state()
        if result.status == at.PREEMPTED:
            return True  # which is not silence
        status.alive = result.status in (at.OK, at.ERROR)
        if not status.alive:
            return False
        self._next_ms = self._clock.ms() + SUPERVISE_MS
        status.rssi_dbm = eg25.signal_dbm(result)
        status.sim = eg25.sim_state(result)
        status.registration = eg25.registration(result, b"+CREG:")
        status.packet = eg25.registration(result, b"+CEREG:")
        self._tell(self.trouble())
        if status.registration in _REGISTERED:
            if not self._waiting_off:
                self._waiting_off = await modem.call_waiting_off()
            await self._ask_time()
        return True

    async def _ask_time(self) -> None:
        """The network's, while nobody has told one: of all that may know it here it needs no link and no clock chip."""
        if self._clock.wall_s():
            return
        date = await self._modem.network_time()
        if date is not None and self._clock.hear_network(seconds_of(date) * 1000):
            self._log.info("modem: the network told the time")

    def trouble(self) -> str:
        """Empty, or what is wrong: sim missing, sim pin, denied, not registered."""
        status = self.status
        if status.sim in ("missing", "pin"):
            return "sim " + status.sim
        if status.registration == 3:
            return "registration denied"
        if status.registration in (0, 2):
            return "not registered"
        return ""

    def _tell(self, trouble: str) -> None:
        if trouble == self._trouble:
            return
        self._trouble = trouble
        if trouble:
            self._log.warning("modem: " + trouble)
        else:
            self._log.info("modem: registered")

    # --- report files ------------------------------------------------------------------------------------------

    def missing(self, files: list) -> "tuple | None":
        """The next (name, path) to be compared or written, None when all are as they should be."""
        for entry in files:
            if self._done.get(entry[0], _FILE_TRIES) > 0:
                return entry
        if self._clock.ms() >= _DEEP_MS:
            for entry in files:
                if entry[0] not in self._compared:
                    return entry
        return None

    async def one_file(self, name: str, path: str) -> bool:
        """Compare the modem's file with ours, write it when it differs, compare again.

        At first by size: a write that was cut off leaves a shorter file. By CRC-32, which holds the channel for a
        quarter of a minute, after a write and once some minutes after boot.
        """
        deep = self._done.get(name) == 0
        try:
            size, crc = local_crc(path)
            same = await self._same(name, size, crc) if deep else await self._files.size(name) == size
            if not same:
                self._done[name] = self._done.get(name, 0 if deep else _FILE_TRIES) - 1
                await self._files.write(name, path)
                if not await self._same(name, size, crc):
                    self._log.warning("modem: %s did not arrive whole" % name)
                    return False
                self._log.info("modem: %s stored, %d bytes" % (name, size))
            if deep or not same:
                self._compared.append(name)
            self._done[name] = 0
        except Interrupted:
            if not deep:
                self._done[name] = max(self._done.get(name, _FILE_TRIES), 1)  # not the store's fault
            return False
        except (FileRefused, OSError) as error:
            self._done[name] = self._done.get(name, _FILE_TRIES) - 1
            self._compared.append(name)
            self._log.warning("modem: %s not stored: %r" % (name, error))
            return False
        return True

    async def _same(self, name: str, size: int, crc: int) -> bool:
        return await self._files.size(name) == size and await self._files.crc(name, size, self._rings) == crc

    def _rings(self) -> bool:
        return self._modem.ringing
