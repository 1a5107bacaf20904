"""The simulated modem's file store (UFS) and the playing of a file into the call.

Owns the files, which outlive a reset as flash does, one open handle table, the running upload and the running play.
Sources: Quectel EC2x&EG25-G FILE AT Commands Manual V1.0 (QFLST, QFUPL, QFOPEN, QFWRITE, QFREAD, QFDEL; checksum
by XOR of 16-bit words); AT Commands Manual 12.18 (QPSND: wav, 8 or 16 kHz, mono, 16 bit; `+QPSND: 0` at the end).
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.modem.chip import ModemChip

_FREE_BYTES = const(4 << 20)
_MOST_OPEN = const(10)
_HEADER_BYTES = const(256)  # the data chunk of a plain wav begins well before
_ERR_INPUT = const(400)
_ERR_FULL = const(403)
_ERR_NOT_FOUND = const(405)
_ERR_EXISTS = const(407)
_ERR_MOST_OPEN = const(413)
_ERR_HANDLE = const(416)
_ERR_TIMEOUT = const(421)


class CmeError(Exception):
    """The command is answered with +CME ERROR: <code>."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Checksum:
    """Of QFUPL: XOR of big-endian 16-bit words; an odd last byte counts as the high one."""

    def __init__(self) -> None:
        self._halves = [0, 0]
        self._count = 0

    def add(self, data: bytes) -> None:
        for start in (0, 1):
            half = 0
            for index in range(start, len(data), 2):
                half ^= data[index]
            self._halves[(self._count + start) & 1] ^= half
        self._count += len(data)

    def value(self) -> int:
        return (self._halves[0] << 8) | self._halves[1]


def _le(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset:offset + size], "little")


def wav_ms(data: bytes, file_bytes: int) -> "int | None":
    """Length in ms of a PCM wav of which data is the beginning; None when the module would not play it."""
    if len(data) < 12 or bytes(data[0:4]) != b"RIFF" or bytes(data[8:12]) != b"WAVE":
        return None
    rate = 0
    offset = 12
    while offset + 8 <= len(data):
        size = _le(data, offset + 4, 4)
        tag = bytes(data[offset:offset + 4])
        if tag == b"fmt " and offset + 24 <= len(data):
            rate = _le(data, offset + 12, 4)
            if _le(data, offset + 8, 2) != 1 or _le(data, offset + 10, 2) != 1 or rate not in (8000, 16000):
                return None
            if _le(data, offset + 22, 2) != 16:
                return None
        elif tag == b"data" and rate:
            return min(size, file_bytes - offset - 8) * 1000 // (rate * 2)
        offset += 8 + size + (size & 1)
    return None


class Files:
    """`store` puts a file in place beforehand, as the factory would; `kept` is where they are."""

    def __init__(self, chip: "ModemChip", kept: "Any") -> None:
        self._chip = chip
        self.kept = kept
        self._handles: dict = {}  # handle -> [name, position, mode]
        self._upload: Any = None  # [file, at, taken, wanted bytes, timeout ms, checksum, done, timer]
        self._play: Any = None  # [name, text, count, in the call]
        self._counts: dict = {}

    def store(self, name: str, data: bytes) -> None:
        self.kept.create(name)
        self.kept.write(name, 0, data)

    def reset(self) -> None:
        """The module restarts: files stay, what was going on does not."""
        self._handles = {}
        self._upload = None
        self._stop_play()
        self._counts = {}

    # --- listing, deleting -------------------------------------------------------------------------------------

    def listing(self, pattern: str) -> list:
        there = self.kept.names()
        names = there if pattern in ("", "*") else [n for n in (pattern,) if n in there]
        if not names and pattern not in ("", "*"):
            raise CmeError(_ERR_NOT_FOUND)
        return ['+QFLST: "UFS:%s",%d' % (name, self.kept.size(name)) for name in names]

    def delete(self, name: str) -> None:
        there = self.kept.names()
        if name != "*" and name not in there:
            raise CmeError(_ERR_NOT_FOUND)
        for each in there if name == "*" else [name]:
            self.kept.delete(each)

    def used(self) -> int:
        return sum([self.kept.size(name) for name in self.kept.names()])

    def space(self) -> str:
        return "%d,%d" % (_FREE_BYTES - self.used(), _FREE_BYTES)

    # --- handles -----------------------------------------------------------------------------------------------

    def open(self, name: str, mode: int) -> int:
        there = self.kept.names()
        if mode == 2 and name not in there:
            raise CmeError(_ERR_NOT_FOUND)
        if len(self._handles) >= _MOST_OPEN:
            raise CmeError(_ERR_MOST_OPEN)
        if mode == 1 or name not in there:
            self.kept.create(name)
        handle = 1
        while handle in self._handles:
            handle += 1
        self._handles[handle] = [name, 0, mode]
        return handle

    def opened(self) -> list:
        """The answer to QFOPEN?."""
        return ['+QFOPEN: "UFS:%s",%d,%d' % (entry[0], handle, entry[2]) for handle, entry in self._handles.items()]

    def close(self, handle: int) -> None:
        if handle not in self._handles:
            raise CmeError(_ERR_HANDLE)
        del self._handles[handle]

    def seek(self, handle: int, offset: int) -> None:
        self._handle(handle)[1] = offset

    def read(self, handle: int, count: int) -> bytes:
        entry = self._handle(handle)
        data = self.kept.read(entry[0], entry[1], count)
        entry[1] += len(data)
        return data

    def _handle(self, handle: int) -> list:
        if handle not in self._handles or self._handles[handle][0] not in self.kept.names():
            raise CmeError(_ERR_HANDLE)
        return self._handles[handle]

    # --- taking data from the UART -----------------------------------------------------------------------------

    def begin_write(self, handle: int, count: int, timeout_s: int) -> None:
        entry = self._handle(handle)

        def done(taken: int, _checksum: int, _complete: bool) -> list:
            entry[1] += taken
            return ["+QFWRITE: %d,%d" % (taken, self.kept.size(entry[0]))]

        self._begin(entry[0], entry[1], count, timeout_s, done)

    def begin_upload(self, name: str, count: int, timeout_s: int) -> None:
        if name in self.kept.names():
            raise CmeError(_ERR_EXISTS)
        if count <= 0:
            raise CmeError(_ERR_INPUT)

        def done(taken: int, checksum: int, complete: bool) -> list:
            if not complete:
                raise CmeError(_ERR_TIMEOUT)
            return ["+QFUPL: %d,%x" % (taken, checksum)]

        self._begin(name, 0, count, timeout_s, done)

    def _begin(self, name: str, at: int, count: int, timeout_s: int, done: "Callable") -> None:
        if self.used() + count > _FREE_BYTES:
            raise CmeError(_ERR_FULL)
        if name not in self.kept.names():
            self.kept.create(name)
        self._upload = [name, at, 0, count, timeout_s * 1000, Checksum(), done, None]
        self._arm()

    def _arm(self) -> None:
        upload = self._upload
        self._chip.sched.cancel(upload[7])
        upload[7] = self._chip.later(upload[4], self._finish, False)

    def take(self, data: bytes) -> int:
        """Data of the running upload; returns how much of it belonged to it."""
        upload = self._upload
        part = data[:upload[3] - upload[2]]
        self.kept.write(upload[0], upload[1] + upload[2], part)
        upload[5].add(part)
        upload[2] += len(part)
        if upload[2] >= upload[3]:
            self._finish(True)
        else:
            self._arm()
        return len(part)

    def _finish(self, complete: bool) -> None:
        upload = self._upload
        self._upload = None
        self._chip.sched.cancel(upload[7])
        self._chip.enter(0)
        try:
            lines = upload[6](upload[2], upload[5].value(), complete)
        except CmeError as error:
            self._chip.at.answer_later([], "", error.code)
            return
        self._chip.at.answer_later(lines, "OK")

    # --- playing -----------------------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        return self._play is not None

    def play(self, name: str, to_far_end: bool) -> None:
        """QPSND=1: the file goes into the call when there is one."""
        if self._play is not None or name not in self.kept.names():
            raise CmeError(_ERR_NOT_FOUND if self._play is None else 4)
        length_ms = wav_ms(self.kept.read(name, 0, _HEADER_BYTES), self.kept.size(name))
        if length_ms is None:
            raise CmeError(_ERR_INPUT)
        chip = self._chip
        into_call = to_far_end and chip.calls.active() is not None
        count = self._counts.get(name, 0) + 1
        self._counts[name] = count
        self._play = [name, chip.texts.get(name, name), count, into_call]
        if into_call:
            chip.emit("prompt", text=self._play[1], play=count, to="line")
        chip.later(length_ms, self._played, self._play)

    def _played(self, play: list) -> None:
        if play is self._play:
            self._stop_play()
            self._chip.urc("+QPSND: 0")

    def stop(self) -> None:
        """QPSND=0."""
        if self._play is not None:
            self._stop_play()
            self._chip.urc("+QPSND: 0")

    def call_ended(self, another: bool) -> None:
        if another:
            return
        self._counts = {}
        if self._play is not None and self._play[3]:
            self.stop()

    def _stop_play(self) -> None:
        play = self._play
        self._play = None
        if play is not None and play[3]:
            self._chip.emit("prompt_end", text=play[1], play=play[2], to="line")
