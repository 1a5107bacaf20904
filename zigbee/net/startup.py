"""Bringing the coprocessor into service on the home's network.

Owns the order of the steps. Must never decide which network it is (zigbee.net.network does), and never disturb a
coprocessor that is in service on it. Joining is closed at the end.
"""

from micropython import const

from zigbee import frames, ias
from zigbee.devices import reverse
from zigbee.link import Link, LinkError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from zigbee.net.network import Network
    from zigbee.net.supervisor import Supervisor

ENDPOINT = const(1)
STARTED = const(9)  # device state of a coordinator in service (Z-Stack DEV_ZB_COORD)
_PING_MS = const(1000)
_START_DELAY_MS = const(100)
_START_MS = const(10_000)
_DUPLICATE = const(0xB8)  # ZApsDuplicateEntry: the endpoint is registered already
_HOME_AUTOMATION = const(0x0104)
_IAS_CIE = const(0x0400)  # device: IAS Control and Indicating Equipment
_SERVED = (ias.BASIC, ias.ACE)
_USED = (ias.POWER, ias.IDENTIFY, ias.POLL_CONTROL, ias.OCCUPANCY, ias.ZONE, ias.WARNING)


class NetworkInfo:
    """What the coprocessor told about itself."""

    def __init__(self) -> None:
        self.wire = bytes(8)  # its IEEE address as it travels
        self.version = ""
        self.pan_id = 0xFFFF
        self.extended_pan = bytes(8)  # as it travels
        self.channel = 0


def _clusters(some: tuple) -> bytes:
    return bytes((len(some),)) + b"".join(bytes((one & 0xFF, one >> 8)) for one in some)


async def device_state(link: Link, info: NetworkInfo, timeout_ms: int) -> int:
    """The coprocessor's device state (STARTED when in service); its address goes into info. LinkError when silent."""
    answer = await link.request(frames.UTIL_GET_DEVICE_INFO, b"", timeout_ms)
    info.wire = answer[1:9]
    return answer[12]


async def start(link: Link, network: "Network", chip: "Supervisor") -> NetworkInfo:
    """Start the home's network. LinkError: a step failed, NoNetwork: there is none.

    A coprocessor that is in service on it already (the controller alone was restarted) is not disturbed: no alarm is
    missed for it.
    """
    info = NetworkInfo()
    await link.request(frames.SYS_PING, b"", _PING_MS)
    version = await link.request(frames.SYS_VERSION)
    info.version = "%d.%d.%d" % (version[2], version[3], version[4])
    network.firmware(version)
    state = await device_state(link, info, _PING_MS)
    if state == STARTED:
        await _register(link)  # before anything else: alarms are taken from now on
    if await network.settle(chip, state == STARTED):
        state = await device_state(link, info, _PING_MS)  # its address may be another now
    if state != STARTED:
        await _register(link)
        chip.expect_start()
        await link.request(frames.ZDO_STARTUP_FROM_APP, bytes((_START_DELAY_MS, 0)))
        if not await chip.wait_started(_START_MS):
            raise LinkError("the network did not start")
    running = await link.request(frames.ZDO_EXT_NWK_INFO)
    info.pan_id = running[3] | running[4] << 8  # after the short address and the device state
    info.extended_pan = running[7:15]
    info.channel = running[23]
    network.check_running(info.extended_pan)
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
