"""The link keys of the trust centre: the well-known one, and the one that Z-Stack derives for each device.

Owns the derivation. Codes are in `codes`.
"""

WELL_KNOWN = b"ZigBeeAlliance09"  # the default trust centre link key


def seeded_key(seed: bytes, wire: bytes, shift: int) -> bytes:
    """The unique link key that Z-Stack derives from its seed for a device; shift counts how often it joined anew."""
    turned = seed[shift:] + seed[:shift]
    return bytes(a ^ b for a, b in zip(turned, wire + wire))  # noqa: B905
