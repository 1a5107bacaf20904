"""This relay's own certificate: who it says the relay is, and how long it is good. A broker that finds it out of date
says nothing of that, it only closes the connection.
"""

from __future__ import annotations

import datetime
import pathlib
from typing import NamedTuple

from cryptography import x509

from tools.certs.x509s import common_name
from tools.relay import RelayError

_SOON = datetime.timedelta(days=30)


class Certificate(NamedTuple):
    """Both in UTC, with time zone."""

    name: str  # common name: user name and client id at the broker
    since: datetime.datetime
    until: datetime.datetime

    def fault(self, now: datetime.datetime) -> str:
        """Why nobody takes it now; empty: it is good."""
        if now > self.until:
            return f"this relay's certificate ended on {self.until:%Y-%m-%d}"
        if now < self.since:
            return f"this relay's certificate begins on {self.since:%Y-%m-%d}, and it is {now:%Y-%m-%d} here"
        return ""

    def reminder(self, now: datetime.datetime) -> str:
        """What a person should know of it today; empty: nothing."""
        fault = self.fault(now)
        if fault or self.until - now > _SOON:
            return fault
        return f"this relay's certificate ends on {self.until:%Y-%m-%d}: it needs another one, and a start with that"


def read(path: str) -> Certificate:
    """The certificate in a PEM file. Raises RelayError."""
    try:
        cert = x509.load_pem_x509_certificate(pathlib.Path(path).read_bytes())
        return Certificate(common_name(cert.subject), cert.not_valid_before_utc, cert.not_valid_after_utc)
    except OSError as error:
        raise RelayError(f"--cert {path}: {error.strerror}") from None
    except (ValueError, IndexError):
        raise RelayError(f"--cert {path} is no PEM certificate with a common name") from None
