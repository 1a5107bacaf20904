"""Identical bytes to our decoder and to zigpy's: what each makes of an AF_INCOMING_MSG, in the same words.

`ours` is the product's code. `theirs` is zigpy-znp's command, zigpy's ZCL, and the few lines below that say which of
zigpy's values is which event: written from the standard, not from our decoder. `excuse` lists every difference that is
meant, with its reason; anything else is a fault of one of the two.
"""

from typing import Any

from zigpy.zcl import Cluster, foundation
from zigpy.zcl.clusters.general import Basic, Identify, OnOff, PollControl, PowerConfiguration
from zigpy.zcl.clusters.measurement import OccupancySensing, TemperatureMeasurement
from zigpy.zcl.clusters.security import IasAce, IasWd, IasZone
from zigpy_znp.commands.af import AF

from zigbee import activity, ias, told
from zigbee.devices import Devices
from zigbee.incoming import Incoming

SHORT = 0x1234
REFUSED = None
_SIMPLE = 0x31  # data, bool, bitmaps, integers, enumerations: all types up to this one


class ActivityMask(Cluster):
    """Our own cluster as docs/zigbee-profile.md has it."""

    cluster_id = activity.CLUSTER
    ep_attribute = "activity_mask"
    _skip_registry = True


CLUSTERS = {
    one.cluster_id: one
    for one in (
        Basic, PowerConfiguration, Identify, OnOff, PollControl, TemperatureMeasurement, OccupancySensing, IasZone,
        IasAce, IasWd, ActivityMask,
    )
}  # fmt: skip


class _Endpoint:
    """As much of one as a cluster wants."""

    endpoint_id = 1
    unique_id = "0"
    in_clusters: dict = {}
    out_clusters: dict = {}

    class device:  # noqa: N801
        application = None
        manufacturer = model = None
        ieee = "0"
        nwk = SHORT


_BUILT: dict = {}


def cluster(number: int) -> Cluster:
    """zigpy's cluster of that number, without a device."""
    if number not in _BUILT:
        known = CLUSTERS.get(number)
        built = object.__new__(known or ActivityMask)
        built._endpoint = _Endpoint()
        built.debug = lambda *_: None
        built.commands_by_id = None
        _BUILT[number] = built
    return _BUILT[number]


def message(number: int, zcl: bytes, tail: bytes = b"\x34\x12\x1d") -> bytes:
    """An AF_INCOMING_MSG payload."""
    head = bytes((0, 0, number & 255, number >> 8, SHORT & 255, SHORT >> 8, 3, 1, 0, 77, 0, 1, 0, 0, 0, 0))
    return head + bytes((len(zcl),)) + zcl + tail


class Ours:
    """The product's decoder; decode() gives the events of one message, or REFUSED with what was told before it."""

    def __init__(self) -> None:
        self.events: list = []
        self.now = 0
        devices = Devices()
        device = devices.know("00124b0000000001", 0, True)
        devices.learn(SHORT, device.wire)
        self.device = device
        self.incoming = Incoming(devices.find, self.heard, lambda *_: None, lambda *_: None, self.clock)
        self.incoming.on_mask = self.mask

    def clock(self) -> int:
        self.now += 60_000
        return self.now

    def heard(self, _device: Any, _short: int, _endpoint: int, kind: int, value: int, tsn: int, lqi: int) -> None:
        self.events.append((kind, value))

    def mask(self, _device: Any, report: activity.Report, _lqi: int) -> None:
        self.events.append(("mask", report.minute, report.mask, report.before, report.state))

    def decode(self, payload: bytes) -> "tuple[list | None, list]":
        self.events = []
        self.device.flow.gate[1] = 0xFF  # its numbers are not looked at
        before = self.incoming.broken
        self.incoming.take(bytearray(payload), 0, len(payload))
        return (REFUSED if self.incoming.broken != before else self.events), self.events


def theirs(payload: bytes) -> "list | None":
    """The events that zigpy's decoding stands for; REFUSED when it refuses."""
    try:
        incoming = _incoming(payload)
        header, command = cluster(int(incoming.ClusterId)).deserialize(bytes(incoming.Data))
        found = _events(int(incoming.ClusterId), header, command)
    except Exception:  # noqa: BLE001 - zigpy raises half a dozen kinds
        return REFUSED
    return REFUSED if found is REFUSED else found or [(told.ALIVE, 0)]


def _incoming(payload: bytes) -> Any:
    schema = AF.IncomingMsg.Callback.schema
    values = {}
    data = payload
    for param in schema:
        if not data and param.optional or param.name in ("MacSrcAddr", "MsgResultRadius") and not data:
            break
        values[param.name], data = param.type.deserialize(data)
    return type("Incoming", (), values)


def _events(number: int, header: Any, command: Any) -> "list | None":
    if header.manufacturer is not None:
        return []
    if header.frame_control.frame_type == foundation.FrameType.CLUSTER_COMMAND:
        return _command(number, header, command)
    if isinstance(command, bytes):
        return []
    if header.command_id == foundation.GeneralCommand.Report_Attributes:
        entries = [(int(one.attrid), one.value) for one in command.attribute_reports]
        return _mask(entries) if number == activity.CLUSTER else _attributes(number, entries)
    if header.command_id == foundation.GeneralCommand.Read_Attributes_rsp:
        good = [one for one in command.status_records if one.status == foundation.Status.SUCCESS]
        return _attributes(number, [(int(one.attrid), one.value) for one in good])
    return []


def _command(number: int, header: Any, command: Any) -> list:
    if isinstance(command, bytes):
        return []
    name = command.command.name
    to_client = header.direction == foundation.Direction.Server_to_Client
    if number == IasZone.cluster_id and to_client and name == "status_change_notification":
        return [(told.NOTIFIED, int(command.zone_status))]
    if number == IasAce.cluster_id and not to_client:
        if name in ("emergency", "fire", "panic"):
            return [(told.BUTTON, command.command.id)]
        if name == "arm" and command.arm_mode == 0:
            return [(told.BUTTON, ias.ACE_DISARM)]
    if number == PollControl.cluster_id and to_client and name == "checkin":
        return [(told.CHECKIN, 0)]
    return []


def _number(value: Any) -> "int | None":
    """An unsigned number of at most four bytes, or None."""
    if value.type > _SIMPLE or value.type < 8:
        return None
    wire = value.value.serialize()
    return int.from_bytes(wire, "little") if len(wire) <= 4 else None


def _attributes(number: int, entries: list) -> list:
    found = []
    for attribute, value in entries:
        if isinstance(value, foundation.TypedCollection):
            continue
        plain = _number(value)
        if plain is None:
            continue
        if (number, attribute) == (0x0500, 0x0002):
            found.append((told.LEVEL, plain & 0xFFFF))
        elif (number, attribute) == (0x0406, 0x0000):
            found.append((told.PRESENCE, plain & 0xFF))
        elif (number, attribute) == (0x0402, 0x0000) and value.type == foundation.DataTypeId.int16:
            if int(value.value) >= -27315:
                found.append((told.TEMPERATURE, int(value.value)))
        elif number == 0x0001 and attribute in (0x0021, 0x0041) and plain <= 200:
            found.append((told.PERCENT if attribute == 0x0021 else told.RADIO_PERCENT, plain))
        elif number == 0x0001 and attribute in (0x0020, 0x0040) and 0 < plain < 0xFF:
            found.append((told.VOLTS if attribute == 0x0020 else told.RADIO_VOLTS, plain * 100))
    return found


def _mask(entries: list) -> "list | None":
    """Our own cluster by its page; REFUSED when anything in it is wrong."""
    types = (foundation.DataTypeId.uint32, foundation.DataTypeId.map32) + (foundation.DataTypeId.map32,)
    types += (foundation.DataTypeId.map8,)
    found: dict = {}
    for attribute, value in entries:
        if attribute > 3:
            continue
        if value.type != types[attribute] or found.get(attribute, int(value.value)) != int(value.value):
            return REFUSED
        found[attribute] = int(value.value)
    if found.get(1, 0) >> 30 or found.get(2, 0) >> 30:
        return REFUSED
    if 0 not in found or 1 not in found:
        return []
    if found[0] >> 30:
        return REFUSED
    before = found[2] if 2 in found and found[0] else activity.NO_MASK
    return [("mask", found[0], found[1], before, found.get(3, 0))]


def excuse(payload: bytes, mine: "list | None", other: "list | None") -> str:
    """Why this difference is meant; empty when it is not."""
    if len(payload) < 20 or payload[16] < 3:
        return ""
    number = payload[2] | payload[3] << 8
    zcl = payload[17:17 + payload[16]]
    control, command, body = zcl[0], zcl[2], zcl[3:]
    if control & 3 > 1:
        return "reserved frame type: zigpy reads it as a general command, for us it is a sign of life"
    if control & 4:
        return "with a maker's code: standard only for zigpy; ours goes to the table of exceptions"
    if number == 0x0500 and control & 3 == 1 and command == 0 and mine and mine[0][0] == told.NOTIFIED:
        if len(body) < 6:
            return "status change of an older profile, without delay, zone id or extended status: an alarm all the same"
        if not control & 8:
            return "status change with the direction bit wrong: an alarm all the same"
    if number == 0x0500 and control & 3 == 1 and command == 0 and mine is REFUSED and len(body) < 2:
        return "a zone's command 0 without a status; zigpy takes one byte to the server for half an enrol response"
    if number == 0x0501 and control & 11 == 1 and command == 0 and len(body) == 1:
        return "arm of the profile before Home Automation 1.2: the mode alone"
    if control & 3 == 1 and other is REFUSED and mine == [(told.ALIVE, 0)]:
        return "a command that nobody here uses: its payload is not looked at"
    if control & 3 == 0 and command not in (0x01, 0x0A) and other is REFUSED and mine == [(told.ALIVE, 0)]:
        return "a general command that is not told: whoever asked for it checks it (zigbee.joining.answers)"
    if control & 3 == 0 and command in (0x01, 0x0A):
        return _list_excuse(body, mine, other)
    return ""


def _list_excuse(body: bytes, mine: "list | None", other: "list | None") -> str:
    none = (b"\x41\xff", b"\x43\xff\xff", b"\x44\xff\xff")
    if other is REFUSED and mine is not REFUSED and any(one in body for one in none):
        return "a string of length 0xFF or 0xFFFF has no value (ZCL 2.6.2.12); zigpy wants that many bytes"
    if mine is REFUSED and other is not REFUSED and any(kind in body for kind in (0x48, 0x4C, 0x50, 0x51)):
        return "a collection in a collection: no sensor sends one; refused"
    return ""
