"""The client in real time against a real broker: `live.py JSON`. MicroPython only; a line of JSON for each thing told.

The argument: port, tls (folder of ca, cert and key, and what the server is called), id, keepalive, will, and `do`, the
name of what to do. Everything it is asked to show comes back on stdout: [what, ...].
"""

import json
import sys

sys.path.append(".")

import asyncio  # noqa: E402
import socket  # noqa: E402
import time  # noqa: E402

from drivers.mqtt import Mqtt  # noqa: E402


def tell(what: str, *args: object) -> None:
    sys.stdout.write(json.dumps([what] + list(args)) + "\n")


def _opened(asked: dict) -> tuple:
    """(stream, raw): TLS is handshaken by the first read and write of the client."""
    raw = socket.socket()
    raw.connect(socket.getaddrinfo("127.0.0.1", asked["port"])[0][-1])
    raw.setblocking(False)
    raw.setsockopt(6, 1, 1)  # TCP_NODELAY
    if asked.get("narrow"):
        raw.setsockopt(socket.SOL_SOCKET, 7, 8192)  # SO_SNDBUF: what is not taken blocks soon
    if not asked.get("tls"):
        return raw, raw
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    files = {}
    for name in ("ca", "cert", "key"):
        with open("%s/%s.der" % (asked["tls"], name), "rb") as file:
            files[name] = file.read()
    context.load_cert_chain(files["cert"], files["key"])
    context.load_verify_locations(files["ca"])
    context.verify_mode = tls.CERT_REQUIRED
    return context.wrap_socket(raw, server_hostname=asked["server"], do_handshake_on_connect=False), raw


def put(client: Mqtt, data: bytes) -> int:
    client.payload[:len(data)] = data
    return len(data)


async def sizes(client: Mqtt, asked: dict) -> None:
    """A message of each size at each QoS; the n-th byte of a message is (size + n) & 255."""
    for size in asked["sizes"]:
        for qos in (0, 1):
            data = bytes((size + index) & 255 for index in range(size))
            await client.publish("t/up/%d" % qos, put(client, data), qos)
    while client.in_flight:
        await asyncio.sleep_ms(5)


async def many(client: Mqtt, asked: dict) -> None:
    """asked["count"] messages of QoS 1 with the window full; every packet id answered once, in order."""
    wrong = most = 0
    answered = []

    def on_puback(number: int) -> None:
        answered.append(number)

    client.on_puback = on_puback
    expected = []
    length = put(client, b"{}")
    for _ in range(asked["count"]):
        expected.append(await client.publish("t/up/many", length, 1))
        most = max(most, client.in_flight)
        if len(answered) > 1000:
            wrong += answered != expected[:len(answered)]
            expected = expected[len(answered):]
            answered.clear()
    while client.in_flight:
        await asyncio.sleep_ms(5)
    wrong += answered != expected
    tell("many", {"wrong": wrong, "most": most, "strays": client.room.strays, "last": expected[-1]})


async def flow(client: Mqtt, asked: dict) -> None:
    """asked["count"] large messages of QoS 0, the number in front; how long the slowest of them took."""
    slowest = 0
    for number in range(asked["count"]):
        length = put(client, b"%06d" % number + bytes((number & 255,)) * 4602)
        began = time.ticks_ms()
        await client.publish("t/up/flow", length, 0)
        slowest = max(slowest, time.ticks_diff(time.ticks_ms(), began))
        if number % 20 == 0:
            tell("flows")
    tell("slowest", slowest)


async def listen(client: Mqtt, asked: dict) -> None:
    """Subscribe, and tell what comes until a message on t/stop."""
    stop = asyncio.Event()

    def on_message(topic: str, payload: memoryview) -> None:
        if topic == "t/stop":
            stop.set()
        else:
            tell("message", topic, bytes(payload).decode())

    client.on_message = on_message
    await client.subscribe("t/#", 1, 5000)
    tell("subscribed")
    await stop.wait()


async def wait(client: Mqtt, asked: dict) -> None:
    """Until it is over."""
    while client.error is None:
        await asyncio.sleep_ms(20)


async def run(client: Mqtt) -> None:
    try:
        await client.run()
    except Exception as error:  # noqa: BLE001
        tell("over", type(error).__name__, str(error))


async def main(asked: dict) -> None:
    stream, raw = _opened(asked)
    client = Mqtt(stream, raw, time.ticks_ms)
    try:
        await client.connect(asked["id"], "t/will", b"lost", asked.get("keepalive", 20), 10000)
    except Exception as error:  # noqa: BLE001
        tell("refused", type(error).__name__, str(error), getattr(error, "code", None))
        client.close()
        return
    tell("connected")
    task = asyncio.create_task(run(client))
    await globals()[asked["do"]](client, asked)
    if client.error is None:
        await client.disconnect(5000)
    await task
    client.close()
    tell("end", {"strays": client.room.strays, "faults": client.room.faults, "refusals": client.room.refusals})


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
