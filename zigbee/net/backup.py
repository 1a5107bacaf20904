"""The network as an open coordinator backup, version 1: taken from the coprocessor's memory, compared.

Owns the format and where its parts come from. Must never change the coprocessor, and never give half a network for a
whole one.
Source: github.com/zigpy/open-coordinator-backup (schema, field names); the tables as Z-Stack 3.30 and newer keep them.
Link keys that the trust centre gave out are not stored: they are the seed, turned by the row's shift, XOR the address
twice. Keys of other origin lie in a table of their own.
"""

from binascii import hexlify, unhexlify

from micropython import const

from zigbee.devices import reverse
from zigbee.link import LinkError
from zigbee.net import nvram
from zigbee.net.backup_check import FORMAT, check  # noqa: F401 - whoever has backups checks them here
from zigbee.net.nvram import Nvram, get16, get32

SOURCE = "emergency-gateway@1"
VERIFIED = const(2)  # a key's attributes: given out by the trust centre and proven (Z-Stack VERIFIED_KEY)
_NONE = b"\x00" * 8
_EMPTY = b"\xff" * 8
_NO_SHORT = const(0xFFFE)
_CHILD = const(1)  # kinds of entries of the address manager, bits
_SECURITY = const(2)
_UNUSED = const(0xFF)
_AUTHENTICATED = const(1)
_ROWS = const(1024)


def printed(data: bytes) -> str:
    """A number or address as it travels, as it is printed."""
    return hexlify(reverse(data)).decode()


def wire(text: str) -> bytes:
    """A printed number or address as it travels."""
    return reverse(unhexlify(text))


def turned(seed: bytes, shift: int, address: bytes) -> bytes:
    """The link key that the seed makes for the address."""
    twice = address + address
    return bytes(seed[(i + shift) & 15] ^ twice[i] for i in range(16))


def shift_of(seed: bytes, address: bytes, key: bytes) -> int:
    """With which shift the seed makes this key for the address; -1: it does not."""
    twice = address + address
    return (seed + seed[:15]).find(bytes(key[i] ^ twice[i] for i in range(16)))


async def frame_counter(nv: Nvram, extended_pan: bytes) -> int:
    """The outgoing network frame counter, from the row of this network or the one that is for all; -1: no such row."""
    common = -1
    for row in range(_ROWS):
        material = await nv.row(nvram.SECURITY_MATERIAL, row, nvram.MATERIAL_SIZE)
        if not material:
            break
        if material[4:] == extended_pan:
            return get32(material, 0)
        if material[4:] == _EMPTY:
            common = get32(material, 0)
    return common


async def _addresses(nv: Nvram) -> tuple:
    """Devices by address, and the address of each row."""
    devices: dict = {}
    rows: list = []
    for row in range(_ROWS):
        entry = await nv.row(nvram.ADDRMGR, row, nvram.ADDRESS_SIZE)
        if not entry:
            break
        address = entry[4:]
        rows.append(address)
        if entry[0] == _UNUSED or address in (_NONE, _EMPTY) or not entry[0] & (_CHILD | _SECURITY):
            continue
        short = get16(entry, 2)
        devices[address] = {
            "ieee_address": printed(address),
            "nwk_address": None if short == _NO_SHORT else "%04x" % short,
            "is_child": bool(entry[0] & _CHILD),
        }
    return devices, rows


def _link_key(key: bytes, sent: int, heard: int) -> dict:
    return {"key": hexlify(key).decode(), "tx_counter": sent, "rx_counter": heard}


async def _keys(nv: Nvram, seed: bytes, devices: dict, rows: list, unverified: dict) -> None:
    """Give the devices their link keys, first those made of the seed, then those that are stored."""
    for row in range(_ROWS):
        entry = await nv.row(nvram.TCLK_TABLE, row, nvram.TCLK_SIZE)
        if not entry:
            break
        address = entry[8:16]
        if address in devices:
            key = turned(seed, entry[18], address)
            devices[address]["link_key"] = _link_key(key, get32(entry, 0), get32(entry, 4))
            if entry[16] != VERIFIED:
                unverified[printed(address)] = entry[16]
    table = await nv.read(nvram.APS_LINK_KEYS)
    for at in range(2, 2 + 6 * (get16(table, 0) if table else 0), 6):
        if at + 6 > len(table) or table[at + 4] != _AUTHENTICATED or get16(table, at) >= len(rows):
            continue
        entry = await nv.row(nvram.APS_KEY_DATA, get16(table, at + 2), nvram.APS_KEY_SIZE)
        device = devices.get(rows[get16(table, at)])
        if entry and device is not None:
            device["link_key"] = _link_key(entry[:16], get32(entry, 16), get32(entry, 20))


async def take(nv: Nvram, version: str) -> dict:
    """The network in the coprocessor's memory. LinkError: it could not be read whole."""
    nib = await nv.read(nvram.NIB)
    key = await nv.read(nvram.ACTIVE_KEY)
    seed = await nv.read(nvram.TCLK_SEED)
    if len(nib) != nvram.NIB_SIZE or len(key) != 17 or len(seed) != 16:
        raise LinkError("the memory is not laid out as that of a CC2652")
    devices, rows = await _addresses(nv)
    unverified: dict = {}
    await _keys(nv, seed, devices, rows, unverified)
    extended_pan = nib[nvram.NIB_EXT_PAN:nvram.NIB_EXT_PAN + 8]
    channels = get32(nib, nvram.NIB_CHANNELS)
    counter = await frame_counter(nv, extended_pan)
    if counter < 0:
        raise LinkError("the memory has no frame counter for its network")
    return {
        "metadata": {
            "version": 1, "format": FORMAT, "source": SOURCE,
            "internal": {"firmware": version, "unverified": unverified},
        },
        "stack_specific": {"zstack": {"tclk_seed": hexlify(seed).decode()}},
        "coordinator_ieee": printed(await nv.read(nvram.EXTADDR)),
        "pan_id": "%04x" % get16(nib, nvram.NIB_PAN),
        "extended_pan_id": printed(extended_pan),
        "nwk_update_id": nib[nvram.NIB_UPDATE_ID],
        "security_level": nib[nvram.NIB_SECURITY],
        "channel": nib[nvram.NIB_CHANNEL],
        "channel_mask": [channel for channel in range(11, 27) if channels >> channel & 1],
        "network_key": {
            "key": hexlify(key[1:]).decode(), "sequence_number": key[0],
            "frame_counter": counter,
        },
        "devices": sorted(devices.values(), key=lambda one: one["ieee_address"]),
    }  # fmt: skip


def seed_of(backup: dict) -> bytes:
    """The seed of its link keys; empty: it names none."""
    stack = backup.get("stack_specific") or {}
    return unhexlify(stack.get("zstack", {}).get("tclk_seed", ""))


def _device_facts(backup: dict) -> dict:
    facts = {}
    for device in backup["devices"]:
        key = device.get("link_key")
        child = device.get("is_child", True)
        if key is None and not child:
            continue  # nothing of it is kept by the coprocessor
        text = None if key is None else key["key"].lower()
        short = device["nwk_address"]
        facts[device["ieee_address"].lower()] = (short and short.lower(), child, text)
    return facts


def changed(before: dict, now: dict) -> str:
    """What differs beyond counters: "" or its name."""
    for name in ("coordinator_ieee", "pan_id", "extended_pan_id"):
        if before[name].lower() != now[name].lower():
            return name
    for name in ("nwk_update_id", "security_level", "channel", "channel_mask"):
        if before[name] != now[name]:
            return name
    old, new = before["network_key"], now["network_key"]
    if old["key"].lower() != new["key"].lower() or old["sequence_number"] != new["sequence_number"]:
        return "network_key"
    if seed_of(before) and seed_of(before) != seed_of(now):
        return "tclk_seed"
    return "" if _device_facts(before) == _device_facts(now) else "devices"
