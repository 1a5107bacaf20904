"""MQTT 3.1.1 packets (OASIS standard of 29 October 2014), as a server reads them.

Owns the bytes. No connection, no time. What no client may send raises BadPacket; what one may send but this server does
not do (QoS 2) too.
"""

from hal_sim.relay.topics import is_filter, is_topic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONNECT = 1
PUBLISH = 3
PUBACK = 4
SUBSCRIBE = 8
UNSUBSCRIBE = 10
PINGREQ = 12
DISCONNECT = 14
MOST = 8192  # bytes of a packet's body

_FLAGS = {CONNECT: 0, PUBACK: 0, SUBSCRIBE: 2, UNSUBSCRIBE: 2, PINGREQ: 0, DISCONNECT: 0}


class BadPacket(Exception):
    """args[0]: what is wrong with it."""


class Reader:
    """Bytes in, packets out: feed(), then next() until it is None."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._at = 0

    def feed(self, data: "Any") -> None:
        if self._at:
            self._held = self._held[self._at :]
            self._at = 0
        self._held.extend(data)

    def next(self) -> "tuple | None":
        """(type, flags, body) of the next whole packet, or None. Raises BadPacket."""
        held, at = self._held, self._at
        if len(held) - at < 2:
            return None
        kind, flags = held[at] >> 4, held[at] & 15
        if kind != PUBLISH and _FLAGS.get(kind) != flags:
            raise BadPacket("packet type %d with flags %d" % (kind, flags))
        size = 0
        for index in range(4):
            if at + 1 + index >= len(held):
                return None
            byte = held[at + 1 + index]
            size |= (byte & 127) << 7 * index
            if byte < 128:
                break
        else:
            raise BadPacket("a length of more than 4 bytes")
        if size > MOST:
            raise BadPacket("a packet of %d bytes" % size)
        start = at + 2 + index
        if len(held) - start < size:
            return None
        self._at = start + size
        return kind, flags, bytes(held[start : start + size])


class Fields:
    """Reads a packet's body from the front. Raises BadPacket when it is too short, or not what it should be."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        data = self._body[self._at : self._at + count]
        if len(data) < count:
            raise BadPacket("too short")
        self._at += count
        return data

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        data = self.take(2)
        return data[0] << 8 | data[1]

    def identifier(self) -> int:
        value = self.number()
        if not value:
            raise BadPacket("packet identifier 0")
        return value

    def blob(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            text = self.blob().decode()
        except UnicodeError:
            raise BadPacket("not UTF-8") from None
        if "\x00" in text:
            raise BadPacket("a text with U+0000")
        return text

    def rest(self) -> bytes:
        return self.take(len(self._body) - self._at)

    def more(self) -> bool:
        return self._at < len(self._body)

    def end(self) -> None:
        if self.more():
            raise BadPacket("too long")


class Connect:
    """What a CONNECT asks for. Raises BadPacket. `level` other than 4: nothing else of it is read."""

    def __init__(self, body: bytes) -> None:
        fields = Fields(body)
        if fields.text() not in ("MQTT", "MQIsdp"):
            raise BadPacket("another protocol")
        self.level = fields.byte()
        if self.level != 4:
            return
        flags = fields.byte()
        self.clean = bool(flags & 2)
        self.keep_alive_s = fields.number()
        self.client = fields.text()
        self.will = _will(flags, fields)
        if flags & 0x80:
            fields.text()  # user name and password: the certificate says who it is
        if flags & 0x40:
            fields.blob()
        fields.end()
        if flags & 1 or flags & 0xC0 == 0x40:
            raise BadPacket("flags of CONNECT")


def _will(flags: int, fields: Fields) -> "tuple | None":
    """(topic, payload, QoS) or None."""
    qos = flags >> 3 & 3
    if not flags & 4:
        if flags & 0x38:
            raise BadPacket("flags of a will without a will")
        return None
    topic = fields.text()
    if qos > 1 or not is_topic(topic):
        raise BadPacket("a will with this topic or QoS")
    return topic, fields.blob(), qos


def read_publish(flags: int, body: bytes) -> tuple:
    """(topic, payload, QoS, packet identifier or 0). Raises BadPacket."""
    qos = flags >> 1 & 3
    fields = Fields(body)
    topic = fields.text()
    if qos > 1 or flags & 8 and not qos or not is_topic(topic):
        raise BadPacket("a publication with this topic or QoS")
    identifier = fields.identifier() if qos else 0
    return topic, fields.rest(), qos, identifier


def read_identifier(body: bytes) -> int:
    """The packet identifier that is all of it (PUBACK). Raises BadPacket."""
    fields = Fields(body)
    value = fields.identifier()
    fields.end()
    return value


def read_filters(body: bytes, with_qos: bool) -> tuple:
    """(packet identifier, list of filters or of (filter, QoS)) of SUBSCRIBE or UNSUBSCRIBE. Raises BadPacket."""
    fields = Fields(body)
    identifier = fields.identifier()
    found: list = []
    while fields.more() or not found:
        text = fields.text()
        if not is_filter(text):
            raise BadPacket("no topic filter")
        qos = fields.byte() if with_qos else 0
        if qos > 2:
            raise BadPacket("a QoS of %d" % qos)
        found.append((text, qos) if with_qos else text)
    return identifier, found
