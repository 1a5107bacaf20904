"""The ZCL server of a simulated device: general commands, and who answers what.

Owns the layout of requests and answers. Must never answer a default response, nor say more than fits a frame.
Source: Zigbee Cluster Library (07-5123), 2.4 frame format, 2.5 general commands, 2.6.3 status.
"""

from hal_sim.zigbee.mt import le16, put16
from hal_sim.zigbee.reporting import NEVER, is_analog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.device import EndDevice

_OK = 0x00
_ANSWERED = -1
_MALFORMED = 0x80
_UNSUPPORTED_COMMAND = 0x81
_UNSUPPORTED_ATTRIBUTE = 0x86
_READ_ONLY = 0x88
_NOT_FOUND = 0x8B
_UNREPORTABLE = 0x8C
_WRONG_TYPE = 0x8D
_UNSUPPORTED_CLUSTER = 0xC3
_SPECIFIC = 0x01
_MAKER = 0x04
_FROM_SERVER = 0x08
_QUIET = 0x10  # disable default response
_LIMIT = 74  # payload bytes that fit a secured frame unfragmented, with room for addresses
# commands a cluster's server takes and sends
_TAKES = {0x0003: b"\x00\x01\x40", 0x0020: b"\x00\x01\x02\x03", 0x0500: b"\x00", 0x0502: b"\x00\x01"}
_SENDS = {0x0003: b"\x00", 0x0020: b"\x00", 0x0500: b"\x00\x01"}


class Request:
    """A ZCL frame that came; maker 0 = without a manufacturer code."""

    def __init__(self, cluster: int, frame: bytes) -> None:
        body = 5 if frame[0] & _MAKER else 3
        self.cluster = cluster
        self.control = frame[0]
        self.maker = le16(frame, 1) if frame[0] & _MAKER else 0
        self.tsn = frame[body - 2]
        self.command = frame[body - 1]
        self.payload = frame[body:]

    def head(self, command: int, specific: int = 0) -> bytes:
        """The head of a frame that answers this one."""
        control = specific | _QUIET | (0 if self.control & _FROM_SERVER else _FROM_SERVER)
        if self.maker:
            return bytes((control | _MAKER,)) + put16(self.maker) + bytes((self.tsn, command))
        return bytes((control, self.tsn, command))


def serve(device: "EndDevice", request: Request) -> None:
    """Do what is asked; the default response, unless there was another answer or none is wanted."""
    mine = device.clients if request.control & _FROM_SERVER else device.servers
    if request.control & 3 > _SPECIFIC or (request.control & 3 == 0 and request.command == 0x0B):
        return
    if request.cluster not in mine:
        status = _UNSUPPORTED_CLUSTER
    elif request.control & _SPECIFIC:
        status = device.obey(request.cluster, request.command, request.payload)
    else:
        handler = _GENERAL.get(request.command)
        status = _UNSUPPORTED_COMMAND if handler is None else handler(device, request)
    if status != _ANSWERED and (status != _OK or not request.control & _QUIET):
        device.send(request.cluster, request.head(0x0B) + bytes((request.command, status)))


def _known(device: "EndDevice", request: Request) -> dict:
    if request.maker:
        return device.maker_attributes(request.maker, request.cluster)
    return device.attributes(request.cluster)


def _send(device: "EndDevice", request: Request, command: int, payload: bytes) -> int:
    device.send(request.cluster, request.head(command) + payload)
    return _ANSWERED


def _read(device: "EndDevice", request: Request) -> int:
    known, body = _known(device, request), b""
    for at in range(0, len(request.payload) - 1, 2):
        number = le16(request.payload, at)
        value = known.get(number)
        entry = put16(number) + (bytes((_UNSUPPORTED_ATTRIBUTE,)) if value is None else b"\x00" + value)
        if len(body) + len(entry) > _LIMIT:
            break
        body += entry
    return _send(device, request, 0x01, body)


def _writes(device: "EndDevice", request: Request) -> "list | None":
    """(number, value, status so far) of each record; None: malformed."""
    known, p, at, found = _known(device, request), request.payload, 0, []
    while at < len(p):
        size = value_size(p, at + 2)
        if size < 0 or at + 3 + size > len(p):
            return None
        number, value, status = le16(p, at), p[at + 3:at + 3 + size], _OK
        if number not in known:
            status = _UNSUPPORTED_ATTRIBUTE
        elif (request.cluster, number) not in device.writable:
            status = _READ_ONLY
        elif known[number][0] != p[at + 2]:
            status = _WRONG_TYPE
        found.append((number, value, status))
        at += 3 + size
    return found


def _write(device: "EndDevice", request: Request) -> int:
    """Write Attributes, undivided (all or none) and without response."""
    found = _writes(device, request)
    if found is None:
        return _MALFORMED
    hold = request.command == 0x03 and any(status for _, _, status in found)
    failed = b""
    for number, value, status in found:
        if not status and not hold:
            status = device.write(request.cluster, number, value)
        if status:
            failed += bytes((status,)) + put16(number)
    if request.command == 0x05:
        return _ANSWERED
    return _send(device, request, 0x04, failed or b"\x00")


def _configure(device: "EndDevice", request: Request) -> int:
    """Configure Reporting: direction 0 sets what it sends; 1, what it receives, is not for a sensor."""
    known, p, at, failed = _known(device, request), request.payload, 0, b""
    while at < len(p):
        if len(p) - at < 5 or (p[at] == 0 and len(p) - at < 8):
            return _MALFORMED
        number = le16(p, at + 1)
        if p[at]:
            failed += bytes((_UNREPORTABLE, p[at])) + put16(number)
            at += 5
            continue
        analog = is_analog(p[at + 3])
        size = value_size(p, at + 3) if analog else 0
        if at + 8 + size > len(p):
            return _MALFORMED
        value = bytes((p[at + 3],)) + p[at + 8:at + 8 + size]
        status = _intervals(device, request.cluster, number, known.get(number), le16(p, at + 4), le16(p, at + 6), value)
        if status:
            failed += bytes((status, 0)) + put16(number)
        at += 8 + size
    return _send(device, request, 0x07, failed or b"\x00")


def _intervals(
    device: "EndDevice", cluster: int, number: int, known: "bytes | None", least_s: int, most_s: int, change: bytes
) -> int:
    one = device.reporting.find(cluster, number)
    if known is None:
        return _UNSUPPORTED_ATTRIBUTE
    if one is None:
        return _UNREPORTABLE
    if known[0] != change[0]:
        return _WRONG_TYPE
    status = device.judge_report(cluster, number, least_s, most_s)
    if status == _OK:
        amount = 0
        for byte in reversed(change[1:]):
            amount = amount << 8 | byte
        device.reporting.configure(one, least_s, most_s, amount if len(change) > 1 else None)
    return status


def _read_configuration(device: "EndDevice", request: Request) -> int:
    known, body = _known(device, request), b""
    for at in range(0, len(request.payload) - 2, 3):
        direction, number = request.payload[at], le16(request.payload, at + 1)
        one = device.reporting.find(request.cluster, number)
        entry = bytes((_OK, direction)) + put16(number)
        if number not in known:
            entry = bytes((_UNSUPPORTED_ATTRIBUTE,)) + entry[1:]
        elif one is None or direction:
            entry = bytes((_UNREPORTABLE,)) + entry[1:]
        elif one.most_s == NEVER:
            entry = bytes((_NOT_FOUND,)) + entry[1:]
        else:
            kind, size = known[number][0], len(known[number]) - 1
            entry += bytes((kind,)) + put16(one.least_s) + put16(one.most_s)
            if is_analog(kind):
                entry += bytes([(one.change or 0) >> 8 * place & 0xFF for place in range(size)])
        if len(body) + len(entry) > _LIMIT:
            break
        body += entry
    return _send(device, request, 0x09, body)


def _discover(device: "EndDevice", request: Request) -> int:
    """Discover Attributes (0x0C) and its extended form (0x15), which tells the access too."""
    if len(request.payload) < 3:
        return _MALFORMED
    known, extended = _known(device, request), request.command == 0x15
    numbers = sorted(number for number in known if number >= le16(request.payload, 0))
    shown = numbers[:min(request.payload[2], _LIMIT // 4)]
    body = bytes((int(len(shown) == len(numbers)),))
    for number in shown:
        body += put16(number) + known[number][:1]
        if extended:
            written = (request.cluster, number) in device.writable
            told = device.reporting.find(request.cluster, number) is not None
            body += bytes((1 | 2 * written | 4 * told,))
    return _send(device, request, request.command + 1, body)


def _discover_commands(device: "EndDevice", request: Request) -> int:
    if len(request.payload) < 2:
        return _MALFORMED
    all_of = (_TAKES if request.command == 0x11 else _SENDS).get(request.cluster, b"")
    found = bytes([one for one in all_of if one >= request.payload[0]])
    shown = found[:request.payload[1]]
    return _send(device, request, request.command + 1, bytes((int(shown == found),)) + shown)


def _taken(device: "EndDevice", request: Request) -> int:
    """A report or an answer for a client: there is nothing to do with it."""
    return _OK


def value_size(data: bytes, at: int) -> int:
    """Bytes of the value whose type is data[at] and which begins behind it; -1: unknown type, or nothing there."""
    kind = data[at] if at < len(data) else 0xFF
    if 0x08 <= kind <= 0x0F or 0x18 <= kind <= 0x2F:
        return (kind & 7) + 1
    if kind in (0x41, 0x42):
        return -1 if at + 1 >= len(data) else 1 if data[at + 1] == 0xFF else 1 + data[at + 1]
    for kinds, size in _SIZES:
        if kind in kinds:
            return size
    return -1


_SIZES = (
    (b"\x00", 0), (b"\x10\x30", 1), (b"\x31\x38\xe8\xe9", 2), (b"\x39\xe0\xe1\xe2\xea", 4), (b"\x3a\xf0", 8),
    (b"\xf1", 16),
)  # fmt: skip
_GENERAL = {
    0x00: _read, 0x01: _taken, 0x02: _write, 0x03: _write, 0x05: _write, 0x06: _configure, 0x08: _read_configuration,
    0x0A: _taken, 0x0C: _discover, 0x11: _discover_commands, 0x13: _discover_commands, 0x15: _discover,
}  # fmt: skip
