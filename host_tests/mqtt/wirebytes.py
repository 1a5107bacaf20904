"""Packets a broker sends, made for tests by hand and not with our own codec."""


def length(size):
    """Remaining length, the shortest form."""
    out = bytearray()
    while True:
        size, low = size >> 7, size & 127
        out.append(low | (0x80 if size else 0))
        if not size:
            return bytes(out)


def packet(first, body=b""):
    return bytes([first]) + length(len(body)) + body


def publish(topic, payload=b"", qos=0, packet_id=0, dup=0, retain=0):
    name = topic if isinstance(topic, bytes) else topic.encode()
    body = len(name).to_bytes(2, "big") + name + (packet_id.to_bytes(2, "big") if qos else b"") + payload
    return packet(0x30 | dup << 3 | qos << 1 | retain, body)


def puback(packet_id):
    return packet(0x40, packet_id.to_bytes(2, "big"))


CONNACK = packet(0x20, b"\x00\x00")
PINGRESP = packet(0xD0)
SUBACK = packet(0x90, b"\x00\x07\x01")
