"""Our decoder against zigpy's, byte for byte the same input: valid frames made by zigpy's serialisers, and broken ones.

`differential.excuse` lists the differences that are meant. FUZZ_COUNT raises the number of frames.
"""

import collections
import os
import random
import sys

import pytest

if sys.version_info < (3, 11):
    pytest.skip("zigpy-znp needs Python 3.11", allow_module_level=True)
pytest.importorskip("zigpy_znp")
hypothesis = pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

sys.path.insert(0, os.path.dirname(__file__))
import differential  # noqa: E402
import zigpy.types as t  # noqa: E402
import zigpy_znp.commands as znp  # noqa: E402
import zigpy_znp.types as znp_types  # noqa: E402
from zigpy.zcl import foundation  # noqa: E402
from zigpy_znp.frames import GeneralFrame  # noqa: E402

from zigbee import frames, scan  # noqa: E402
from zigbee.joining import zdo  # noqa: E402

_COUNT = max(300, int(os.environ.get("FUZZ_COUNT", "0")) // 1000)
_MUTANTS = max(12_000, int(os.environ.get("FUZZ_COUNT", "0")) // 10)
_SETTINGS = settings(
    max_examples=_COUNT, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
_CLUSTERS = sorted(differential.CLUSTERS)
_NUMBERS = {0x0001: (0x20, 0x21, 0x40, 0x41, 0x3E), 0x0402: (0, 1, 2), 0x0406: (0,), 0x0500: (0, 1, 2, 0x10),
            0xFC30: (0, 1, 2, 3)}  # fmt: skip
# what those attributes are by the book, so that values get through
_BOOK = {(0x0001, 0x20): 0x20, (0x0001, 0x21): 0x20, (0x0001, 0x40): 0x20, (0x0001, 0x41): 0x20, (0x0402, 0): 0x29,
         (0x0406, 0): 0x18, (0x0500, 2): 0x19, (0x0500, 0): 0x30, (0xFC30, 0): 0x23, (0xFC30, 1): 0x1B,
         (0xFC30, 2): 0x1B, (0xFC30, 3): 0x18}  # fmt: skip
_TYPES = [one for one in foundation.DataTypeId if one not in (foundation.DataTypeId.unk, 0x4C)]
_SIZES = {0x00: 0, 0x10: 1, 0x30: 1, 0x31: 2, 0x38: 2, 0x39: 4, 0x3A: 8, 0xE0: 4, 0xE1: 4, 0xE2: 4, 0xE8: 2, 0xE9: 2,
          0xEA: 4, 0xF0: 8, 0xF1: 16}  # fmt: skip
_COLLECTIONS = (0x48, 0x50, 0x51)


def agree(ours, payload, seen):
    """The two sides say the same, or there is a reason that they do not."""
    mine, before = ours.decode(payload)
    other = differential.theirs(payload)
    if mine == other:
        seen["refused" if mine is None else "same"] += 1
        if before and mine is None:
            assert _is_beginning(payload, before), f"{payload.hex()}: refused, but {before} was told"
        return
    reason = differential.excuse(payload, mine, other)
    assert reason, f"{payload.hex()}: ours {mine} (told {before}), zigpy {other}"
    seen[reason] += 1


def _is_beginning(payload, before):
    """What was told of a list that broke off is what zigpy makes of the entries before the break."""
    number, size = payload[2] | payload[3] << 8, payload[16]
    zcl = payload[17:17 + size]
    return any(differential.theirs(differential.message(number, zcl[:end])) == before for end in range(3, size))


@st.composite
def values(draw, kind):
    """A value of that type as zigpy makes it; the text of strings is any bytes."""
    if kind in _COLLECTIONS:
        each = draw(st.sampled_from([one for one in _TYPES if one not in _COLLECTIONS]))
        some = [draw(values(each)) for _ in range(draw(st.integers(0, 3)))]
        return bytes((each,)) + len(some).to_bytes(2, "little") + b"".join(some)
    if kind in (0x41, 0x42, 0x43, 0x44):
        text = draw(st.binary(max_size=12))
        wide = 2 if kind in (0x43, 0x44) else 1
        return draw(st.sampled_from([len(text).to_bytes(wide, "little") + text, b"\xff" * wide]))
    python_type = foundation.DataType.from_type_id(kind).python_type
    size = _SIZES.get(kind, (kind & 7) + 1)
    wire = draw(st.binary(min_size=size, max_size=size))
    value, rest = python_type.deserialize(wire)
    assert not rest
    return value.serialize() if kind not in (0x38, 0x39, 0x3A) else wire


@st.composite
def lists(draw):
    """(cluster, general command, entries as zigpy serialises them)."""
    cluster = draw(st.sampled_from(_CLUSTERS))
    answer = draw(st.booleans())
    body = b""
    for _ in range(draw(st.integers(0, 5))):
        number = draw(st.sampled_from(_NUMBERS.get(cluster, (0, 4)) * 3 + (draw(st.integers(0, 0xFFFF)),)))
        kind = _BOOK.get((cluster, number), 0x20) if draw(st.integers(0, 4)) else draw(st.sampled_from(_TYPES))
        body += t.uint16_t(number).serialize()
        if answer and draw(st.integers(0, 5)) == 0:
            body += bytes((draw(st.integers(1, 255)),))
            continue
        body += (b"\0" if answer else b"") + bytes((kind,)) + draw(values(kind))
    return cluster, 0x01 if answer else 0x0A, body


@st.composite
def commands(draw):
    """(cluster, header, payload) of any command zigpy knows of these clusters, fields as its types make them."""
    cluster = draw(st.sampled_from(_CLUSTERS))
    theirs = differential.cluster(cluster)
    to_client = draw(st.booleans())
    known = theirs.client_commands if to_client else theirs.server_commands
    number = draw(st.sampled_from(sorted(known) + [0x7F]))
    body = b""
    for field in known[number].schema.fields if number in known else ():
        body += _field(draw, field.type)
    header = foundation.ZCLHeader.cluster(draw(st.integers(0, 255)), number, None, foundation.Direction(to_client))
    return cluster, header.serialize(), body


def _field(draw, kind):
    """Random bytes that zigpy reads as this type, serialised by it again."""
    for _ in range(20):
        try:
            value, _ = kind.deserialize(draw(st.binary(min_size=1, max_size=12)))
            return value.serialize()
        except Exception:  # noqa: BLE001, S112 - not this one
            continue
    return bytes(8)


def general(command, body, number=7, control=0x18):
    return bytes((control, number, command)) + body


_SEEN = collections.Counter()


@_SETTINGS
@given(lists())
def _attribute_lists(ours, made):
    cluster, command, body = made
    if len(body) > 220:
        return
    agree(ours, differential.message(cluster, general(command, body)), _SEEN)


@pytest.mark.req("SEC-03")
def test_attribute_lists_as_zigpy_makes_them():
    _SEEN.clear()
    _attribute_lists(differential.Ours())
    assert _SEEN["same"] > _COUNT // 2, _SEEN


@_SETTINGS
@given(commands())
def _commands(ours, made):
    cluster, header, body = made
    agree(ours, differential.message(cluster, header + body), _SEEN)


@pytest.mark.req("SEC-03")
def test_commands_as_zigpy_makes_them():
    _SEEN.clear()
    _commands(differential.Ours())
    assert _SEEN["same"] > _COUNT // 2, _SEEN


def samples():
    """A frame of each sort we use."""
    mask = bytes.fromhex("000023070000000100 1B030000200200 1B010000000300 1801")
    return [
        (0x0500, bytes.fromhex("191100010000ff0000")), (0x0500, bytes.fromhex("09110128000000")),
        (0x0500, general(0x0A, bytes.fromhex("0200190100"))),
        (0x0500, general(0x01, bytes.fromhex("0000003001 0100003128 00 0200001921 00 100086"))),
        (0x0501, bytes.fromhex("110504")), (0x0501, bytes.fromhex("1105020500")),
        (0x0501, bytes.fromhex("01050000043132333407")), (0x0501, bytes.fromhex("110503")),
        (0x0020, bytes.fromhex("090700")),
        (0x0001, general(0x0A, bytes.fromhex("2000201d 210020b4 40002011 410020c8"))),
        (0x0402, general(0x0A, bytes.fromhex("00002918fc"))), (0x0406, general(0x0A, bytes.fromhex("00001801"))),
        (0xFC30, general(0x0A, mask)), (0xFC30, general(0x0A, mask + mask)),
        (0x0000, general(0x01, bytes.fromhex("04000042044869 6d6505000042025431 0700003003"))),
        (0x0000, general(0x0A, bytes.fromhex("05004c0200 2001 2102 00 06004821020001000200"))),
        (0x0000, general(0x0B, b"\x00\x00")), (0x0006, bytes.fromhex("010942000000000000")),
    ]


def mutants():
    """Every bit flipped, every cut, every byte doubled or left out, of each sample's ZCL frame."""
    for cluster, zcl in samples():
        for bit in range(8 * len(zcl)):
            flipped = bytearray(zcl)
            flipped[bit // 8] ^= 1 << bit % 8
            yield cluster, bytes(flipped)
        for at in range(len(zcl) + 1):
            yield cluster, zcl[:at]
            yield cluster, zcl[:at] + zcl[at + 1:]
            yield cluster, zcl[:at] + zcl[at:at + 1] * 2 + zcl[at + 1:]


@pytest.mark.req("SEC-03")
def test_every_bit_flip_cut_and_insertion():
    ours, seen = differential.Ours(), collections.Counter()
    for cluster, zcl in mutants():
        agree(ours, differential.message(cluster, zcl), seen)
    assert seen["same"] > 1500 and seen["refused"] > 300, seen


@pytest.mark.req("SEC-03")
def test_random_mutations():
    """Several faults at once, in the AF header too; every kind of excuse is met, or it is none."""
    ours, seen, dice = differential.Ours(), collections.Counter(), random.Random(3)
    every = samples()
    for _ in range(_MUTANTS):
        cluster, zcl = dice.choice(every)
        payload = bytearray(differential.message(cluster, zcl))
        for _ in range(dice.randrange(1, 5)):
            where = dice.randrange(17, len(payload)) if dice.randrange(8) else dice.randrange(len(payload))
            if where in (4, 5, 16):  # another sender; a length that does not fit the frame never leaves the reader
                continue
            payload[where] = dice.choice((dice.randrange(256), payload[where] ^ 1 << dice.randrange(8)))
        agree(ours, bytes(payload), seen)
    print(seen)
    assert seen["same"] > _MUTANTS // 4 and seen["refused"] > _MUTANTS // 20, seen


_ROWS: dict = collections.defaultdict(list)
for _row in frames._EXPECTED:
    _ROWS[_row[0] << 8 | _row[1]].append(_row)
# Commands whose form zigpy-znp sees differently: (ours takes it, theirs does), payload -> whether that is meant
_FORMS = {
    # the message as the document has it, without the MAC source and radius of Z-Stack 3
    frames.AF_INCOMING_MSG: lambda mine, data: mine and len(data) == 17 + data[16],
    # the list of children may be missing; where there is one, its count must fit, which zigpy-znp does not look at
    frames.ZDO_IEEE_ADDR_RSP: lambda mine, data: len(data) == 11 if mine else len(data) != 13 + 2 * data[12],
    # a descriptor of one byte: zigpy-znp has a type of its own for it
    0x4582: lambda mine, data: not mine and len(data) == 6,
    # the descriptor's own length must fit here; what is in it is checked by zdo.simple()
    0x4584: lambda mine, data: zdo.simple(bytes(data)) is None if mine else len(data) != 6 + data[5],
    # half of the code revision that Z-Stack 3 adds
    0x6102: lambda mine, data: not mine and 9 < len(data) < 14,
    # MT API: state and one byte of channel, 24 bytes; zigpy-znp does not use it and has 26
    0x6550: lambda mine, data: len(data) == (24 if mine else 26),
}


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("command", sorted(_ROWS), ids=hex)
def test_forms_of_znp_frames(command):
    """Which payloads the reader takes for a frame of this command, against zigpy-znp's commands."""
    dice = random.Random(command)
    rows = _ROWS[command]
    header = znp_types.CommandHeader(0).with_type(znp_types.CommandType(command >> 13))
    header = header.with_subsystem(znp_types.Subsystem(command >> 8 & 0x1F)).with_id(command & 0xFF)
    theirs = znp.COMMANDS_BY_ID[header]
    taken = 0
    for number in range(1000):
        base, place, factor = dice.choice(rows)[2:]
        high = 256 if number % 2 else 5
        data = bytearray(dice.randrange(high) for _ in range(dice.randrange(45) if number % 3 == 0 else base))
        if place != 0xFF and number % 3 and len(data) > place:
            data[place] = dice.randrange(6)
            data += bytes(dice.randrange(5) for _ in range(data[place] * factor))
        frame = frames.encode(command, bytes(data))
        mine = scan.fits(frame, 0, len(frame), frames.EXPECTED) == 1
        try:
            theirs.from_frame(GeneralFrame(header, znp_types.Bytes(data)))
            other = True
        except Exception:  # noqa: BLE001 - zigpy-znp raises several kinds
            other = False
        taken += mine and other
        assert mine is other or (command in _FORMS and _FORMS[command](mine, data)), (bytes(data).hex(), mine, other)
    assert taken > 100 or command in (0x4584, 0x6550)


_DESCRIPTORS = (
    (0x4582, "341200341202408007 1250 5000 0000 5000 00", zdo.node),
    (0x4585, "3412003412020108", zdo.endpoints),
    (0x4584, "34120034121401 0401 0204 00 04 0000 0100 0300 0005 02 0105 1900", zdo.simple),
)


def _profile(command, data):
    """What zigpy-znp makes of it, in the words of zigbee.joining.zdo; None: refused."""
    header = znp_types.CommandHeader(0).with_type(znp_types.CommandType.AREQ)
    header = header.with_subsystem(znp_types.Subsystem.ZDO).with_id(command & 0xFF)
    try:
        answer = znp.COMMANDS_BY_ID[header].from_frame(GeneralFrame(header, znp_types.Bytes(data)))
    except Exception:  # noqa: BLE001
        return None
    if answer.Status != 0:
        return None
    if command == 0x4582:
        capabilities = answer.NodeDescriptor and answer.NodeDescriptor.mac_capability_flags
        return None if capabilities is None or answer.Src != answer.NWK else int(capabilities)
    if command == 0x4585:
        return sorted({int(one) for one in answer.ActiveEndpoints if 1 <= one <= 240})
    simple = answer.SimpleDescriptor
    if simple is None or simple.output_clusters is None:
        return None
    return (int(simple.endpoint), int(simple.profile), int(simple.device_type),
            [int(one) for one in simple.input_clusters], [int(one) for one in simple.output_clusters])  # fmt: skip


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("command,sample,mine", _DESCRIPTORS, ids=["node", "endpoints", "simple"])
def test_descriptors(command, sample, mine):
    """Every bit flip, cut, repeat of a byte, and random faults: the same descriptor as zigpy-znp's, or none."""
    sample, dice = bytes.fromhex(sample), random.Random(command)
    assert mine(sample) is not None and mine(sample) == _profile(command, sample)
    same = refused = 0
    broken = [bytearray(sample) for _ in range(3000)]
    for data in broken:
        for _ in range(dice.randrange(1, 3)):
            at = dice.randrange(len(data))
            data[at:at + dice.randrange(2)] = bytes(dice.randrange(256) for _ in range(dice.choice((0, 1, 1, 1, 2))))
    for bit in range(8 * len(sample)):
        broken.append(bytearray(sample))
        broken[-1][bit // 8] ^= 1 << bit % 8
    for data in [bytes(one) for one in broken] + [sample[:size] for size in range(len(sample))]:
        own, other = mine(data), _profile(command, data)
        if own == other:
            same, refused = same + (own is not None), refused + (own is None)
            continue
        # zigpy-znp looks neither at the descriptor's own length nor at what is of no use to us; we refuse more
        assert own is None, (data.hex(), own, other)
    assert same > 200 and refused > 100
