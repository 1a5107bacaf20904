"""All the certificates of a lab in one call, made once: for tests, the simulator and the fleet."""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Iterable

from tools.certs.authority import HERE, RELAY, Authority
from tools.certs.x509s import Validity

# Scenarios start at dates of their own; a lab's certificates hold in all of them.
LAB = Validity(
    datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    datetime.datetime(2060, 1, 1, tzinfo=datetime.timezone.utc),
)


class Lab:
    """Where a lab's files are."""

    def __init__(self, authority: Authority, server: str) -> None:
        self.authority = authority
        self.folder = authority.folder
        self.ca = authority.folder / "ca.pem"
        self.crl = authority.folder / "crl.pem"
        self.server = authority.folder / server
        self.relay = authority.folder / RELAY

    def gateway(self, number: str) -> pathlib.Path:
        """The gateway's folder: ca, cert and key, each .der and .pem. Made when it is not there."""
        if not (self.folder / number / "cert.pem").exists():
            self.authority.gateway(number, LAB)
        return self.folder / number


def lab(
    folder: pathlib.Path, gateways: Iterable[str] = ("GW-000000",), server: str = "relay.lab",
    sans: Iterable[str] = HERE, validity: Validity = LAB,
) -> Lab:
    """A CA, a server (its own names and `sans`), a relay and these gateways; what is there already stays.

    Raises CertsError when the folder cannot be used.
    """
    has_one = (folder / "ca.pem").exists()
    authority = Authority.open(folder) if has_one else Authority.create(folder, validity)
    made = Lab(authority, server)
    if not (made.server / "cert.pem").exists():
        authority.server(server, list(sans), validity)
    if not (made.relay / "cert.pem").exists():
        authority.relay(validity)
    for number in gateways:
        if not (folder / number / "cert.pem").exists():
            authority.gateway(number, validity)
    return made
