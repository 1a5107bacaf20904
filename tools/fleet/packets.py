"""MQTT 3.1.1: the packets that a gateway sends, as bytes, and those of a broker, from bytes. Pure.

Only what docs/relay-protocol.md needs: a clean session, a will, QoS 0 and 1. Source: OASIS MQTT Version 3.1.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
LARGEST = 16384  # bytes of a packet; what a relay says is 1,024 at most
REFUSALS = ("", "protocol version", "client id", "server unavailable", "bad user name or password", "not authorised")


class Broken(Exception):
    """The broker breaks the rules: how."""


def connect(client_id: str, will_topic: str, will: bytes, keepalive_s: int) -> bytes:
    head = b"\x00\x04MQTT\x04\x0e" + struct.pack(">H", keepalive_s)  # clean session; will with QoS 1, not retained
    return _packet(0x10, head + _field(client_id.encode()) + _field(will_topic.encode()) + _field(will))


def subscribe(packet: int, topic: str) -> bytes:
    """With QoS 1."""
    return _packet(0x82, struct.pack(">H", packet) + _field(topic.encode()) + b"\x01")


def publish(topic: str, payload: bytes, packet: int = 0) -> bytes:
    """packet: its number, of QoS 1; 0: QoS 0."""
    number = struct.pack(">H", packet) if packet else b""
    return _packet(0x32 if packet else 0x30, _field(topic.encode()) + number + payload)


def puback(packet: int) -> bytes:
    return struct.pack(">BBH", 0x40, 2, packet)


class Reader:
    """Bytes in any pieces to whole packets."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Kind, flags and body of each packet that is whole now. Raises Broken."""
        self._kept += data
        while (found := _whole(self._kept)) is not None:
            start, end = found
            first, body = self._kept[0], self._kept[start:end]
            self._kept = self._kept[end:]
            yield first >> 4, first & 15, body


def _whole(data: bytes) -> tuple[int, int] | None:
    """Where the body of the first packet begins and ends, when all of it is there. Raises Broken."""
    length = 0
    for index, byte in enumerate(data[1:5]):
        length |= (byte & 127) << 7 * index
        if byte < 128:
            end = index + 2 + length
            if end > LARGEST:
                raise Broken(f"a packet of {end} bytes")
            return (index + 2, end) if len(data) >= end else None
    if len(data) >= 5:
        raise Broken("a length of more than 4 bytes")
    return None


def number(body: bytes) -> int:
    """The packet number at its begin. Raises Broken."""
    if len(body) < 2:
        raise Broken("a packet without its number")
    return int.from_bytes(body[:2], "big")


def message(flags: int, body: bytes) -> tuple[str, int, bytes]:
    """Topic, packet number (0: QoS 0) and payload. Raises Broken."""
    start = 2 + number(body)
    end = start + (2 if flags & 6 else 0)
    if flags & 4 or end > len(body):
        raise Broken("a message that is none")
    try:
        topic = body[2:start].decode()
    except UnicodeDecodeError:
        raise Broken("a topic that is no text") from None
    return topic, number(body[start:]) if flags & 6 else 0, body[end:]


def _field(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def _packet(first: int, body: bytes) -> bytes:
    length, rest = [], len(body)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    return bytes((first, *length, rest)) + body
