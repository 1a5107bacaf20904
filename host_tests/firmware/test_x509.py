"""Dates of certificates: as the `cryptography` package wrote them, and whatever the bytes are."""

import datetime
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firmware.uplink.x509 import common_name, validity

UTC = datetime.timezone.utc
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(begins, ends, name="relay", names=("relay.lab",)):
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(KEY.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.req("SEC-01")
@pytest.mark.fault(71)
@pytest.mark.parametrize("begins, ends", [
    ((2020, 1, 1), (2060, 1, 1)), ((2026, 2, 28, 23, 59, 59), (2028, 2, 29, 12, 0, 1)),
    ((1999, 12, 31), (2049, 12, 31)),
    ((2049, 12, 31, 23, 59, 59), (2050, 1, 1)), ((1970, 1, 1), (2099, 12, 31, 23, 59, 59)),
])
def test_dates_are_read_as_they_were_written(begins, ends):
    begins, ends = (datetime.datetime(*when, tzinfo=UTC) for when in (begins, ends))
    for name in ("x", "n" * 60):
        der = certificate(begins, ends, name, [f"host{number}.example" for number in range(30)])
        assert common_name(memoryview(der)) == name
        assert validity(memoryview(der)) == (int(begins.timestamp()), int(ends.timestamp()))


@pytest.mark.req("SEC-03")
def test_every_end_and_every_kind_of_damage_is_a_value_error_or_dates():
    der = certificate(datetime.datetime(2020, 1, 1), datetime.datetime(2060, 1, 1))
    for end in range(len(der)):
        try:
            common_name(memoryview(der[:end]))
            validity(memoryview(der[:end]))
        except ValueError:
            continue
        raise AssertionError(f"cut at {end}, and it has dates")
    dice = random.Random(1)
    for _ in range(20_000):
        data = bytearray(der)
        for _ in range(dice.randrange(1, 5)):
            data[dice.randrange(200)] = dice.choice((0, 1, 0x7F, 0x80, 0x83, 0x84, 0xFF, dice.randrange(256)))
        try:
            common_name(memoryview(bytes(data)))
            dates = validity(memoryview(bytes(data)))
        except ValueError:
            continue
        assert all(isinstance(each, int) for each in dates)
