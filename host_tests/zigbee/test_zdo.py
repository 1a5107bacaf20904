"""Device profile and interview answers: builders against zigpy's types, parsers whole, cut, garbled and fuzzed."""

import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import fuzz_answers
from fuzz_answers import CONFIGURATION, CONFIGURED, ENDPOINTS, NODE, READ, SIMPLE

from zigbee import frames
from zigbee.joining import answers, describing, zdo
from zigbee.reader import Reader

_COUNT = int(os.environ.get("FUZZ_COUNT", "40000"))
_CHUNK = 500_000
WIRE = bytes(range(1, 9))


def test_requests_are_what_zigpy_znp_sends():
    commands = pytest.importorskip("zigpy_znp.commands")
    t = pytest.importorskip("zigpy_znp.types")
    import zigpy.zdo.types as zdo_t

    c = commands
    ieee = t.EUI64(WIRE)
    to = zdo_t.MultiAddress(addrmode=3, ieee=t.EUI64(bytes(range(11, 19))), endpoint=1)
    pairs = [
        (c.ZDO.NodeDescReq.Req(DstAddr=0x1234, NWKAddrOfInterest=0x1234), zdo.of_interest(0x1234)),
        (c.ZDO.ActiveEpReq.Req(DstAddr=0x1234, NWKAddrOfInterest=0x1234), zdo.of_interest(0x1234)),
        (c.ZDO.SimpleDescReq.Req(DstAddr=0x1234, NWKAddrOfInterest=0x1234, Endpoint=9), zdo.simple_desc(0x1234, 9)),
        (c.ZDO.BindReq.Req(Dst=0x1234, Src=ieee, SrcEndpoint=2, ClusterId=0x0500, Address=to),
         zdo.bind(0x1234, WIRE, 2, 0x0500, bytes(range(11, 19)), 1)),
        (c.ZDO.MgmtLeaveReq.Req(DstAddr=0x1234, IEEE=ieee, RemoveChildren_Rejoin=c.zdo.LeaveOptions.NONE),
         zdo.leave(0x1234, WIRE)),
        (c.ZDO.MgmtPermitJoinReq.Req(AddrMode=t.AddrMode.NWK, Dst=0, Duration=60, TCSignificance=0), zdo.permit(60)),
        (c.ZDO.MgmtPermitJoinReq.Req(AddrMode=t.AddrMode.Broadcast, Dst=0xFFFC, Duration=0, TCSignificance=0),
         zdo.permit_nowhere()),
    ]  # fmt: skip
    for theirs, ours in pairs:
        assert theirs.to_frame().data == ours, theirs


@pytest.mark.req("SEC-03")
def test_whole_answers():
    assert zdo.simple(SIMPLE) == (1, 0x0104, 0x0402, [0, 1, 3, 0x0500], [0x0501, 25])
    assert zdo.node(NODE) == 0x80
    assert zdo.endpoints(ENDPOINTS) == [1]  # 242 is no application
    assert zdo.status(NODE) == (0x1234, 0)
    assert answers.read(READ) == {4: (0x42, b"\x04Home"), 5: (0x42, b"\x05Smoke"), 7: (0x30, b"\x03")}
    assert answers.configured(CONFIGURED, (2, 0x21)) == (2,)
    assert answers.configured(b"\x00", (2, 0x21)) == (2, 0x21)
    assert answers.configured(b"\x86", (2, 0x21)) == ()
    assert answers.configuration(CONFIGURATION) == {0x21: (30, 14400), 2: (0, 14400)}
    assert (answers.written(b"\x00"), answers.written(b"\x88\x10\x00"), answers.written(b"")) == (0, 0x88, -1)
    assert (answers.default(b"\x02\x00"), answers.default(b"\x02")) == (0, -1)


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize(("parse", "good"), [(zdo.simple, SIMPLE), (zdo.node, NODE), (zdo.endpoints, ENDPOINTS)])
def test_every_truncation_and_every_tail_is_refused(parse, good):
    assert parse(good) is not None
    for size in range(len(good)):
        assert parse(good[:size]) is None
    for tail in (b"\x00", b"\xff" * 3, good):
        assert parse(good + tail) is None
    assert parse(good[:2] + b"\x81" + good[3:]) is None  # a status that says no


@pytest.mark.req("SEC-03")
def test_counts_that_lie_and_lists_that_are_too_long():
    for at in (5, 12, 21):
        for value in range(256):
            if value != SIMPLE[at]:
                found = zdo.simple(SIMPLE[:at] + bytes((value,)) + SIMPLE[at + 1:])
                assert found is None or (at, value, found[4]) == (12, 6, [])  # by chance it adds up
    many = bytes(range(66))
    long = SIMPLE[:5] + bytes((8 + 66,)) + SIMPLE[6:12] + bytes((33,)) + many + b"\x00"
    assert zdo.simple(long) is None
    assert zdo.endpoints(ENDPOINTS[:5] + bytes((17,)) + bytes(range(1, 18))) is None
    assert zdo.endpoints(ENDPOINTS[:5] + b"\x03\x01\x01\xff") == [1]
    assert zdo.node(NODE[:3] + b"\x35\x12" + NODE[5:]) is None  # another one's descriptor


@pytest.mark.req("SEC-03")
def test_read_responses_cut_anywhere_give_what_came_before():
    whole = answers.read(READ)
    for size in range(len(READ)):
        part = answers.read(READ[:size])
        assert all(whole[key] == part[key] for key in part)
    assert answers.read(b"\x04\x00\x00\x99\x01\x02") == {}
    assert len(answers.read(b"".join(bytes((n, 0, 0, 0x20, n)) for n in range(30)))) == 16


def test_text_from_the_air_is_printable_and_short():
    assert describing.text(b"\x0bSmoke\x00\x07\x80\xffxy") == "Smoke"
    assert describing.text(b"\x05\x1b[2Jx") == "[2Jx"
    assert describing.text(b"\x50" + b"a" * 80) == "a" * 32
    assert describing.text(b"\xff") == describing.text(b"") == ""
    assert describing.text("\x0f연기감지기".encode()) == ""


@pytest.mark.req("SEC-03")
def test_answers_through_the_reader_whole_and_byte_by_byte():
    """The lengths that the reader demands are those of the answers, of a refusal too."""
    frames_ = [
        (0x4584, SIMPLE), (0x4584, SIMPLE[:2] + b"\x82" + SIMPLE[3:5] + b"\x00"), (0x4582, NODE),
        (0x4582, NODE[:2] + b"\x80" + NODE[3:5]), (0x4585, ENDPOINTS), (0x45A1, NODE[:3]), (0x45B4, NODE[:3]),
        (0x45CB, b"\x3c"), (0x6F04, b"\x00"), (0x6F06, b"\x00"), (0x6534, b"\x00"), (0x6544, b"\x00"),
    ]  # fmt: skip
    for pieces in (1, 1000):
        found = []
        take = found.append
        reader = Reader(lambda buf, at, size, command, take=take: take((command, bytes(buf[at:at + size]))))
        wire = b"".join(bytes(frames.encode(command, data)) for command, data in frames_)
        step = max(len(wire) // pieces, 1)
        for at in range(0, len(wire), step):
            piece = bytearray(wire[at:at + step])
            reader.push(piece, len(piece), 1000)
        for _ in range(20):
            reader.poll(10_000)
        assert found == frames_


@pytest.mark.req("SEC-03")
def test_fuzz_on_micropython(micropython):
    done = 0
    while done < _COUNT:
        some = min(_CHUNK, _COUNT - done)
        program = ["host_tests/zigbee/fuzz_answers.py", str(some), str(done + 5)]
        result = json.loads(micropython(program, heap="512K", env={"MICROPYPATH": ".:.frozen"}, timeout=3000))
        assert result["inputs"] == some
        assert result["taken"] > some // 50 and result["answered"] > some // 50 and result["broken"]
        done += some


@pytest.mark.req("SEC-03")
def test_fuzz_where_an_index_out_of_bounds_is_an_exception():
    assert fuzz_answers.run(min(_COUNT // 4, 100_000), 3)["taken"]
