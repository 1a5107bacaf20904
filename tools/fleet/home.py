"""What a simulated gateway has to tell: records as docs/schema says, at random times, and its own state.

Owns the numbers of its records and the time since its start. Must never make a record that the schemas do not know.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

VERSION = "fleet"
_SINCE_S = 1767225600  # 2026-01-01: as the firmware counts the boots of a board that knows none
_SENSORS = (
    ("화재감지기 1", "smoke", "부엌"), ("화재감지기 2", "smoke", "침실"), ("응급호출기 1", "call_button", "욕실"),
    ("출입감지기 1", "door", "현관"), ("활동량감지기 1", "activity", "거실"), ("활동량감지기 2", "activity", "침실"),
)
_DOOR, _ACTIVITY = 3, (4, 5)
_STATUS = 0.25  # of the periodic records; the others are activity
EVENT, DATA = "event", "data"


class Record(NamedTuple):
    """An encoded record. made: on the fleet's clock, s."""

    seq: int
    lane: str
    made: float
    data: bytes


def new_boot(now_s: float) -> int:
    """A number of a boot that no earlier run had: the second since 2026."""
    return max(int(now_s) - _SINCE_S, 1)


class Home:
    """number: the gateway's; rate: records a second on average; events: of them, 0 to 1; now: the fleet's clock, s."""

    def __init__(self, number: str, boot: int, rate: float, events: float, now: float, dice: random.Random) -> None:
        self.boot = boot
        self._rate = rate
        self._events = events
        self._dice = dice
        self._began = now
        self._wall_ms = int(time.time() * 1000)
        self._seq = 0
        self._open = False
        base = hash_of(number) << 3
        self._ieee = [f"00124b{(base + n) & 0xFFFFFFFFFF:010x}" for n in range(len(_SENSORS))]
        self.due = now + dice.expovariate(rate) if rate > 0 else float("inf")

    @property
    def made(self) -> int:
        """How many records there are; their numbers are 1 to this."""
        return self._seq

    def moment(self, now: float) -> dict[str, Any]:
        """boot, up, at and clock of a message."""
        up = int((now - self._began) * 1000)
        return {"boot": self.boot, "up": up, "at": self._wall_ms + up, "clock": "set"}

    def advance(self, now: float) -> Iterator[Record]:
        """The records that are due up to now."""
        while self.due <= now:
            made, self.due = self.due, self.due + self._dice.expovariate(self._rate)
            yield self._event(made) if self._dice.random() < self._events else self._periodic(made)

    def stop(self) -> None:
        """Nothing happens any more."""
        self.due = float("inf")

    def event(self, name: str, now: float, **fields: Any) -> Record:
        return self._record("event", EVENT, now, {"event": name, **fields})

    def _event(self, made: float) -> Record:
        self._open = not self._open
        return self.event("door.opened" if self._open else "door.closed", made, **self._sensor(_DOOR))

    def _periodic(self, made: float) -> Record:
        dice = self._dice
        at = self._wall_ms + int((made - self._began) * 1000)
        if dice.random() < _STATUS:
            index = dice.randrange(len(_SENSORS))
            kind = _SENSORS[index][1]
            fields = {**self._sensor(index), "type": kind, "now": "good", "before": "good",
                      "dbm": -40 - dice.randrange(30), "value": dice.getrandbits(30) if kind == "activity" else False,
                      "heard": max(at - 40000, 0), "state": "good", "percent": 100, "mv": 3000, "temperature": 21.5}
            return self._record("status", DATA, made, fields)
        fields = {**self._sensor(dice.choice(_ACTIVITY)), "from": max(at - 480000, 0),
                  "mask": f"{dice.getrandbits(150):038x}", "known": [1, 1, 1, 1, 1]}
        return self._record("activity", DATA, made, fields)

    def _sensor(self, index: int) -> dict[str, str]:
        name, _, place = _SENSORS[index]
        return {"sensor": name, "ieee": self._ieee[index], "place": place}

    def _record(self, kind: str, lane: str, made: float, fields: dict[str, Any]) -> Record:
        self._seq += 1
        whole = {**self.moment(made), "seq": self._seq, "kind": kind, "test": False, **fields}
        data = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
        return Record(self._seq, lane, made, data)


def hash_of(text: str) -> int:
    """The same for a text in every run (Python's own is not); 40 bits."""
    found = 0
    for byte in text.encode():
        found = (found * 1099511628211 + byte + 1) & 0xFFFFFFFFFF
    return found
