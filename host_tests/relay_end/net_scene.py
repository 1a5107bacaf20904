"""A gateway's end of the simulated internet: virtual time, broker and relay, and a client that speaks by hand.

MicroPython only. Everything that happens is a line of JSON on stdout: [ms, what, ...].
"""

import gc
import json
import sys

sys.path.append(".")

from hal_sim import vtime  # noqa: E402
from hal_sim.bus.net import SimNet  # noqa: E402
from hal_sim.relay.site import Site  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402

sched = Scheduler()
kernel = vtime.install(sched)

import asyncio  # noqa: E402

import tls  # noqa: E402

EPOCH_MS = 1772323200000
HOST, PORT = "relay.lab", 8883
POLL, RD, WR = 3, 1, 4


def tell(what: str, *args: object) -> None:
    print(json.dumps([sched.now_ms, what] + list(args)))


def emit(what: str, **fields: object) -> None:
    tell(what, fields)


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


class Scene:
    """net and site; lab: folder with ca.der, cert.der, key.der and server/."""

    def __init__(self, lab: str, gateway: str = "GW-000000") -> None:
        self.net = SimNet(sched)
        self.lab = lab
        self.site = Site(self.net, emit, lab, EPOCH_MS, gateway)
        self.site.listen(HOST, PORT)

    async def address(self) -> object:
        told = []
        self.net.resolve(HOST, PORT, told.append)
        while not told:
            await asyncio.sleep_ms(1)
        return told[0][0] if told[0] else None

    def context(self, cert: str = "") -> object:
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(read((cert or self.lab) + "/cert.der"), read((cert or self.lab) + "/key.der"))
        context.load_verify_locations(read(self.lab + "/ca.der"))
        context.verify_mode = tls.CERT_REQUIRED
        return context

    async def secure(self, name: str = HOST, cert: str = "") -> "Client":
        socket = self.net.open(await self.address())
        await ready(socket, WR)
        context = self.context(cert)
        gc.collect()
        stream = context.wrap_socket(socket, server_hostname=name, do_handshake_on_connect=False)
        return Client(socket, stream)


async def ready(socket: object, what: int) -> None:
    while not socket.ioctl(POLL, what):
        await asyncio.sleep_ms(1)


class Client:
    """Bytes over TLS, packets by hand."""

    def __init__(self, socket: object, stream: object) -> None:
        self.socket = socket
        self.stream = stream
        self.held = b""

    async def send(self, data: bytes) -> None:
        while data:
            count = self.stream.write(data)
            if count is None:
                await asyncio.sleep_ms(1)
            else:
                data = data[count:]

    async def packet(self, limit_ms: int = 5000) -> object:
        """(first byte, body) of the next packet; "closed"; None when nothing came."""
        buf = bytearray(512)
        end = sched.now_ms + limit_ms
        while True:
            start, size = whole(self.held)
            if size and len(self.held) >= start + size or start and not size:
                break
            count = self.stream.readinto(buf)
            if count == 0:
                return "closed"
            if count:
                self.held += buf[:count]
            elif sched.now_ms >= end:
                return None
            else:
                await asyncio.sleep_ms(1)
        found, self.held = self.held[: start + size], self.held[start + size :]
        return found[0], found[start:]


def whole(held: bytes) -> tuple:
    """(where the body begins, its size) of the packet that begins here, as far as it is there."""
    if len(held) < 2 or held[1] >= 128 and len(held) < 3:
        return 0, 0
    return (2, held[1]) if held[1] < 128 else (3, held[1] & 127 | held[2] << 7)


def text(value: str) -> bytes:
    return bytes((len(value) >> 8, len(value) & 255)) + value.encode()


def packet(first: int, body: bytes) -> bytes:
    size = len(body)
    return bytes((first,)) + (bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))) + body


def connect(client: str = "GW-000000", keep_s: int = 30, will: object = None) -> bytes:
    flags = 2 | (0x0C if will else 0)
    rest = text("gw/%s/up/link" % client) + text(json.dumps(will)) if will else b""
    return packet(0x10, text("MQTT") + bytes((4, flags, keep_s >> 8, keep_s & 255)) + text(client) + rest)


def subscribe(pattern: str, number: int = 1) -> bytes:
    return packet(0x82, bytes((number >> 8, number & 255)) + text(pattern) + b"\x01")


def publish(topic: str, message: object, number: int = 0) -> bytes:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    head = text(topic) + (bytes((number >> 8, number & 255)) if number else b"")
    return packet(0x32 if number else 0x30, head + payload)


def record(seq: int, boot: int = 1, **fields: object) -> dict:
    return dict({"boot": boot, "seq": seq, "kind": "event", "event": "x.y"}, **fields)
