"""The server, against a stand-in process: what pages may ask, what they see, and the death of the simulator."""

import asyncio
import contextlib
import json
import pathlib
import re
import sys

import pytest
from aiohttp import ClientSession, WSMsgType
from aiohttp.test_utils import TestServer

from tools.home import hub as hub_module
from tools.home import server, steps

HERE = pathlib.Path(__file__).parent
FAKE = [sys.executable, str(HERE / "fake_home.py")]
SCENARIO = {"seed": 1, "start": "2026-11-22T14:20:00", "settings": {}, "sensors": [{"name": "문", "kind": "door"}]}
LIMIT_S = 10


def run(story, command=None, sound=HERE) -> None:
    """story(session, address) against a server with its own stand-in."""

    async def main() -> None:
        serving = TestServer(server.make_app(command or FAKE, HERE, SCENARIO, sound))
        await serving.start_server()
        try:
            async with ClientSession() as session:
                await asyncio.wait_for(story(session, str(serving.make_url("/"))), LIMIT_S)
        finally:
            await serving.close()

    asyncio.run(main())


class Page:
    """One open page: all it was told, in order."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self.told: list = []
        self.lines: list = []

    async def until(self, wanted) -> dict:
        """The first message, from now on, for which wanted(message) holds."""
        while True:
            message = await self.socket.receive(timeout=LIMIT_S)
            assert message.type is WSMsgType.TEXT, message
            told = json.loads(message.data)
            self.told.append(told)
            self.lines += told.get("lines", told.get("history", []))
            if wanted(told):
                return told

    async def line(self, wanted, times: int = 1) -> dict:
        """The timeline line for which wanted(line) holds, told before or from now on."""
        while len(found := [each for each in self.lines if wanted(each)]) < times:
            await self.until(lambda told: True)
        return found[times - 1]

    async def ask(self, **message) -> None:
        await self.socket.send_json(message)


@contextlib.asynccontextmanager
async def opened(session, address: str):
    async with session.ws_connect(address + "ws") as socket:
        yield Page(socket)


def heard(step: dict):
    """A line in which the stand-in repeats this step."""
    return lambda each: each["what"] == "log" and each["text"] == json.dumps(step, ensure_ascii=False)


def test_page_loads_nothing_from_elsewhere_and_says_so_to_the_browser():
    async def story(session, address) -> None:
        async with session.get(address) as answer:
            page = await answer.text()
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        for path in re.findall(r'(?:src|href)="([^"]+)"', page):
            assert path.startswith("/static/")
            async with session.get(address.rstrip("/") + path) as answer:
                assert answer.status == 200, path

    run(story)
    for file in server.STATIC.iterdir():
        outside = re.findall(r"https?://[^\s\"'`)]+", file.read_text(encoding="utf-8"))
        assert set(outside) <= {"http://www.w3.org/2000/svg"}, file.name


@pytest.mark.parametrize("headers", [{"Host": "home.example:8119"}, {"Origin": "http://elsewhere.example"}])
def test_foreign_pages_and_names_are_refused(headers):
    async def story(session, address) -> None:
        async with session.get(address, headers=headers) as answer:
            assert answer.status == 403
        async with session.get(address + "ws", headers=headers) as answer:
            assert answer.status == 403

    run(story)


@pytest.mark.parametrize("name", ["..%2Fconftest.py", "fake_home.py", "x.wav", "a/b.wav"])
def test_sound_serves_sounds_only(name):
    async def story(session, address) -> None:
        async with session.get(address + "sound/" + name) as answer:
            assert answer.status == 404

    run(story)


def test_sounds_that_were_not_built_are_an_empty_list(tmp_path):
    async def story(session, address) -> None:
        async with session.get(address + "sound/index.json") as answer:
            assert await answer.json() == {}

    run(story, sound=tmp_path / "missing")


def test_step_reaches_the_simulator_and_every_page():
    async def story(session, address) -> None:
        async with opened(session, address) as one, opened(session, address) as two:
            step = {"do": "door", "sensor": "문", "open": True}
            await one.ask(step=step)
            await one.line(heard(step))
            assert (await two.line(lambda each: each["what"] == "did"))["step"] == step
        async with opened(session, address) as late:
            hello = await late.until(lambda told: True)
            assert hello["type"] == "hello"
            assert hello["world"]["door"] == {"문": True}
            assert hello["state"] == "running"

    run(story)


def test_a_page_that_opens_later_sees_each_line_once():
    async def story(session, address) -> None:
        async with opened(session, address) as one:
            for number in range(30):
                await one.ask(step={"do": "call_in", "from": str(number)})
            await one.line(heard({"do": "call_in", "from": "10"}))
            async with opened(session, address) as late:
                await late.line(heard({"do": "call_in", "from": "29"}))
        texts = [each["text"] for each in late.lines if each["what"] == "log"]
        assert len(texts) == len(set(texts)) == 34  # its greeting, the line of 119, two speeds, thirty steps

    run(story)


@pytest.mark.parametrize("message", [
    "{", "[]", "7", "{}", '{"step": 3}', '{"step": {"do": "format_disk"}}',
    '{"step": {"do": "press", "button": ["119"]}}', '{"step": {"do": "press", "button": "' + "9" * 300 + '"}}',
    '{"step": {"do": "hang_up", "a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1}}',
    '{"desk": "shout"}', '{"desk": {}}',
], ids=lambda message: message[:40])
def test_what_is_no_step_is_refused_with_the_reason_and_never_reaches_the_simulator(message):
    async def story(session, address) -> None:
        async with opened(session, address) as page:
            await page.socket.send_str(message)
            refused = await page.until(lambda told: told["type"] == "refused")
            assert refused["text"]
            await page.ask(step={"do": "door", "open": False})
            await page.line(heard({"do": "door", "open": False}))
            assert len([each for each in page.lines if each["what"] == "log"]) == 5

    run(story)


def test_an_oversized_message_costs_only_its_own_page():
    async def story(session, address) -> None:
        async with opened(session, address) as bad, opened(session, address) as good:
            await bad.socket.send_str("x" * 100_000)
            while (await bad.socket.receive(timeout=LIMIT_S)).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                pass
            await good.ask(step={"do": "hang_up"})
            await good.line(heard({"do": "hang_up"}))

    run(story)


def test_desk_by_hand_answers_one_call_and_lets_the_next_one_ring():
    async def story(session, address) -> None:
        rings = {"do": "line119", "reply": "no_answer", "after_ms": steps.AUTO_ANSWER_MS}
        async with opened(session, address) as page:
            await page.line(heard({"do": "line119", "reply": "answer", "after_ms": steps.AUTO_ANSWER_MS}))
            await page.ask(desk="manual")
            await page.line(heard(rings))
            await page.ask(desk="pick_up")
            await page.line(heard({"do": "line119", "reply": "answer", "after_ms": 0}))
            await page.ask(step={"do": "press", "button": "119"})
            await page.line(lambda each: each.get("state") == "answered")
            await page.line(heard(rings), times=2)

    run(story)


def test_lines_that_are_no_timeline_are_kept_apart_and_death_is_told_with_the_last_words():
    async def story(session, address) -> None:
        async with opened(session, address) as page:
            await page.ask(step={"do": "clock", "lost": True})
            await page.ask(step={"do": "power_cut", "for_ms": 1})
            died = await page.until(lambda told: told["type"] == "sim")
            assert died["state"] == "dead"
            assert died["status"] == 3
            assert sorted(died["tail"]) == ["Traceback: the last words", "[1, 2]", "not a timeline line"]
            await page.ask(step={"do": "hang_up"})
            assert (await page.until(lambda told: told["type"] == "refused"))["text"]
            page.lines.clear()
            await page.ask(restart=True)
            again = await page.until(lambda told: told["type"] == "hello")
            assert again["state"] == "running"
            assert again["tail"] == []
            await page.line(lambda each: each["what"] == "boot")

    run(story)


def test_time_runs_fast_until_the_gateway_is_ready_and_at_once_as_it_is_when_somebody_acts():
    async def story(session, address) -> None:
        async with opened(session, address) as page:
            fast = {"do": "speed", "x": hub_module.WARM_UP_SPEED}
            await page.line(heard(fast))
            await page.ask(step={"do": "hang_up"})
            await page.line(heard({"do": "hang_up"}))
            assert (await page.line(heard({"do": "speed", "x": 1})))["what"] == "log"
            order = [each["text"] for each in page.lines if each["what"] == "log"][-2:]
            assert order == [json.dumps({"do": "speed", "x": 1}), json.dumps({"do": "hang_up"})]

    run(story)


def test_a_simulator_that_cannot_be_started_is_shown_as_dead():
    async def story(session, address) -> None:
        async with opened(session, address) as page:
            hello = await page.until(lambda told: told["type"] == "hello")
            assert hello["state"] == "dead"
            assert "missing-program" in hello["tail"][0]

    run(story, command=[str(HERE / "missing-program")])


def test_a_page_that_does_not_read_is_dropped_and_the_history_is_bounded():
    async def main() -> None:
        hub = hub_module.Hub(SCENARIO)
        slow: asyncio.Queue = asyncio.Queue()
        hub.join(slow)
        for number in range(hub_module.QUEUE_MAX + 10):
            hub.tell({"type": "lines", "lines": [], "number": number})
        assert slow.qsize() == 1
        assert slow.get_nowait() is None  # told to go: it connects again and gets all at once
        assert not hub.pages
        for number in range(hub_module.HISTORY + 500):
            hub.line({"t": number, "what": "log"})
        assert len(hub.hello()["history"]) == hub_module.HISTORY
        await asyncio.sleep(hub_module.FLUSH_S * 2)

    asyncio.run(main())


def test_a_fault_that_is_over_at_once_leaves_the_switch_at_normal():
    world: dict = {}
    for step in ({"do": "modem", "fault": "hang"}, {"do": "modem", "voice": False}, {"do": "ncp", "fault": "reset"},
                 {"do": "smoke", "sensor": "부엌", "on": True}, {"do": "mains", "on": False}, {"do": "hang_up"}):
        assert steps.refusal(step) == ""
        steps.remember(world, step)
    assert world == {"modem": {"fault": "hang", "voice": False}, "ncp": {"fault": "none"}, "smoke": {"부엌": True},
                     "mains": {"on": False}}
    steps.remember(world, {"do": "modem", "fault": "reset"})
    assert world["modem"] == {"fault": "none", "voice": False}


class Sending:
    """A page's socket whose send ends when the test says so."""

    def __init__(self) -> None:
        self.sent = asyncio.Event()

    async def send_str(self, text) -> None:
        await self.sent.wait()

    async def close(self) -> None:
        pass


def test_a_page_that_leaves_at_the_end_of_a_send_leaves_no_task_behind():
    async def story() -> None:
        for turns in range(8):  # of the event loop, between the end of the send and that of the page
            socket, queue = Sending(), asyncio.Queue()
            for _ in range(3):
                queue.put_nowait({"type": "hello"})
            writer = asyncio.create_task(server._write(socket, queue))
            await asyncio.sleep(0.01)
            socket.sent.set()
            for _ in range(turns):
                await asyncio.sleep(0)
            await server._end(writer, queue)
            assert writer.done(), turns

    asyncio.run(story())
