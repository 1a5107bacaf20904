"""A CA in a folder: who has a certificate, and the files of each.

    ca.pem ca.der ca-key.pem crl.pem        the CA
    NAME/cert.pem key.pem ca.pem            for a server, a relay, tools on a computer
    NAME/cert.der key.der ca.der            the same for a gateway, which reads DER

Owns the folder. Private keys are readable by their owner only, from the first byte on. Must never replace a certificate
that is still good unless told to.
"""

from __future__ import annotations

import os
import pathlib
import re
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tools.certs import x509s
from tools.certs.x509s import Pair, Validity

HERE = ("localhost", "127.0.0.1")  # names of a lab's server beside its own: it is tried on one computer first
RELAY = "relay"  # so, or relay-..., are relays called at the broker, and no gateway
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)  # 32: the setting `gateway`
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,62}[A-Za-z0-9])?", re.ASCII)
_PEM = serialization.Encoding.PEM
_DER = serialization.Encoding.DER


class CertsError(Exception):
    """One line that says what is wrong and what to do."""


class Authority:
    """The CA in `folder`. `create` makes one, `open` takes the one that is there."""

    def __init__(self, folder: pathlib.Path, pair: Pair) -> None:
        self.folder = folder
        self.pair = pair

    @classmethod
    def create(cls, folder: pathlib.Path, validity: Validity, name: str = "Lab CA") -> Authority:
        """Make a CA. Raises CertsError when the folder has one already or cannot be written."""
        if (folder / "ca.pem").exists():
            raise CertsError(f"{folder} has a CA already: use it, or take another folder")
        authority = cls(folder, x509s.root(name, _checked(validity)))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / "ca-key.pem", _key_bytes(authority.pair.key, _PEM), secret=True)
            _write(folder / "ca.der", authority.pair.cert.public_bytes(_DER))
            authority._write_crl(None, [])
            _write(folder / "ca.pem", authority.pair.cert.public_bytes(_PEM))  # last: a folder with it is whole
        except OSError as error:
            _cannot("write", folder, error)
        return authority

    @classmethod
    def open(cls, folder: pathlib.Path) -> Authority:
        """The CA that is there. Raises CertsError when there is none, or none that can be read."""
        if not (folder / "ca.pem").exists():
            raise CertsError(f"{folder} has no CA: make one with `python -m tools.certs {folder} ca`")
        return cls(folder, _read_pair(folder / "ca.pem", folder / "ca-key.pem"))

    def server(self, name: str, sans: list[str], validity: Validity, again: bool = False) -> pathlib.Path:
        """A server's certificate for this host name and further ones; its folder. Raises CertsError."""
        names = list(dict.fromkeys([name, *sans]))
        for each in names:
            if not _HOST.fullmatch(each):
                raise CertsError(f"{each!r} is no host name or address: letters, digits, . - : are, 64 at most")
        return self._issue(name, x509s.SERVER, names, validity, again)

    def gateway(self, number: str, validity: Validity, again: bool = False) -> pathlib.Path:
        """A gateway's certificate; its folder. Raises CertsError."""
        if not _NUMBER.fullmatch(number) or is_relay(number):
            raise CertsError(f"{number!r} is no gateway's number: letters, digits, . _ -, 32 at most, not {RELAY}...")
        return self._issue(number, x509s.CLIENT, [], validity, again)

    def relay(self, validity: Validity, again: bool = False, name: str = RELAY) -> pathlib.Path:
        """The certificate with which a relay is let in by the broker; its folder. Raises CertsError."""
        if not _NUMBER.fullmatch(name) or not is_relay(name):
            raise CertsError(f"{name!r} is no relay's name: {RELAY}, or {RELAY}-2 and so on for further ones")
        return self._issue(name, x509s.CLIENT, [], validity, again)

    def revoke(self, name: str) -> None:
        """Put the certificate that `name` has now on the list. Raises CertsError: there is none, or it is on it."""
        if not _HOST.fullmatch(name) and not _NUMBER.fullmatch(name) or not (self.folder / name / "cert.pem").exists():
            raise CertsError(f"{name!r} has no certificate in {self.folder}")
        serial = _read_cert(self.folder / name / "cert.pem").serial_number
        old = self._crl()
        if old.get_revoked_certificate_by_serial_number(serial) is not None:
            raise CertsError(f"{name}'s certificate is revoked already")
        try:
            self._write_crl(old, [serial])
        except OSError as error:
            _cannot("write", self.folder, error)

    def revoked(self, name: str) -> bool:
        """Whether the certificate that `name` has now is on the list."""
        serial = _read_cert(self.folder / name / "cert.pem").serial_number
        return self._crl().get_revoked_certificate_by_serial_number(serial) is not None

    def _issue(
        self, name: str, purpose: x509.ObjectIdentifier, sans: list[str], validity: Validity, again: bool
    ) -> pathlib.Path:
        folder = self.folder / name
        if (folder / "cert.pem").exists() and not again and not self.revoked(name):
            raise CertsError(f"{name} has a certificate already: revoke it first, or say --again")
        pair = x509s.leaf(self.pair, name, purpose, sans, _checked(validity))
        try:
            folder.mkdir(exist_ok=True)
            for ending, encoding in (("der", _DER), ("pem", _PEM)):
                _write(folder / f"key.{ending}", _key_bytes(pair.key, encoding), secret=True)
                _write(folder / f"ca.{ending}", self.pair.cert.public_bytes(encoding))
                _write(folder / f"cert.{ending}", pair.cert.public_bytes(encoding))
        except OSError as error:
            _cannot("write", folder, error)
        return folder

    def _crl(self) -> x509.CertificateRevocationList:
        try:
            return x509.load_pem_x509_crl((self.folder / "crl.pem").read_bytes())
        except (OSError, ValueError) as error:
            _cannot("read", self.folder / "crl.pem", error)

    def _write_crl(self, old: x509.CertificateRevocationList | None, serials: list[int]) -> None:
        until = self.pair.cert.not_valid_after_utc  # a list that runs out would lock every gateway out
        _write(self.folder / "crl.pem", x509s.crl(self.pair, old, serials, until))


def is_relay(name: str) -> bool:
    """Whether the broker lets somebody of this name act as a relay, when the access list has it."""
    return name == RELAY or name.startswith(RELAY + "-")


def relays(folder: pathlib.Path) -> list[str]:
    """Names of the relays that have a certificate in this folder."""
    names = sorted(path.parent.name for path in folder.glob(f"{RELAY}*/cert.pem"))
    return [name for name in names if is_relay(name) and _NUMBER.fullmatch(name)]


def _checked(validity: Validity) -> Validity:
    if validity.since >= validity.until:
        raise CertsError("a certificate ends after it begins: give --from a time before --until")
    return validity


def _key_bytes(key: ec.EllipticCurvePrivateKey, encoding: serialization.Encoding) -> bytes:
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _read_cert(path: pathlib.Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        _cannot("read", path, error)


def _read_pair(cert: pathlib.Path, key: pathlib.Path) -> Pair:
    try:
        loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        _cannot("read", key, error)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise CertsError(f"{key} is no key of ours: take another folder")
    return Pair(_read_cert(cert), loaded)


def _write(path: pathlib.Path, data: bytes, secret: bool = False) -> None:
    """Whole or not at all: written beside it, then renamed."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(fresh, path)


def _cannot(what: str, path: pathlib.Path, error: Exception) -> NoReturn:
    reason = getattr(error, "strerror", None) or "it is no such file of ours"
    raise CertsError(f"cannot {what} {getattr(error, 'filename', None) or path}: {reason}") from None
