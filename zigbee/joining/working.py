"""The second half of the interview: what makes a described device do its job.

Owns enrolment, bindings, reporting and poll control. No state of its own. Must never fail a device for what its job
does not depend on: that is noted in facts["lacks"]. The job of a zone is to be enrolled, of another device to have its
cluster bound.
"""

import asyncio

from micropython import const

from zigbee import ias, kinds, quirks, zcl
from zigbee.frames import ZDO_BIND_REQ
from zigbee.joining import answers, zdo
from zigbee.joining.describing import write_address
from zigbee.joining.outcome import Refusal

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from zigbee.joining.interview import Interview

HOST_ENDPOINT = const(1)
TEMPERATURE = const(0x0402)
MASK = const(0xFC30)  # our own activity cluster (docs/zigbee-profile.md)
_ON_OFF = const(0x0006)
_ZONE_TYPE = const(0x0001)
_ENROLLED = const(1)
_LOOKS = const(6)  # at the zone's state
_LOOK_MS = const(400)  # before the first look; longer each time: a zone may take seconds
_SERVERS_BOUND = (ias.ZONE, MASK, ias.OCCUPANCY, ias.POWER, TEMPERATURE, ias.POLL_CONTROL)
_CLIENTS_BOUND = (ias.ACE, _ON_OFF)
_CONFIGURE = const(0x06)
_CONFIGURED = const(0x07)
_READ_CONFIGURATION = const(0x08)
_CONFIGURATION = const(0x09)
# cluster, attribute, type, least seconds between reports, change (0: of a type without)
_REPORTS = (
    (ias.ZONE, ias.ZONE_STATUS, 0x19, 0, 0),
    (ias.POWER, 0x0020, 0x20, 30, 1),
    (ias.POWER, 0x0021, 0x20, 30, 5),
    (ias.POWER, 0x0040, 0x20, 30, 1),
    (ias.POWER, 0x0041, 0x20, 30, 5),
    (TEMPERATURE, 0x0000, 0x29, 600, 500),
    (ias.OCCUPANCY, 0x0000, 0x18, 0, 0),
)
_SECOND_BATTERY = const(0x0040)
_CHECK_IN = const(0x0000)  # Poll Control, in quarter seconds
_LONG_POLL = const(0x0001)
_SET_LONG_POLL = const(0x02)
_HOUR = const(14_400)  # quarter seconds
_SLOWEST_POLL = const(28)  # 7 s: the coordinator keeps a frame for a sleeping child for 7.68 s
_POLL = const(20)
_UINT32 = const(0x23)


async def enrol(interview: "Interview") -> None:
    """Enrolment until the zone says that it is enrolled; the CIE address before that, where it is not there yet.

    All three ways of ZCL 8.2.2.2: the response is given unasked after each write, and whenever the zone asks
    (zigbee.coordinator). Refusal: neighbour, when it sticks to another's address; failed.
    """
    facts = interview.facts
    for row in quirks.writes(facts["traits"]):
        await _write(interview, row)
    if ias.ZONE not in facts["servers"] or facts["traits"] & quirks.NO_ENROL:
        return
    if not facts.pop("cie", False):
        status = await write_address(interview)
        if status:
            raise Refusal("failed", "takes no CIE address, status %d" % status)
    for look in range(_LOOKS):
        accept = bytes((0, interview.device.index & 0xFF))
        interview.post(ias.ZONE, ias.ENROLL_RESPONSE, accept)
        await asyncio.sleep_ms(_LOOK_MS * (1 + look))
        wanted = (ias.ZONE_STATE, _ZONE_TYPE, ias.ZONE_STATUS)
        command, data = await interview.ask(ias.ZONE, zcl.READ_ATTRIBUTES, answers.ids(wanted), zcl.READ_RESPONSE)
        found = answers.read(data) if command == zcl.READ_RESPONSE else {}
        if found.get(ias.ZONE_STATE, (0, b""))[1] == bytes((_ENROLLED,)):
            return
    raise Refusal("failed", "does not enrol")


async def _write(interview: "Interview", row: tuple) -> None:
    """A maker's own attribute without which this product is no sensor."""
    endpoint, cluster, maker, attribute, kind, value = row
    payload = zdo.put16(attribute) + bytes((kind,)) + value
    command, data = await interview.ask(
        cluster, zcl.WRITE_ATTRIBUTES, payload, zcl.WRITE_RESPONSE, False, endpoint, maker
    )
    if command != zcl.WRITE_RESPONSE or answers.written(data) != 0:
        interview.lacks("write %04x/%04x" % (cluster, attribute))


async def bind(interview: "Interview") -> None:
    """What it has to say comes here. Refusal: failed, when its job depends on it and it will not."""
    facts = interview.facts
    if facts["traits"] & quirks.NO_BIND:
        return
    job = _job(facts)
    for cluster in _SERVERS_BOUND + _CLIENTS_BOUND:
        if cluster not in (facts["clients"] if cluster in _CLIENTS_BOUND else facts["servers"]):
            continue
        device = interview.device
        endpoint = interview.endpoint_of(cluster)
        where = zdo.bind(device.short, device.wire, endpoint, cluster, interview.cie(), HOST_ENDPOINT)
        answer = await interview.described(ZDO_BIND_REQ, where, zdo.status)
        if answer is not None and answer[1] == zdo.OK:
            continue
        if cluster == job:
            raise Refusal("failed", "does not bind %04x" % cluster)
        interview.lacks("bind %04x" % cluster)


def _job(facts: dict) -> int:
    """The cluster whose binding the job depends on: a zone tells its CIE without one, so does our own mask."""
    if ias.ZONE in facts["servers"] or MASK in facts["servers"]:
        return -1
    for cluster in (ias.OCCUPANCY,) + _CLIENTS_BOUND:
        if cluster in facts["servers"] or cluster in facts["clients"]:
            return cluster
    return -1


async def report(interview: "Interview") -> None:
    """How often it tells what does not change by itself, read back where it can be."""
    facts = interview.facts
    period_s = facts.get("period_s") or interview.period_s
    facts["rhythm_s"] = kinds.rhythm_s(facts)
    if facts["traits"] & quirks.NO_REPORTING:
        return
    taken = False
    for cluster in (ias.ZONE, ias.POWER, TEMPERATURE, ias.OCCUPANCY):
        if cluster in facts["servers"] and not (cluster == ias.OCCUPANCY and MASK in facts["servers"]):
            for second in (False, True):
                rows = [row for row in _REPORTS if row[0] == cluster and (row[1] >= _SECOND_BATTERY) is second]
                if rows and (not second or _two_batteries(facts)):
                    taken = await _configure(interview, cluster, rows, period_s) or taken
    if taken:
        facts["rhythm_s"] = min(facts["rhythm_s"], period_s)


def _two_batteries(facts: dict) -> bool:
    """Our own smoke detector; others answer for the second battery as if the request were broken."""
    return facts["kind"] == "smoke" and facts["maker"] == "Home"


async def _configure(interview: "Interview", cluster: int, rows: list, period_s: int) -> bool:
    """Whether the device takes any of it; what it does not take is noted."""
    wanted = tuple(row[1] for row in rows)
    request = b"".join(_record(row, period_s) for row in rows)
    command, data = await interview.ask(cluster, _CONFIGURE, request, _CONFIGURED)
    taken = answers.configured(data, wanted) if command == _CONFIGURED else ()
    for attribute in wanted:
        if attribute not in taken:
            interview.lacks("report %04x/%04x" % (cluster, attribute))
    return bool(taken) and await _read_back(interview, cluster, taken, period_s)


def _record(row: tuple, period_s: int) -> bytes:
    _, attribute, kind, least_s, change = row
    head = b"\x00" + zdo.put16(attribute) + bytes((kind,)) + zdo.put16(min(least_s, period_s)) + zdo.put16(period_s)
    return head + bytes(change >> 8 * place & 0xFF for place in range(answers.change_size(kind)))


async def _read_back(interview: "Interview", cluster: int, taken: tuple, period_s: int) -> bool:
    """False: it said yes and means no. Many cannot tell: then their word counts."""
    request = b"".join(b"\x00" + zdo.put16(attribute) for attribute in taken)
    command, data = await interview.ask(cluster, _READ_CONFIGURATION, request, _CONFIGURATION)
    if command != _CONFIGURATION:
        return True
    kept = answers.configuration(data)
    wrong = [attribute for attribute in taken if attribute in kept and not 0 < kept[attribute][1] <= period_s]
    for attribute in wrong:
        interview.lacks("report %04x/%04x" % (cluster, attribute))
    return len(wrong) < len(taken)


async def poll(interview: "Interview") -> None:
    """Check-ins often enough to be a sign of life, polls often enough for a confirmation to reach a pendant."""
    facts = interview.facts
    if ias.POLL_CONTROL not in facts["servers"]:
        return
    wanted = min(_HOUR, 4 * (facts.get("period_s") or interview.period_s))
    which = answers.ids((_CHECK_IN, _LONG_POLL))
    command, data = await interview.ask(ias.POLL_CONTROL, zcl.READ_ATTRIBUTES, which, zcl.READ_RESPONSE)
    found = answers.read(data) if command == zcl.READ_RESPONSE else {}
    check_in = _number(found.get(_CHECK_IN))
    if not 0 < check_in <= wanted:
        value = zdo.put16(_CHECK_IN) + bytes((_UINT32,)) + _uint32(wanted)
        command, data = await interview.ask(ias.POLL_CONTROL, zcl.WRITE_ATTRIBUTES, value, zcl.WRITE_RESPONSE)
        check_in = wanted if command == zcl.WRITE_RESPONSE and answers.written(data) == 0 else 0
    if check_in and "bind %04x" % ias.POLL_CONTROL not in facts.get("lacks", ()):
        facts["rhythm_s"] = min(facts["rhythm_s"], check_in // 4)
    else:
        interview.lacks("check-in")
    if not 0 < _number(found.get(_LONG_POLL)) <= _SLOWEST_POLL:
        command, data = await interview.ask(
            ias.POLL_CONTROL, _SET_LONG_POLL, _uint32(_POLL), zcl.DEFAULT_RESPONSE, True
        )
        if answers.default(data) != 0:
            interview.lacks("long poll")


def _number(found: "tuple | None") -> int:
    value = found[1] if found else b""
    return sum(byte << 8 * place for place, byte in enumerate(value))


def _uint32(value: int) -> bytes:
    return zdo.put16(value & 0xFFFF) + zdo.put16(value >> 16)


async def state(interview: "Interview") -> None:
    """What is the case now. The answers take the way of every report; nobody waits for them."""
    for cluster, wanted in ((ias.ZONE, (ias.ZONE_STATUS,)), (ias.POWER, (0x0020, 0x0021)), (TEMPERATURE, (0x0000,))):
        if cluster in interview.facts["servers"]:
            interview.post(cluster, zcl.READ_ATTRIBUTES, answers.ids(wanted), True)
