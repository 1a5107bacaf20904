"""Whether a backup can be restored: every field of it is what the format says, or it is refused as a whole.

Owns the check. No I/O, no state. Must never let anything through that would fail half way through the writing.
Source: github.com/zigpy/open-coordinator-backup (schema).
"""

from binascii import unhexlify

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

FORMAT = "zigpy/open-coordinator-backup"
_DEVICES = const(250)


def _is_hex(value: "Any", digits: int) -> bool:
    if not isinstance(value, str) or len(value) != digits:
        return False
    try:
        return len(unhexlify(value)) == digits // 2  # not digit by digit: 32 devices would hold the board for 0.1 s
    except ValueError:
        return False


def _within(value: "Any", low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_counter(value: "Any") -> bool:
    return _within(value, 0, 0xFFFFFFFF)


def _plain(text: "Any", digits: int) -> bool:
    """Hexadecimal, and neither all zeros nor all ones, which stand for nothing."""
    return _is_hex(text, digits) and text.lower() not in ("0" * digits, "f" * digits)


def _check_device(device: "Any") -> str:
    if not isinstance(device, dict) or not _plain(device.get("ieee_address"), 16):
        return "a device's ieee_address"
    short = device.get("nwk_address", "")
    if short is not None and not _is_hex(short, 4):
        return "nwk_address of %s" % device["ieee_address"]
    if not isinstance(device.get("is_child", True), bool):
        return "is_child of %s" % device["ieee_address"]
    key = device.get("link_key")
    if key is None:
        return ""
    good = isinstance(key, dict) and _is_hex(key.get("key"), 32)
    if not good or not _is_counter(key.get("tx_counter")) or not _is_counter(key.get("rx_counter")):
        return "link_key of %s" % device["ieee_address"]
    return ""


def _check_head(backup: dict) -> str:
    metadata = backup.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT or metadata.get("version") != 1:
        return "metadata"
    for name, digits in (("coordinator_ieee", 16), ("pan_id", 4), ("extended_pan_id", 16)):
        if not _plain(backup.get(name), digits):
            return name
    if backup["pan_id"].lower() == "fffe":
        return "pan_id"
    for name, low, high in (("nwk_update_id", 0, 255), ("security_level", 5, 5), ("channel", 11, 26)):
        if not _within(backup.get(name), low, high):
            return name
    mask = backup.get("channel_mask")
    if not isinstance(mask, list) or not mask or not all(_within(one, 11, 26) for one in mask):
        return "channel_mask"
    key = backup.get("network_key")
    if not isinstance(key, dict) or not _plain(key.get("key"), 32) or not _is_counter(key.get("frame_counter")):
        return "network_key"
    return "" if _within(key.get("sequence_number"), 0, 255) else "network_key"


def _check_inside(metadata: dict) -> str:
    internal = metadata.get("internal")
    if internal is not None and not isinstance(internal, dict):
        return "metadata.internal"
    unverified = internal.get("unverified", {}) if internal else {}
    good = isinstance(unverified, dict) and all(_within(one, 0, 255) for one in unverified.values())
    return "" if good else "metadata.internal"


def check(backup: "Any") -> str:
    """Whether this can be restored: "" or which part of it is wrong."""
    if not isinstance(backup, dict):
        return "not a JSON object"
    wrong = _check_head(backup) or _check_inside(backup["metadata"])
    if wrong:
        return wrong
    stack = backup.get("stack_specific")
    if stack is not None:
        zstack = stack.get("zstack", {}) if isinstance(stack, dict) else None
        if not isinstance(zstack, dict) or not _is_hex(zstack.get("tclk_seed", "0" * 32), 32):
            return "stack_specific"
    devices = backup.get("devices")
    if not isinstance(devices, list) or len(devices) > _DEVICES:
        return "devices"
    seen = {backup["coordinator_ieee"].lower()}
    for device in devices:
        wrong = _check_device(device)
        if wrong:
            return wrong
        address = device["ieee_address"].lower()
        if address in seen:
            return "%s appears twice" % address
        seen.add(address)
    return ""
