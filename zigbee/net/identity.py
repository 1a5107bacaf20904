"""Whose network the coprocessor has, and what is to be done about it.

Owns the reading of the coprocessor's identity and the decision. No callbacks, no state. Must never take an unknown
layout for another network, and never decide to form one while there is a backup or there are sensors.

A PAN or channel that moved on (a later update id) is the same network: the sensors were told and followed. A frame
counter that went back is not: the sensors would refuse every frame.
"""

from binascii import hexlify

from micropython import const

from zigbee.net import backup as ocb
from zigbee.net import nvram
from zigbee.net.nvram import Nvram, get16

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

START = const(1)
ADOPT = const(2)
RESTORE = const(3)
FORM = const(4)


class NoNetwork(Exception):
    """There is no network and none may be made; its text says why in one word."""


class Found:
    """What the coprocessor's memory says about its network."""

    def __init__(self) -> None:
        self.formed = False
        self.finished = False  # who formed or restored it came to the end
        self.legible = True  # the memory is laid out as this host knows it
        self.ieee = ""
        self.extended_pan = ""
        self.key = b""
        self.sequence = 0
        self.pan = ""
        self.channel = 0
        self.update_id = 0
        self.counter = -1


async def examine(nv: Nvram, formed: bool) -> Found:
    """Read who the coprocessor is. LinkError: it could not be read."""
    found = Found()
    found.ieee = ocb.printed(await nv.read(nvram.EXTADDR))
    found.formed = formed
    if not formed:
        return found
    found.finished = await nv.read(nvram.CONFIGURED) == b"\x55"
    nib = await nv.read(nvram.NIB)
    key = await nv.read(nvram.ACTIVE_KEY)
    found.key, found.sequence = key[1:17], key[0] if key else 0
    if len(nib) != nvram.NIB_SIZE:
        found.legible = False
        found.extended_pan = ocb.printed(await nv.read(nvram.EXTENDED_PAN_ID))
        return found
    extended_pan = nib[nvram.NIB_EXT_PAN:nvram.NIB_EXT_PAN + 8]
    found.extended_pan = ocb.printed(extended_pan)
    found.pan = "%04x" % get16(nib, nvram.NIB_PAN)
    found.channel = nib[nvram.NIB_CHANNEL]
    found.update_id = nib[nvram.NIB_UPDATE_ID]
    found.counter = await ocb.frame_counter(nv, extended_pan)
    return found


def differs(found: Found, kept: dict) -> str:
    """In what the coprocessor's network is not the kept one; "": it is."""
    if not found.formed:
        return "no network"
    if found.extended_pan != kept["extended_pan_id"].lower():
        return "extended PAN"
    if hexlify(found.key).decode() != kept["network_key"]["key"].lower():
        return "key"
    if not found.legible:
        return ""
    if found.sequence != kept["network_key"]["sequence_number"]:
        return "key number"
    if found.ieee != kept["coordinator_ieee"].lower():
        return "coordinator's address"
    if found.counter < kept["network_key"]["frame_counter"]:
        return "frame counter"
    moved = found.pan != kept["pan_id"].lower() or found.channel != kept["channel"]
    if moved and not 0 < (found.update_id - kept["nwk_update_id"]) & 0xFF < 0x80:
        return "PAN or channel"
    return ""


def is_foreign(found: Found, refused: "Any") -> bool:
    """Whether even a backup that is refused says that this is another network: it still names its extended PAN."""
    named = refused.get("extended_pan_id") if isinstance(refused, dict) else None
    return isinstance(named, str) and len(named) == 16 and named.lower() != found.extended_pan


def decide(found: Found, kept: "dict | None", may_form: bool) -> int:
    """START, ADOPT, RESTORE or FORM. NoNetwork: nothing of these."""
    if kept is not None:
        if not differs(found, kept):
            return START
        if not found.legible:
            raise NoNetwork("unknown_firmware")
        return RESTORE
    if found.formed and (not may_form or (found.finished and not _is_weak(found.key))):
        return ADOPT  # without sensors nothing is lost when an unfinished or a well-known network is not taken over
    if may_form:
        return FORM
    raise NoNetwork("no_backup")


def _is_weak(key: bytes) -> bool:
    from zigbee.net.form import is_weak  # loaded only where a network may be formed

    return is_weak(key)
