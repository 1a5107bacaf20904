"""The simulated internet in virtual time on MicroPython: what arrives when, how much, and each of its faults."""

import pytest
from played import of, play_in, times

PRELUDE = """
import sys
sys.path.insert(0, "host_tests/relay_end")
from net_scene import *

net = SimNet(sched)
there = []
net.listen("server", 7, there.append)

def run(main, ms=400000):
    async def limited():
        await asyncio.wait_for_ms(main(), ms)
        tell("end", net.up_bytes, net.up_packets, net.down_bytes, net.down_packets, net.wire_bytes())
    asyncio.run(limited())

async def pair():
    near = net.open(("198.51.100.1", 7))
    await ready(near, WR)
    return near, there.pop()

def read_all(end):
    buf = bytearray(70000)
    count = end.readinto(buf)
    return count if count is None else bytes(buf[:count])

def error_of(call, *args):
    try:
        return "none: %s" % call(*args)
    except OSError as error:
        return error.errno
"""


@pytest.fixture
def play(micropython):
    return lambda program: play_in(micropython, PRELUDE, program)


def test_a_connection_takes_a_round_trip_and_bytes_half_of_one(play):
    lines = play("""
        async def main():
            near, far = await pair()
            tell("open")
            far.on_event = lambda: tell("far", str(read_all(far)))
            near.write(b"one")
            net.latency_ms = 5
            near.write(b"two")
            far.write(b"down")
            await ready(near, RD)
            tell("near", str(read_all(near)), str(read_all(near)))
            await asyncio.sleep_ms(100)
            far.close()
            await ready(near, RD)
            tell("over", str(read_all(near)))
            near.close()
            near.close()
        run(main)
    """)
    assert [line[:3] for line in lines if line[1] in ("open", "far") and line[-1] != "None"] == [
        [60, "open"], [90, "far", "b'one'"], [90, "far", "b'two'"]]  # nothing overtakes
    assert of(lines, "near") == [[65, "near", "b'down'", "None"]]
    assert of(lines, "over") == [[170, "over", "b''"]]
    # SYN, two of data, FIN up; SYN, one of data, FIN down; each with 40 bytes of headers and an acknowledgement
    assert of(lines, "end")[0][2:] == [6, 4, 4, 3, 10 + 80 * 7]


def test_what_is_under_way_is_bounded_and_flows_on_as_it_is_read(play):
    lines = play("""
        async def main():
            near, far = await pair()
            data = bytes(range(256)) * 400
            tell("took", near.write(data), str(near.write(b"x")), near.ioctl(POLL, WR))
            await asyncio.sleep_ms(1000)
            tell("still", str(near.write(b"x")))
            got = bytearray()
            sent = 32768
            def read():
                part = read_all(far)
                got.extend(part or b"")
            far.on_event = read
            read()
            while sent < len(data):
                await ready(near, WR)
                sent += near.write(data[sent:])
            while len(got) < len(data):
                await asyncio.sleep_ms(1)
            tell("same", bytes(got) == data, sched.now_ms)
        run(main)
    """)
    assert of(lines, "took") == [[60, "took", 32768, "None", 0]]
    assert of(lines, "still") == [[1060, "still", "None"]]
    assert of(lines, "same")[0][2] is True
    assert 1060 + 4 * 30 <= of(lines, "same")[0][3] <= 1060 + 9 * 30


@pytest.mark.fault(74)
def test_names(play):
    lines = play("""
        async def main():
            for dns in ("works", "fails", "slow", "lies", "stranger"):
                net.dns = dns
                at, told = sched.now_ms, []
                net.resolve("server", 7, told.append)
                while not told:
                    await asyncio.sleep_ms(1)
                tell(dns, told[0], sched.now_ms - at)
            net.dns = "works"
            told = []
            net.resolve("nobody", 7, told.append)
            net.resolve("192.0.2.1", 7, told.append)
            await asyncio.sleep_ms(1000)
            net.attached = False
            net.resolve("server", 7, told.append)
            await asyncio.sleep_ms(1000)
            net.attached, net.dns = True, "silent"
            net.resolve("server", 7, told.append)
            await asyncio.sleep_ms(100000)
            tell("told", told)
        run(main)
    """)
    right = [["198.51.100.1", 7]]
    assert of(lines, "works")[0][2:] == [right, 60]
    assert of(lines, "fails")[0][2:] == [[], 60]
    assert of(lines, "slow")[0][2:] == [right, 20060]
    assert of(lines, "lies")[0][2] not in (right, []) and of(lines, "stranger")[0][2] not in (right, [])
    assert of(lines, "told")[0][2] == [[["192.0.2.1", 7]], [], []]


@pytest.mark.fault(65)
@pytest.mark.fault(76)
def test_who_is_not_there_who_refuses_and_who_is_a_stranger(play):
    lines = play("""
        async def main():
            near = net.open(("203.0.113.1", 7))
            await asyncio.sleep_ms(100000)
            tell("nowhere", near.ioctl(POLL, RD | WR), str(near.write(b"x")), str(read_all(near)))
            near.close()
            near = net.open(("198.51.100.1", 8))
            await ready(near, WR)
            tell("no port", error_of(near.write, b"x"), error_of(near.readinto, bytearray(1)))
            net.refuse = True
            near = net.open(("198.51.100.1", 7))
            await ready(near, RD)
            tell("refused", error_of(near.write, b"x"))
            net.refuse = False
            near = net.open(("203.0.113.2", 7))
            await ready(near, WR)
            near.write(b"hello?")
            await ready(near, RD)
            tell("stranger", read_all(near)[:12].decode())
            net.set_attached(False)
            tell("detached", error_of(net.open, ("198.51.100.1", 7)), net.ready())
        run(main)
    """)
    assert of(lines, "nowhere")[0][2:] == [0, "None", "None"]
    assert of(lines, "no port")[0][2:] == [111, 111]
    assert of(lines, "refused")[0][2:] == [111]
    assert of(lines, "stranger")[0][2:] == ["HTTP/1.1 302"]
    assert of(lines, "detached")[0][2:] == [101, False]


@pytest.mark.fault(67)
@pytest.mark.fault(75)
@pytest.mark.parametrize("cause", ["net.set_silent(True)", "net.set_attached(False)", "net.lose()"])
def test_a_half_open_connection_tells_neither_end_and_stays_so(play, cause):
    lines = play("""
        async def main():
            near, far = await pair()
            far.on_event = lambda: tell("far")
            near.write(b"under way")
            CAUSE
            near.write(b"x" * 100)
            far.write(b"y")
            far.close()
            net.reset_all()
            await asyncio.sleep_ms(100000)
            net.set_silent(False)
            net.set_attached(True)
            tell("near", near.write(b"x" * 40000), str(near.write(b"x")), str(read_all(near)), near.ioctl(POLL, RD))
            near.close()
            again, other = await pair()
            again.write(b"z")
            await asyncio.sleep_ms(30)
            tell("again", str(read_all(other)))
        run(main)
    """.replace("CAUSE", cause))
    assert of(lines, "near")[0][2:] == [32768 - 109, "None", "None", 0]
    assert of(lines, "far") == []
    assert of(lines, "again")[0][2] == "b'z'"


def test_silence_swallows_a_connection_that_is_begun(play):
    lines = play("""
        async def main():
            net.set_silent(True)
            near = net.open(("198.51.100.1", 7))
            await asyncio.sleep_ms(100000)
            tell("near", near.ioctl(POLL, RD | WR), len(there))
        run(main)
    """)
    assert of(lines, "near")[0][2:] == [0, 0]


def test_resets_and_ends_that_are_gone(play):
    lines = play("""
        async def main():
            near, far = await pair()
            far.reset()
            tell("far", error_of(far.write, b"x"))
            await ready(near, RD)
            tell("near", near.ioctl(POLL, RD | WR), error_of(near.write, b"x"), error_of(near.readinto, bytearray(1)))
            near, far = await pair()
            near.ioctl(4, 0)
            far.write(b"too late")
            tell("closed", error_of(near.write, b"x"), near.ioctl(POLL, WR))
            await asyncio.sleep_ms(100)
            tell("late", error_of(far.write, b"x"))
            near = net.open(("198.51.100.1", 7))
            await asyncio.sleep_ms(40)
            near.close()
            await asyncio.sleep_ms(100)
            tell("hasty", error_of(there.pop().write, b"x"))
            tell("kept", len(net._open))
        run(main)
    """)
    assert of(lines, "far")[0][2:] == [104]
    assert of(lines, "near")[0][2:] == [24, 104, 104]
    assert of(lines, "closed")[0][2:] == [9, 24]
    assert of(lines, "late")[0][2:] == [104]
    assert of(lines, "hasty")[0][2:] == [104]
    assert of(lines, "kept")[0][2:] == [0]


def test_who_waits_for_a_socket_is_woken_by_it(play):
    """As the firmware waits: asyncio's streams on the socket itself."""
    lines = play("""
        async def main():
            near, far = await pair()
            sched.after(1000, far.write, b"now")
            buf = bytearray(8)
            count = await asyncio.StreamReader(near).readinto(buf)
            tell("read", bytes(buf[:count]).decode())
        run(main)
    """)
    assert times(lines, "read", "now") == [60 + 1000 + 30]
