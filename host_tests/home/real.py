"""A home with a real broker and the real relay: the process and all its children, a page's WebSocket, the database."""

import asyncio
import json
import os
import pathlib
import signal
import sqlite3
import time

from aiohttp import ClientSession, WSMsgType
from conftest import need
from home.conftest import free_port, start_home

from tools.relay import broker

LIMIT_S = 40  # for anything that should happen at once, on a busy machine
KINDS = {"mosquitto": (), "embedded": ("--embedded",)}


def need_broker(kind: str) -> None:
    need("micropython")
    if kind == "mosquitto" and broker.find() is None:
        need("mosquitto")


def family(pid: int) -> dict:
    """Every process that is a child of this one, or of its children: number -> command line."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if stat[0] != "Z":
                parents[int(entry.name)] = (int(stat[1]), words)
    found: dict = {}
    fresh = {pid}
    while fresh:
        fresh = {each for each, (parent, _) in parents.items() if parent in fresh and each not in found}
        found.update({each: parents[each][1] for each in fresh})
    return found


def running(pids) -> list:
    """Those that are not gone."""
    left = []
    for pid in pids:
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if state != "Z":
            left.append(pid)
    return left


def wait_gone(pids) -> None:
    end = time.monotonic() + LIMIT_S
    while left := running(pids):
        assert time.monotonic() < end, f"still there: {left}"
        time.sleep(0.05)


class Real:
    """`python -m tools.home` in a temporary folder of its own."""

    def __init__(self, folder: pathlib.Path, *options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.process = start_home(self.port, *options, env={"TMPDIR": str(folder)})

    @property
    def database(self) -> pathlib.Path:
        return next(self.folder.glob("simulated-home-*/relay.db"))

    def ask(self, sql: str, *values) -> list:
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5) as database:
            rows = database.execute(sql, values).fetchall()
        database.close()
        return rows

    def child(self, word: str) -> int:
        """The child with this word in its command line."""
        end = time.monotonic() + LIMIT_S
        while True:
            found = [pid for pid, words in family(self.process.pid).items() if word in words]
            if len(found) == 1:
                return found[0]
            assert time.monotonic() < end, f"{word}: {found}"
            time.sleep(0.05)

    def tell(self, story) -> None:
        """story(page) with a page open."""

        async def main() -> None:
            url = f"http://127.0.0.1:{self.port}/ws"
            async with ClientSession() as session, session.ws_connect(url, max_msg_size=1 << 24) as socket:
                await story(Page(socket))

        asyncio.run(main())

    def close(self) -> tuple:
        """Ctrl-C: exit status and what it said on stderr; all its children are gone, and its folder."""
        children = family(self.process.pid)
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=LIMIT_S)
        wait_gone(children)
        assert not list(self.folder.glob("simulated-home-*"))
        return self.process.returncode, err

    def kill(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.communicate()


class Page:
    """An open page: the timeline so far, and the account of the link as it was told last."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self.lines: list = []
        self.account: dict = {}
        self.refused: list = []
        self.pace = 1.0
        self.start = ""  # of the home, its local time

    async def ask(self, **message) -> None:
        await self.socket.send_json(message)

    async def step(self, do: str, **fields) -> None:
        await self.ask(step={"do": do, **fields})

    async def _next(self, until: float) -> None:
        message = await self.socket.receive(timeout=max(until - time.monotonic(), 0.01))
        assert message.type is WSMsgType.TEXT, message
        told = json.loads(message.data)
        if told["type"] == "hello":
            self.lines = []
            self.start = told["scenario"]["start"]
        self.lines += told.get("lines", told.get("history", []))
        self.account = told.get("account", self.account)
        self.pace = told.get("pace", self.pace)
        if told["type"] == "refused":
            self.refused.append(told["text"])

    async def until(self, wanted, what: str):
        """What wanted() gives, as soon as that is something."""
        end = time.monotonic() + LIMIT_S
        while not (found := wanted()):
            try:
                await self._next(end)
            except asyncio.TimeoutError:
                raise AssertionError(f"not within {LIMIT_S} s: {what}; {self.account}; {self.lines[-12:]}") from None
        return found

    async def listen(self, seconds: float) -> None:
        """Take what comes in that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                await self._next(end)
            except asyncio.TimeoutError:
                return

    async def linked(self) -> str:
        """The gateway's link is up, says the database; the gateway's number."""
        await self.until(lambda: self.account.get("link") == "up" and self.account["relay"] == "up", "the link is up")
        return self.account["gateway"]

    def records(self, event: str, what: str = "relay") -> list:
        return [line for line in self.lines if line["what"] == what and line["record"].get("event") == event]

    async def record(self, event: str, count: int = 1) -> dict:
        """The line of a committed record."""
        await self.until(lambda: len(self.records(event)) >= count, event)
        return self.records(event)[count - 1]

    def links(self) -> list:
        return [line["link"] for line in self.lines if line["what"] == "link"]
