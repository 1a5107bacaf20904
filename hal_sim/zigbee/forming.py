"""The chip makes a new network: it listens on its channels and takes what the memory presets, or chance.

Owns the choice. Must never touch a network that is there.
Source: Zigbee specification 3.6.1.1 (establishing a network); Base Device Behavior 8.3; presets as in Z-Stack 3.x.
"""

from hal_sim.zigbee import network
from hal_sim.zigbee.mt import le16, le32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.air import Air

_TOO_LOUD = 200  # of 255: a channel on which no network is begun
_NOBODY = bytes(8)
_EVERYBODY = b"\xff" * 8
_ANY_PAN = 0xFFFF
_PANS = 0x3FFF  # Z-Stack draws below this


def form(items: dict, air: "Air", channels: int) -> bool:
    """Make a network on the best of these channels (a bit mask). False: too loud, or one like it is nearby."""
    channel = _best(air, channels)
    pan = _pan(items, air, channel)
    extended_pan = _extended(items)
    if channel == 0 or pan < 0 or any(one[2] == extended_pan for one in air.neighbours):
        return False
    key = items.get(network.PRESET_KEY, b"")
    if len(key) != 16 or key in (bytes(16), b"\xff" * 16):
        key = air.dice.octets(16)
    network.write(items, (channel, pan, extended_pan, key, 0), channels, air.dice.octets(16))
    return True


def preset_channels(items: dict) -> int:
    value = items.get(network.CHANNEL_LIST, b"")
    return le32(value, 0) if len(value) == 4 else 1 << network.CHANNEL


def _best(air: "Air", channels: int) -> int:
    """The channel with the least energy, of equal ones that with the fewest networks; 0: none will do."""
    best, least = 0, (_TOO_LOUD, 0)
    for channel in range(11, 27):
        if channels >> channel & 1:
            rank = (air.energy(channel), sum(1 for one in air.neighbours if one[0] == channel))
            if rank < least:
                best, least = channel, rank
    return best


def _pan(items: dict, air: "Air", channel: int) -> int:
    """The preset PAN, or a random one that no neighbour has; -1: the preset one is taken."""
    taken = [one[1] for one in air.neighbours if one[0] == channel]
    value = items.get(network.PRESET_PAN, b"")
    preset = le16(value, 0) if len(value) == 2 else _ANY_PAN
    if preset != _ANY_PAN:
        return -1 if preset in taken else preset
    while True:
        pan = 1 + air.dice.below(_PANS)
        if pan not in taken:
            return pan


def _extended(items: dict) -> bytes:
    """The preset extended PAN; without one Z-Stack takes the coordinator's own address."""
    for key in (network.EXTENDED_PAN, network.USED_EXTENDED_PAN):
        value = items.get(key, b"")
        if len(value) == 8 and value not in (_NOBODY, _EVERYBODY):
            return bytes(value)
    return items[network.EXTENDED_ADDRESS]
