"""Files of the EG25-G: compare and write them in small pieces that an urgent command can step between.

Owns one transfer at a time. Must never hold the channel longer than one block: 1 KiB is 90 ms at 115200 baud,
while QFUPL would hold it for the whole file. Sources: EC2x&EG25-G FILE AT Commands Manual V1.0, chapter 2
(QFLST, QFOPEN, QFSEEK, QFREAD, QFWRITE, QFCLOSE, QFDEL).
"""

import binascii

from micropython import const

from drivers import at
from drivers.eg25 import fields, number

BLOCK_BYTES = const(1024)
_LIMIT_MS = const(1500)
_BLOCK_MS = const(3000)

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.at import At


class Interrupted(Exception):
    """An urgent command took the channel, or the module did not answer: begin again later."""


class FileRefused(Exception):
    """The module does not take it: no room, broken file system."""


class Eg25Files:
    """`size`, `crc`, `write`: each raises Interrupted or FileRefused, or OSError of the local file."""

    def __init__(self, channel: "At") -> None:
        self._at = channel
        self._buf = bytearray(BLOCK_BYTES)
        self._view = memoryview(self._buf)
        self._crc = 0
        self._got = 0
        self._left_open = True  # perhaps: of a transfer that was cut off, or from before our own restart

    async def _run(self, text: str, prefix: bytes = b"") -> at.Result:
        result = await self._at.command(text.encode(), _LIMIT_MS, prefix)
        if result.status != at.OK and result.status != at.ERROR:
            raise Interrupted()
        return result

    async def size(self, name: str) -> int:
        """Bytes of a file in the module, -1 when it is not there."""
        result = await self._run('AT+QFLST="%s"' % name, b"+QFLST:")
        if not result.ok or not result.lines:
            return -1
        return number(fields(result.lines[0])[-1])

    async def _open(self, name: str, mode: int) -> int:
        """mode 1: new or emptied, 2: to read (2.6)."""
        if self._left_open:
            await self._close_all()
        self._left_open = True
        result = await self._run('AT+QFOPEN="%s",%d' % (name, mode), b"+QFOPEN:")
        if not result.ok or not result.lines:
            raise FileRefused()
        return number(fields(result.lines[0])[0])

    async def _close_all(self) -> None:
        """The module keeps a file open until it is closed or restarted, and takes ten."""
        result = await self._run("AT+QFOPEN?", b"+QFOPEN:")
        for line in result.lines:
            await self._run("AT+QFCLOSE=%d" % number(fields(line)[1]))
        self._left_open = False

    def _data(self, data: memoryview) -> None:
        self._crc = binascii.crc32(data, self._crc)
        self._got += len(data)

    async def crc(self, name: str, size: int, wanted_elsewhere: "Callable[[], bool]" = bool) -> int:
        """CRC-32 of the first `size` bytes as the module reads them back; gives up when it is wanted elsewhere."""
        handle = await self._open(name, 2)
        try:
            self._crc = 0
            self._got = 0
            while self._got < size:
                before = self._got
                count = min(BLOCK_BYTES, size - before)
                result = await self._at.command(
                    b"AT+QFREAD=%d,%d" % (handle, count), _BLOCK_MS, b"CONNECT", sink=self._data)
                if not result.ok or wanted_elsewhere():
                    raise Interrupted()
                if self._got == before:
                    raise FileRefused()
            return self._crc
        finally:
            await self._close(handle)

    async def write(self, name: str, path: str) -> int:
        """Copy the local file `path` into the module. Returns its CRC-32."""
        with open(path, "rb") as source:
            handle = await self._open(name, 1)
            try:
                crc = 0
                while True:
                    count = source.readinto(self._buf)
                    if not count:
                        return crc
                    crc = binascii.crc32(self._view[:count], crc)
                    await self._block(handle, count)
            finally:
                await self._close(handle)

    async def _block(self, handle: int, count: int) -> None:
        result = await self._at.command(
            b"AT+QFWRITE=%d,%d,1" % (handle, count), _BLOCK_MS, b"+QFWRITE:", payload=self._view[:count])
        if result.status == at.ERROR:
            raise FileRefused()
        if not result.ok or not result.lines or number(fields(result.lines[0])[0]) != count:
            raise Interrupted()

    async def _close(self, handle: int) -> None:
        """What an urgent command or a silent module keeps from being closed is closed before the next one is opened."""
        result = await self._at.command(b"AT+QFCLOSE=%d" % handle, _LIMIT_MS)
        self._left_open = result.status not in (at.OK, at.ERROR)

    async def delete(self, name: str) -> None:
        await self._run('AT+QFDEL="%s"' % name)


def local_crc(path: str) -> tuple:
    """(size, CRC-32) of a local file. OSError: it is not there."""
    size = 0
    crc = 0
    buf = bytearray(BLOCK_BYTES)
    view = memoryview(buf)
    with open(path, "rb") as source:
        while True:
            count = source.readinto(buf)
            if not count:
                return size, crc
            crc = binascii.crc32(view[:count], crc)
            size += count
