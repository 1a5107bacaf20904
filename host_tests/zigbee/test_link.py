"""The link alone, in virtual time on MicroPython, against a far end that answers by script."""


import pytest
from played import play_in

PRELUDE = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from scene import *
from zigbee.frames import *
from zigbee.guard import forever
from zigbee.link import Link, LinkError

class Far:
    '''Answers each request with the next line of its script: a list of (delay_ms, frame) or None for silence.'''
    def __init__(self, script):
        self.script = script
        self.asked = []
        self.uart = UART(sched)
        self.uart.peer = self
        self.events = []
        self.link = Link(self.uart, Clock(), Log(), self.event)
    def event(self, buf, at, size, command):
        self.events.append(command)
        tell("event", command)
    def feed(self, data):
        self.asked.append(data[2] << 8 | data[3])
        for delay, frame in self.script.pop(0) if self.script else ():
            sched.after(delay, self.uart.deliver, bytes(frame))

PING = encode(0x6101, b"\\x59\\x06")
VERSION = encode(0x6102, bytes(9))
STATE = encode(0x45C0, b"\\x09")

def go(far, main):
    async def run():
        tasks = [asyncio.create_task(forever(step, "x", Log())) for step in (far.link.read, far.link.watch_gap)]
        await asyncio.sleep_ms(0)
        await main(far.link)
        await asyncio.sleep_ms(10000)
        tell("end", far.asked, far.link.late, far.link.unanswered)
    asyncio.run(run())

async def ask(link, command, **options):
    try:
        tell("answer", list(await link.request(command, **options)))
    except LinkError as error:
        tell("failed", str(error))
"""


@pytest.fixture
def play(micropython):
    def run(program):
        return play_in(micropython, PRELUDE, program)

    return run


@pytest.mark.fault(27)
def test_an_event_between_question_and_answer_is_delivered_before_the_answer(play):
    lines = play("""
        async def main(link):
            await ask(link, SYS_PING)
        go(Far([[(5, STATE), (50, PING), (60, STATE)]]), main)
    """)
    assert [line[1] for line in lines] == ["event", "answer", "event", "end"]
    assert lines[1][2] == [0x59, 0x06]
    assert lines[0][0] < 10


@pytest.mark.fault(26)
def test_an_answer_to_something_else_is_not_taken(play):
    lines = play("""
        async def main(link):
            await ask(link, SYS_PING)
        go(Far([[(5, VERSION), (9, encode(0x6000, b"\\x02\\x21\\x02")), (50, PING)]]), main)
    """)
    assert lines[0][1:] == ["answer", [0x59, 0x06]]
    assert lines[-1][3] == 2


@pytest.mark.fault(26)
def test_a_late_answer_does_not_poison_the_same_question(play):
    """The answer to the first comes while the second waits: something else is asked in between, and it is dropped."""
    lines = play("""
        async def main(link):
            await ask(link, SYS_VERSION, timeout_ms=500)
            await ask(link, SYS_VERSION, timeout_ms=500)
            await ask(link, SYS_PING)
            await ask(link, SYS_VERSION)
        old = encode(0x6102, b"old!!")
        new = encode(0x6102, b"new!!")
        go(Far([[(700, old)], [(250, PING)], [(10, new)], [(10, PING)], [(10, new)]]), main)
    """)
    assert [line[1] for line in lines] == ["failed", "answer", "answer", "answer", "end"]
    assert bytes(lines[1][2]) == b"new!!"
    assert lines[-1][2] == [0x2102, 0x2101, 0x2102, 0x2101, 0x2102]
    assert lines[-1][3] == 1


def test_silence_fails_at_its_limit_and_the_next_question_works(play):
    lines = play("""
        async def main(link):
            await ask(link, SYS_PING, timeout_ms=300)
            await ask(link, SYS_VERSION, timeout_ms=300)
        go(Far([[], [(10, VERSION)]]), main)
    """)
    assert lines[0][:2] == [300, "failed"]
    assert lines[1][1] == "answer"
    assert lines[-1][4] == 1


def test_a_refusal_is_told_at_once(play):
    lines = play("""
        async def main(link):
            await ask(link, 0x2550)
        go(Far([[(10, encode(0x6000, b"\\x02\\x25\\x50"))]]), main)
    """)
    assert lines[0][0] < 20
    assert "refused" in lines[0][2]


def test_questions_wait_in_a_line_of_limited_length(play):
    lines = play("""
        async def main(link):
            tasks = [asyncio.create_task(ask(link, SYS_PING, timeout_ms=100)) for _ in range(10)]
            for task in tasks:
                await task
        go(Far([[(10, PING)] for _ in range(10)]), main)
    """)
    assert len([line for line in lines if line[1] == "answer"]) == 8
    assert len([line for line in lines if line[1:] == ["failed", "busy"]]) == 2


def test_a_restart_ends_the_wait(play):
    lines = play("""
        async def main(link):
            sched.after(40, link.abandon)
            await ask(link, SYS_PING)
        go(Far([[]]), main)
    """)
    assert lines[0][:2] == [40, "failed"]


@pytest.mark.fault(24)
def test_the_gap_is_watched_without_further_bytes(play):
    lines = play("""
        async def main(link):
            tell("start")
        far = Far([])
        sched.after(100, far.uart.deliver, b"\\xfe\\xd7\\x44\\x81" + bytes(16) + bytes((195,)) + bytes(STATE))
        go(far, main)
    """)
    event = next(line for line in lines if line[1] == "event")
    assert 200 <= event[0] <= 210


@pytest.mark.fault(82)
def test_a_cancelled_wait_does_not_end_a_loop(play):
    """asyncio.wait_for_ms raises CancelledError for want of memory, nobody having cancelled."""
    lines = play("""
        async def main():
            count = [0]
            async def step():
                count[0] += 1
                await asyncio.sleep_ms(50)
                if count[0] == 2:
                    raise asyncio.CancelledError
            closing = asyncio.Event()
            task = asyncio.create_task(forever(step, "x", Log(), closing))
            await asyncio.sleep_ms(1000)
            tell("count", count[0], task.done())
            closing.set()
            task.cancel()
            await asyncio.sleep_ms(0)
            tell("closed", task.done())
        asyncio.run(main())
    """)
    assert [line[1:] for line in lines if line[1] != "error"] == [["count", 18, False], ["closed", True]]
    assert len([line for line in lines if line[1] == "error"]) == 1
