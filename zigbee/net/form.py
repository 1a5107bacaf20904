"""A new network for a new home: which channel, and identities that nobody else has.

Owns the choice and the randomness. Must never form what can be restored (zigbee.net.network decides), never use a key
that others know, and never trust a source of randomness that gives the same byte sixteen times.

The rule for the channel: the quietest, where
- each network that answers on a channel costs 30 (roughly 12 dB): it is quiet while scanned and busy when needed;
- 15, 20 and 25 lie between the Wi-Fi channels 1, 6 and 11, and 11 at their edge: any other channel costs 48 (roughly
  20 dB), because a Wi-Fi that sleeps during the scan wakes up later, and because some sensors look for these first;
- 26 costs 96: many sensors send weakly there or not at all.
The energy of a channel is the highest of three scans: interference comes in bursts.
"""

import os
from binascii import hexlify

from micropython import const

from zigbee.link import LinkError
from zigbee.net.backup import FORMAT, SOURCE, printed

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

    from zigbee.net.survey import Survey

_NETWORK_COST = const(30)
_BETWEEN_COST = const(48)
_EDGE_COST = const(96)
_PREFERRED = (11, 15, 20, 25)
_SCANS = const(3)
_TRIES = const(8)
FIRST_COUNTER = const(1)
# Keys that everybody knows: "ZigBeeAlliance09", zigbee2mqtt's default, the touchlink and certification keys
_KNOWN_KEYS = (
    b"ZigBeeAlliance09",
    b"\x01\x03\x05\x07\x09\x0b\x0d\x0f\x00\x02\x04\x06\x08\x0a\x0c\x0d",
    b"\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf",
    b"\xd0\xd1\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xdb\xdc\xdd\xde\xdf",
    b"\x9f\x55\x95\xf1\x02\x57\xc8\xa4\x69\xcb\xf4\x2b\xc9\x3f\xee\x31",
)
_KNOWN_PANS = (0x0000, 0x1A62, 0xFFFE, 0xFFFF)  # reserved, and zigbee2mqtt's default


def is_weak(key: bytes) -> bool:
    """Whether the key is one that others know or can guess: a default, one byte repeated, or bytes in a row."""
    if len(key) != 16 or key in _KNOWN_KEYS:
        return True
    step = (key[1] - key[0]) & 0xFF
    return all((key[i + 1] - key[i]) & 0xFF == step for i in range(15))


def choose(levels: list, neighbours: list) -> int:
    """The channel, by the rule above. levels: of channels 11 to 26; neighbours: (PAN, channel, extended PAN)."""
    best, least = 11, -1
    for channel in range(11, 27):
        cost = levels[channel - 11] + _NETWORK_COST * len([one for one in neighbours if one[1] == channel])
        if channel == 26:
            cost += _EDGE_COST
        elif channel not in _PREFERRED:
            cost += _BETWEEN_COST
        if least < 0 or cost < least:
            best, least = channel, cost
    return best


def _random(size: int, good: "Callable[[bytes], bool]") -> bytes:
    for _ in range(_TRIES):
        data = os.urandom(size)
        if good(data):
            return data
    raise LinkError("no randomness")


def secret() -> bytes:
    """A random 128-bit key that nobody knows. LinkError: the randomness is broken."""
    return _random(16, lambda data: not is_weak(data))


def identity(wire: bytes, channel: int, neighbours: list) -> dict:
    """A network that does not exist yet, as the backup of it. wire: the coordinator's address as it travels."""
    pans = [one[0] for one in neighbours]
    extended = [one[2] for one in neighbours]
    pan = _random(2, lambda data: data[0] | data[1] << 8 not in pans and data[0] | data[1] << 8 not in _KNOWN_PANS)
    extended_pan = _random(8, lambda data: len(set(data)) > 1 and data not in extended)
    return {
        "metadata": {"version": 1, "format": FORMAT, "source": SOURCE, "internal": {}},
        "stack_specific": {"zstack": {"tclk_seed": hexlify(secret()).decode()}},
        "coordinator_ieee": printed(wire),
        "pan_id": printed(pan),
        "extended_pan_id": printed(extended_pan),
        "nwk_update_id": 0,
        "security_level": 5,
        "channel": channel,
        "channel_mask": [channel],
        "network_key": {
            "key": hexlify(secret()).decode(), "sequence_number": 0, "frame_counter": FIRST_COUNTER,
        },
        "devices": [],
    }  # fmt: skip


async def quietest(survey: "Survey", neighbours: list) -> int:
    """Measure and choose. LinkError when nothing could be measured."""
    highest = [0] * 16
    for _ in range(_SCANS):
        levels = await survey.energy()
        highest = [max(highest[i], levels[i]) for i in range(16)]
    return choose(highest, neighbours)
