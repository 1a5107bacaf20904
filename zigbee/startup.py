"""Bringing the coprocessor into service on the network it already has.

Owns the order of the steps. Must never form a network: a coprocessor without one is a fault for people, not for code,
because a new network would silently lose every sensor of the home. Joining is closed at the end.
"""

from micropython import const

from zigbee import frames, ias
from zigbee.devices import reverse
from zigbee.link import Link, LinkError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ENDPOINT = const(1)
STARTED = const(9)  # device state of a coordinator in service (Z-Stack DEV_ZB_COORD)
_PING_MS = const(1000)
_START_DELAY_MS = const(100)
_START_MS = const(10_000)
_ON_A_NETWORK = const(0x0055)  # NV item bdbNodeIsOnANetwork
_DUPLICATE = const(0xB8)  # ZApsDuplicateEntry: the endpoint is registered already
_HOME_AUTOMATION = const(0x0104)
_IAS_CIE = const(0x0400)  # device: IAS Control and Indicating Equipment
_SERVED = (ias.BASIC, ias.ACE)
_USED = (ias.POWER, ias.IDENTIFY, ias.POLL_CONTROL, ias.OCCUPANCY, ias.ZONE, ias.WARNING)


class NoNetwork(Exception):
    """The coprocessor has no network of its own."""


class NetworkInfo:
    """What the coprocessor told about itself."""

    def __init__(self) -> None:
        self.wire = bytes(8)  # its IEEE address as it travels
        self.version = ""
        self.pan_id = 0xFFFF
        self.channel = 0


def _clusters(some: tuple) -> bytes:
    return bytes((len(some),)) + b"".join(bytes((one & 0xFF, one >> 8)) for one in some)


async def device_state(link: Link, info: NetworkInfo, timeout_ms: int) -> int:
    """The coprocessor's device state (STARTED when in service); its address goes into info. LinkError when silent."""
    answer = await link.request(frames.UTIL_GET_DEVICE_INFO, b"", timeout_ms)
    info.wire = answer[1:9]
    return answer[12]


async def start(link: Link, wait_started: "Callable[[int], Awaitable[bool]]") -> NetworkInfo:
    """Start the formed network. LinkError: a step failed, NoNetwork: there is none.

    wait_started(limit_ms) waits for the state change to STARTED. A coprocessor that is in service already (the
    controller alone was restarted) is not disturbed: no alarm is missed for it.
    """
    info = NetworkInfo()
    await link.request(frames.SYS_PING, b"", _PING_MS)
    version = await link.request(frames.SYS_VERSION)
    info.version = "%d.%d.%d" % (version[2], version[3], version[4])
    state = await device_state(link, info, _PING_MS)
    formed = await link.request(frames.SYS_OSAL_NV_READ, bytes((_ON_A_NETWORK & 0xFF, _ON_A_NETWORK >> 8, 0)))
    if formed[0] != 0 or formed[2] != 1:
        raise NoNetwork("the coprocessor has no network")
    await _register(link)
    if state != STARTED:
        await link.request(frames.ZDO_STARTUP_FROM_APP, bytes((_START_DELAY_MS, 0)))
        if not await wait_started(_START_MS):
            raise LinkError("the network did not start")
    network = await link.request(frames.ZDO_EXT_NWK_INFO)
    info.pan_id = network[3] | network[4] << 8  # after the short address and the device state
    info.channel = network[23]
    await link.request(frames.ZDO_MGMT_PERMIT_JOIN_REQ, bytes((2, 0, 0, 0, 0)))  # to itself, for 0 s: closed
    return info


async def _register(link: Link) -> None:
    """Register the endpoint the sensors talk to. LinkError when the coprocessor refuses it."""
    head = bytes((ENDPOINT, _HOME_AUTOMATION & 0xFF, _HOME_AUTOMATION >> 8, _IAS_CIE & 0xFF, _IAS_CIE >> 8, 0, 0))
    status = (await link.request(frames.AF_REGISTER, head + _clusters(_SERVED) + _clusters(_USED)))[0]
    if status not in (0, _DUPLICATE):
        raise LinkError("endpoint refused: %02x" % status)


def printed(info: NetworkInfo) -> str:
    """One line for the log."""
    address = "".join("%02x" % byte for byte in reverse(info.wire))
    return "coordinator %s, Z-Stack %s, channel %d, PAN %04x" % (address, info.version, info.channel, info.pan_id)
