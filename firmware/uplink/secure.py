"""TLS to the relay's broker: our certificate and key, whose certificate is believed, and for which dates.

Owns the TLS context and its rules: both sides show a certificate, the server's name and dates are checked, there is no
way without. The chain and the name are mbedTLS's to check; the dates are checked here too, against the gateway's own
clock, because a board's system time may be anything. Must never connect without a check, and never hold the event loop
for longer than one flight of the handshake takes.

Without a known time the latest that is certainly past counts, the floor: the last known time, or when our own
certificate was made. A certificate that ended before it is refused; one that begins after it cannot be judged, and is
believed. A clock that says less than the floor, or a gateway's life more, is wrong: its time is not known.
"""

import asyncio

import tls
from micropython import const

from firmware.uplink.x509 import common_name, validity

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.clock import Clock
    from firmware.uplink.kept import Kept

_LOOK_MS = const(20)
_RENEW_S = const(30 * 86400)  # so long before its end our own certificate is to be renewed
_LIFE_S = const(15 * 366 * 86400)  # no gateway lies so long between two times that it knows
_FOREVER_S = const(1 << 40)
_MAX_FILE_BYTES = const(4096)
_FILES = ("ca.der", "cert.der", "key.der")


class Refused(Exception):
    """The other side is not who it should be, or does not believe us; args[0] says why."""


class Secure:
    """folder: has ca.der, cert.der, key.der. OSError, ValueError: they are not there, or not what they should be.

    set_time(s since 1970) sets what the system takes for time, or is None.
    """

    def __init__(self, folder: str, clock: "Clock", kept: "Kept", set_time: "Callable[[int], Any] | None") -> None:
        self._clock = clock
        self._kept = kept
        self._set_time = set_time
        self._reason = ""
        self._begins_s, self._ends_s = 0, _FOREVER_S  # within these the other side's certificates are good
        authority, own, key = [_read(folder + "/" + name) for name in _FILES]
        self._own_from_s, self._own_until_s = validity(own)
        self.number = common_name(own)  # the gateway's
        self._context = _context()
        self._context.verify_mode = tls.CERT_REQUIRED
        self._context.load_verify_locations(authority)
        self._context.load_cert_chain(own, key)
        self._context.verify_callback = self._judge

    # ------------------------------------------------------------------ dates
    def floor_s(self) -> int:
        """It is later than this, s since 1970."""
        return max(self._kept.floor_s, self._own_from_s)

    def _known_s(self) -> int:
        """The clock's time; 0 when it does not know it, or is wrong for certain."""
        now_s, floor_s = self._clock.sure_s(), self.floor_s()
        return now_s if floor_s <= now_s < floor_s + _LIFE_S else 0

    def now_s(self) -> int:
        """The time certificates are judged by."""
        return self._known_s() or self.floor_s()

    def fits(self, at_s: int) -> bool:
        """Whether it can be so late while we are connected: with any other time the next connection would be refused,
        and nobody could set it right again.
        """
        return self._begins_s <= at_s <= self._ends_s

    def days_left(self) -> "int | None":
        """Of our own certificate, when it is time to renew it; else None."""
        left_s = self._own_until_s - self.now_s()
        return left_s // 86400 if left_s < _RENEW_S else None

    def _judge(self, cert: "memoryview", _depth: int) -> int:
        """mbedTLS asks this of every certificate of the chain: 0 is yes."""
        try:
            begins_s, ends_s = validity(cert)
        except ValueError as error:
            self._reason = str(error)
            return -1
        self._begins_s, self._ends_s = max(self._begins_s, begins_s), min(self._ends_s, ends_s)
        now_s = self.now_s()
        if ends_s < now_s:
            self._reason = "the certificate has ended"
        elif begins_s > now_s and self._known_s():
            self._reason = "the certificate is not valid yet"
        else:
            if begins_s > now_s and self._set_time is not None:
                self._set_time(begins_s)  # mbedTLS judges by the system's time, which is only a floor
            return 0
        return -1

    # ------------------------------------------------------------------ connecting
    async def open(self, raw: "Any", name: str, first: "Any", hold: "Callable[[], bool]", limit_ms: int) -> "Any":
        """The stream over the connected socket `raw`, once both sides believe each other.

        first: bytes that are sent as soon as they do, not empty: MicroPython makes the steps of a handshake within a
        write or read, and an empty one does nothing. hold(): while true no step is made. Refused, OSError,
        asyncio.TimeoutError.
        """
        self._reason = ""
        self._begins_s, self._ends_s = 0, _FOREVER_S
        if self._set_time is not None:
            self._set_time(self.now_s())
        stream = None
        try:
            stream = self._context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)
            while hold() or stream.write(first) is None:
                if limit_ms <= 0:
                    raise asyncio.TimeoutError
                limit_ms -= 0 if hold() else _LOOK_MS
                await asyncio.sleep_ms(_LOOK_MS)
            return stream
        except BaseException as error:  # noqa: BLE001 - all of it goes on, as what it is
            if stream is not None:
                _close(stream)
            if isinstance(error, ValueError) or (isinstance(error, OSError) and self._reason):
                raise Refused(self._reason or str(error).strip()) from None
            raise


def _close(stream: "Any") -> None:
    """mbedTLS keeps some 40 KB a connection until then, or until the next collection of garbage finds it."""
    try:
        stream.close()
    except (OSError, ValueError):
        pass


def _context() -> "Any":
    return tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(_MAX_FILE_BYTES)
