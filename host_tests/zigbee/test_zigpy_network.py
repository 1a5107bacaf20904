"""zigpy-znp forms a network on the simulated coprocessor, backs it up, restores it elsewhere, looks at the air."""

import asyncio
import copy
import importlib
import sys

import pytest

if sys.version_info < (3, 11):
    pytest.skip("zigpy-znp needs Python 3.11", allow_module_level=True)
config = pytest.importorskip("zigpy.config")
pytest.importorskip("zigpy_znp")
from served_ncp import Served, application, until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
HOME = [
    {"name": "smoke", "kind": "smoke", "place": "kitchen"},
    {"name": "pendant", "kind": "call_button", "place": "person"},
    {"name": "door", "kind": "door", "place": "hall"},
    {"name": "movement", "kind": "activity", "place": "room"},
]
ALARMS = [
    {"at": 300, "every": 500, "do": "smoke", "sensor": "smoke", "on": True},
    {"at": 500, "every": 1500, "do": "call_button", "sensor": "pendant", "button": "call"},
]


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(home: dict) -> Served:
        started.append(Served(tmp_path, home))
        return started[-1]

    yield start
    for served in started:
        assert served.end() == ""


def tool(name: str):
    return importlib.import_module(f"zigpy_znp.tools.{name}")


async def znp_of(link: str):
    from zigpy_znp.api import ZNP
    from zigpy_znp.config import CONFIG_SCHEMA

    znp = ZNP(CONFIG_SCHEMA({"device": {"path": link}}))
    await znp.connect()
    return znp


async def backup_of(link: str) -> dict:
    znp = await znp_of(link)
    try:
        return await tool("network_backup").backup_network(znp)
    finally:
        await znp.disconnect()


class Ear:
    """The zones that told an alarm."""

    def __init__(self) -> None:
        self.heard: set = set()

    def handle_message(self, device, profile, cluster, source, destination, data):
        if cluster == 0x0500 and data[2] == 0 and data[3] & 3:
            self.heard.add(str(device.nwk))

    async def hear(self, link: str, count: int, limit_s: float) -> set:
        async with application(link) as app:
            await app.start_network()
            app.packet_received = lambda packet: self.packet(packet)
            await until(lambda: len(self.heard) >= count, limit_s)
        return self.heard

    def packet(self, packet) -> None:
        data = packet.data.serialize()
        if packet.cluster_id == 0x0500 and data[2] == 0 and data[3] & 3:
            self.heard.add(int(packet.src.address))


def same_network(one: dict, other: dict) -> None:
    """All that a backup holds, but for what a chip counts on by itself."""
    one, other = copy.deepcopy(one), copy.deepcopy(other)
    for backup in (one, other):
        backup["metadata"] = None
        backup["network_key"]["frame_counter"] = 0
        for device in backup["devices"]:
            device.get("link_key", {})["tx_counter"] = 0
    assert one == other


def test_a_network_is_formed_on_a_blank_chip_as_it_was_asked_for(serve):
    served = serve({"network": "none", "seed": 5})

    async def judge():
        from zigpy.exceptions import NetworkNotFormed

        async with application(served.link) as app:
            with pytest.raises(NetworkNotFormed):
                await app.load_network_info()
            await app.form_network()
            await app.start_network()
            formed = copy.deepcopy(app.state.network_info)
        async with application(served.link) as app:  # and it is still there after its reset
            await app.start_network()
            kept = app.state.network_info
            assert (kept.pan_id, kept.extended_pan_id, kept.channel) == (
                formed.pan_id, formed.extended_pan_id, formed.channel,
            )
            assert kept.network_key.key == formed.network_key.key
            assert kept.network_key.tx_counter > formed.network_key.tx_counter
            assert kept.pan_id not in (0xFFFF, 0) and len(set(kept.network_key.key)) > 4

    asyncio.run(judge())


@pytest.mark.fault(29)
@pytest.mark.req("ZB-16")
def test_a_backup_restored_into_another_chip_is_heard_by_the_sensors(serve):
    served = serve({"sensors": HOME, "steps": ALARMS})

    async def judge():
        before = await backup_of(served.link)
        assert len(before["devices"]) == 4
        served.do({"do": "ncp", "fault": "replace"})
        await asyncio.sleep(0.6)
        with pytest.raises(Exception, match=""):
            await backup_of(served.link)
        await tool("network_restore").restore_network(served.link, before, 2500)
        heard = await Ear().hear(served.link, 2, 30)
        shorts = {int.from_bytes(bytes.fromhex(one["nwk_address"]), "big") for one in before["devices"]}
        assert heard <= shorts
        after = await backup_of(served.link)
        same_network(before, after)
        assert after["network_key"]["frame_counter"] >= before["network_key"]["frame_counter"] + 2500

    asyncio.run(judge())


@pytest.mark.parametrize("wrong", ["key", "counter"])
def test_what_was_restored_wrongly_is_deaf(serve, wrong):
    served = serve({"sensors": HOME, "steps": ALARMS})

    async def judge():
        backup = await backup_of(served.link)
        served.do({"do": "ncp", "fault": "nv_lost"})
        await asyncio.sleep(0.6)
        if wrong == "key":
            backup["network_key"]["key"] = "00112233445566778899aabbccddeeff"
        else:
            backup["network_key"]["frame_counter"] = 100
        await tool("network_restore").restore_network(served.link, backup, 0)
        with pytest.raises(TimeoutError):
            await Ear().hear(served.link, 1, 2.5)

    asyncio.run(judge())


def test_the_whole_memory_is_read_and_written_back(serve):
    served = serve({"sensors": HOME[:2], "steps": ALARMS})

    async def judge():
        from zigpy.exceptions import NetworkNotFormed

        znp = await znp_of(served.link)
        kept = await tool("nvram_read").nvram_read(znp)
        await tool("nvram_reset").nvram_reset(znp)
        with pytest.raises(NetworkNotFormed):
            await znp.load_network_info()
        await tool("nvram_write").nvram_write(znp, kept)
        assert await tool("nvram_read").nvram_read(znp) == kept
        await znp.disconnect()
        assert await Ear().hear(served.link, 2, 30)

    asyncio.run(judge())


@pytest.mark.fault(37)
def test_an_energy_scan_shows_the_noise(serve, capsys):
    served = serve({"sensors": []})
    served.do({"do": "radio", "noise": {"11": 250, "26": 120}})

    async def judge():
        from zigpy.types import Channels

        every = Channels.ALL_CHANNELS
        async with application(served.link) as app:
            await app.start_network()
            energy = await app.energy_scan(every, duration_exp=2, count=2)
            assert energy[11] > energy[26] > energy[15]
            served.do({"do": "radio", "jam": True})
            await asyncio.sleep(0.2)
            jammed = await app.energy_scan(every, duration_exp=0, count=1)
            assert min(jammed.values()) > energy[26]
        served.do({"do": "radio", "jam": False})
        await tool("energy_scan").perform_energy_scan(served.link, num_scans=1)

    asyncio.run(judge())
    assert "11" in capsys.readouterr().out


def test_a_channel_too_loud_is_not_taken(serve):
    served = serve({"network": "none"})
    served.do({"do": "radio", "noise": {str(channel): 240 for channel in (15, 25)}})

    async def judge():
        znp = await znp_of(served.link)
        import zigpy_znp.commands as c
        import zigpy_znp.types as t

        channels = t.Channels.from_channel_list([15, 20, 25])
        await znp.request(c.AppConfig.BDBSetChannel.Req(IsPrimary=True, Channel=channels), RspStatus=t.Status.SUCCESS)
        await znp.start_network()
        await znp.load_network_info()
        assert znp.network_info.channel == 20
        await znp.disconnect()

    asyncio.run(judge())
