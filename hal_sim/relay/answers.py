"""MQTT 3.1.1 packets that a server sends."""

PINGRESP = b"\xd0\x00"


def connack(code: int, session_present: bool = False) -> bytes:
    return bytes((0x20, 2, 1 if session_present and not code else 0, code))


def puback(identifier: int) -> bytes:
    return bytes((0x40, 2, identifier >> 8, identifier & 255))


def unsuback(identifier: int) -> bytes:
    return bytes((0xB0, 2, identifier >> 8, identifier & 255))


def suback(identifier: int, codes: list) -> bytes:
    return _packet(0x90, bytes((identifier >> 8, identifier & 255)) + bytes(codes))


def publish(topic: str, payload: bytes, identifier: int = 0, again: bool = False) -> bytes:
    """A publication with QoS 1, or 0 without an identifier."""
    name = topic.encode()
    head = bytes((len(name) >> 8, len(name) & 255)) + name
    if not identifier:
        return _packet(0x30, head + payload)
    return _packet(0x3A if again else 0x32, head + bytes((identifier >> 8, identifier & 255)) + payload)


def _packet(first: int, body: bytes) -> bytes:
    size = len(body)
    head = bytearray((first,))
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + body
