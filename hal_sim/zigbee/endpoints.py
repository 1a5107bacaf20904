"""A simulated device's answers to the device profile: descriptors and the binding table.

Owns their layout. Must never answer what a sensor of one endpoint does not have. Source: Zigbee specification 2.4.3 and
2.4.4 (client and server services), revision 22.
"""

from hal_sim.zigbee.mt import le16, put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.device import EndDevice

_OK = b"\x00"
_NOT_ACTIVE = 0x83
_NOT_SUPPORTED = 0x84
_NO_ENTRY = 0x88
_TABLE_FULL = 0x8C
_BINDINGS = 12
_BUFFER = 80
_REVISION_22 = 22 << 9  # in the server mask
_BATTERY_FULL = 0xC440  # disposable battery, at 100 %


def answer(device: "EndDevice", cluster: int, payload: bytes) -> "bytes | None":
    """The answer without its sequence number; None when there is to be none."""
    mine = put16(device.short)
    if cluster in (0x0000, 0x0001):
        return _OK + device.wire + mine
    if cluster == 0x0002:
        sizes = bytes((_BUFFER,)) + put16(_BUFFER) + put16(_REVISION_22) + put16(_BUFFER) + b"\x00"
        return _OK + mine + bytes((0x02, 0x40, 0x80)) + put16(device.maker_code) + sizes
    if cluster == 0x0003:
        return _OK + mine + put16(_BATTERY_FULL)
    if cluster == 0x0004:
        return _simple(device, payload)
    if cluster == 0x0005:
        return _OK + mine + bytes((1, device.endpoint))
    if cluster == 0x0006:
        return _match(device, payload)
    if cluster in (0x0021, 0x0022):
        return _bind(device, cluster == 0x0021, payload)
    if cluster == 0x0033:
        return _table(device, payload[0] if payload else 0)
    return bytes((_NOT_SUPPORTED,)) if cluster < 0x8000 and cluster not in (0x0013, 0x0036) else None


def clusters(found: tuple) -> bytes:
    """A list of clusters behind its length."""
    return bytes((len(found),)) + b"".join(put16(one) for one in found)


def _simple(device: "EndDevice", p: bytes) -> bytes:
    mine = put16(device.short)
    if len(p) < 3 or p[2] != device.endpoint:
        return bytes((_NOT_ACTIVE,)) + mine + b"\x00"
    body = bytes((device.endpoint,)) + put16(device.profile) + put16(device.profile_device) + b"\x00"
    body += clusters(device.servers) + clusters(device.clients)
    return _OK + mine + bytes((len(body),)) + body


def _match(device: "EndDevice", p: bytes) -> bytes:
    found = False
    if len(p) >= 5 and le16(p, 2) == device.profile:
        at = 4
        for mine in (device.servers, device.clients):
            count = p[at] if at < len(p) else 0
            asked = [le16(p, at + 1 + 2 * n) for n in range(count) if at + 2 + 2 * n < len(p)]
            found = found or any(one in mine for one in asked)
            at += 1 + 2 * count
    return _OK + put16(device.short) + (bytes((1, device.endpoint)) if found else b"\x00")


def _bind(device: "EndDevice", on: bool, p: bytes) -> bytes:
    """Bind or unbind: source address and endpoint, cluster, destination (mode 3: address and endpoint; 1: group)."""
    if len(p) < 14 or p[:8] != device.wire or p[8] != device.endpoint or p[11] not in (1, 3):
        return bytes((_NOT_SUPPORTED,))
    if p[11] == 3 and len(p) < 21:
        return bytes((_NOT_SUPPORTED,))
    entry = (le16(p, 9), p[11], p[12:20] if p[11] == 3 else p[12:14], p[20] if p[11] == 3 else 0)
    known = entry in device.bindings
    if on and not known:
        if len(device.bindings) >= _BINDINGS:
            return bytes((_TABLE_FULL,))
        device.bindings.append(entry)
    elif not on:
        if not known:
            return bytes((_NO_ENTRY,))
        device.bindings.remove(entry)
    return _OK


def _table(device: "EndDevice", start: int) -> bytes:
    """Mgmt_Bind_rsp: three entries at a time fit a frame."""
    shown = device.bindings[start:start + 3]
    body = bytes((0, len(device.bindings), start, len(shown)))
    for cluster, mode, where, endpoint in shown:
        body += device.wire + bytes((device.endpoint,)) + put16(cluster) + bytes((mode,)) + where
        body += bytes((endpoint,)) if mode == 3 else b""
    return body
