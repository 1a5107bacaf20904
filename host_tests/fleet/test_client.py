"""The fleet's connection against a broker that is silent, refuses, breaks the rules or goes away."""

import asyncio

import pytest

from tools.fleet import client, packets
from tools.fleet.client import Connection, Ended

WILL = "gw/FL-1/up/link", b'{"link":"lost"}'
ACCEPTED = b"\x20\x02\x00\x00"


class Broker:
    """Says what the test wants, in plain TCP; keeps what it heard."""

    def __init__(self, *answers: bytes, then_close: bool = False) -> None:
        self._answers = list(answers)
        self._then_close = then_close
        self.heard: list = []

    async def __aenter__(self) -> "Broker":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        incoming = packets.Reader()
        while data := await reader.read(4096):
            for kind, _, body in incoming.feed(data):
                self.heard.append((kind, body))
                if self._answers:
                    writer.write(self._answers.pop(0))
                if not self._answers and self._then_close:
                    writer.close()
                    return
        writer.close()


def run(work):
    asyncio.run(asyncio.wait_for(work(), 30))


def connection(messages=None, news=None) -> Connection:
    return Connection(lambda topic, payload: messages.append((topic, payload)), news or (lambda: None))


async def open_to(broker: Broker, link: Connection) -> None:
    await link.open("127.0.0.1", broker.port, None, "FL-1", WILL, 25)


def test_from_the_first_byte_to_the_last():
    async def work():
        messages: list = []
        down = packets.publish("gw/FL-1/down/ack", b"{}", 9)
        async with Broker(ACCEPTED, b"\x90\x03\x00\x01\x01", b"\x40\x02\x00\x02" + down) as broker:
            link = connection(messages)
            await open_to(broker, link)
            await link.subscribe("gw/FL-1/down/+")
            await link.publish_and_wait("gw/FL-1/up/link", b"{}")
            link.publish("gw/FL-1/up/beat", b"[]")
            while len(broker.heard) < 5:
                await asyncio.sleep(0.005)
            link.close(politely=True)
            while len(broker.heard) < 6:
                await asyncio.sleep(0.005)
            assert messages == [("gw/FL-1/down/ack", b"{}")]
            assert [kind for kind, _ in broker.heard] == [1, 8, 3, 4, 3, 14]
            with pytest.raises(Ended, match="left"):
                link.publish("gw/FL-1/up/beat", b"")

    run(work)


@pytest.mark.parametrize("answer,why", [
    (b"\x20\x02\x00\x05", "refused: not authorised"), (b"\x20\x02\x00\x77", "refused: by an answer that is none"),
    (b"\x50\x00", "broken: a packet of kind 5"),
    (b"\x30\xff\xff\xff\xff\x7f", "broken: a length"),
])
def test_a_broker_that_refuses_or_breaks_the_rules(answer, why, monkeypatch):
    monkeypatch.setattr(client, "LIMIT_S", 0.5)

    async def work():
        async with Broker(answer) as broker:
            link = connection()
            with pytest.raises(Ended, match=why):
                await open_to(broker, link)
            link.close()

    run(work)


@pytest.mark.fault(66)
def test_a_broker_that_never_answers(monkeypatch):
    monkeypatch.setattr(client, "LIMIT_S", 0.2)

    async def work():
        async with Broker() as broker:
            link = connection()
            with pytest.raises(Ended, match=r"no answer in 0\.2 s"):
                await open_to(broker, link)
            link.close()

    run(work)


def test_nobody_listens():
    async def work():
        async with Broker() as broker:
            port = broker.port
        with pytest.raises(Ended, match="Connection refused"):
            await connection().open("127.0.0.1", port, None, "FL-1", WILL, 25)

    run(work)


def test_a_broker_that_goes_away_is_told_at_once_to_who_waits():
    async def work():
        news = asyncio.Event()
        async with Broker(ACCEPTED, b"", then_close=True) as broker:
            link = connection(news=news.set)
            await open_to(broker, link)
            with pytest.raises(Ended, match="closed by the broker|reset"):
                await link.publish_and_wait("gw/FL-1/up/link", b"{}")
            assert news.is_set() and link.error is not None

    run(work)


@pytest.mark.fault(67)
def test_a_connection_that_is_dead_is_found_by_its_ping(monkeypatch):
    monkeypatch.setattr(client, "PONG_S", 0.3)
    monkeypatch.setattr(client, "_PING_SHARE", 0.01)

    async def work():
        async with Broker(ACCEPTED, b"\xd0\x00") as broker:  # answers one ping, then none
            link = connection()
            await open_to(broker, link)
            while link.error is None:
                await asyncio.sleep(0.01)
            assert str(link.error) == "nothing heard in 0.3 s after a ping"
            assert [kind for kind, _ in broker.heard] == [1, 12, 12]

    run(work)
