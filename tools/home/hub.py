"""The simulated home as all open pages share it.

Owns the bounded history, the latest line of each lasting thing, the switches, and the desk's way of answering.
Must never make a page wait for another one: a page that does not read is dropped and comes back by itself.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Coroutine, Sequence

from tools.home import ledger, orders, steps
from tools.home.account import Account
from tools.home.clock import HomeClock
from tools.home.outside import SIMULATED, Outside
from tools.home.process import Process

HISTORY = 3000  # lines a page that opens later still sees
QUEUE_MAX = 400  # messages a slow page may be behind
FLUSH_S = 0.03  # lines are sent together: at x600 there are thousands a second
WARM_UP_SPEED = 30  # a gateway takes some 20 s to get ready: nobody wants to watch that
WARM_UP_LIMIT_MS = 60_000
LOOK_S = 0.5  # between two looks into the relay's database
LASTING = ("screen", "sensors", "joined", "beacon", "lamp", "armed", "boot", "call", "prompt", "prompt_end")


class Hub:
    """Lines of the simulator out to the pages, wishes of the pages in to the simulator."""

    def __init__(self, scenario: dict, products: Sequence[dict[str, str]] = ()) -> None:
        self.scenario = scenario
        self.products = list(products)
        self.simulator: Process | None = None
        self.outside: Outside | None = None  # None: the internet is simulated, with a relay in it
        self.gateway = "GW-000000"
        self.pages: set[asyncio.Queue] = set()
        self._flusher: asyncio.Task | None = None
        self._jobs: set[asyncio.Task] = set()
        self._reset()

    def _reset(self) -> None:
        self._history: collections.deque[dict] = collections.deque(maxlen=HISTORY)
        self._latest: dict[str, dict] = {}
        self._fresh: list[dict] = []
        self._world: dict = {}
        self._desk = "auto"
        self.clock = HomeClock(self.scenario["start"])
        self._warming = False  # time runs fast until the gateway is ready, or somebody does something
        kind = SIMULATED if self.outside is None else self.outside.kind
        self.account = Account(kind, self.gateway, self.clock.epoch_ms)
        if self.outside is not None:
            self.account.relay(*self.outside.state)
        self._shown: dict = {}
        self.state, self._status = "starting", 0
        self._tail: list = []

    # -- the process -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the home from its beginning; a failure to start is shown as its death."""
        assert self.simulator is not None
        scenario = self.scenario
        if self.outside is not None:
            given = await self.outside.newcomer(HomeClock(self.scenario["start"]).epoch_ms)
            self.gateway = given["gateway"]
            scenario = {**scenario, "internet": "host", "settings": {**scenario.get("settings", {}), **given}}
        self._reset()
        try:
            await self.simulator.start(scenario)
        except OSError as error:
            self.ended(127, [str(error)])
            return
        if self.state == "starting":
            self.state = "running"
        await self._send(steps.line_reply(self._desk))
        self._warming = await self._set_speed(WARM_UP_SPEED)
        self.tell(self.hello())

    async def restart(self) -> None:
        """End the process and begin again."""
        assert self.simulator is not None
        await self.simulator.stop()
        await self.start()

    def line(self, line: dict) -> None:
        """One timeline line from the simulator."""
        self.clock.hear(line.get("t"))
        if self.outside is not None:
            self.outside.clock(self.clock.wall_ms(), line["what"] == "now")
        if line["what"] == "now":
            if self.clock.measure():
                self.tell({"type": "speed", **self.clock.told()})
            return
        if self.outside is None:
            self.account.line(line)
        if line["what"] in LASTING:
            which = next((line[name] for name in ("name", "lamp", "sensor", "first") if line.get(name)), "")
            key = line["what"] + str(which)
            self._latest[key.replace("prompt_end", "prompt")] = line
        self._keep(line)
        if self._warming and (line.get("view") == "home" or self.clock.now_ms() > WARM_UP_LIMIT_MS):
            self._warming = False
            self._background(self._set_speed(1))
        if line["what"] == "call" and line.get("state") in ("answered", "ended", "failed") and self._desk == "manual":
            self._background(self._send(steps.line_reply("manual")))

    def _note(self, what: str, **fields: object) -> None:
        """A timeline line of what the simulator does not see."""
        self._keep({"t": round(self.clock.reached_ms()), "what": what, **fields})

    def _keep(self, line: dict) -> None:
        self._history.append(line)
        self._fresh.append(line)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.get_running_loop().create_task(self._flush())

    def ended(self, status: int, tail: list[str]) -> None:
        """The simulator died."""
        self.state, self._status, self._tail = "dead", status, tail
        self.tell({"type": "sim", "state": "dead", "status": status, "tail": tail})

    # -- the relay outside -----------------------------------------------------------------------------------------

    def committed(self, told: dict) -> None:
        """The relay committed a record: `gateway`, `record`, `new`."""
        if told.get("gateway") == self.gateway:  # of a home that is over others may come late
            new = bool(told.get("new"))
            self.account.record(round(self.clock.reached_ms()), new)
            self._note("relay" if new else "repeat", record=told["record"])

    def relay_is(self, state: str, tail: list[str]) -> None:
        """Broker and relay are starting, up, or one of them died with these words."""
        self.account.relay(state, tail)
        if state == "dead":
            self._note("log", level="error", text=" | ".join([*tail[-1:], *tail[-3:-1]]))  # what ended, then its words

    async def watch(self) -> None:
        """For ever: what the relay's database says of the gateway, and tell the pages what is new of the link."""
        while True:
            await asyncio.sleep(LOOK_S)
            gateway = self.gateway
            if self.outside is not None:
                entry, sent = await asyncio.to_thread(ledger.read, self.outside.database, gateway)
                if entry is not None and gateway == self.gateway:
                    for line in [*self.account.entry(entry), *self.account.orders(sent)]:
                        self._note(**line)
            if self._shown != self.account.told:
                self._shown = dict(self.account.told)
                self.tell({"type": "account", "account": self._shown})

    # -- the pages ---------------------------------------------------------------------------------------------

    def join(self, queue: asyncio.Queue) -> None:
        """A page was opened: it gets the home as it is, then all that happens."""
        self._send_fresh()
        queue.put_nowait(self.hello())
        self.pages.add(queue)

    def hello(self) -> dict:
        """All that a page needs to show the home as it is now."""
        return {"type": "hello", "state": self.state, "status": self._status, "tail": self._tail,
                "scenario": self.scenario, "products": self.products,
                "history": list(self._history), "latest": list(self._latest.values()), "world": self._world,
                "desk": self._desk, "account": self.account.told, **self.clock.told()}

    def tell(self, message: dict) -> None:
        """Queue a message for every page; one that is too far behind is dropped."""
        for queue in list(self.pages):
            if queue.qsize() >= QUEUE_MAX:
                self.pages.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(message)

    async def hear(self, message: object) -> str:
        """One message from a page; the answer is why it was refused, empty when it was done."""
        if not isinstance(message, dict):
            return "not an object"
        if message.get("restart"):
            await self.restart()
            return ""
        if "desk" in message:
            return await self._hear_desk(message["desk"])
        if "command" in message:
            return await self._hear_command(message["command"])
        step = message.get("step")
        return steps.refusal(step) or await self._do(step)  # type: ignore[arg-type]  # refusal() saw a dict

    async def _hear_desk(self, wish: object) -> str:
        if wish == "pick_up":  # the person at the desk takes the call that rings
            return await self._do({"do": "line119", "reply": "answer", "after_ms": 0})
        if wish not in steps.DESK_MODES:
            return "unknown way to answer"
        self._desk = str(wish)
        self.tell({"type": "desk", "desk": wish})
        return await self._do(steps.line_reply(self._desk))

    async def _hear_command(self, wish: object) -> str:
        """The care system, by the relay, tells the gateway to do something."""
        try:
            name, fields = orders.parse(wish)
            if self.outside is None:
                return await self._do({"do": "relay", "command": {**fields, "name": name}})
            await asyncio.to_thread(orders.put_down, self.outside.database, self.gateway, name, fields,
                                    round(self.clock.wall_ms()))
        except orders.Wrong as error:
            return str(error)
        self._note("did", step={"do": "relay", "command": {**fields, "name": name}})
        return ""

    async def _do(self, step: dict) -> str:
        warming, self._warming = self._warming, False
        if step["do"] == "speed":
            taken = await self._set_speed(step.get("x", 1))
        elif step["do"] == "relay" and self.outside is not None:
            self.outside.gate.switch(step.get("up") is not False)
            taken = not warming or await self._set_speed(1)
        else:
            taken = (not warming or await self._set_speed(1)) and await self._send(step)
        if not taken:
            return "the simulator does not take steps"
        steps.remember(self._world, step)
        self.tell({"type": "world", "world": self._world})
        self._note("did", step=step)
        return ""

    async def _set_speed(self, x: object) -> bool:
        if not isinstance(x, int) or not await self._send({"do": "speed", "x": x}):
            return False
        self.clock.run_at(x)
        self.tell({"type": "speed", **self.clock.told()})
        return True

    async def _send(self, step: dict) -> bool:
        return self.simulator is not None and await self.simulator.send(step)

    def _background(self, job: Coroutine) -> None:
        task = asyncio.create_task(job)
        self._jobs.add(task)  # asyncio itself keeps no reference
        task.add_done_callback(self._jobs.discard)

    async def _flush(self) -> None:
        await asyncio.sleep(FLUSH_S)
        self._send_fresh()

    def _send_fresh(self) -> None:
        lines, self._fresh = self._fresh, []
        if lines:
            self.tell({"type": "lines", "lines": lines})
