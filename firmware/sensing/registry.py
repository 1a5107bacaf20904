"""The home's list of sensors: 32 places, each with its sensor's name, kind, place, address and the interview's facts.

Owns that list and its block in the store. An index is the sensor's for as long as it is of the home: the emergency and
its journal know it by nothing else. Entries are changed in place, so that who holds one sees its new name. Must never
let one bad entry cost the others, never give a name twice, and never raise because the store is bad.
"""

import gc
import json

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.log import Log

PLACES = const(32)  # ZB-03 asks for 10; the emergency's bit masks have 32
KINDS = ("smoke", "activity", "call_button", "door")
_NAMES = ("화재감지기", "활동량감지기", "응급호출기", "출입감지기")
_MAX_TEXT = const(40)  # characters of a name or a place
_FORMAT = const(1)
_GONE = const(16)  # removed sensors that are remembered
BLOCK = "sensors"
_HEX = "0123456789abcdef"


def is_ieee(value: object) -> bool:
    """16 hexadecimal digits, as printed, in small letters."""
    if not isinstance(value, str) or len(value) != 16:
        return False
    for digit in value:
        if digit not in _HEX:
            return False
    return True


def is_text(value: object, empty: bool = False) -> bool:
    """A name or place that can be shown: 1 to 40 characters, no control characters, not blank (empty: may be)."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        return False
    for char in value:
        if ord(char) < 32:
            return False
    return empty or value.strip() != ""


def check_entry(item: object) -> str:
    """Empty, or what is wrong with an entry."""
    if not isinstance(item, dict):
        return "is no object"
    if not is_text(item.get("name")):
        return "has no name"
    if item.get("kind") not in KINDS:
        return "is of no kind we know"
    if not is_text(item.get("place", ""), True):
        return "has a bad place"
    ieee = item.get("ieee")
    if not is_ieee(ieee.lower() if isinstance(ieee, str) else None):
        return "has no valid address"
    return "" if isinstance(item.get("facts", {}), dict) else "has bad facts"


def check_list(whole: "Any") -> str:
    """Of a list as it is kept: empty, or what is wrong. Entries that are bad are no reason: they are left out."""
    if not isinstance(whole, dict) or whole.get("format") != _FORMAT or not isinstance(whole.get("sensors"), list):
        return "of another form"
    return ""


class Registry:
    """store: firmware.store.Store; imported: sensors.json, taken over when the store has no list yet.

    `entries` has PLACES of dict(name, kind, place, ieee, facts) or None; the list itself is never replaced. `whole`:
    what was kept could be read; `left_out`: so many entries of it were bad. `gone`: addresses of the last sensors that
    were removed and are not known to have left the network.
    """

    def __init__(self, store: "Any", imported: "Any", log: "Log") -> None:
        self._store = store
        self._log = log
        self.entries: list = [None] * PLACES
        self.whole = store.works and BLOCK not in store.lost
        self.left_out = 0
        self.gone: list = []
        listed = self._stored()
        if listed is None:
            listed = imported if isinstance(imported, list) else []
            self._take(listed)
            if self.count() and self.whole:  # in place of a list that is lost it is for this time only
                self.save()
        else:
            self._take(listed)

    def _stored(self) -> "list | None":
        data = self._store.load(BLOCK)
        if not data:
            return None
        try:
            whole = json.loads(data)
            wrong = check_list(whole)
            if wrong:
                raise ValueError(wrong)
            gone = whole.get("gone")
            if isinstance(gone, list):
                self.gone = [ieee for ieee in gone if is_ieee(ieee)][-_GONE:]
            return whole["sensors"]
        except Exception as error:  # noqa: BLE001 - the store's CRC was right: another firmware wrote it
            self._log.failed("registry", "the list cannot be read", error)
            self.whole = False
            return None

    def _take(self, listed: list) -> None:
        for index, item in enumerate(listed[:PLACES]):
            if item is None:
                continue
            reason = check_entry(item) or self._taken(item)
            if reason:
                self.left_out += 1
                name = item.get("name") if isinstance(item, dict) else item
                self._log.error("registry: sensor %d, %s, %s: left out" % (index + 1, str(name)[:_MAX_TEXT], reason))
                continue
            self.entries[index] = {
                "name": item["name"], "kind": item["kind"], "place": item.get("place", ""),
                "ieee": item["ieee"].lower(), "facts": item.get("facts", {}),
            }

    def _taken(self, item: dict) -> str:
        if self.by_ieee(item["ieee"]) >= 0:
            return "has the address of another"
        return "has the name of another" if self.find(item["name"]) >= 0 else ""

    # ------------------------------------------------------------------ asking
    def find(self, name: object) -> int:
        """Index of the sensor of that name; -1: none."""
        for index, entry in enumerate(self.entries):
            if entry is not None and entry["name"] == name:
                return index
        return -1

    def by_ieee(self, ieee: str) -> int:
        """Index of the sensor with that address, as printed; -1: none."""
        ieee = ieee.lower()
        for index, entry in enumerate(self.entries):
            if entry is not None and entry["ieee"] == ieee:
                return index
        return -1

    def count(self) -> int:
        """How many there are."""
        return sum([1 for entry in self.entries if entry is not None])

    def full(self) -> bool:
        return self.count() >= PLACES

    # ------------------------------------------------------------------ changing
    def add(self, ieee: str, facts: dict) -> int:
        """A new sensor, named after its kind and a number. Returns its index; -1: full, no kind, or known already."""
        kind = facts.get("kind")
        if kind not in KINDS or not is_ieee(ieee) or self.by_ieee(ieee) >= 0:
            return -1
        for index in range(PLACES):
            if self.entries[index] is None:
                self.entries[index] = {"name": self._name(KINDS.index(kind)), "kind": kind, "place": "", "ieee": ieee,
                                       "facts": facts}
                self._stays(ieee)
                self.save()
                return index
        return -1

    def _name(self, kind: int) -> str:
        number = 1
        while self.find("%s %d" % (_NAMES[kind], number)) >= 0:
            number += 1
        return "%s %d" % (_NAMES[kind], number)

    def learn(self, index: int, facts: dict) -> None:
        """What the interview found out of a sensor that is there; a kind that changed gives it no other name."""
        entry = self.entries[index]
        if entry is None:
            return
        entry["facts"] = facts
        if facts.get("kind") in KINDS:
            entry["kind"] = facts["kind"]
        self.save()

    def rename(self, index: int, name: "str | None", place: "str | None" = None) -> str:
        """Empty, or why not. None: as it was."""
        entry = self.entries[index] if 0 <= index < PLACES else None
        if entry is None:
            return "unknown sensor"
        if name is not None and not is_text(name):
            return "bad name"
        if name is not None and self.find(name.strip()) not in (-1, index):
            return "name taken"
        if place is not None and not is_text(place, True):
            return "bad place"
        if name is not None:
            entry["name"] = name.strip()
        if place is not None:
            entry["place"] = place.strip()
        self.save()
        return ""

    def remove(self, index: int) -> None:
        """Its place is free again."""
        self._dismiss(self.entries[index]["ieee"])
        self.entries[index] = None
        self.save()

    def left(self, ieee: str) -> None:
        """A removed sensor has left the network."""
        if self._stays(ieee):
            self.save()

    def _stays(self, ieee: str) -> bool:
        """It is not, or no more, one that has to leave. True: it was."""
        if ieee not in self.gone:
            return False
        self.gone.remove(ieee)
        return True

    def _dismiss(self, ieee: str) -> None:
        self.gone = [other for other in self.gone if other != ieee][1 - _GONE:] + [ieee]

    def replace(self, index: int, ieee: str, facts: dict) -> None:
        """Another sensor of the same kind takes over name and place, and gives up a place it had of its own."""
        entry = self.entries[index]
        own = self.by_ieee(ieee)
        if own >= 0 and own != index:
            self.entries[own] = None
        self._dismiss(entry["ieee"])
        self._stays(ieee)
        self.entries[index] = {"name": entry["name"], "kind": entry["kind"], "place": entry["place"], "ieee": ieee,
                               "facts": facts}
        self.save()

    def _whole(self) -> bytes:
        last = PLACES
        while last and self.entries[last - 1] is None:
            last -= 1
        whole = {"format": _FORMAT, "sensors": self.entries[:last], "gone": self.gone}
        return json.dumps(whole, separators=(",", ":")).encode()

    def save(self) -> bool:
        """Keep the list as it is when it is written; returns at once. False: it could not be kept (told)."""
        try:
            if self._store.save(BLOCK, self._whole):
                return True
            self._log.error("registry: it could not be kept")
        except Exception as error:  # noqa: BLE001 - the sensors work on, whatever is kept of them
            gc.collect()
            self._log.failed("registry", "could not be kept", error)
        return False
