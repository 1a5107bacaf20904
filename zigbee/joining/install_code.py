"""Install codes: what is printed on a device that brings a link key of its own, and the key that comes of it.

Owns the check and the derivation. No I/O, no state. Must never let a mistyped code pass: a device that does not get in
is worse to explain than a refused line of text.

A code has 6, 8, 12 or 16 bytes and a CRC-16/X-25 of two bytes, the low one first; the key is the AES-MMO hash of all of
it. Source: Base Device Behavior Specification 3.0.1, 10.1; Zigbee specification B.1.3, B.6 (block cipher mode and hash
function), annex C.6 (the check vector).
"""

import cryptolib
from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_BLOCK = const(16)
_ECB = const(1)
_SIZES = (8, 10, 14, 18)  # bytes with the CRC
_DIGITS_LIMIT = const(80)  # characters, with everything people put between them
_BETWEEN = " -:._\t\r\n"


def crc16(data: bytes) -> int:
    """CRC-16/X-25: polynomial 0x1021 reflected, begins with 0xFFFF, inverted at the end."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ 0xFFFF


def parse(printed: str) -> bytes:
    """The code with its CRC, of a text as printed: any case, spaces and dashes. ValueError says what is wrong."""
    if len(printed) > _DIGITS_LIMIT:
        raise ValueError("install code: too long")
    digits = "".join(one for one in printed if one not in _BETWEEN).lower()
    for one in digits:
        if one not in "0123456789abcdef":
            raise ValueError("install code: %s is not a hexadecimal digit" % repr(one))
    if len(digits) not in [2 * size for size in _SIZES]:
        raise ValueError("install code: %d digits, must be 16, 20, 28 or 36" % len(digits))
    code = bytes(int(digits[at:at + 2], 16) for at in range(0, len(digits), 2))
    if crc16(code[:-2]) != code[-2] | code[-1] << 8:
        raise ValueError("install code: its check digits do not fit, a digit is wrong")
    return code


def _encrypt(key: bytes, block: bytes) -> bytes:
    cipher: Any = cryptolib.aes(key, _ECB)
    return cipher.encrypt(block)


def mmo(data: bytes) -> bytes:
    """The AES-MMO hash of up to 8191 bytes: 16 bytes."""
    padded = data + b"\x80"
    padded += bytes((_BLOCK - 2 - len(padded)) % _BLOCK) + bytes((len(data) >> 5 & 0xFF, len(data) << 3 & 0xFF))
    digest = bytes(_BLOCK)
    for at in range(0, len(padded), _BLOCK):
        block = padded[at:at + _BLOCK]
        cipher = _encrypt(digest, block)
        digest = bytes(cipher[place] ^ block[place] for place in range(_BLOCK))
    return digest


def key_of(printed: str) -> bytes:
    """The link key of the code as printed, 16 bytes. ValueError says what is wrong with it."""
    return mmo(parse(printed))
