"""The backup under CPython: checked strictly, read and written through the simulated memory, link keys as zigpy's."""

import asyncio
import copy
import json
import os
import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal_sim.zigbee.ieee import ieee_of, wire_of
from hal_sim.zigbee.network import blank_items, empty_tables, formed_items
from hal_sim.zigbee.nv import Nv
from zigbee.link import LinkError
from zigbee.net import backup as ocb
from zigbee.net import nvram, restore
from zigbee.net.nvram import Nvram

FUZZ = int(os.environ.get("FUZZ_COUNT", "1000"))


class Wire:
    """A link whose far end is the simulated memory itself."""

    def __init__(self, items):
        self.nv = Nv()
        self.nv.items = items
        self.asked = 0

    async def request(self, command, payload=b"", timeout_ms=0):
        self.asked += 1
        shortest, answer = self.nv.commands()[command]
        assert len(payload) >= shortest and len(payload) <= 250
        return answer(payload)


class Member:
    def __init__(self, name, short):
        self.wire, self.short = wire_of(ieee_of(name)), short


def home(count=4):
    return formed_items("coordinator", [Member(f"sensor {i}", 0x2000 + i) for i in range(count)])


def taken(items):
    return asyncio.run(ocb.take(Nvram(Wire(items)), "2.7.1"))


GOOD = taken(home())


def test_a_backup_is_json_and_good():
    assert ocb.check(json.loads(json.dumps(GOOD))) == ""
    assert GOOD["metadata"]["format"] == "zigpy/open-coordinator-backup"
    assert len(GOOD["devices"]) == 4
    assert GOOD["devices"] == sorted(GOOD["devices"], key=lambda one: one["ieee_address"])


def test_link_keys_are_made_as_zigpy_makes_them():
    if sys.version_info < (3, 11):
        pytest.skip("zigpy-znp needs Python 3.11")
    security = pytest.importorskip("zigpy_znp.znp.security")
    import zigpy_znp.types as t

    draw = random.Random(1)
    for _ in range(200):
        seed, address, shift = draw.randbytes(16), draw.randbytes(8), draw.randrange(16)
        theirs = security.compute_key(t.EUI64(address), t.KeyData(seed), shift).serialize()
        assert ocb.turned(seed, shift, address) == theirs
        assert ocb.turned(seed, ocb.shift_of(seed, address, theirs), address) == theirs
    assert ocb.shift_of(bytes(range(16)), bytes(8), b"\x55" * 16) == -1


def test_the_layout_of_the_information_base_is_zigpys():
    if sys.version_info < (3, 11):
        pytest.skip("zigpy-znp needs Python 3.11")
    t = pytest.importorskip("zigpy_znp.types")
    nib, rest = t.NIB.deserialize(home()[0x0021], align=True)
    assert not rest
    key, counter = bytes(range(16)), 77
    items = home()
    asyncio.run(restore.write(Nvram(Wire(items)), {
        **GOOD, "pan_id": "abcd", "channel": 25, "channel_mask": [11, 25], "nwk_update_id": 9,
        "extended_pan_id": "0102030405060708",
        "network_key": {"key": key.hex(), "sequence_number": 5, "frame_counter": 1},
    }, counter))  # fmt: skip
    nib, rest = t.NIB.deserialize(items[0x0021], align=True)
    assert not rest
    assert (nib.nwkPanId, nib.nwkLogicalChannel, nib.nwkUpdateId, nib.SecurityLevel) == (0xABCD, 25, 9, 5)
    assert list(nib.channelList) == [11, 25]
    assert nib.extendedPANID == t.EUI64.convert("01:02:03:04:05:06:07:08")
    assert (nib.nwkDevAddress, nib.nwkManagerAddr, nib.nwkCoordAddress, nib.nwkKeyLoaded) == (0, 0, 0, True)
    active, rest = t.NwkKeyDesc.deserialize(items[0x003A], align=True)
    assert (active.KeySeqNum, active.Key.serialize(), rest) == (5, key, b"")
    assert items[(1, 7, 0)] == (77).to_bytes(4, "little") + bytes(range(8, 0, -1))


@pytest.mark.req("ZB-16")
@pytest.mark.parametrize("count", [0, 1, 32, 40])
def test_what_is_written_into_another_chip_reads_the_same(count):
    before = taken(home(count))
    items = blank_items("another")
    empty_tables(items)
    wire = Wire(items)
    asyncio.run(restore.write(Nvram(wire), before, before["network_key"]["frame_counter"] + 5))
    after = taken(items)
    assert ocb.changed(before, after) == ""
    assert after["network_key"]["frame_counter"] == before["network_key"]["frame_counter"] + 5
    for old, new in zip(before["devices"], after["devices"], strict=True):
        assert new["link_key"]["tx_counter"] == old["link_key"]["tx_counter"] + 2500
        assert new["link_key"]["rx_counter"] == old["link_key"]["rx_counter"]


def test_a_larger_home_than_the_tables_makes_them_grow():
    items = blank_items("another")
    empty_tables(items)
    before = copy.deepcopy(GOOD)
    before["devices"] = [
        {**GOOD["devices"][0], "ieee_address": f"{i + 1:016x}", "nwk_address": f"{i + 1:04x}"} for i in range(50)
    ]
    for device in before["devices"]:
        device["link_key"] = {
            "key": ocb.turned(ocb.seed_of(GOOD), 3, ocb.wire(device["ieee_address"])).hex(), "tx_counter": 0,
            "rx_counter": 0,
        }  # fmt: skip
    asyncio.run(restore.write(Nvram(Wire(items)), before, 1))
    assert ocb.changed(before, taken(items)) == ""


def test_keys_that_do_not_fit_are_a_failure_and_not_a_loss():
    before = copy.deepcopy(taken(home(32)))
    for number, device in enumerate(before["devices"]):
        device["link_key"]["key"] = f"{number + 1:032x}"
    items = blank_items("another")
    empty_tables(items)
    with pytest.raises(LinkError, match="do not fit"):
        asyncio.run(restore.write(Nvram(Wire(items)), before, 1))
    assert items[0x0021] == blank_items("another")[0x0021]  # what makes it the network was not written


def test_what_a_key_is_for_survives():
    """A device that never proved its key goes on with the well-known one; forgetting that would lock it out."""
    items = home()
    row = bytearray(items[(1, 4, 2)])
    row[16] = 0xFD
    items[(1, 4, 2)] = bytes(row)
    before = taken(items)
    assert list(before["metadata"]["internal"]["unverified"].values()) == [0xFD]
    asyncio.run(restore.write(Nvram(Wire(items)), before, 1))
    assert taken(items)["metadata"]["internal"]["unverified"] == before["metadata"]["internal"]["unverified"]


@pytest.mark.parametrize(
    "path,value",
    [
        (("metadata", "version"), 2), (("metadata", "format"), "x"), (("metadata",), None), (("pan_id",), "ffff"),
        (("pan_id",), 1), (("pan_id",), "fffe"), (("pan_id",), "12345"), (("extended_pan_id",), "0" * 16),
        (("coordinator_ieee",), "g" * 16), (("channel",), 10), (("channel",), 27), (("channel",), True),
        (("channel_mask",), []), (("channel_mask",), [9]), (("channel_mask",), 20), (("nwk_update_id",), 256),
        (("security_level",), 0), (("network_key", "key"), "f" * 32), (("network_key", "key"), "00" * 16),
        (("network_key", "key"), "12" * 15), (("network_key", "frame_counter"), -1),
        (("network_key", "frame_counter"), 1 << 32), (("network_key", "frame_counter"), 1.5),
        (("network_key", "sequence_number"), None), (("network_key",), []), (("devices",), {}), (("devices",), None),
        (("devices", 0, "ieee_address"), "1"), (("devices", 0, "nwk_address"), 5), (("devices", 0, "is_child"), 1),
        (("devices", 0, "link_key"), []), (("devices", 0, "link_key", "key"), "zz" * 16),
        (("devices", 0, "link_key", "tx_counter"), "1"), (("stack_specific",), 5),
        (("stack_specific", "zstack"), []), (("stack_specific", "zstack", "tclk_seed"), "12"),
        (("metadata", "internal"), {"unverified": {"a": "b"}}), (("metadata", "internal"), {"unverified": []}),
    ],
)  # fmt: skip
def test_a_wrong_backup_is_refused(path, value):
    bad = copy.deepcopy(GOOD)
    inside = bad
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    assert ocb.check(bad) != ""


@pytest.mark.parametrize("what", [None, [], 3, "x", {}])
def test_what_is_no_backup_is_refused(what):
    assert ocb.check(what) != ""


def test_an_address_that_appears_twice_is_refused():
    for twice in (GOOD["devices"][0]["ieee_address"], GOOD["coordinator_ieee"].upper()):
        bad = copy.deepcopy(GOOD)
        bad["devices"][1]["ieee_address"] = twice
        assert "twice" in ocb.check(bad)


@pytest.mark.parametrize("path", [("stack_specific",), ("metadata", "internal"), ("devices", 0, "is_child")])
def test_what_the_format_leaves_open_may_be_missing(path):
    some = copy.deepcopy(GOOD)
    inside = some
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    assert ocb.check(some) == ""
    items = blank_items("another")
    empty_tables(items)
    items[0x004C] = bytes(602)
    asyncio.run(restore.write(Nvram(Wire(items)), some, 1))
    assert ocb.changed(some, taken(items)) == ""


def _places(value, path=()):
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(inner, (*path, key))


PLACES = [path for path in _places(GOOD) if path]
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 1 << 33), st.text(max_size=40), st.floats(), st.just([]), st.just({}),
    st.text("0123456789abcdef", min_size=0, max_size=34),
)


@pytest.mark.req("SEC-03")
@given(st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
@settings(max_examples=FUZZ, deadline=None)
def test_whatever_is_kept_it_is_refused_or_can_be_written_whole(changes):
    """Nothing escapes from the check, and what passes it never fails half way."""
    bad = copy.deepcopy(GOOD)
    for path, value in changes:
        inside = bad
        try:
            for step in path[:-1]:
                inside = inside[step]
            inside[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue
    if ocb.check(bad):
        return
    items = blank_items("another")
    empty_tables(items)
    asyncio.run(restore.write(Nvram(Wire(items)), bad, restore.advanced(bad["network_key"]["frame_counter"])))
    assert ocb.changed(bad, taken(items)) == ""


@pytest.mark.parametrize("item", [nvram.NIB, nvram.ACTIVE_KEY, nvram.TCLK_SEED])
def test_a_memory_of_another_layout_is_not_guessed_at(item):
    items = home()
    items[item] = items[item] + b"\0"
    with pytest.raises(LinkError):
        taken(items)


def test_a_failing_row_is_not_the_end_of_the_table():
    """A backup that lost half its devices would look like one of a smaller home."""
    wire = Wire(home())
    ask = wire.request

    async def request(command, payload=b"", timeout_ms=0):
        if command == 0x2133 and payload[1] == nvram.ADDRMGR and payload[3] == 2:
            return b"\x0a\x00"
        return await ask(command, payload)

    wire.request = request
    with pytest.raises(LinkError, match="row 2"):
        asyncio.run(ocb.take(Nvram(wire), ""))


def test_random_answers_end_in_a_link_error_and_soon():
    draw = random.Random(7)

    class Mad:
        asked = 0

        async def request(self, command, payload=b"", timeout_ms=0):
            self.asked += 1
            if command == 0x2113:
                return draw.choice((116, 17, 16, 8, 0, 65535)).to_bytes(2, "little")
            if command == 0x2132:
                return draw.choice((0, 0, 12, 4096)).to_bytes(4, "little")
            body = draw.randbytes(draw.choice((0, 8, 12, 16, 17, 20, 24, 116)))
            return bytes((draw.choice((0, 0, 0, 2, 10)), len(body))) + body

    for _ in range(300):
        mad = Mad()
        try:
            ocb.check(asyncio.run(ocb.take(Nvram(mad), "")))
        except LinkError:
            pass
        assert mad.asked < 20_000
