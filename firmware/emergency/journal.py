"""The emergency's memory across resets and power cuts: RTC memory first, then a flash sector erased beforehand.

Owns the journal partition and the first 128 bytes of RTC memory; what others keep behind them stays. A place that
cannot be written is skipped and counted: the journal must never hold the emergency back, raise, or erase while one is
open.

A record is 64 bytes: magic, format, the machine's fields, a serial number that only grows, CRC32. RTC memory holds
two copies written in turn; flash holds one record a 64-byte slot, sector after sector. The valid record with the
highest serial number is the last word; a torn one fails its CRC and the one before it counts. A redial spends no
flash; a word flash had no room for, or did not give back as written, is owed: `prepare` writes it when all is quiet.
"""

import binascii
import struct

from micropython import const

from firmware.emergency.machine import DIALLING

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.emergency.machine import Machine
    from firmware.log import Log

_MAGIC = const(0x4A45)
_FORMAT = const(1)
_SLOT = const(64)
_SECTOR = const(4096)
_SLOTS = const(64)  # a sector
_RTC_BYTES = const(128)
_ERASE = const(6)  # ioctl: erase a sector
_COUNT = const(4)  # ioctl: number of sectors
# magic, format, state, serial, incident, causes, prompt cause, flags, resumptions, sources, fire levels,
# attempt, end of the hold-off (s since 1970, local, 0 unknown), answered at (likewise), boot number
_LAYOUT = "<HBBIIBBBBIIIIII"
_BODY = struct.calcsize(_LAYOUT)
_STATE = const(3)  # where in a record
# The bytes that say what goes on, and the number of the boot: all but serial, attempt and times.
_MEANING = (2, 3) + tuple(range(8, 24)) + tuple(range(36, 40))
_FLAG_TEST = const(1)
_FLAG_REPORTED = const(2)
MAX_FLASH_SECTORS = const(16)
_TRIES = const(2)  # slots a word may cost: one that cannot be written must not lose it
_AHEAD = const(2)  # even: the next word goes over the older copy in RTC memory
_OWED_MS = const(60000)  # between attempts at the word owed: they would wear dead flash and fill the log
_ERASE_AGAIN_MS = const(3600000)  # after every other sector failed


class Journal:
    """rtc: machine.RTC or None; partition: esp32.Partition or None; log has .warning(text)."""

    def __init__(self, rtc: "Any", partition: "Any", log: "Log") -> None:
        self._rtc = rtc
        self._flash = partition
        self._log = log
        self._sectors = self._count_sectors()
        self._buf = bytearray(_SLOT)
        self._view = memoryview(self._buf)
        self._back = bytearray(_SLOT)  # what flash gave back of the last word written there
        self._rtc_image = bytearray(_RTC_BYTES)
        self._sector = 0
        self._slot = _SLOTS  # next free slot; _SLOTS: none until prepare() erased one
        self._erased_ahead = -1  # sector known to be erased, ready to follow
        self._bad = 0  # bit per sector that could not be erased in this boot
        self._erase_from_ms = 0
        self._owed = False  # the last word is not in flash
        self._owed_from_ms = 0
        self.serial = 0
        self.failures = 0
        self.resumptions = 0
        self.boot = 0

    # ------------------------------------------------------------------ writing
    def save(self, machine: "Machine", hold_off_s: int, answered_s: int) -> None:
        """Write the machine's state; hold_off_s, answered_s: wall time in s since 1970, 0 unknown. Never raises."""
        self.serial += 1
        flags = (_FLAG_TEST if machine.test else 0) | (_FLAG_REPORTED if machine.reported else 0)
        try:
            struct.pack_into(
                _LAYOUT, self._buf, 0, _MAGIC, _FORMAT, machine.state, self.serial & 0xFFFFFFFF,
                machine.incident & 0xFFFFFFFF, machine.causes, machine.prompt_cause, flags, min(self.resumptions, 255),
                machine.sources & 0xFFFFFFFF, machine.fire_levels & 0xFFFFFFFF, machine.attempt & 0xFFFFFFFF,
                hold_off_s, answered_s, self.boot & 0xFFFFFFFF,
            )
            struct.pack_into("<I", self._buf, _BODY, binascii.crc32(self._view[:_BODY]))
        except Exception as error:  # noqa: BLE001 - whatever it is, the call matters more
            self._owed = False  # there may be half a record in the buffer
            self._failed("encode", error)
            return
        self._save_rtc()
        if not self._redial():
            self._save_flash()

    def _redial(self) -> bool:
        """Flash says already that this emergency is dialling: hours of a busy line must leave it room for the end."""
        if self._owed or self._buf[_STATE] != DIALLING:
            return False
        for at in _MEANING:
            if self._buf[at] != self._back[at]:
                return False
        return True

    def _save_rtc(self) -> None:
        if self._rtc is None:
            return
        try:
            at = (self.serial & 1) * _SLOT
            self._rtc_image[at : at + _SLOT] = self._buf
            self._rtc.memory(self._rtc_image + self._rtc.memory()[_RTC_BYTES:])
        except Exception as error:  # noqa: BLE001
            self._failed("RTC memory", error)

    def _save_flash(self) -> None:
        self._owed = self._sectors > 0
        for _ in range(_TRIES):
            if self._slot >= _SLOTS and not self._advance():
                return
            at = self._slot * _SLOT
            self._slot += 1  # a slot that failed is not used again
            try:
                self._flash.writeblocks(self._sector, self._buf, at)
                self._flash.readblocks(self._sector, self._back, at)
                if self._back != self._buf:
                    raise OSError("not as written")
                self._owed = False
                return
            except Exception as error:  # noqa: BLE001
                self._failed("flash", error)

    def _advance(self) -> bool:
        """Go on in the sector erased ahead, if there is one."""
        if self._erased_ahead < 0:
            return False
        self._sector = self._erased_ahead
        self._erased_ahead = -1
        self._slot = 0
        return True

    def prepare(self, now_ms: int = 0) -> None:
        """Erase the next sector ahead when that is needed, and write what flash is owed. now_ms: monotonic.

        Only while no emergency is open: it takes up to 0.4 s, for it tries one sector a call. Never raises.
        """
        if self._erased_ahead < 0 and self._slot >= _SLOTS // 2 and now_ms >= self._erase_from_ms:
            self._erase_ahead(now_ms)
        if self._owed and now_ms >= self._owed_from_ms and (self._slot < _SLOTS or self._erased_ahead >= 0):
            self._save_flash()
            self._owed_from_ms = now_ms + _OWED_MS if self._owed else 0

    def _erase_ahead(self, now_ms: int) -> None:
        """The first sector behind the current one that did not fail; never the current one, it has the last word."""
        sector = self._following()
        if sector < 0:
            self._bad = 0
            self._erase_from_ms = now_ms + _ERASE_AGAIN_MS
            return
        try:
            self._flash.ioctl(_ERASE, sector)
            if not self._blank(sector):
                raise OSError("not blank")
            self._erased_ahead = sector
        except Exception as error:  # noqa: BLE001
            self._bad |= 1 << sector
            self._failed("erase", error)

    def _following(self) -> int:
        for step in range(1, self._sectors):
            sector = (self._sector + step) % self._sectors
            if not self._bad >> sector & 1:
                return sector
        return -1

    # ------------------------------------------------------------------ reading
    def load(self, machine: "Machine") -> "tuple[int, int] | None":
        """Put the last word into the machine; returns (hold_off_s, answered_s), or None when there is none.

        An unknown state or format means the safe start: nothing is resumed. Finds the next free flash slot.
        """
        best = self._last_of_rtc()
        flash = self._scan_flash()
        if flash is not None and (best is None or flash[3] > best[3]):
            best = flash
        if best is None:
            return None
        self.serial = best[3] + _AHEAD  # a word that was torn may be whole tomorrow: it must not be newer than the next
        machine.state = best[2]
        machine.incident = best[4]
        machine.causes, machine.prompt_cause = best[5], best[6]
        machine.test = bool(best[7] & _FLAG_TEST)
        machine.reported = bool(best[7] & _FLAG_REPORTED)
        self.resumptions = best[8]
        machine.sources, machine.fire_levels, machine.attempt = best[9], best[10], best[11]
        self.boot = best[14]
        return best[12], best[13]

    def _decode(self, buf: "Any") -> "tuple | None":
        fields = struct.unpack_from(_LAYOUT, buf, 0)
        crc = struct.unpack_from("<I", buf, _BODY)[0]
        if fields[0] != _MAGIC or fields[1] != _FORMAT or fields[2] > 4:
            return None
        return fields if crc == binascii.crc32(bytes(buf[:_BODY])) else None

    def _last_of_rtc(self) -> "tuple | None":
        best = None
        try:
            image = self._rtc.memory() if self._rtc is not None else b""
            for at in (0, _SLOT):
                if len(image) >= at + _SLOT:
                    self._rtc_image[at : at + _SLOT] = image[at : at + _SLOT]
                    found = self._decode(image[at : at + _SLOT])
                    if found and (best is None or found[3] > best[3]):
                        best = found
        except Exception as error:  # noqa: BLE001
            self._failed("RTC memory", error)
        return best

    def _scan_flash(self) -> "tuple | None":
        """The newest record in flash; leaves the write position behind it. An unreadable sector is passed over."""
        best = None
        for sector in range(self._sectors):
            try:
                for slot in range(_SLOTS):
                    self._flash.readblocks(sector, self._buf, slot * _SLOT)
                    found = self._decode(self._buf)
                    if found and (best is None or found[3] > best[3]):
                        best = found
                        self._sector, self._slot = sector, slot + 1
            except Exception as error:  # noqa: BLE001
                self._failed("flash", error)
        if best is not None:
            self._skip_used()
        return best

    def _skip_used(self) -> None:
        """Go past what a cut tore behind the last good word. Where it looks blank it may be torn too, with bits that
        read as they like: that slot is struck out.
        """
        try:
            while self._slot < _SLOTS:
                self._flash.readblocks(self._sector, self._buf, self._slot * _SLOT)
                self._slot += 1
                if all(byte == 0xFF for byte in self._buf):
                    self._flash.writeblocks(self._sector, bytes(_SLOT), (self._slot - 1) * _SLOT)
                    return
        except Exception as error:  # noqa: BLE001
            self._failed("flash", error)

    def _blank(self, sector: int) -> bool:
        """Reads over `_back`, not over the word that may be owed; the next word is then written whatever it says."""
        for slot in range(_SLOTS):
            self._flash.readblocks(sector, self._back, slot * _SLOT)
            if any(byte != 0xFF for byte in self._back):
                return False
        return True

    def _count_sectors(self) -> int:
        try:
            return min(self._flash.ioctl(_COUNT, 0), MAX_FLASH_SECTORS) if self._flash is not None else 0
        except Exception as error:  # noqa: BLE001
            self._failed("flash", error)
            return 0

    def _failed(self, place: str, error: Exception) -> None:
        """Counted always, logged once a place would be enough but the log limits itself."""
        self.failures += 1
        self._log.warning("journal: %s: %r" % (place, error))
