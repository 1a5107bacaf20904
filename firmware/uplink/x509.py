"""What a certificate says, read from its DER bytes (RFC 5280, section 4.1): its dates, and whose it is. Pure.

Owns nothing. Must never read beyond the bytes, whatever their lengths say; it judges no signature and no name.
"""

from micropython import const

from firmware.calendar import days_from_civil

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_SEQUENCE = const(0x30)
_VERSION = const(0xA0)  # [0] EXPLICIT
_OID = const(0x06)
_COMMON_NAME = b"\x55\x04\x03"  # 2.5.4.3
_UTC_TIME = const(0x17)
_GENERAL_TIME = const(0x18)


def validity(cert: "Any") -> tuple:
    """(not before, not after) in s since 1970, UTC. ValueError: it is not a certificate in form."""
    at, end = _validity(cert)
    _, at, end = _element(cert, at, end, _SEQUENCE)
    tag, start, at = _element(cert, at, end)
    before = _time(tag, cert[start:at])
    tag, start, at = _element(cert, at, end)
    return before, _time(tag, cert[start:at])


def common_name(cert: "Any") -> str:
    """The common name of its subject, empty when it has none. ValueError: it is not a certificate in form."""
    at, end = _validity(cert)
    _, _, at = _element(cert, at, end, _SEQUENCE)
    _, at, end = _element(cert, at, end, _SEQUENCE)
    while at < end:
        _, start, at = _element(cert, at, end)  # a set of one or more attributes
        _, start, stop = _element(cert, start, at, _SEQUENCE)
        _, kind, start = _element(cert, start, stop, _OID)
        if bytes(cert[kind:start]) == _COMMON_NAME:
            _, start, stop = _element(cert, start, stop)
            return bytes(cert[start:stop]).decode()
    return ""


def _validity(cert: "Any") -> tuple:
    """(where its validity begins, where the signed part ends)."""
    _, start, end = _element(cert, 0, len(cert), _SEQUENCE)
    _, start, end = _element(cert, start, end, _SEQUENCE)  # TBSCertificate
    tag, _, after = _element(cert, start, end)
    at = after if tag == _VERSION else start
    for _ in range(3):  # serial number, signature algorithm, issuer
        _, _, at = _element(cert, at, end)
    return at, end


def _element(der: "Any", at: int, end: int, wanted: int = 0) -> tuple:
    """(tag, where its content starts, where it ends) of the element at `at` (X.690, section 8.1)."""
    if at + 2 > end:
        raise ValueError("a certificate ends too early")
    tag, length = der[at], der[at + 1]
    at += 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= 3 or at + count > end:
            raise ValueError("a certificate has a bad length")
        length = 0
        for byte in der[at : at + count]:
            length = length << 8 | byte
        at += count
    if at + length > end or (wanted and tag != wanted):
        raise ValueError("a certificate has a bad form")
    return tag, at, at + length


def _time(tag: int, text: "Any") -> int:
    """Seconds since 1970 of a UTCTime or GeneralizedTime, both with seconds and Z (RFC 5280, section 4.1.2.5)."""
    digits = bytes(text).decode()
    if tag == _UTC_TIME:
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    elif tag != _GENERAL_TIME:
        raise ValueError("a certificate has a bad date")
    if len(digits) != 15 or digits[14] != "Z" or not digits[:14].isdigit():
        raise ValueError("a certificate has a bad date")
    days = days_from_civil(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    return days * 86400 + int(digits[8:10]) * 3600 + int(digits[10:12]) * 60 + int(digits[12:14])
