"""Whose certificate it is: the common name in its subject (X.509, DER)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMMON_NAME = b"\x06\x03\x55\x04\x03"  # object identifier 2.5.4.3


def common_name(certificate: "Any") -> str:
    """Of a certificate in DER. Raises ValueError when it has none."""
    subject = _subject(bytes(certificate or b""))
    at = subject.find(_COMMON_NAME)
    if at < 0:
        raise ValueError("a certificate without a name")
    start, end = _content(subject, at + len(_COMMON_NAME))
    return subject[start:end].decode()


def _subject(der: bytes) -> bytes:
    """The encoded subject: after version, serial number, algorithm, issuer and validity."""
    at, _ = _content(der, 0)
    at, end = _content(der, at)
    skip = 5 if der[at : at + 1] == b"\xa0" else 4  # the version may be left out
    for _ in range(skip):
        at = _content(der, at)[1]
    if at >= end:
        raise ValueError("not a certificate")
    return der[at : _content(der, at)[1]]


def _content(der: bytes, at: int) -> tuple:
    """(start, end) of the content of the element at `at`."""
    if at + 2 > len(der):
        raise ValueError("not a certificate")
    size = der[at + 1]
    start = at + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(der[start : start + count], "big")
        start += count
    if start + size > len(der):
        raise ValueError("not a certificate")
    return start, start + size
