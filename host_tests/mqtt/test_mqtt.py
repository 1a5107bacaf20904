"""The client's limits, and what it does when they pass: in virtual time on MicroPython, against a scripted far end."""

import pytest
from played import of, play_in, times

PRELUDE = """
import sys
sys.path.insert(0, "host_tests/mqtt/port")
from scene import *

def hold(client, count):
    '''count messages of QoS 1, one after the other.'''
    async def send():
        for _ in range(count):
            await attempt("publish", client.publish("t/event", put(client, b"x"), 1))
    return asyncio.create_task(send())
"""


@pytest.fixture
def play(micropython):
    def run(program):
        return play_in(micropython, PRELUDE, program, "1M")

    return run


# --- connecting ------------------------------------------------------------------------------------------------------


@pytest.mark.fault(66)
def test_no_connack_is_given_up_at_the_limit(play):
    lines = play("""
        async def main(client):
            await attempt("publish", client.publish("t", 0, 0))
        go(Far(connect=None), main)
    """)
    assert of(lines, "connect") == [[20000, "connect", "TimeoutError", "", None]]
    assert of(lines, "publish")[0][2] == "TimeoutError"
    assert of(lines, "over")[0][2] == "TimeoutError"


@pytest.mark.fault(66)
def test_a_far_end_that_does_not_even_take_connect(play):
    lines = play("""
        far = Far()
        far.takes = 5
        async def main(client):
            pass
        go(far, main)
    """)
    assert of(lines, "connect") == [[10000, "connect", "MqttError", "a write blocked for 10 s", 0]]


@pytest.mark.parametrize(("code", "text"), [
    (1, "protocol version"), (2, "client id"), (3, "server unavailable"), (4, "bad user name or password"),
    (5, "not authorised"),
])  # fmt: skip
def test_a_refusal_is_named(play, code, text):
    lines = play(f"""
        far = Far()
        far.connack = bytes((32, 2, 0, {code}))
        async def main(client):
            pass
        go(far, main)
    """)
    assert of(lines, "connect") == [[30, "connect", "MqttError", f"refused: {text}", code]]


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("answer", [
    b"\x20\x02\x00\x06", b"\x20\x02\x01\x00", b"\x20\x03\x00\x00\x00", b"\xd0\x00", b"\x40\x02\x00\x01",
    b"HTTP/1.1 400 Bad", b"\x15\x03\x03\x00\x02\x02\x28",
])  # fmt: skip
def test_what_is_no_connack_ends_it(play, answer):
    lines = play(f"""
        far = Far()
        far.connack = {answer!r}
        async def main(client):
            tell("refusals", client.room.refusals)
        go(far, main)
    """)
    assert of(lines, "connect")[0][:3] == [30, "connect", "MqttError"]
    assert of(lines, "connect")[0][3].startswith("protocol: ")
    assert of(lines, "refusals") == [[30, "refusals", 1]]


def test_closed_while_it_connects(play):
    lines = play("""
        far = Far(connect=None)
        client = start(far)
        async def main():
            task = asyncio.create_task(attempt("connect", client.connect("GW", "", b"", 20, 20000)))
            await asyncio.sleep_ms(500)
            client.close()
            await task
            client.close()
            tell("closed", far.closed, far.seen)
        asyncio.run(main())
    """)
    assert of(lines, "connect") == [[500, "connect", "MqttError", "closed here", 0]]
    assert of(lines, "closed") == [[500, "closed", 4, ["connect"]]]  # stream and raw are the same here


# --- supervision -----------------------------------------------------------------------------------------------------


@pytest.mark.req("TEL-09")
@pytest.mark.fault(67)
def test_a_dead_link_is_noticed_within_30_s(play):
    lines = play("""
        far = Far()
        async def main(client):
            await asyncio.sleep_ms(100000 - now())
            far.after["ping"] = None
            tell("dead")
        go(far, main)
    """)
    over = of(lines, "over")
    assert over[0][2:] == ["MqttError", "nothing heard for 10 s after a ping"]
    assert times(lines, "over")[0] - times(lines, "dead")[0] <= 30000
    assert of(lines, "end")[0][3] is True


@pytest.mark.req("TEL-09")
@pytest.mark.fault(67)
def test_a_dead_link_is_noticed_although_something_is_sent_all_the_time(play):
    """Bytes vanish; those we send keep the time of the last write fresh."""
    lines = play("""
        far = Far()
        async def main(client):
            far.after.update(ping=None, publish=None)
            while client.error is None:
                await attempt("beat", client.publish("t/beat", put(client, b"{}"), 0))
                await asyncio.sleep_ms(1000)
        go(far, main)
    """)
    assert 25000 <= times(lines, "over")[0] <= 30000


@pytest.mark.req("TEL-09")
def test_an_idle_link_pings_every_three_quarters_of_the_keep_alive(play):
    lines = play("""
        async def main(client):
            await asyncio.sleep_ms(3600000)
        go(Far(), main, 3600000)
    """)
    seen = of(lines, "end")[0][2]
    assert not of(lines, "over")
    assert 3600 / 15 - 2 <= seen.count("ping") <= 3600 / 15


@pytest.mark.fault(68)
def test_late_pongs_behind_a_backlog_do_not_end_it(play):
    """A slow line: the ping's answer takes 25 s, but other things are heard."""
    lines = play("""
        far = Far(ping=25000)
        async def main(client):
            for n in range(1, 30):
                far.later(n * 4000, b"\\x30\\x04\\x00\\x01tx")
        go(far, main, 100000)
    """)
    assert not of(lines, "over")
    assert "ping" in of(lines, "end")[0][2]


@pytest.mark.fault(67)
def test_a_write_that_blocks_ends_after_10_s(play):
    """What waits for its turn fails at the same moment; nothing is written behind the half packet."""
    lines = play("""
        far = Far()
        async def main(client):
            far.room(20)
            async def ask():
                await attempt("subscribe", client.subscribe("t/#", 1, 60000))
            task = asyncio.create_task(attempt("publish", client.publish("t/event", put(client, bytes(4608)), 1)))
            await asyncio.sleep_ms(0)
            asyncio.create_task(ask())
            await task
            far.room(None)
            tell("left", len(far._tx))
        go(far, main)
    """)
    assert of(lines, "publish") == [[10030, "publish", "MqttError", "a write blocked for 10 s", 0]]
    assert of(lines, "subscribe")[0][2:4] == ["MqttError", "a write blocked for 10 s"]
    assert of(lines, "over") == [[10030, "over", "MqttError", "a write blocked for 10 s"]]
    assert of(lines, "left") == [[10030, "left", 20]]
    assert of(lines, "end")[0][2] == ["connect"]


def test_a_write_goes_on_when_there_is_room(play):
    """In pieces of any size, over 9 s; other packets wait their turn."""
    lines = play("""
        far = Far()
        async def main(client):
            for n in range(9):
                sched.at(n * 1000 + 40, far.room, 600)
            far.room(0)
            task = asyncio.create_task(attempt("publish", client.publish("t/event", put(client, bytes(4608)), 1)))
            await asyncio.sleep_ms(10)
            far.say(b"\\x32\\x06\\x00\\x01t\\x00\\x09x")
            await task
            far.room(None)
            await asyncio.sleep_ms(100)
        go(far, main)
    """)
    assert of(lines, "publish") == [[7040, "publish", "done", 1]]
    assert of(lines, "puback") == [[7070, "puback", 1]]
    assert of(lines, "end")[0][2][:3] == ["connect", "publish", "puback"]
    assert not of(lines, "over")  # its limit ended with it


def test_what_would_block_is_given_again_unchanged(play):
    """As TLS wants it: the same bytes, until they are taken or some of them are. Other writes wait."""
    lines = play("""
        class Tls(Far):
            refused = None
            wrong = 0
            none = 0
            def write(self, buf):
                if self.refused is not None and bytes(buf) != self.refused:
                    self.wrong += 1
                count = Far.write(self, buf)
                self.refused = bytes(buf) if count is None else None
                self.none += count is None
                return count
        far = Tls()
        async def main(client):
            for n in range(60):
                sched.at(n * 100 + 40, far.room, n % 7)
            sched.at(7000, far.room, None)
            far.room(0)
            await asyncio.sleep_ms(1)
            for n in range(3):
                far.say(b"\\x32\\x06\\x00\\x01t\\x00\\x09x")
                await attempt("publish", client.publish("t/event", put(client, bytes(range(100))), 1))
            tell("wrong", far.wrong, far.none > 20, len(far._tx))
        go(far, main)
    """)
    assert [line[3] for line in of(lines, "publish")] == [1, 2, 3]
    assert of(lines, "wrong")[0][2:] == [0, True, 0]
    seen = [one for one in of(lines, "end")[0][2] if one != "ping"]
    assert sorted(seen) == ["connect"] + ["puback"] * 3 + ["publish"] * 3


@pytest.mark.parametrize(("what", "text"), [("end", "closed by the other end"), ("reset", "104")])
def test_whoever_waits_hears_of_the_end_at_once(play, what, text):
    """A full window, a subscription without answer, and run()."""
    lines = play(f"""
        far = Far(publish=None, subscribe=None)
        async def main(client):
            tasks = [hold(client, 17), asyncio.create_task(attempt("subscribe", client.subscribe("t/#", 1, 60000)))]
            sched.at(5000, far.{what})
            for task in tasks:
                await task
            await attempt("later", client.publish("t", 0, 0))
            await attempt("leave", client.disconnect(1000))
        go(far, main)
    """)
    for name in ("publish", "subscribe", "over", "later", "leave"):
        last = of(lines, name)[-1]
        assert (last[0], text in last[3]) == (5000, True), last
    assert of(lines, "end")[0][2].count("publish") == 16


# --- the window ------------------------------------------------------------------------------------------------------


@pytest.mark.fault(68)
def test_slow_acknowledgements_hold_the_window_and_repeat_nothing(play):
    lines = play("""
        far = Far(publish=60000)
        async def main(client):
            task = hold(client, 40)
            await asyncio.sleep_ms(59000)
            tell("held", client.in_flight, client.free, len(far.ids))
            await task
        go(far, main, 400000)
    """)
    assert of(lines, "held") == [[59030, "held", 16, 0, 16]]
    assert times(lines, "puback") == [60030] * 16 + [120030] * 16 + [180030] * 8
    assert [line[2] for line in of(lines, "puback")] == list(range(1, 41))
    assert of(lines, "end")[0][2].count("publish") == 40
    assert not of(lines, "over")


@pytest.mark.fault(69)
def test_acknowledgements_that_come_twice_or_belong_to_nothing_are_counted(play):
    lines = play("""
        far = Far()
        async def main(client):
            far.times = 2
            await hold(client, 3)
            far.later(100, b"\\x40\\x02\\x12\\x34" b"\\xd0\\x00")
            await asyncio.sleep_ms(1000)
            tell("counts", client.room.strays, client.in_flight, client.free)
        go(far, main, 2000)
    """)
    assert [line[2] for line in of(lines, "puback")] == [1, 2, 3]
    assert of(lines, "counts")[0][2:] == [5, 0, 16]
    assert not of(lines, "over")


@pytest.mark.fault(69)
def test_ids_wrap_and_leave_out_those_under_way(play):
    """65531, 65535 and 1 are never answered; twice over the end (test_broker goes all the way round)."""
    lines = play("""
        far = Far(publish=0)
        async def main(client):
            client.on_puback = None
            for _ in range(2):
                client._last_id = 65530
                for n in range(8):
                    far.after["publish"] = None if n in (0, 4, 5) and client.in_flight < 3 else 0
                    await client.publish("t", 0, 1)
                    await asyncio.sleep_ms(2)
            tell("ids", far.ids, client.in_flight)
        go(far, main, 0)
    """)
    first = [65531, 65532, 65533, 65534, 65535, 1, 2, 3]
    assert of(lines, "ids")[0][2:] == [[*first, 65532, 65533, 65534, 2, 3, 4, 5, 6], 3]


def test_cancelled_while_it_waits_for_a_place_costs_nothing(play):
    lines = play("""
        far = Far(publish=5000)
        async def main(client):
            task = hold(client, 17)
            await asyncio.sleep_ms(1000)
            task.cancel()
            await asyncio.sleep_ms(9000)
            await hold(client, 1)
        go(far, main, 20000)
    """)
    assert of(lines, "publish")[-2][2:] == ["cancelled"]
    assert of(lines, "publish")[-1][2:] == ["done", 17]
    assert not of(lines, "over")


def test_cancelled_in_the_middle_of_a_write_ends_it(play):
    lines = play("""
        far = Far()
        async def main(client):
            far.room(20)
            task = asyncio.create_task(attempt("publish", client.publish("t", 4000, 1)))
            await asyncio.sleep_ms(1000)
            task.cancel()
            await asyncio.sleep_ms(0)
            far.room(None)
            await attempt("next", client.publish("t", 0, 0))
        go(far, main, 20000)
    """)
    assert of(lines, "publish") == [[1030, "publish", "cancelled"]]
    assert of(lines, "over") == [[1030, "over", "MqttError", "given up"]]
    assert of(lines, "next")[0][3] == "given up"


def test_run_cancelled_ends_it_for_the_others(play):
    lines = play("""
        far = Far(publish=None)
        client = start(far)
        async def main():
            await client.connect("GW", "", b"", 20, 20000)
            task = asyncio.create_task(attempt("run", client.run()))
            other = hold(client, 17)
            await asyncio.sleep_ms(1000)
            task.cancel()
            await other
            await asyncio.sleep_ms(60000)
            tell("end", far.seen.count("ping"))
        asyncio.run(main())
    """)
    assert of(lines, "run") == [[1030, "run", "cancelled"]]
    assert of(lines, "publish")[-1] == [1030, "publish", "MqttError", "given up", 0]
    assert of(lines, "end")[0][2] == 0


def test_one_publisher_at_a_time_and_nothing_that_does_not_fit(play):
    lines = play("""
        far = Far(publish=None)
        async def main(client):
            for bad in (("t", 4609, 1), ("t", -1, 0), ("t", 1, 2), ("", 1, 1), ("t" * 120, 1, 1), ("t/#", 1, 0)):
                await attempt("bad", client.publish(*bad))
            hold(client, 17)
            await asyncio.sleep_ms(0)
            await attempt("second", client.publish("t", 1, 0))
            tell("sent", len(far.ids))
        go(far, main, 5000)
    """)
    assert [line[2] for line in of(lines, "bad")] == ["ValueError"] * 6
    assert of(lines, "second")[0][2:4] == ["RuntimeError", "one publish at a time"]
    assert of(lines, "sent")[0][2] == 16
    assert not of(lines, "over")


# --- what comes in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 2, 3, 7, 511, 512, 0])
def test_packets_in_pieces(play, step):
    """Byte by byte and in chunks; every message once, in order, acknowledged after it was handed on."""
    lines = play(f"""
        far = Far()
        far.step = {step}
        def packet(n):
            body = bytes((0, 3)) + b"a/b" + (bytes((n >> 8, n & 255)) if n & 1 else b"") + b"m" * 10 * n
            size = len(body)
            length = bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))
            return bytes((0x32 if n & 1 else 0x30,)) + length + body
        async def main(client):
            await client.subscribe("a/b", 1, 5000)
            client.on_message = lambda topic, payload: tell("message", topic, len(payload), len(far.pubacks))
            for n in range(1, 40):
                far.say(packet(n))
            await asyncio.sleep_ms(1000)
            tell("pubacks", far.pubacks, far.writes)
        go(far, main, 2000)
    """)
    assert [line[2:4] for line in of(lines, "message")] == [["a/b", 10 * n] for n in range(1, 40)]
    assert all(line[4] <= (number + 1) // 2 for number, line in enumerate(of(lines, "message")))
    assert of(lines, "pubacks")[0][2] == list(range(1, 40, 2))


def test_acknowledgements_of_one_read_leave_in_one_write(play):
    """The most that a read can bring: 73 packets of 7 bytes, and the last byte of one before."""
    lines = play("""
        far = Far()
        async def main(client):
            count = []
            client.on_message = lambda topic, payload: count.append(topic)
            data = b"".join(bytes((0x32, 5, 0, 1, 116, n >> 8, n & 255)) for n in range(1, 76))
            before = far.writes
            far.say(data[:6])
            await asyncio.sleep_ms(10)
            far.say(data[6:])
            await asyncio.sleep_ms(10)
            tell("acks", far.pubacks == list(range(1, 76)), far.writes - before, len(count))
        go(far, main, 2000)
    """)
    assert of(lines, "acks")[0][2:] == [True, 2, 75]


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize(("data", "text"), [
    (b"\x30\x81\x0c", "a packet of 1537 bytes, more than 1536"),
    (b"\x30\xff\xff\xff\x7f", "a packet of 268435455 bytes"),
    (b"\x30\xff\xff\xff\xff", "more than 4 bytes"),
    (b"\x20\x02\x00\x00", "kind 2 after CONNACK"),
    (b"\x90\x03\x00\x01\x01", "SUBACK for 1 instead of 0"),
    (b"\x34\x06\x00\x01t\x00\x01x", "QoS 2"),
    (b"\x32\x05\x00\x01t\x00\x00", "packet id 0"),
    (b"\x30\x04\x00\x02\xc3(", "no text"),
    (b"\x10\x00", "kind 1"),
])  # fmt: skip
def test_what_breaks_the_rules_ends_it_and_is_counted(play, data, text):
    lines = play(f"""
        far = Far()
        async def main(client):
            far.say({data!r})
            await asyncio.sleep_ms(10)
            tell("counts", client.room.refusals, client.room.faults)
        go(far, main, 2000)
    """)
    assert text in of(lines, "over")[0][3]
    assert of(lines, "counts")[0][2:] == [1, 0]
    assert not of(lines, "message")


def test_a_packet_of_the_largest_size_is_taken(play):
    lines = play("""
        far = Far()
        async def main(client):
            client.on_message = lambda topic, payload: tell("message", len(payload))
            far.say(b"\\x30\\x80\\x0c\\x00\\x01t" + bytes(1533))
            await asyncio.sleep_ms(10)
        go(far, main, 2000)
    """)
    assert of(lines, "message")[0][2] == 1533


@pytest.mark.req("SEC-03")
def test_callbacks_that_raise_are_counted_and_end_nothing(play):
    lines = play("""
        far = Far()
        async def main(client):
            def bad(*args):
                raise KeyError("x")
            client.on_message = client.on_puback = bad
            far.say(b"\\x32\\x05\\x00\\x01t\\x00\\x07" b"\\x30\\x03\\x00\\x01t")
            await hold(client, 2)
            await asyncio.sleep_ms(100)
            tell("counts", client.room.faults, far.pubacks, client.free)
        go(far, main, 2000)
    """)
    assert of(lines, "counts")[0][2:] == [4, [7], 16]
    assert not of(lines, "over")


def test_a_callback_may_close_it(play):
    """What came with the message is not handed on any more, nothing is written, run() ends."""
    lines = play("""
        far = Far()
        async def main(client):
            def stop(topic, payload):
                tell("message", topic)
                client.close()
            client.on_message = stop
            far.say(b"\\x32\\x05\\x00\\x01t\\x00\\x07" * 3)
            await asyncio.sleep_ms(100)
        go(far, main, 2000)
    """)
    assert len(of(lines, "message")) == 1
    assert of(lines, "over") == [[30, "over", "MqttError", "closed here"]]
    assert of(lines, "end")[0][2] == ["connect"]


@pytest.mark.parametrize(("granted", "asked", "text"), [
    (0x80, 1, "subscription to t/# refused"), (0, 1, "subscription to t/# refused"), (1, 1, None), (0, 0, None),
    (2, 1, "protocol: SUBACK 02"), (1, 0, "protocol: SUBACK 01"), (3, 1, "protocol: SUBACK 03"),
])  # fmt: skip
def test_what_a_subscription_gets(play, granted, asked, text):
    lines = play(f"""
        far = Far()
        far.granted = {granted}
        async def main(client):
            await attempt("subscribe", client.subscribe("t/#", {asked}, 5000))
        go(far, main, 2000)
    """)
    assert of(lines, "subscribe")[0][2:] == (["MqttError", text, 0] if text else ["done", None])
    assert bool(of(lines, "over")) == bool(text)


def test_no_suback_is_given_up_at_the_limit(play):
    lines = play("""
        far = Far(subscribe=None)
        async def main(client):
            await attempt("subscribe", client.subscribe("t/#", 1, 5000))
        go(far, main, 7000)
    """)
    assert of(lines, "subscribe") == [[5030, "subscribe", "TimeoutError", "", None]]
    assert of(lines, "over")[0][:3] == [5030, "over", "TimeoutError"]


def test_it_leaves_in_order(play):
    lines = play("""
        far = Far()
        async def main(client):
            await attempt("leave", client.disconnect(1000))
            client.close()
        go(far, main, 1000)
    """)
    assert of(lines, "leave") == [[30, "leave", "done", None]]
    assert of(lines, "over") == [[30, "over", "MqttError", "left"]]
    assert of(lines, "end")[0][2] == ["connect", "disconnect"]


# --- robustness ------------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-03")
def test_a_flood_lets_the_others_go_on(play):
    """A far end that always has more: other tasks still get their turn."""
    lines = play("""
        class Endless(Far):
            def readinto(self, buf):
                given = Far.readinto(self, buf)
                if given is None and self.seen:
                    buf[:500] = b"\\x30\\x03\\x00\\x01t" * 100
                    given = 500
                return given
        far = Endless(connect=0)
        far.connack = b""
        turns = []
        async def other():
            while True:
                turns.append(now())
                await asyncio.sleep_ms(0)
        async def main(client):
            client.on_message = None
            task = asyncio.create_task(other())
            await asyncio.sleep_ms(1)
            task.cancel()
            tell("turns", len(turns))
            client.close()
        far.say(b"\\x20\\x02\\x00\\x00")
        go(far, main, 0)
    """)
    assert of(lines, "turns")[0][2] > 100


def test_ready_for_nothing_does_not_spin(play):
    """A socket that always says ready under a stream that gives nothing (half a TLS record, for a minute)."""
    lines = play("""
        class Odd(Far):
            asked = 0
            def ioctl(self, request, arg):
                return arg & 5
            def readinto(self, buf):
                self.asked += 1
                return Far.readinto(self, buf)
        far = Odd()
        async def main(client):
            before = far.asked
            await asyncio.sleep_ms(10000)
            tell("asked", far.asked - before)
        go(far, main, 0)
    """)
    assert of(lines, "asked")[0][2] <= 10000 / 20 + 10


def test_buffers_are_handed_on_to_the_next_connection(play):
    """After a packet that was cut off, and counts go on."""
    lines = play("""
        async def main():
            first = Far()
            client = start(first)
            await client.connect("GW", "", b"", 20, 5000)
            task = asyncio.create_task(end_of(client))
            first.say(b"\\x40\\x02\\x00\\x05" b"\\x32\\x20\\x00")
            await asyncio.sleep_ms(100)
            first.end()
            await task
            client.close()
            second = Far()
            again = start(second, client.room)
            await again.connect("GW", "", b"", 20, 5000)
            task = asyncio.create_task(end_of(again))
            second.say(b"\\x30\\x04\\x00\\x01t!")
            await attempt("publish", again.publish("t", put(again, b"x"), 1))
            await asyncio.sleep_ms(100)
            tell("counts", again.room.strays, again.room is client.room, again.error is None)
        asyncio.run(main())
    """)
    assert of(lines, "message")[0][2:] == ["t", "!"]
    assert of(lines, "publish")[0][2:] == ["done", 1]
    assert of(lines, "counts")[0][2:] == [1, True, True]


def test_nothing_goes_on_when_it_is_over(play):
    """No watch, no limit: nobody asks for the time any more."""
    lines = play("""
        far = Far(publish=None)
        async def main():
            asked = []
            def clock():
                asked.append(0)
                return now()
            client = Mqtt(far, far, clock)
            await client.connect("GW", "", b"", 20, 20000)
            task = asyncio.create_task(end_of(client))
            await client.publish("t", 0, 1)
            await asyncio.sleep_ms(1000)
            client.close()
            await task
            before = len(asked)
            await asyncio.sleep_ms(120000)
            tell("asked", len(asked) - before)
        asyncio.run(main())
    """)
    assert of(lines, "asked")[0][2] == 0


def test_a_long_connection_keeps_no_memory(play):
    lines = play("""
        import gc
        far = Far(publish=0)
        async def some(client, count):
            for n in range(count):
                far.ids.clear()
                far.seen.clear()
                far.say(b"\\x30\\x04\\x00\\x01t!")
                await client.publish("t", 4000, 1)
                await asyncio.sleep_ms(1)
        async def main(client):
            client.on_message = client.on_puback = None
            await some(client, 100)
            gc.collect()
            before = gc.mem_alloc()
            await some(client, 3000)
            gc.collect()
            tell("grown", gc.mem_alloc() - before)
        go(far, main, 0)
    """)
    assert of(lines, "grown")[0][2] < 500
