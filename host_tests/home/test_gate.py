"""The gate between gateway and broker: passes, waits for a relay, cuts and turns away."""

import asyncio
import contextlib

import pytest

from tools.home.gate import HOST, Gate

LIMIT_S = 10


class Far:
    """Stands where the broker is: says back what it hears."""

    def __init__(self) -> None:
        self.connections = 0

    async def __aenter__(self) -> "Far":
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error) -> None:
        self._server.close()

    async def _serve(self, reader, writer) -> None:
        self.connections += 1
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                writer.write(data)
                await writer.drain()
        writer.close()


def run(story) -> None:
    """story(gate, far)."""

    async def main() -> None:
        gate = Gate()
        await gate.listen()
        try:
            async with Far() as far:
                await asyncio.wait_for(story(gate, far), LIMIT_S)
                await gate.close()
        finally:
            await gate.close()

    asyncio.run(main())


async def said_back(streams, word: bytes) -> bool:
    """Whether what is said comes back; False: the connection is gone."""
    reader, writer = streams
    try:
        writer.write(word)
        await writer.drain()
        return await reader.readexactly(len(word)) == word
    except (OSError, asyncio.IncompleteReadError):
        return False


async def ended(streams) -> bool:
    with contextlib.suppress(OSError):
        return await streams[0].read(1) == b""
    return True


def test_what_is_said_passes_both_ways():
    async def story(gate, far) -> None:
        gate.lead(far.port)
        near = await asyncio.open_connection(HOST, gate.port)
        assert await said_back(near, b"x" * 100_000)
        near[1].close()

    run(story)


def test_before_the_relay_listens_nobody_reaches_the_broker_and_then_who_waited_does():
    async def story(gate, far) -> None:
        near = await asyncio.open_connection(HOST, gate.port)
        near[1].write(b"early")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(near[0].read(1), 0.3)
        assert far.connections == 0
        gate.lead(far.port)
        assert await near[0].readexactly(5) == b"early"
        near[1].close()

    run(story)


def test_shut_it_cuts_what_is_connected_and_turns_away_what_comes():
    async def story(gate, far) -> None:
        gate.lead(far.port)
        old = await asyncio.open_connection(HOST, gate.port)
        assert await said_back(old, b"up")
        gate.switch(False)
        assert not gate.is_open and await ended(old)
        assert not await said_back(await asyncio.open_connection(HOST, gate.port), b"let me in")
        assert far.connections == 1
        gate.switch(True)
        new = await asyncio.open_connection(HOST, gate.port)
        assert await said_back(new, b"again")
        new[1].close()

    run(story)


def test_a_relay_that_is_gone_cuts_the_gateway_off():
    async def story(gate, far) -> None:
        gate.lead(far.port)
        near = await asyncio.open_connection(HOST, gate.port)
        assert await said_back(near, b"up")
        gate.lead(None)
        assert await ended(near)

    run(story)


def test_a_broker_that_is_not_there_ends_the_connection():
    async def story(gate, far) -> None:
        async with Far() as gone:
            port = gone.port
        gate.lead(port)
        assert await ended(await asyncio.open_connection(HOST, gate.port))

    run(story)


def test_the_last_words_of_a_broker_that_closes_arrive():
    async def story(gate, far) -> None:
        async def refuse(_reader, writer) -> None:
            writer.write(b"no" * 20_000)
            writer.close()

        server = await asyncio.start_server(refuse, HOST, 0)
        gate.lead(server.sockets[0].getsockname()[1])
        reader, writer = await asyncio.open_connection(HOST, gate.port)
        assert await reader.read() == b"no" * 20_000
        writer.close()
        server.close()

    run(story)
