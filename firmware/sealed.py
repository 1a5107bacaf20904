"""The takeover file: everything a replacing gateway needs, encrypted under a code that a person carries over.

Owns the format, version 1: `GWTK`, version, three zero bytes, salt (16), IV (16), length of the plain text (4, little
endian); AES-256-CBC of the blocks with PKCS #7 padding; HMAC-SHA256 of all before it (encrypt, then authenticate). Both
keys come from the 128-bit code and the salt by HMAC-SHA256, so neither says anything of the other. The plain text is
blocks: length of the name (1), name, length of the data (4), data.

Pure but for hashing; the cipher is handed in, so that a computer can open the file too. Must never give out anything
that was not authenticated first, and never say more of a code than whether it fits.
"""

import hashlib
import struct
from binascii import hexlify, unhexlify

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

CODE_BYTES = const(16)
MAX_BYTES = const(65536)  # of a whole file: the store's blocks are smaller
SLICE = const(1024)
_MAGIC = b"GWTK"
_VERSION = const(1)
_LAYOUT = "<4sB3s16s16sI"
HEAD = const(44)
_MAC = const(32)
_AES = const(16)


class Refused(Exception):
    """The file or the code is no good; args[0] says why."""


# ---------------------------------------------------------------------------------- the code
def code_text(code: bytes) -> str:
    """As printed: 8 groups of 4 digits, and a ninth that finds a mistyped one."""
    digits = hexlify(code + hashlib.sha256(code).digest()[:2]).decode().upper()
    return "-".join([digits[at : at + 4] for at in range(0, len(digits), 4)])


def code_of(text: str) -> bytes:
    """The code as a person typed it, with or without dashes, spaces and capitals. Refused: a digit is wrong."""
    digits = "".join([char for char in text if char not in "- \r\n\t"])
    try:
        raw = unhexlify(digits) if len(digits) == 2 * CODE_BYTES + 4 else b""
    except ValueError:
        raw = b""
    code = raw[:CODE_BYTES]
    if not raw or hashlib.sha256(code).digest()[:2] != raw[CODE_BYTES:]:
        raise Refused("the code is mistyped")
    return code


# ---------------------------------------------------------------------------------- HMAC (RFC 2104)
class Hmac:
    """HMAC-SHA256, fed in pieces."""

    def __init__(self, key: bytes) -> None:
        key = key + bytes(64 - len(key))
        self._inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]))
        self._outer = bytes([byte ^ 0x5C for byte in key])

    def update(self, data: "bytes | memoryview") -> None:
        self._inner.update(data)

    def digest(self) -> bytes:
        return hashlib.sha256(self._outer + self._inner.digest()).digest()


def _key(code: bytes, what: bytes, salt: bytes) -> bytes:
    mac = Hmac(code)
    mac.update(what + salt)
    return mac.digest()


def _same(one: bytes, other: bytes) -> bool:
    """In a time that does not depend on where they differ."""
    different = len(one) ^ len(other)
    for a, b in zip(one, other):  # noqa: B905 - MicroPython's zip has no strict
        different |= a ^ b
    return not different


# ---------------------------------------------------------------------------------- the file
def seal(blocks: dict, code: bytes, salt: bytes, iv: bytes, aes: "Callable[[bytes, bytes], Any]") -> "Iterator[bytes]":
    """The file, slice by slice. aes(key, iv): AES-256-CBC with encrypt(); salt and iv: random, 16 bytes, used once."""
    plain = b""
    for name in sorted(blocks):
        plain += struct.pack("<B", len(name)) + name.encode() + struct.pack("<I", len(blocks[name])) + blocks[name]
    head = struct.pack(_LAYOUT, _MAGIC, _VERSION, bytes(3), salt, iv, len(plain))
    pad = _AES - len(plain) % _AES
    plain += bytes((pad,)) * pad
    mac = Hmac(_key(code, b"authenticate", salt))
    cipher = aes(_key(code, b"encrypt", salt), iv)
    mac.update(head)
    yield head
    view = memoryview(plain)
    for at in range(0, len(plain), SLICE):
        piece = cipher.encrypt(view[at : at + SLICE])
        mac.update(piece)
        yield piece
    yield mac.digest()


def unseal(data: bytes, code: bytes, aes: "Callable[[bytes, bytes], Any]") -> dict:
    """The blocks by name. Refused: no takeover file, of another version, damaged, or not of this code."""
    if len(data) < HEAD + _AES + _MAC or data[:4] != _MAGIC:
        raise Refused("this is no takeover file")
    magic, version, _, salt, iv, length = struct.unpack_from(_LAYOUT, data, 0)
    if version != _VERSION:
        raise Refused("the file is of version %d, not %d" % (version, _VERSION))
    view = memoryview(data)
    mac = Hmac(_key(code, b"authenticate", salt))
    mac.update(view[: len(data) - _MAC])
    if not _same(mac.digest(), bytes(view[len(data) - _MAC :])):
        raise Refused("the code is another file's, or the file is damaged")
    size = len(data) - HEAD - _MAC
    if size % _AES or not 0 < size - length <= _AES:
        raise Refused("the file is damaged")
    plain = aes(_key(code, b"encrypt", salt), iv).decrypt(view[HEAD : HEAD + size])
    return _blocks(plain, length)


def _blocks(plain: bytes, length: int) -> dict:
    blocks = {}
    at = 0
    while at < length:
        end = at + 1 + plain[at] + 4
        if end > length:
            raise Refused("the file is damaged")
        size = struct.unpack_from("<I", plain, end - 4)[0]
        if end + size > length:
            raise Refused("the file is damaged")
        blocks[plain[at + 1 : end - 4].decode()] = plain[end : end + size]
        at = end + size
    return blocks
