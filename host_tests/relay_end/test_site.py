"""The gateway's own TLS, of MicroPython, against the simulated server in one process and in virtual time."""

import pytest
from played import of, play_in

from tools.certs import lab

PRELUDE = """
import sys
sys.path.insert(0, "host_tests/relay_end")
from net_scene import *

scene = Scene("LAB")
site, net = scene.site, scene.net
EVENT = "gw/GW-000000/up/event"

def run(main, ms=600000):
    async def limited():
        await asyncio.wait_for_ms(main(), ms)
    asyncio.run(limited())

async def session(**options):
    client = await scene.secure(**options)
    await client.send(connect(keep_s=30, will={"link": "lost"}))
    tell("connack", str(await client.packet()))
    await client.send(subscribe("gw/GW-000000/down/#"))
    tell("suback", str(await client.packet()))
    return client

async def refused(**options):
    try:
        client = await scene.secure(**options)
        await client.send(connect())
        tell("answer", str(await client.packet(30000)))
    except (OSError, ValueError) as error:
        tell("refused", repr(error))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """As the firmware's file system has it: ca, cert, key of GW-000000, and server/."""
    made = lab(tmp_path_factory.mktemp("lab"))
    tls = tmp_path_factory.mktemp("tls")
    for name in ("ca.der", "cert.der", "key.der"):
        (tls / name).symlink_to(made.gateway("GW-000000") / name)
    (tls / "server").symlink_to(made.server)
    return tls


@pytest.fixture
def play(micropython, folder):
    return lambda program: play_in(micropython, PRELUDE.replace("LAB", str(folder)), program)


@pytest.mark.req("TEL-04")
def test_a_session_over_tls_with_its_times_and_its_bytes(play):
    lines = play("""
        async def main():
            client = await session()
            await client.send(publish(EVENT, {"boot": 1, "batch": 1, "records": [record(1), record(2)]}, 7))
            tell("puback", str(await client.packet()))
            tell("ack", (await client.packet())[1][-23:].decode())
            await client.send(packet(0xE0, b""))
            tell("closed", str(await client.packet()))
            tell("bytes", net.up_bytes, net.down_bytes, net.connections, len(net._open), site.tls_failures)
        run(main)
    """)
    # DNS, TCP, two round trips of TLS 1.2, CONNECT: five round trips of 60 ms
    assert of(lines, "connack") == [[300, "connack", "(32, b'\\x00\\x00')"]]
    assert [line[0] for line in of(lines, "relay")] == [360 + 30 + 40] * 2
    assert of(lines, "puback")[0][0] == 420 and of(lines, "ack") == [[460, "ack", '{"batch": 1, "boot": 1}']]
    assert of(lines, "closed")[0][2] == "closed"
    up, down, connections, still_open, failures = of(lines, "bytes")[0][2:]
    assert 900 < up < 2500 and 900 < down < 2500  # certificates go both ways
    assert (connections, failures) == (1, 0) and still_open <= 1


@pytest.mark.fault(71)
@pytest.mark.fault(72)
@pytest.mark.req("SEC-01")
def test_who_is_not_who_it_should_be_is_refused_by_either_end(play, tmp_path):
    other = lab(tmp_path / "other")
    lines = play(f"""
        async def main():
            await refused(name="another.lab")
            await asyncio.sleep_ms(100)
            tell("failures", site.tls_failures)
            await refused(cert={str(other.gateway("GW-000000"))!r})
            await asyncio.sleep_ms(100)
            tell("failures", site.tls_failures)
            await refused()
        run(main)
    """)
    assert [line[1] for line in lines if line[1] in ("refused", "answer")] == ["refused", "refused", "answer"]
    assert [line[2] for line in of(lines, "failures")] == [1, 2]


def test_a_gateway_under_another_name_than_its_own_is_refused(play):
    lines = play("""
        async def main():
            client = await scene.secure()
            await client.send(connect("GW-000001"))
            tell("connack", str(await client.packet()))
        run(main)
    """)
    assert of(lines, "connack")[0][2] == "(32, b'\\x00\\x02')"


@pytest.mark.fault(65)
def test_down_breaks_and_refuses_until_it_is_up(play):
    lines = play("""
        async def main():
            client = await session()
            site.set_up(False)
            await ready(client.socket, RD)
            tell("broken", client.socket.ioctl(POLL, RD))
            await refused()
            site.set_up(True)
            await session()
        run(main)
    """)
    assert of(lines, "broken")[0][2] == 24 and len(of(lines, "refused")) == 1 and len(of(lines, "connack")) == 2
    assert of(lines, "link") == []  # a broker that is gone tells no will


@pytest.mark.fault(66)
@pytest.mark.parametrize("fault", ["mute", "no_connack", "silent"])
def test_faults_in_which_nothing_is_answered(play, fault):
    lines = play(f"""
        async def main():
            await session()
            site.set_fault({fault!r})
            try:
                await asyncio.wait_for_ms(refused(), 19000)
            except asyncio.TimeoutError:
                tell("nothing")
            site.set_fault("none")
            await session()
        run(main)
    """)
    assert [line[1] for line in lines if line[1] in ("answer", "refused", "nothing")] == ["nothing"]
    assert len(of(lines, "suback")) == 2


@pytest.mark.fault(67)
def test_a_gateway_that_lost_its_power_is_missed_by_its_keep_alive(play):
    lines = play("""
        async def main():
            client = await session()
            net.lose()
            await asyncio.sleep_ms(60000)
        run(main)
    """)
    assert of(lines, "link") == [[330 + 45000, "link", {"gateway": "GW-000000", "link": "lost"}]]


@pytest.mark.fault(70)
def test_kick_closes_each_session_after_a_second(play):
    lines = play("""
        async def main():
            site.set_fault("kick")
            client = await session()
            tell("closed", str(await client.packet()))
        run(main)
    """)
    assert of(lines, "closed") == [[270 + 1000 + 30, "closed", "closed"]]


@pytest.mark.fault(76)
def test_a_stranger_is_no_server(play):
    lines = play("""
        async def main():
            net.dns = "stranger"
            await refused()
        run(main)
    """)
    assert len(of(lines, "refused")) == 1


@pytest.mark.req("SEC-03")
def test_garbage_on_the_wire_ends_its_connection_only(play):
    lines = play("""
        async def main():
            client = await session()
            for data in (b"\\x16\\x03\\x01\\x00\\x05hello", b"GET / HTTP/1.0\\r\\n\\r\\n", bytes(3000)):
                raw = net.open(await scene.address())
                await ready(raw, WR)
                raw.write(data)
                await ready(raw, RD)
                raw.close()
            tell("failures", site.tls_failures)
            await client.send(packet(0xC0, b""))
            tell("pong", str(await client.packet()))
        run(main)
    """)
    assert of(lines, "failures")[0][2] == 3 and of(lines, "pong")[0][2] == "(208, b'')"


def test_a_client_that_reads_nothing_is_put_out_before_it_takes_memory(play):
    """QoS 0, so that no window holds them back."""
    lines = play("""
        async def main():
            client = await scene.secure()
            await client.send(connect(keep_s=0))
            await client.packet()
            await client.send(packet(0x82, b"\\x00\\x01" + text("gw/GW-000000/down/x") + b"\\x00"))
            await client.packet()
            gc.collect()
            before = gc.mem_alloc()
            for _ in range(300):
                site.broker.publish("gw/GW-000000/down/x", bytes(1000), 0)
                await asyncio.sleep_ms(10)
            gc.collect()
            tell("kept", gc.mem_alloc() - before, len(site.broker._connections))
        run(main)
    """)
    grown, connections = of(lines, "kept")[0][2:]
    assert grown < 150_000 and connections == 0


def test_connections_leave_nothing_behind(play):
    lines = play("""
        async def main():
            for number in range(30):
                client = await session()
                client.stream.close()
                await asyncio.sleep_ms(100)
                client = None
                gc.collect()
                if number in (9, 29):
                    tell("heap", gc.mem_alloc(), len(net._open), len(site.broker._connections), sched.next_ms() or 0)
        run(main)
    """)
    first, last = of(lines, "heap")
    assert last[2] - first[2] < 4000 and last[3:5] == [0, 0]
