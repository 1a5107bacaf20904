"""MQTT 3.1.1: the packets a client sends, as bytes.

Owns nothing. Must never wait, do I/O, or make a packet the standard does not allow: what cannot be said is a
ValueError. QoS 2, retained messages, user names and sessions that outlive a connection are not spoken.
Source: OASIS MQTT Version 3.1.1, sections 2 and 3; clauses in brackets are its numbers.
"""

from micropython import const

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
HEAD_BYTES = const(128)  # room in front of a payload: fixed header 5, topic and its length, packet id 2
TOPIC_BYTES = const(119)
PUBACK_BYTES = const(4)
LENGTH_BYTES = const(4)  # of a remaining length, at most [2.2.3]


def connect(client_id: str, will_topic: str, will_payload: bytes, keepalive_s: int) -> bytearray:
    """CONNECT with a clean session and a will of QoS 1 that is not retained; no will when its topic is empty.

    keepalive_s: 1 to 65,535 s. ValueError for what cannot be said.
    """
    if not 1 <= keepalive_s <= 65535:
        raise ValueError("keep-alive of %d s" % keepalive_s)
    flags = 0x02 | (0x0C if will_topic else 0)
    body = bytearray(b"\x00\x04MQTT\x04\x00\x00\x00")
    body[7] = flags
    body[8] = keepalive_s >> 8
    body[9] = keepalive_s & 255
    body += _field(client_id.encode())
    if will_topic:
        body += _field(_topic(will_topic)) + _field(will_payload)
    return _packet(0x10, body)


def subscribe(packet_id: int, topic: str, qos: int) -> bytearray:
    """SUBSCRIBE to one filter."""
    body = bytearray((packet_id >> 8, packet_id & 255))
    body += _field(_topic(topic, "\0"))
    body.append(qos)
    return _packet(0x82, body)


def publish_into(buf: bytearray, topic: str, length: int, qos: int, packet_id: int) -> int:
    """Put the header of a PUBLISH in front of its payload, which lies at buf[HEAD_BYTES:][:length].

    Returns where the packet begins; it ends at HEAD_BYTES + length. ValueError for a topic that does not fit.
    """
    name = _topic(topic)
    size = len(name)
    at = HEAD_BYTES
    if qos:
        at -= 2
        buf[at] = packet_id >> 8
        buf[at + 1] = packet_id & 255
    at -= size
    buf[at:at + size] = name
    at -= 2
    buf[at] = 0
    buf[at + 1] = size
    remaining = HEAD_BYTES - at + length
    at -= length_bytes(remaining) + 1
    buf[at] = 0x30 | qos << 1
    put_length(buf, at + 1, remaining)
    return at


def puback_into(buf: bytearray, at: int, packet_id: int) -> None:
    """Write a PUBACK of PUBACK_BYTES at `at`."""
    buf[at] = 0x40
    buf[at + 1] = 2
    buf[at + 2] = packet_id >> 8
    buf[at + 3] = packet_id & 255


def length_bytes(remaining: int) -> int:
    """How many bytes a remaining length takes [2.2.3]. ValueError for more than 268,435,455."""
    for count in range(1, LENGTH_BYTES + 1):
        if remaining < 1 << 7 * count:
            return count
    raise ValueError("a packet of %d bytes" % remaining)


def put_length(buf: bytearray, at: int, remaining: int) -> None:
    """Write a remaining length at `at`."""
    while remaining > 127:
        buf[at] = remaining & 127 | 128
        remaining >>= 7
        at += 1
    buf[at] = remaining


def _topic(topic: str, unfit: str = "+#\0") -> bytes:
    data = topic.encode()
    if not data or len(data) > TOPIC_BYTES:
        raise ValueError("a topic of %d bytes" % len(data))
    for each in unfit:
        if each in topic:
            raise ValueError("topic %s" % topic)
    return data


def _field(data: bytes) -> bytes:
    if len(data) > 65535:
        raise ValueError("a field of %d bytes" % len(data))
    return bytes((len(data) >> 8, len(data) & 255)) + data


def _packet(first: int, body: bytearray) -> bytearray:
    size = length_bytes(len(body))
    packet = bytearray(1 + size)
    packet[0] = first
    put_length(packet, 1, len(body))
    return packet + body
