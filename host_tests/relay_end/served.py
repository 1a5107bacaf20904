"""The simulator's broker and relay on a TCP port of 127.0.0.1, in real time, with TLS: for other people's clients."""

import asyncio
import ssl
import threading
import time

from hal_sim.relay.broker import Broker
from hal_sim.relay.names import common_name
from hal_sim.relay.relay import Relay
from hal_sim.sched import Scheduler


class Served:
    """with Served(lab) as served: served.port. `lines`: what the relay emitted. `named`: topics are those of a name."""

    def __init__(self, lab, named: bool = False) -> None:
        self._lab = lab
        self._named = named
        self.lines: list = []
        self.port = 0
        self.sched = Scheduler()
        self.broker = Broker(self.sched, lambda user, topic, payload: self.relay.heard(user, topic, payload))
        self.relay = Relay(self.sched, self._emit, self.broker.publish, lambda: int(time.time() * 1000))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._begin = time.monotonic()
        self._timer = None
        self._stop = None

    def _emit(self, what: str, **fields) -> None:
        self.lines.append((what, fields))

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_error) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def call(self, function, *args):
        """In the server's thread; its result."""

        async def run():
            try:
                return function(*args)
            finally:
                self._tick()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def wait_for(self, found, limit_s: float = 15):
        """What found() says once it is true."""
        deadline = time.monotonic() + limit_s
        while not (what := self.call(found)):
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.005)
        return what

    # ------------------------------------------------------------------ the server's thread
    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._lab.server / "cert.pem", self._lab.server / "key.pem")
        context.load_verify_locations(self._lab.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        self.broker.stop()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _client(self, reader, writer) -> None:
        der = writer.get_extra_info("ssl_object").getpeercert(True)
        user = common_name(der) if self._named else None
        connection = self.broker.connect(writer.write, writer.close, user)
        try:
            while data := await reader.read(4096):
                self._tick()
                connection.feed(data)
                self._tick()
        except (ConnectionError, ssl.SSLError):
            pass  # it is gone
        finally:
            connection.lost()
            self._tick()
            writer.transport.abort()

    def _tick(self) -> None:
        """The world's time is the real one."""
        self.sched.run_until(int((time.monotonic() - self._begin) * 1000))
        if self._timer is not None:
            self._timer.cancel()
        due = self.sched.next_ms()
        self._timer = None if due is None else self._loop.call_later(
            max(0.001, due / 1000 - (time.monotonic() - self._begin)), self._tick)
