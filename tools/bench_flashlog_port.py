"""The half of the flash log's benchmark that runs on MicroPython: the log beside littlefs, on the same simulated flash.

`micropython -m tools.bench_flashlog_port RECORDS`. Prints one JSON object: for each way to keep records, in a steady
state with a backlog, bytes programmed a byte of the record, erases, ms that the flash works and us of this computer a
record appended, us a record read. Each record is in flash before the next one comes; what is ten and more records older
than the backlog is delivered and given up.
"""

import json
import os
import sys
import time

import vfs

from firmware.flashlog.log import FlashLog
from hal_sim.bus.partition import Flash, Partition

_TYPE_CHECKING = False
if _TYPE_CHECKING:
    from typing import Any

_SECTORS = 128
_BYTES = 300
_BACKLOG = 60
_BATCH = 10  # records that are delivered together
_A_FILE = 12  # records of a file that is appended to: as many as fit a sector
_STREAM = 1
_PLACE = "/bench"


class Chip:
    """A flash, and how long it worked."""

    def __init__(self) -> None:
        self.flash = Flash(_SECTORS)
        self.busy_ms = 0
        self.partition = Partition(self.flash, self._block)

    def _block(self, ms: int) -> None:
        self.busy_ms += ms

    def so_far(self) -> tuple:
        return self.flash.programmed, self.flash.erases, self.busy_ms


class OurLog:
    """The flash log: acknowledged in tens, a step of housekeeping after each record."""

    def __init__(self, chip: Chip) -> None:
        self._log = FlashLog(chip.partition)
        while self._log.work():
            pass

    def append(self, seq: int, data: bytes) -> None:
        while not self._log.append(_STREAM, 1, seq, data):
            if not self._log.work():
                raise RuntimeError("the log takes nothing")
        self._log.work()

    def deliver(self, seq: int) -> None:
        self._log.acknowledge(_STREAM, 1, seq)

    def read(self) -> int:
        reader = self._log.reader(_STREAM)
        count = 0
        while reader.next() is not None:
            count += 1
        return count


class LittleFs:
    """A fresh littlefs, as MicroPython makes it."""

    def __init__(self, chip: Chip) -> None:
        device: Any = chip.partition
        filesystem: Any = vfs.VfsLfs2
        filesystem.mkfs(device)
        vfs.mount(filesystem(device), _PLACE)

    def close(self) -> None:
        vfs.umount(_PLACE)


class Appended(LittleFs):
    """Records appended to a file, closed after each; a new file every 12, removed when all of it is delivered."""

    def append(self, seq: int, data: bytes) -> None:
        with open("%s/%08d" % (_PLACE, seq // _A_FILE), "ab") as file:
            file.write(data)

    def deliver(self, seq: int) -> None:
        for name in os.listdir(_PLACE):
            if int(name) < seq // _A_FILE:
                os.remove(_PLACE + "/" + name)

    def read(self) -> int:
        count = 0
        for name in sorted(os.listdir(_PLACE)):
            with open(_PLACE + "/" + name, "rb") as file:
                while file.read(_BYTES):
                    count += 1
        return count


class OneFile(LittleFs):
    """A file a record, removed when it is delivered."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip)
        self._delivered = 0

    def append(self, seq: int, data: bytes) -> None:
        with open("%s/%08d" % (_PLACE, seq), "wb") as file:
            file.write(data)

    def deliver(self, seq: int) -> None:
        while self._delivered < seq:
            self._delivered += 1
            os.remove("%s/%08d" % (_PLACE, self._delivered))

    def read(self) -> int:
        count = 0
        for name in sorted(os.listdir(_PLACE)):
            with open(_PLACE + "/" + name, "rb") as file:
                file.read()
            count += 1
        return count


def live(way: "Any", first: int, count: int) -> None:
    """Append so many, deliver what is older than the backlog, ten at a time."""
    for seq in range(first, first + count):
        way.append(seq, (b"%08d" % seq) * (_BYTES // 8) + b"....")
        if seq % _BATCH == 0 and seq > _BACKLOG:
            way.deliver(seq - _BACKLOG)


def measure(make: "Any", backlog: int, records: int) -> dict:
    """backlog: records there are before it is measured."""
    chip = Chip()
    way = make(chip)
    live(way, 1, backlog)
    programmed, erases, busy_ms = chip.so_far()
    start = time.ticks_us()
    live(way, backlog + 1, records)
    append_us = time.ticks_diff(time.ticks_us(), start) / records
    now = chip.so_far()
    start = time.ticks_us()
    count = way.read()
    read_us = time.ticks_diff(time.ticks_us(), start) / count
    if not _BACKLOG <= count <= _BACKLOG + 2 * _BATCH + _A_FILE:
        raise RuntimeError("%d records were found" % count)
    if isinstance(way, LittleFs):
        way.close()
    return {
        "amplification": (now[0] - programmed) / records / _BYTES,
        "erases": (now[1] - erases) / records,
        "busy_ms": (now[2] - busy_ms) / records,
        "append_us": append_us,
        "read_us": read_us,
    }


def main() -> None:
    records = int(sys.argv[1])
    round_trip = _SECTORS * _A_FILE
    print(json.dumps({
        "log": measure(OurLog, round_trip + _BACKLOG, records),
        "append": measure(Appended, _BACKLOG + 50, records // 8),
        "files": measure(OneFile, _BACKLOG + 50, records // 24),
    }))


main()
