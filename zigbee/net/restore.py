"""Writing a network into the coprocessor's memory, so that its next start is on that network.

Owns the order of the writing. Must never leave a memory that looks like the kept network and is not whole: what makes
it that network (the network information base) is written last, so a cut at any step is seen at the next start and the
restoration begins anew. Nothing of what was in the memory before survives.

The way of all hosts of Z-Stack 3: the stack forms a network of its own with random identities, which brings its
memory into a known state; the coprocessor is reset, and the items are overwritten before it starts. The provisional
network lives for a second, is not open, and nobody gets its key.
"""

import asyncio
import os
from binascii import unhexlify

from micropython import const

from zigbee import frames
from zigbee.link import Link, LinkError
from zigbee.net import backup as ocb
from zigbee.net import nvram
from zigbee.net.nvram import Nvram, get16, put16, put32

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from zigbee.net.supervisor import Supervisor

# A receiver refuses every frame whose counter it has seen already, so the restored counter must be beyond the last one
# that was sent. The backup is a day old at most; on the air a secured frame takes 5 ms with its pause and its
# acknowledgement, so 17,280,000 frames are all that a day has room for. 20 million cost 1/214 of the 32 bits; at the
# frame a second which 32 sensors make at the utmost they last for 230 days, should the backup be older.
COUNTER_JUMP = const(20_000_000)
_LINK_JUMP = const(2500)  # of a link key's counter: used for joining and rejoining only
_COUNTER_LAST = const(0xFFFFFFFF)
_CLEAR_ALL = b"\x03"  # startup option: forget the network and the configuration
_FORM = b"\x04"  # BDB commissioning mode: network formation
_START_MS = const(20_000)  # the stack scans each channel before it forms
_SETTLE_TRIES = const(20)
_SETTLE_MS = const(500)
_PROVISIONAL_CHANNELS = const(1 << 15 | 1 << 20 | 1 << 25)
CONFIGURED = b"\x55"
_NO_ADDRESS = b"\xff" * 12
_NO_KEY = bytes(16) + b"\xff" + bytes(3)
_CHILD = const(1)
_SECURITY = const(2)


async def wipe(nv: Nvram, chip: "Supervisor") -> None:
    """Forget whatever network the coprocessor had."""
    await nv.delete(nvram.CONFIGURED)
    await nv.delete(nvram.ON_A_NETWORK)
    await nv.write(nvram.STARTUP_OPTION, _CLEAR_ALL)
    await chip.reset()
    if await nv.read(nvram.STARTUP_OPTION) == _CLEAR_ALL:  # the stack clears it itself
        await nv.write(nvram.STARTUP_OPTION, b"\x00")


async def provisional(nv: Nvram, link: Link, chip: "Supervisor") -> None:
    """Let the stack form a network that nobody will ever join; it is up at the end. LinkError: it did not."""
    for item, value in (
        (nvram.LOGICAL_TYPE, b"\x00"), (nvram.PANID, b"\xff\xff"), (nvram.APS_USE_EXT_PANID, os.urandom(8)),
        (nvram.PRECFGKEY, os.urandom(16)), (nvram.PRECFGKEYS_ENABLE, b"\x00"),
        (nvram.CHANLIST, put32(_PROVISIONAL_CHANNELS)), (nvram.ZDO_DIRECT_CB, b"\x01"),
    ):  # fmt: skip
        await nv.write(item, value)
    await link.request(frames.APP_CNF_BDB_SET_CHANNEL, b"\x01" + put32(_PROVISIONAL_CHANNELS))
    await link.request(frames.APP_CNF_BDB_SET_CHANNEL, b"\x00" + put32(0))
    chip.expect_start()
    if (await link.request(frames.APP_CNF_BDB_START_COMMISSIONING, _FORM))[0] != 0:
        raise LinkError("the coprocessor refuses to form")
    if not await chip.wait_started(_START_MS):
        raise LinkError("the coprocessor did not form")
    for _ in range(_SETTLE_TRIES):
        nib = await nv.read(nvram.NIB)
        if len(nib) == nvram.NIB_SIZE and nib[nvram.NIB_CHANNEL] and get16(nib, nvram.NIB_PAN) < 0xFFFE:
            return
        await asyncio.sleep_ms(_SETTLE_MS)
    raise LinkError("the memory did not settle")


def advanced(counter: int) -> int:
    """The frame counter to go on with after a backup with this one."""
    return min(counter + COUNTER_JUMP, _COUNTER_LAST - 1)


async def write(nv: Nvram, backup: dict, counter: int) -> None:
    """Write the whole network over the provisional one, which must not be running. LinkError: start over."""
    seed = ocb.seed_of(backup) or os.urandom(16)
    extended_pan = ocb.wire(backup["extended_pan_id"])
    key = unhexlify(backup["network_key"]["key"])
    channels = put32(sum(1 << channel for channel in set(backup["channel_mask"])))
    await _write_devices(nv, backup, seed)
    await nv.write_table(nvram.SECURITY_MATERIAL, [put32(counter) + extended_pan], bytes(nvram.MATERIAL_SIZE))
    sequence = bytes((backup["network_key"]["sequence_number"],))
    for item, value in (
        (nvram.TCLK_SEED, seed), (nvram.APS_USE_EXT_PANID, extended_pan), (nvram.EXTENDED_PAN_ID, extended_pan),
        (nvram.PRECFGKEY, key), (nvram.CHANLIST, channels), (nvram.EXTADDR, ocb.wire(backup["coordinator_ieee"])),
        (nvram.LOGICAL_TYPE, b"\x00"), (nvram.ALTERNATE_KEY, sequence + key), (nvram.ACTIVE_KEY, sequence + key),
    ):  # fmt: skip
        await nv.write(item, value)
    await nv.write(nvram.NIB, _nib(await nv.read(nvram.NIB), backup, extended_pan, channels))


def _nib(nib: bytes, backup: dict, extended_pan: bytes, channels: bytes) -> bytes:
    if len(nib) != nvram.NIB_SIZE:
        raise LinkError("the memory is not laid out as that of a CC2652")
    data = bytearray(nib)
    for at, value in (
        (nvram.NIB_SECURITY, bytes((backup["security_level"],))), (nvram.NIB_SHORT, bytes(2)),
        (nvram.NIB_CHANNEL, bytes((backup["channel"],))), (nvram.NIB_PARENT, bytes(2)),
        (nvram.NIB_PAN, ocb.wire(backup["pan_id"])), (nvram.NIB_CHANNELS, channels),
        (nvram.NIB_EXT_PAN, extended_pan), (nvram.NIB_KEY_LOADED, b"\x01"), (nvram.NIB_MANAGER, bytes(2)),
        (nvram.NIB_UPDATE_ID, bytes((backup["nwk_update_id"],))),
    ):  # fmt: skip
        data[at:at + len(value)] = value
    return bytes(data)


def _out(key: dict) -> bytes:
    return put32(min(key["tx_counter"] + _LINK_JUMP, _COUNTER_LAST)) + put32(key["rx_counter"])


async def _write_devices(nv: Nvram, backup: dict, seed: bytes) -> None:
    """The address manager and the two tables of link keys."""
    unverified = (backup["metadata"].get("internal") or {}).get("unverified", {})
    addresses: list = []
    hashed: list = []
    stored: list = []
    index = b""
    for device in backup["devices"]:
        link_key, child = device.get("link_key"), device.get("is_child", True)
        if link_key is None and not child:
            continue  # there is no place for what has neither
        address = ocb.wire(device["ieee_address"])
        kind = (_CHILD if child else 0) | (_SECURITY if link_key else 0)
        addresses.append(bytes((kind, 0)) + ocb.wire(device["nwk_address"] or "fffe") + address)
        if link_key is None:
            continue
        await asyncio.sleep(0)  # an emergency may be open
        key = unhexlify(link_key["key"])
        shift = ocb.shift_of(seed, address, key)
        if shift >= 0:
            attributes = unverified.get(device["ieee_address"], ocb.VERIFIED)
            hashed.append(_out(link_key) + address + bytes((attributes, 0, shift, 0)))
        else:
            index += put16(len(addresses) - 1) + put16(len(stored)) + b"\x01\x00"
            stored.append(key + _out(link_key))
    await nv.write_table(nvram.ADDRMGR, addresses, _NO_ADDRESS)
    await nv.write_table(nvram.TCLK_TABLE, hashed, _NO_KEY)
    await nv.write_table(nvram.APS_KEY_DATA, stored, bytes(nvram.APS_KEY_SIZE))
    room = await nv.length(nvram.APS_LINK_KEYS)
    table = put16(len(stored)) + index
    if len(table) > room and stored:
        raise LinkError("%d link keys of other origin do not fit" % len(stored))
    if room:
        await nv.write(nvram.APS_LINK_KEYS, table + bytes(room - len(table)))


async def verify(nv: Nvram, backup: dict, counter: int, version: str) -> None:
    """Read everything back. LinkError: what stands there is not what was to be written."""
    found = await ocb.take(nv, version)
    wrong = ocb.changed(backup, found)
    if not wrong and found["network_key"]["frame_counter"] < counter:
        wrong = "frame_counter"
    if wrong:
        raise LinkError("what was written was not read back: %s" % wrong)
    await nv.write(nvram.CONFIGURED, CONFIGURED)
