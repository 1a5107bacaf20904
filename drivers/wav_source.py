"""The samples of one spoken text, chunk by chunk: its plays, the silence between them and the silence after.

Owns the open file and the one chunk buffer. Must never allocate by the length of a text, and never look at a clock.
"""

from micropython import const

from drivers import wav

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

CHUNK_BYTES = const(1024)  # 32 ms; half of the board's I2S buffer, so that a late step does not starve it
_LENGTHS_LIMIT = const(64)  # known lengths kept; the gateway has some 16 texts


class WavSource:
    """Reads `<folder>/<name>.wav`; view[:count] is the chunk of the last next_chunk()."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._buffer = memoryview(bytearray(CHUNK_BYTES))
        self._zeros = memoryview(bytes(CHUNK_BYTES))
        self.view = self._zeros
        self._file: Any = None
        self._offset = 0
        self._length = 0
        self._plays = 0
        self._gap_bytes = 0
        self._tail_bytes = 0
        self._data_left = 0
        self._zeros_left = 0
        self._lengths: dict[str, int] = {}

    def length_ms(self, name: str) -> int:
        """How long one play lasts, in ms. OSError, WavError."""
        known = self._lengths.get(name, 0)
        if not known:
            file, _, length = self._open_file(name)
            file.close()
            known = wav.length_ms(length)
            if len(self._lengths) < _LENGTHS_LIMIT:
                self._lengths[name] = known
        return known

    def open(self, name: str, plays: int, gap_bytes: int, tail_bytes: int) -> None:
        """Start a text: plays times with gap_bytes of zeros between, tail_bytes of zeros after. OSError, WavError."""
        self.close()
        self._file, self._offset, self._length = self._open_file(name)
        self._plays = plays
        self._gap_bytes = gap_bytes
        self._tail_bytes = tail_bytes
        self._rewind(0)

    def close(self) -> None:
        file, self._file = self._file, None
        self._plays = self._data_left = self._zeros_left = self._tail_bytes = 0
        if file is not None:
            try:
                file.close()
            except OSError:
                pass  # it was only read

    def next_chunk(self) -> int:
        """Bytes now in view; 0 when all was given. OSError when the file cannot be read."""
        if self._zeros_left == 0 and self._data_left == 0:
            self._next_part()
        if self._zeros_left:
            count = min(CHUNK_BYTES, self._zeros_left)
            self._zeros_left -= count
            self.view = self._zeros
            return count
        count = min(CHUNK_BYTES, self._data_left)
        if count and self._file.readinto(self._buffer[:count]) != count:
            raise OSError("the file ended early")
        self._data_left -= count
        self.view = self._buffer
        return count

    def _next_part(self) -> None:
        """A play has ended: the next one, or the silence after the last."""
        if self._plays > 1:
            self._plays -= 1
            self._rewind(self._gap_bytes)
        else:
            self._plays = 0
            self._zeros_left, self._tail_bytes = self._tail_bytes, 0

    def _rewind(self, gap_bytes: int) -> None:
        self._file.seek(self._offset)
        self._data_left = self._length
        self._zeros_left = gap_bytes

    def _open_file(self, name: str) -> "tuple[Any, int, int]":
        """An open file, where its samples begin and how many bytes they are."""
        file = open(self._folder + "/" + name + ".wav", "rb")  # noqa: SIM115 - stays open while it is spoken
        try:
            offset, length = wav.parse(file.read(wav.HEADER_BYTES), file.seek(0, 2))
        except (OSError, wav.WavError, MemoryError):
            file.close()
            raise
        return file, offset, length
