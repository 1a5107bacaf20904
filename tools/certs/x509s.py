"""What the lab's certificates look like (X.509 v3, RFC 5280): ECDSA on P-256 with SHA-256, nothing else.

Owns names, extensions and signatures; knows no files. Must never make a certificate that serves as two things: a
server's cannot be a gateway's.
"""

from __future__ import annotations

import datetime
import ipaddress
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


class Validity(NamedTuple):
    """From when until when; both in UTC, with time zone."""

    since: datetime.datetime
    until: datetime.datetime


class Pair(NamedTuple):
    """A certificate and its key."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def root(name: str, validity: Validity) -> Pair:
    """A CA that signs itself and has no CA below it."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = _usage(key_cert_sign=True, crl_sign=True)
    builder = (
        _builder(name, name, key.public_key(), validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def leaf(ca: Pair, name: str, purpose: x509.ObjectIdentifier, sans: list[str], validity: Validity) -> Pair:
    """A certificate of this CA for one purpose: SERVER or CLIENT; `sans` are DNS names and IP addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    builder = (
        _builder(name, common_name(ca.cert.subject), key.public_key(), validity)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(issuer, critical=False)
    )
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName([_san(san) for san in sans]), critical=False)
    return Pair(builder.sign(ca.key, hashes.SHA256()), key)


def crl(ca: Pair, old: x509.CertificateRevocationList | None, serials: list[int], until: datetime.datetime) -> bytes:
    """The CA's list of revoked certificates, PEM: those of the old list and these serial numbers."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.cert.subject)
        .last_update(min(now, until - datetime.timedelta(seconds=1)))
        .next_update(until)
        .add_extension(x509.CRLNumber(_crl_number(old) + 1), critical=False)
    )
    for entry in old or ():
        builder = builder.add_revoked_certificate(entry)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def common_name(name: x509.Name) -> str:
    """The one common name of a name of ours."""
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _crl_number(old: x509.CertificateRevocationList | None) -> int:
    return old.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number if old is not None else 0


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePublicKey, validity: Validity) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.since)
        .not_valid_after(validity.until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _san(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature, key_cert_sign=key_cert_sign, crl_sign=crl_sign, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )
