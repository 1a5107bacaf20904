"""zigpy-znp opens the network; sensors of each kind join, are interviewed, bound, configured, enrolled and heard."""

import asyncio
import sys

import pytest

if sys.version_info < (3, 11):
    pytest.skip("zigpy-znp needs Python 3.11", allow_module_level=True)
pytest.importorskip("zigpy")
pytest.importorskip("zigpy_znp")
from served_ncp import Served, application, until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
CODE = "83FED3407A939723A5C639B26916D505C3B5"
KINDS = {"hall": "smoke", "person": "call_button", "front": "door", "room": "activity"}
MODELS = {"smoke": "Smoke", "call_button": "Pendant", "door": "Door", "activity": "Motion"}
CLUSTERS = {
    "smoke": {0, 1, 3, 0x20, 0x0402, 0x0500, 0x0502}, "call_button": {0, 1, 3, 0x20, 0x0500},
    "door": {0, 1, 3, 0x20, 0x0500}, "activity": {0, 1, 3, 0x20, 0x0406, 0xFC30},
}  # fmt: skip


@pytest.fixture
def served(tmp_path):
    chip = Served(tmp_path, {"sensors": [], "seed": 3})
    yield chip
    assert chip.end() == ""


class Ear:
    """Zone statuses, commands and reports, by the sender's address."""

    def __init__(self) -> None:
        self.zones: dict = {}
        self.enrolling: list = []
        self.reported: dict = {}

    def packet(self, packet) -> None:
        data, short = packet.data.serialize(), int(packet.src.address)
        control, command, rest = data[0], data[2], data[3:]
        if packet.cluster_id == 0x0500 and control & 3 == 1:
            if command == 0x00:
                self.zones.setdefault(short, []).append((rest[0], rest[3]))
            elif command == 0x01:
                self.enrolling.append(short)
        elif control & 3 == 0 and command == 0x0A:
            self.reported.setdefault(short, set()).add(packet.cluster_id)


def listen(app) -> Ear:
    ear = Ear()
    before = app.packet_received

    def received(packet) -> None:
        if packet.src_ep:
            ear.packet(packet)
        before(packet)

    app.packet_received = received
    return ear


def by_model(app) -> dict:
    return {device.model: device for device in app.devices.values() if device.is_initialized}


async def configure(device, app, zone_id: int) -> None:
    """What an application does with a new sensor: bindings, reporting, enrolment with read-back."""
    endpoint = device.endpoints[1]
    assert (await endpoint.power.bind())[0] == 0
    answer = await endpoint.power.configure_reporting(0x0021, 1, 3600, 1)
    assert list(answer.values()) == [0]
    if 0x0500 not in endpoint.in_clusters:
        return
    zone = endpoint.ias_zone
    assert (await zone.bind())[0] == 0
    assert (await zone.write_attributes({"cie_addr": app.state.node_info.ieee}))[0][0].status == 0
    await zone.enroll_response(enroll_response_code=0, zone_id=zone_id)
    found = (await zone.read_attributes(["zone_state", "cie_addr", "zone_id"]))[0]
    assert (found["zone_state"], found["cie_addr"], found["zone_id"]) == (1, app.state.node_info.ieee, zone_id)


@pytest.mark.req("ZB-02")
def test_a_sensor_of_each_kind_joins_is_interviewed_and_heard(served):
    async def judge():
        async with application(served.link) as app:
            await app.start_network()
            ear = listen(app)
            await app.permit(120)
            for name, kind in KINDS.items():
                served.do({"do": "pair", "kind": kind, "name": name, "place": name})
            await until(lambda: set(by_model(app)) >= set(MODELS.values()))
            assert {told["what"] for told in served.told} == {"joined"}
            devices = by_model(app)
            for kind, model in MODELS.items():
                device = devices[model]
                assert set(device.endpoints[1].in_clusters) == CLUSTERS[kind]
                assert device.node_desc.logical_type == 2 and not device.node_desc.is_mains_powered
                assert not device.node_desc.is_receiver_on_when_idle
            assert 0x0501 in devices["Pendant"].endpoints[1].out_clusters
            zone_ids = {model: 1 + number for number, model in enumerate(MODELS.values())}
            await asyncio.gather(*[configure(devices[model], app, zone_ids[model]) for model in zone_ids])
            served.do({"do": "smoke", "sensor": "hall", "on": True})
            served.do({"do": "call_button", "sensor": "person", "button": "call"})
            served.do({"do": "door", "sensor": "front", "open": True})
            served.do({"do": "sensor", "sensor": "room", "battery": 60})
            served.do({"do": "move", "place": "room", "for_ms": 5000})
            for model, bit in {"Smoke": 1, "Pendant": 2, "Door": 1}.items():
                told = ear.zones.setdefault(devices[model].nwk, [])
                await until(lambda told=told, bit=bit: any(status & bit for status, _ in told))
                assert {zone_id for _, zone_id in told} == {zone_ids[model]}
            await until(lambda: 0x0001 in ear.reported.get(devices["Motion"].nwk, ()))
            await app.load_network_info(load_devices=True)
            assert len(app.state.network_info.key_table) == 4

    asyncio.run(judge())


@pytest.mark.req("SEC-03")
def test_install_codes_decide_who_gets_in(served):
    """With codes required: the one whose code is known joins; another code and none do not."""
    from zigpy.types import EUI64
    from zigpy.util import convert_install_code

    async def judge():
        async with application(served.link) as app:
            await app.start_network()
            ieee = EUI64.convert("00:0d:6f:00:11:22:33:44")
            key = convert_install_code(bytes.fromhex(CODE))
            window = asyncio.create_task(app.permit_with_link_key(ieee, key, 60))
            await asyncio.sleep(0.3)
            known = {"kind": "smoke", "name": "known", "ieee": "000d6f0011223344", "install_code": CODE}
            served.do({"do": "pair", **known})
            served.do({"do": "pair", "kind": "door", "name": "none"})
            served.do({"do": "pair", "kind": "activity", "name": "else", "install_code": CODE})
            await until(lambda: "Smoke" in by_model(app))
            await asyncio.sleep(5)
            assert [told["sensor"] for told in served.told] == ["known"]
            window.cancel()
            with pytest.raises(asyncio.CancelledError):
                await window
            await asyncio.sleep(0.3)  # it takes the requirement back
            await until(lambda: "Door" in by_model(app), 20)
            assert "else" not in [told["sensor"] for told in served.told]  # its own code is not known

    asyncio.run(judge())


def test_a_removed_sensor_leaves_and_can_come_again(served):
    async def judge():
        async with application(served.link) as app:
            await app.start_network()
            await app.permit(120)
            served.do({"do": "pair", "kind": "door", "name": "front"})
            await until(lambda: "Door" in by_model(app))
            ieee = by_model(app)["Door"].ieee
            await app.remove(ieee)
            await until(lambda: [told["what"] for told in served.told] == ["joined", "left"])
            await app.load_network_info(load_devices=True)
            assert not app.state.network_info.children and not app.state.network_info.key_table
            served.do({"do": "pair", "kind": "door", "name": "front"})
            await until(lambda: "Door" in by_model(app))
            served.do({"do": "leave", "sensor": "front"})
            await until(lambda: [told["what"] for told in served.told][-1] == "left")

    asyncio.run(judge())
