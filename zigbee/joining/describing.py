"""The first steps of the interview: what a device says it is.

Owns how its descriptors and its Basic cluster become facts. No state of its own. Must never take text from the air as
it is: maker and model are printable ASCII of limited length.
"""

from micropython import const

from zigbee import ias, kinds, quirks, zcl
from zigbee.frames import ZDO_ACTIVE_EP_REQ, ZDO_NODE_DESC_REQ, ZDO_SIMPLE_DESC_REQ
from zigbee.joining import answers, zdo
from zigbee.joining.outcome import Refusal

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from zigbee.joining.interview import Interview

_MAKER = const(0x0004)
_MODEL = const(0x0005)
_POWER_SOURCE = const(0x0007)
_BATTERY = const(3)
_TEXT_LIMIT = const(32)
_NOBODYS = (bytes(8), b"\xff" * 8)
_LOOKED_AT = const(8)  # endpoints of one device
_GENERAL = const(240)  # endpoints above are not applications
# Clusters that may be on another endpoint than the one that does the job and are wanted all the same
_WANTED = (ias.POWER, ias.POLL_CONTROL, ias.WARNING, ias.IDENTIFY, 0x0402)


async def node(interview: "Interview") -> None:
    """Mains or battery. A device that keeps this to itself is taken for a sleeping one."""
    capabilities = await interview.described(ZDO_NODE_DESC_REQ, zdo.of_interest(interview.device.short), zdo.node)
    wanted = zdo.MAINS | zdo.LISTENS
    mains = capabilities is not None and capabilities & wanted == wanted
    interview.facts["power"] = "mains" if mains else "battery"


async def endpoints(interview: "Interview") -> None:
    """Which endpoints there are. Refusal: none."""
    found = await interview.described(ZDO_ACTIVE_EP_REQ, zdo.of_interest(interview.device.short), zdo.endpoints)
    found = [one for one in found or () if one <= _GENERAL][:_LOOKED_AT]
    if not found:
        raise Refusal("failed", "no endpoints")
    interview.facts["endpoints"] = found


async def clusters(interview: "Interview") -> None:
    """What is where; the endpoint that does the job is chosen. Refusal: nothing to choose from."""
    facts = interview.facts
    short = interview.device.short
    found = []
    for endpoint in facts.get("endpoints", ()):
        answer = await interview.described(ZDO_SIMPLE_DESC_REQ, zdo.simple_desc(short, endpoint), zdo.simple)
        if answer is not None and answer[0] == endpoint:
            found.append(answer)
    if not found:
        raise Refusal("failed", "no descriptors")
    chosen = kinds.pick(found)
    for endpoint, _, device, servers, clients in found:
        if endpoint == chosen:
            facts["endpoint"] = endpoint
            facts["device"] = device
            facts["servers"] = servers
            facts["clients"] = clients
    facts.pop("endpoints", None)
    interview.device.endpoint = chosen
    _others(facts, found)


def _others(facts: dict, found: list) -> None:
    """What the chosen endpoint lacks and another one has."""
    facts.pop("elsewhere", None)
    for endpoint, _, _, servers, _ in found:
        for cluster in servers:
            if cluster in _WANTED and cluster not in facts["servers"]:
                facts["servers"].append(cluster)
                facts.setdefault("elsewhere", []).append([cluster, endpoint])


async def model(interview: "Interview") -> None:
    """Maker, model and power source, all at once and, from a device that cannot do that, one by one."""
    facts = interview.facts
    facts.setdefault("maker", "")
    facts.setdefault("model", "")
    if ias.BASIC not in facts["servers"]:
        return
    found = await _basic(interview, (_MAKER, _MODEL, _POWER_SOURCE))
    for one in (_MODEL, _MAKER):
        if one not in found:
            found.update(await _basic(interview, (one,)))
    facts["maker"] = text(found.get(_MAKER, (0, b""))[1])
    facts["model"] = text(found.get(_MODEL, (0, b""))[1])
    source = found.get(_POWER_SOURCE, (0, b""))[1]
    if source and source[0] & 0x7F == _BATTERY:
        facts["power"] = "battery"


async def _basic(interview: "Interview", wanted: tuple) -> dict:
    command, data = await interview.ask(ias.BASIC, zcl.READ_ATTRIBUTES, answers.ids(wanted), zcl.READ_RESPONSE)
    if command != zcl.READ_RESPONSE:
        interview.lacks("basic")
        return {}
    return answers.read(data)


async def zone(interview: "Interview") -> None:
    """What kind of zone it is, where it has one; the host's address goes into it as early as this, for two reasons.

    Zones that send nothing without it begin to tell alarms, and one that sticks to another's is a neighbour's.
    """
    facts = interview.facts
    if ias.ZONE not in facts["servers"]:
        return
    if kinds.classify(facts)[1] & quirks.NO_ENROL:
        return
    facts["cie"] = await write_address(interview) == 0
    command, data = await interview.ask(ias.ZONE, zcl.READ_ATTRIBUTES, answers.ids((1,)), zcl.READ_RESPONSE)
    value = answers.read(data).get(1, (0, b""))[1] if command == zcl.READ_RESPONSE else b""
    if len(value) == 2:
        facts["zone_type"] = zdo.le16(value, 0)
    else:
        interview.lacks("zone type")


async def write_address(interview: "Interview") -> int:
    """Write the CIE address and read it back. 0: it is there, else the status. Refusal: it is another's, and stays."""
    mine = interview.cie()
    value = zdo.put16(ias.CIE_ADDRESS) + bytes((zcl.EUI64,)) + mine
    command, data = await interview.ask(ias.ZONE, zcl.WRITE_ATTRIBUTES, value, zcl.WRITE_RESPONSE)
    status = answers.written(data) if command == zcl.WRITE_RESPONSE else -1
    which = answers.ids((ias.CIE_ADDRESS,))
    command, data = await interview.ask(ias.ZONE, zcl.READ_ATTRIBUTES, which, zcl.READ_RESPONSE)
    found = answers.read(data).get(ias.CIE_ADDRESS, (0, b""))[1] if command == zcl.READ_RESPONSE else b""
    if found == mine:
        return 0
    if len(found) == 8 and found not in _NOBODYS:
        raise Refusal("neighbour", "its zone belongs to another")
    if found:
        return status or -1
    if status == 0:
        interview.lacks("cie read back")
    return status


def text(value: bytes) -> str:
    """A character string attribute: its printable ASCII, 32 characters at most; what follows a zero byte is rubbish."""
    if not value or value[0] == 0xFF:
        return ""
    data = value[1:1 + value[0]]
    cut = data.find(b"\x00")
    if cut >= 0:
        data = data[:cut]
    return "".join(chr(one) for one in data if 32 <= one < 127)[:_TEXT_LIMIT].strip()
