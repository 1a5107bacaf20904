"""Monitor and Test frames as the chip reads and writes them.

Owns the chip's side of the wire format. Must never trust the host: what is no frame is skipped.
Source: TI "Z-Stack Monitor and Test API", general serial packet.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SOF = 0xFE
LIMIT = 250
SUCCESS = 0x00
FAILURE = 0x01
INVALID_PARAMETER = 0x02


def frame(command: int, payload: bytes) -> bytes:
    """One frame; command is cmd0 << 8 | cmd1."""
    body = bytes((len(payload), command >> 8, command & 0xFF)) + payload
    check = 0
    for byte in body:
        check ^= byte
    return bytes((SOF,)) + body + bytes((check,))


def le16(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def le32(data: bytes, at: int) -> int:
    return le16(data, at) | le16(data, at + 2) << 16


def put16(value: int) -> bytes:
    return bytes((value & 0xFF, value >> 8 & 0xFF))


def put32(value: int) -> bytes:
    return bytes((value & 0xFF, value >> 8 & 0xFF, value >> 16 & 0xFF, value >> 24 & 0xFF))


class Parser:
    """Bytes of the host in, frames out: on_frame(command, payload)."""

    def __init__(self, on_frame: "Callable[[int, bytes], None]") -> None:
        self._on_frame = on_frame
        self._held = b""

    def clear(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> None:
        held = self._held + bytes(data)
        while held:
            if held[0] != SOF or (len(held) > 1 and held[1] > LIMIT):
                held = held[1:]
                continue
            if len(held) < 2 or len(held) < held[1] + 5:
                break
            end = held[1] + 4
            check = 0
            for byte in held[1:end]:
                check ^= byte
            if check != held[end]:
                held = held[1:]
                continue
            payload = held[4:end]
            command = held[2] << 8 | held[3]
            held = held[end + 1:]
            self._held = held
            self._on_frame(command, payload)
        self._held = held
