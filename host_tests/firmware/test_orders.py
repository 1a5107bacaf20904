"""Commands over the link: each once, in its turn, none too late, whatever is sent."""

import asyncio
import json
import os
import random

import flashed
import pytest

from firmware.uplink.kept import Kept
from firmware.uplink.orders import Orders

NOW = 1_800_000_000_000


class Clock:
    def __init__(self, wall=NOW):
        self.wall = wall
        self.now = 1000

    def ms(self):
        return self.now

    def wall_ms(self, at_ms):
        return None if self.wall is None else self.wall + at_ms - self.now

    def sure_s(self):
        return 0 if self.wall is None else self.wall // 1000

    def set_wall(self, at_ms):
        if not NOW - 10**10 < at_ms < NOW + 10**10:
            return False
        self.wall = at_ms
        return True


class Parts:
    """What the commands act on: everything is written down."""

    def __init__(self, store, wall=NOW):
        self.clock = Clock(wall)
        self.store = store
        self.done = []
        self.records = []
        self.commands = self.recorder = self.machine = self.watch = self.sensors = self
        self.all = ["first", None, "second"]
        self.is_open = False

    def open(self):
        return self.is_open

    def run(self, name, message, who):
        self.done.append((name, message.get("value")))
        return "" if name in ("settings.set", "alarm.cancel") else "unknown command"

    def event(self, name, **fields):
        self.records.append((name, fields))

    def state(self):
        return {"version": "9"}

    def tell(self, sensor):
        self.records.append(("status", sensor))


@pytest.fixture
def home(monkeypatch):
    clock = flashed.Clock()
    flashed.patch(monkeypatch, clock)
    chip = flashed.Chip()
    chip.clock = clock
    return lambda wall=NOW: Parts(chip.boot(), wall)


def order(counter, name="settings.set", **fields):
    return {"id": f"c-{counter}", "counter": counter, "expires": NOW + 60_000, "name": name, **fields}


def give(parts, *orders, orders_of=None):
    """Feed them, let the task work, let the store write; the Orders."""
    taken = orders_of or Orders(parts, Kept(parts.store))

    async def live():
        tasks = [asyncio.ensure_future(taken.run()), asyncio.ensure_future(parts.store.run())]
        for each in orders:
            taken.feed(memoryview(each if isinstance(each, bytes) else json.dumps(each).encode()))
            for _ in range(300):
                await asyncio.sleep(0)
        for task in tasks:
            task.cancel()

    asyncio.run(live())
    return taken


@pytest.mark.req("SEC-03")
@pytest.mark.fault(77)
def test_each_command_is_done_once_and_answered(home):
    parts = home()
    taken = give(parts, order(5, value=1), order(5, value=1), order(4, value=2), order(6, value=3))
    assert parts.done == [("settings.set", 1), ("settings.set", 3)]
    assert parts.records == [("command.done", {"id": "c-5"}), ("command.done", {"id": "c-6"})]
    assert taken.repeats == 2


@pytest.mark.fault(77)
def test_a_command_from_before_a_restart_is_old(home):
    give(home(), order(7, value=1))
    parts = home()
    taken = give(parts, order(7, value=1), order(8, value=2))
    assert parts.done == [("settings.set", 2)] and taken.repeats == 1


@pytest.mark.fault(77)
def test_too_late_is_refused_with_the_reason_and_so_is_what_is_unknown(home):
    parts = home()
    give(parts, {**order(1, value=1), "expires": NOW - 1}, order(2, name="gateway.explode"))
    assert parts.done == [("gateway.explode", None)]
    assert parts.records == [("command.refused", {"id": "c-1", "reason": "too late"}),
                             ("command.refused", {"id": "c-2", "reason": "unknown command"})]


@pytest.mark.fault(80)
def test_without_a_time_only_the_time_is_taken(home):
    parts = home(None)
    taken = give(parts, order(1, value=1), order(2, name="time", at=NOW + 5), order(3, value=2))
    assert parts.clock.wall == NOW + 5
    assert parts.done == [("settings.set", 2)]
    assert ("command.refused", {"id": "c-1", "reason": "the time is not known"}) in parts.records
    give(parts, order(4, name="time", at="noon"), order(5, name="time", at=0), order(6, name="time"), orders_of=taken)
    assert [fields["id"] for name, fields in parts.records if name == "command.refused"] == ["c-1", "c-4", "c-5", "c-6"]
    assert parts.clock.wall == NOW + 5


@pytest.mark.req("TEL-05")
def test_state_is_answered_with_the_gateways_and_then_every_sensors(home):
    parts = home()
    give(parts, order(1, name="state"))
    assert parts.records == [("command.done", {"id": "c-1", "state": {"version": "9"}}), ("status", "first"),
                             ("status", "second")]


def test_in_an_emergency_a_command_does_not_wait_for_flash(home):
    parts = home()
    parts.is_open = True
    parts.store.hold = lambda: True
    give(parts, order(1, name="alarm.cancel"))
    assert parts.done == [("alarm.cancel", None)]


BAD = [b"", b"{", b"[]", b"1", b"null", b'"x"', b"{}", b"\xff\xfe", b'{"id": 1}',
       order(0), order(-1), order(1 << 54), order(True), order("5"), {**order(1), "id": ""},
       {**order(1), "id": "x" * 41},
       {**order(1), "id": True},
       {**order(1), "expires": None}, {**order(1), "expires": 1.5}, {**order(1), "name": None},
       {**order(1), "name": ["time"]}, {key: value for key, value in order(1).items() if key != "counter"}]


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:30])
def test_bad_form_is_counted_and_takes_no_counter(home, bad):
    parts = home()
    taken = give(parts, bad, order(1, value=1))
    assert taken.refused == 1 and parts.done == [("settings.set", 1)]


@pytest.mark.req("SEC-03")
@pytest.mark.fault(78)
def test_a_flood_is_bounded(home):
    parts = home()
    taken = Orders(parts, Kept(parts.store))
    for counter in range(1, 1001):
        taken.feed(memoryview(json.dumps(order(counter, value=counter)).encode()))
    assert len(taken._queue) == 8 and taken.refused == 992
    give(parts, b"", order(2000, value=2000), orders_of=taken)
    assert parts.done == [("settings.set", value) for value in (*range(1, 9), 2000)]


@pytest.mark.req("SEC-03")
def test_fuzz(home):
    """Anything: nothing but well-formed commands of a growing counter is carried out. FUZZ_COUNT for more."""
    dice = random.Random(4)
    parts = home()
    taken = Orders(parts, Kept(parts.store))
    whole = json.dumps(order(3, value={"a": [1, None]})).encode()
    for _ in range(int(os.environ.get("FUZZ_COUNT", 5000))):
        data = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            act, at = dice.randrange(4), dice.randrange(len(data) or 1)
            if act == 0 and data:
                data[at] = dice.randrange(256)
            elif act == 1:
                del data[at:at + dice.randrange(9)]
            elif act == 2:
                data[at:at] = dice.randbytes(dice.randrange(5))
            else:
                data = data[:at]
        before = taken._kept.counter
        taken.feed(memoryview(bytes(data)))
        assert taken._kept.counter >= before
        if taken._queue:
            [each] = taken._queue
            assert isinstance(each["counter"], int) and each["counter"] == taken._kept.counter > before
            taken._queue.clear()
            taken._kept.counter = 0
    assert taken.refused > 1000 if os.environ.get("FUZZ_COUNT") is None else taken.refused
