"""What kind of sensor a device is: from its clusters and its zone type to smoke, activity, call button or door.

Owns that decision. Its maker decides nothing, except where its clusters do not tell (the rows of `zigbee.quirks` that
name a kind). No I/O, no state. Must never call something a sensor of the home that cannot tell what that kind tells.
Source: Zigbee Cluster Library (07-5123), 8.2.2.2.2 (zone types), 8.3 IAS ACE, 4.8 Occupancy Sensing.
"""

from micropython import const

from zigbee import ias, quirks

SMOKE = "smoke"
ACTIVITY = "activity"
CALL_BUTTON = "call_button"
DOOR = "door"

UNKNOWN_KIND = "unknown_kind"  # none of the four
ZONE_TYPE = "zone_type"  # its zone type decides and was not read yet

_MASK_CLUSTER = const(0xFC30)  # docs/zigbee-profile.md
_ON_OFF = const(0x0006)
_INVALID = const(0xFFFF)  # zone type not set

# Zone types of the four kinds. A keypad's emergency keys are IAS ACE commands, as a remote control's.
_ZONES = (
    (0x000D, ACTIVITY),  # motion sensor
    (0x0015, DOOR),  # contact switch
    (0x0028, SMOKE),  # fire sensor
    (0x002C, CALL_BUTTON),  # personal emergency device
    (0x010F, CALL_BUTTON),  # remote control
    (0x0115, CALL_BUTTON),  # key fob
    (0x021D, CALL_BUTTON),  # keypad
)


def classify(facts: dict) -> tuple:
    """(kind, traits, reason). kind "" = not one of ours, or not yet known: reason is UNKNOWN_KIND or ZONE_TYPE.

    facts: see docs/sensors-network.md; servers, clients, zone_type, maker and model count here, and any may be missing.
    """
    known = quirks.row(facts.get("maker") or "", facts.get("model") or "")
    kind = known[3] or _kind(facts.get("servers") or (), facts.get("clients") or (), facts.get("zone_type"))
    if kind == ZONE_TYPE:
        return "", known[2], ZONE_TYPE
    return kind, known[2], "" if kind else UNKNOWN_KIND


def _kind(servers: "list | tuple", clients: "list | tuple", zone_type: "int | None") -> str:
    """The kind that these clusters make, "" for none, ZONE_TYPE when that has to be read first."""
    zone = ias.ZONE in servers
    if zone:
        for number, kind in _ZONES:
            if number == zone_type:
                return kind
    if ias.ACE in clients:
        return CALL_BUTTON
    if _MASK_CLUSTER in servers or ias.OCCUPANCY in servers:
        return ACTIVITY
    return ZONE_TYPE if zone and (zone_type is None or zone_type == _INVALID) else ""


def pick(descriptors: "list | tuple") -> int:
    """The endpoint that does the job: its zone, else its key, else its eye; 0: there is no endpoint at all.

    descriptors: (endpoint, profile, device id, servers, clients) of each. Bought sensors have up to seven endpoints,
    and the first is often the maker's own (profile 0xC0C9) or a light switch (Philips Hue, endpoint 1).
    """
    best, best_worth = 0, -1
    for endpoint, profile, _, servers, clients in descriptors:
        worth = 0
        if ias.ZONE in servers:
            worth = 5
        elif ias.ACE in clients:
            worth = 4
        elif _MASK_CLUSTER in servers or ias.OCCUPANCY in servers:
            worth = 3
        elif _ON_OFF in servers or _ON_OFF in clients:
            worth = 2
        elif ias.POWER in servers:
            worth = 1
        if profile > 0xC000 and worth > 2:
            worth = 2  # a zone in a profile of the maker's is nobody's business; Zigbee Light Link has switches only
        if worth > best_worth:
            best, best_worth = endpoint, worth
    return best


def rhythm_s(facts: dict) -> int:
    """Seconds within which such a device is heard of by itself, when everything is well."""
    known = quirks.row(facts.get("maker") or "", facts.get("model") or "")
    if known[4]:
        return known[4]
    return 60 if _MASK_CLUSTER in (facts.get("servers") or ()) else quirks.STANDARD_RHYTHM_S
