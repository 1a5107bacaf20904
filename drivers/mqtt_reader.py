"""MQTT 3.1.1: bytes into the packets a broker may send to this client, and what they say.

Owns one buffer of a fixed size. Must never wait, do I/O, keep more than that buffer, or give out a packet that breaks
the rules for its kind: whatever does raises ProtocolError, and nothing else is ever raised for what arrives.
Remaining lengths longer than they need be are taken: 3.1.1 does not forbid them. Clauses in brackets: see mqtt_codec.
"""

from micropython import const

from drivers.mqtt_codec import LENGTH_BYTES

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

CONNACK = const(2)
PUBLISH = const(3)
PUBACK = const(4)
SUBACK = const(9)
PINGRESP = const(13)
BODY_BYTES = const(1536)  # a command is 1,024 at most, and its topic
_REFUSED = const(0x80)  # in a SUBACK


class ProtocolError(Exception):
    """The other end broke the rules of MQTT, or sent more than we take; the text says what."""


class Reader:
    """Bytes in any pieces, one whole packet at a time; keeps at most `limit` bytes of its body.

    feed() until `kind` is not 0; then `kind`, `flags` and `body` are the packet, lent until next(). After a
    ProtocolError there is nothing more to be had from this connection.
    """

    def __init__(self, limit: int = BODY_BYTES) -> None:
        self._view = memoryview(bytearray(limit))
        self._limit = limit
        self.next()

    def next(self) -> None:
        """The packet was dealt with; or: a new connection begins."""
        self.kind = 0
        self.flags = 0
        self._first = -1
        self._shift = 0
        self._size = -1  # of the body, once the header is whole
        self._length = 0
        self._used = 0

    @property
    def body(self) -> memoryview:
        """What follows the fixed header."""
        return self._view[:self._size]

    @property
    def held(self) -> int:
        """Bytes of the body that are kept."""
        return self._used

    def feed(self, data: memoryview) -> int:
        """Take bytes up to the end of one packet; returns how many. ProtocolError for what no client may accept."""
        at = 0
        end = len(data)
        while self._size < 0 and at < end:
            self._header(data[at])
            at += 1
        if self._size >= 0 and not self.kind:
            count = min(end - at, self._size - self._used)
            if count:
                self._view[self._used:self._used + count] = data[at:at + count]
                self._used += count
                at += count
            if self._used == self._size:
                self.kind = self._first >> 4
                self.flags = self._first & 15
        return at

    def _header(self, byte: int) -> None:
        if self._first < 0:
            _check_first(byte)
            self._first = byte
            return
        self._length |= (byte & 127) << self._shift
        self._shift += 7
        if byte & 128:
            if self._shift == 7 * LENGTH_BYTES:
                raise ProtocolError("remaining length has more than 4 bytes")
            return
        _check_length(self._first, self._length)
        if self._length > self._limit:
            raise ProtocolError("a packet of %d bytes, more than %d" % (self._length, self._limit))
        self._size = self._length


def _check_first(byte: int) -> None:
    """Kind and flags that a broker may send to this client."""
    kind = byte >> 4
    if kind == PUBLISH:
        if byte & 6 == 0 and byte & 8:
            raise ProtocolError("a repeat of QoS 0")
        if byte & 4:
            raise ProtocolError("a message of QoS %d" % (byte >> 1 & 3))
    elif kind not in (CONNACK, PUBACK, SUBACK, PINGRESP):
        raise ProtocolError("a packet of kind %d" % kind)
    elif byte & 15:
        raise ProtocolError("kind %d with flags %d" % (kind, byte & 15))


def _check_length(first: int, length: int) -> None:
    kind = first >> 4
    if kind == PUBLISH:
        good = length >= (5 if first & 6 else 3)
    elif kind == PINGRESP:
        good = length == 0
    elif kind == SUBACK:
        good = length == 3  # we subscribe to one filter at a time
    else:
        good = length == 2
    if not good:
        raise ProtocolError("kind %d of %d bytes" % (kind, length))


def connack(body: memoryview) -> int:
    """Return code of a CONNACK: 0 accepted, 1 to 5 refused [3.2.2.3]."""
    if body[0] or body[1] > 5:  # a clean session is never there already [3.2.2.2]
        raise ProtocolError("CONNACK %02x%02x" % (body[0], body[1]))
    return body[1]


def packet_id(body: memoryview, at: int = 0) -> int:
    """The packet id at `at`; 0 is none."""
    number = body[at] << 8 | body[at + 1]
    if not number:
        raise ProtocolError("packet id 0")
    return number


def suback(body: memoryview, wanted: int, qos: int) -> bool:
    """Whether the SUBSCRIBE `wanted` got the QoS it asked for. ProtocolError when it answers something else."""
    if packet_id(body) != wanted:
        raise ProtocolError("SUBACK for %d instead of %d" % (packet_id(body), wanted))
    if body[2] not in (0, 1, 2, _REFUSED) or (body[2] != _REFUSED and body[2] > qos):
        raise ProtocolError("SUBACK %02x" % body[2])
    return body[2] == qos


def message(flags: int, body: memoryview) -> "tuple[str, int, memoryview]":
    """Topic, packet id (0: QoS 0) and payload of a PUBLISH."""
    start = 2 + (body[0] << 8 | body[1])
    at = start + 2 if flags & 6 else start
    if start == 2 or at > len(body):
        raise ProtocolError("a topic of %d bytes" % (start - 2))
    name = body[2:start]
    if not well_formed(name):
        raise ProtocolError("a topic that is no text")
    topic = str(name, "utf-8")
    if "#" in topic or "+" in topic:
        raise ProtocolError("a topic with a wildcard")
    return topic, packet_id(body, start) if flags & 6 else 0, body[at:]


def well_formed(data: "Any") -> bool:
    """UTF-8 without NUL, surrogates and overlong forms [1.5.3]; MicroPython's own decoder lets the last two pass."""
    at = 0
    end = len(data)
    while at < end:
        more = _tail(data, at, end)
        if more < 0:
            return False
        at += 1 + more
    return True


def _tail(data: "Any", at: int, end: int) -> int:
    """How many bytes follow the one at `at` in its character; -1: it is none. Unicode 15, table 3-7."""
    lead = data[at]
    if lead < 0x80:
        return 0 if lead else -1
    if not 0xC2 <= lead <= 0xF4:
        return -1
    more = 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
    if at + more >= end:
        return -1
    low = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
    high = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
    if not low <= data[at + 1] <= high:
        return -1
    for index in range(at + 2, at + 1 + more):
        if data[index] & 0xC0 != 0x80:
            return -1
    return more
