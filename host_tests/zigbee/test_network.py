"""Which network: the decision, the channel, the identities, the scans; pure, under CPython."""

import asyncio
import os

import pytest

from zigbee import frames
from zigbee.link import LinkError
from zigbee.net import backup as ocb
from zigbee.net import form, restore
from zigbee.net.identity import ADOPT, FORM, RESTORE, START, Found, NoNetwork, decide, differs
from zigbee.net.survey import Survey

KEY = "00112233445566778899aabbccddeef1"
KEPT = {
    "coordinator_ieee": "00124b0011223344", "pan_id": "3C91", "extended_pan_id": "0102030405060708",
    "nwk_update_id": 250, "channel": 20,
    "network_key": {"key": KEY.upper(), "sequence_number": 1, "frame_counter": 500},
}  # fmt: skip


def found(**changes):
    one = Found()
    one.formed = one.finished = True
    one.ieee, one.extended_pan, one.pan, one.channel = "00124b0011223344", "0102030405060708", "3c91", 20
    one.key, one.sequence, one.update_id, one.counter = bytes.fromhex(KEY), 1, 250, 500
    for name, value in changes.items():
        setattr(one, name, value)
    return one


@pytest.mark.req("ZB-16")
@pytest.mark.parametrize(
    "changes,what",
    [
        ({}, ""), ({"counter": 501}, ""), ({"counter": 499}, "frame counter"), ({"formed": False}, "no network"),
        ({"extended_pan": "1" * 16}, "extended PAN"), ({"key": bytes(16)}, "key"), ({"sequence": 2}, "key number"),
        ({"ieee": "00124b0011223345"}, "coordinator's address"), ({"pan": "3c92"}, "PAN or channel"),
        ({"channel": 15}, "PAN or channel"), ({"channel": 15, "update_id": 251}, ""),
        ({"pan": "0001", "update_id": 3}, ""), ({"channel": 15, "update_id": 249}, "PAN or channel"),
        ({"legible": False, "counter": -1, "pan": "", "channel": 0}, ""), ({"legible": False, "key": b""}, "key"),
    ],
)  # fmt: skip
def test_what_makes_it_another_network(changes, what):
    assert differs(found(**changes), KEPT) == what


@pytest.mark.req("ZB-16")
@pytest.mark.parametrize("may_form", [True, False])
def test_with_a_backup_nothing_is_ever_formed(may_form):
    assert decide(found(), KEPT, may_form) == START
    for changes in ({"formed": False}, {"key": b"x" * 16}, {"counter": 1}, {"finished": False, "pan": "1111"}):
        assert decide(found(**changes), KEPT, may_form) == RESTORE
    with pytest.raises(NoNetwork, match="unknown_firmware"):
        decide(found(legible=False, key=b""), KEPT, may_form)


def test_without_a_backup():
    assert decide(found(), None, False) == ADOPT
    assert decide(found(finished=False, key=b"ZigBeeAlliance09"), None, False) == ADOPT  # there are sensors
    assert decide(found(), None, True) == ADOPT
    assert decide(found(finished=False), None, True) == FORM
    assert decide(found(key=b"ZigBeeAlliance09"), None, True) == FORM
    assert decide(found(formed=False), None, True) == FORM
    with pytest.raises(NoNetwork, match="no_backup"):
        decide(found(formed=False), None, False)


# ------------------------------------------------------------------ forming


@pytest.mark.req("ZB-04")
@pytest.mark.parametrize(
    "levels,neighbours,channel",
    [
        ({}, [], 11), ({11: 10}, [], 15), ({11: 10, 15: 10, 20: 10, 25: 10}, [], 11),
        ({11: 60, 15: 60, 20: 60, 25: 60}, [], 12), ({11: 60, 15: 60, 20: 47, 25: 60}, [], 20), ({}, [11, 15], 20),
        ({11: 200, 15: 200, 20: 200, 25: 200, 26: 0, 18: 20}, [12, 13, 14, 16, 17, 19, 21, 22, 23, 24], 18),
        (dict.fromkeys(range(11, 26), 95), [11, 15, 20, 25, *range(12, 25)], 26),
    ],
)  # fmt: skip
def test_the_rule_for_the_channel(levels, neighbours, channel):
    around = [(0x1000 + i, one, bytes(8)) for i, one in enumerate(neighbours)]
    assert form.choose([levels.get(one, 0) for one in range(11, 27)], around) == channel


@pytest.mark.req("ZB-04")
def test_the_identities_are_random_valid_and_nobodys():
    around = [(pan, 11, bytes((pan & 0xFF,)) * 8) for pan in range(0x0100, 0x0200)]
    made = [form.identity(bytes(range(8)), 15, around) for _ in range(300)]
    assert all(ocb.check(one) == "" for one in made)
    for values in ({one["extended_pan_id"] for one in made}, {one["network_key"]["key"] for one in made}):
        assert len(values) == 300
    assert not {int(one["pan_id"], 16) for one in made} & {*range(0x0100, 0x0200), 0, 0x1A62, 0xFFFE, 0xFFFF}
    assert len({one["stack_specific"]["zstack"]["tclk_seed"] for one in made}) == 300
    assert {(one["coordinator_ieee"], one["channel"], len(one["devices"])) for one in made} == {
        ("0706050403020100", 15, 0)
    }


@pytest.mark.req("ZB-04")
@pytest.mark.parametrize(
    "key", [b"ZigBeeAlliance09", bytes(16), b"\xff" * 16, b"\x5a" * 16, bytes(range(16)), bytes(range(0, 160, 10)),
            bytes([1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13]), bytes(range(0xD0, 0xE0)), b"", b"short"],
)  # fmt: skip
def test_a_default_key_is_weak(key):
    assert form.is_weak(key)


def test_a_random_key_is_not_weak():
    assert not any(form.is_weak(os.urandom(16)) for _ in range(1000))


@pytest.mark.parametrize("same", [b"\x00", b"\xff", b"\x42"])
def test_broken_randomness_forms_nothing(monkeypatch, same):
    monkeypatch.setattr(form.os, "urandom", lambda size: same * size)
    with pytest.raises(LinkError, match="no randomness"):
        form.identity(bytes(8), 15, [])


def test_the_counter_jumps_and_never_wraps():
    assert restore.advanced(0) == 20_000_000
    assert restore.advanced(0xFFFFFFFF - 5) == 0xFFFFFFFE
    a_day = 24 * 3600 * 1000 // 5  # frames of 5 ms with all that belongs to them
    assert a_day < restore.COUNTER_JUMP


# ------------------------------------------------------------------ scans


class Wire:
    """A link that answers with a status and then tells what it is given."""

    def __init__(self, *told, status=0):
        self.told, self.status, self.asked = list(told), status, []

    async def request(self, command, payload=b"", timeout_ms=0):
        self.asked.append((command, bytes(payload)))
        if self.told:
            for command, body in self.told.pop(0):
                self.survey.heard(command, bytearray(b"pad" + body), 3, len(body))
        return bytes((self.status,))


def scan(wire, name):
    wire.survey = Survey(wire)
    return asyncio.run(getattr(wire.survey, name)())


def notify(mask, levels, status=0):
    return frames.ZDO_MGMT_NWK_UPDATE_NOTIFY, (
        bytes((0, 0, status)) + mask.to_bytes(4, "little") + bytes(4) + bytes((len(levels),)) + bytes(levels)
    )


@pytest.mark.fault(37)
def test_the_levels_belong_to_the_channels_that_were_scanned():
    wire = Wire([notify(0x07FFF800, range(16))])
    assert scan(wire, "energy") == list(range(16))
    assert wire.asked == [(0x2537, bytes.fromhex("000002" + "00f8ff07" + "0101" + "0000"))]
    assert scan(Wire([notify(1 << 11 | 1 << 26, [7, 9])]), "energy") == [7] + [255] * 14 + [9]
    assert scan(Wire([notify(0x07FFF800, [1, 2])]), "energy") == [1, 2] + [255] * 14


@pytest.mark.parametrize("wire", [Wire(status=0xC2), Wire([notify(0x07FFF800, range(16), status=0x80)], status=1)])
def test_energy_that_was_not_measured_is_an_error(wire):
    with pytest.raises(LinkError):
        scan(wire, "energy")


def beacon(pan, channel, extended):
    return bytes((0, 0)) + pan.to_bytes(2, "little") + bytes((channel, 0, 1, 1, 2, 2, 200, 0, 0)) + extended


def test_neighbours_are_kept_once_and_bounded():
    one, two = beacon(0x1234, 15, bytes(range(8))), beacon(0x2345, 26, bytes(8))
    done = (frames.ZDO_NWK_DISCOVERY_CNF, b"\0")
    seen = frames.ZDO_BEACON_NOTIFY_IND
    wire = Wire([(seen, b"\x02" + one + two), (seen, b"\1" + one), done])
    assert scan(wire, "discover") == [(0x1234, 15, bytes(range(8))), (0x2345, 26, bytes(8))]
    many = [(seen, b"\1" + beacon(pan, 11, bytes(8))) for pan in range(500)]
    assert len(scan(Wire([*many, done]), "discover")) == 32
