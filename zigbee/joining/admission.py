"""Who may be let in: the install codes that were entered, and who has been refused of late.

Owns both lists, each bounded. Must never log a code or a key.
"""

from micropython import const

from zigbee import frames
from zigbee.devices import wire_of
from zigbee.joining import install_code
from zigbee.link import Link, LinkError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_CODES = const(40)
_KEY = b"\x02"  # what follows is the key, not the code: the coprocessor takes codes of 16 bytes only
_REFUSED = const(16)
_REFUSED_MS = const(600_000)


class Codes:
    """Install codes by the device's address; tell() brings them to the coprocessor, which forgets them at a restart."""

    def __init__(self, link: Link, log: "Any") -> None:
        self._link = link
        self._log = log
        self._keys: dict = {}
        self._told: list = []

    def add(self, ieee: str, code: str) -> None:
        """Keep the code as printed. ValueError says what is wrong with it, with the address, or that there are many."""
        wire = wire_of(ieee)
        if wire not in self._keys and len(self._keys) >= _CODES:
            raise ValueError("install code: %d are waiting already" % _CODES)
        self._keys[wire] = install_code.key_of(code)
        if wire in self._told:
            self._told.remove(wire)

    def has(self, wire: bytes) -> bool:
        """Whether there is a code for the device."""
        return wire in self._keys

    def used(self, wire: bytes) -> None:
        """The device is in: its code is not needed any more."""
        self._keys.pop(wire, None)

    def forgotten(self) -> None:
        """The coprocessor restarted."""
        self._told.clear()

    async def tell(self, required: bool) -> bool:
        """Tell the coprocessor the codes it does not have yet, and whether nobody joins without. LinkError: no answer.

        False: it does not make them a condition although it was asked to; then it must not be opened.
        """
        for wire in sorted(self._keys):
            if wire in self._told:
                continue
            answer = await self._link.request(frames.APP_CNF_BDB_ADD_INSTALLCODE, _KEY + wire + self._keys[wire])
            if answer[0]:
                self._log.error("zigbee: the coprocessor refused an install code, status %d" % answer[0])
            self._told.append(wire)
        await self._spare_old()
        try:
            answer = await self._link.request(frames.APP_CNF_BDB_SET_JOINUSESINSTALLCODEKEY, bytes((required,)))
        except LinkError:
            if required:
                raise
            return True  # it does not know the condition, so it has none
        if answer[0] and required:
            self._log.error("zigbee: the coprocessor does not ask for install codes, status %d" % answer[0])
        return not (answer[0] and required)

    async def _spare_old(self) -> None:
        """Sensors from before Zigbee 3.0 never ask for a link key of their own: unless told, the coprocessor has them
        leave after 15 s (bdbTrustCenterRequireKeyExchange).
        """
        try:
            await self._link.request(frames.APP_CNF_BDB_SET_TC_REQUIRE_KEY_EXCHANGE, bytes(1))
        except LinkError:
            pass  # a firmware that does not know the condition has none


class Refused:
    """Who was refused and told of: each address and reason once in ten minutes."""

    def __init__(self, clock: "Any") -> None:
        self._clock = clock
        self._seen: dict = {}

    def is_new(self, ieee: str, reason: str) -> bool:
        """Whether it has to be told; then it is remembered."""
        now = self._clock.ms()
        key = ieee + reason
        if now - self._seen.get(key, now - _REFUSED_MS) < _REFUSED_MS:
            return False
        if len(self._seen) >= _REFUSED and key not in self._seen:
            del self._seen[min(self._seen, key=lambda one: self._seen[one])]
        self._seen[key] = now
        return True
