"""What the link keeps over a restart: the highest command counter, a time that is past for certain, a good address.

Owns the block `link` of the store. Must never trust what it reads, nor write often: the time is kept once a day.
"""

import asyncio
import json

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.store import Store

_BLOCK = "link"
_DAY_S = const(86_400)
_LOOK_MS = const(20)


class Kept:
    """store: the gateway's."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        kept = _read(store)
        self.counter: int = _whole(kept, "counter")
        self.floor_s: int = _whole(kept, "floor_s")  # s since 1970: it is later than this
        address = kept.get("address")
        self.address: Any = address if isinstance(address, str) and len(address) < 64 else ""

    def take(self, counter: int) -> None:
        """A command with this counter is carried out."""
        self.counter = counter
        self._save()

    def passed(self, wall_s: int) -> None:
        """It is now so late, for certain."""
        if wall_s >= self.floor_s + _DAY_S:
            self.floor_s = wall_s
            self._save()

    def reached(self, address: str) -> None:
        """The relay answered there."""
        if address != self.address:
            self.address = address
            self._save()

    async def flush(self, limit_ms: int) -> None:
        """Until it is in flash, at most so long, and not while nothing may be written: an emergency has begun."""
        while limit_ms > 0 and not self._store.written(_BLOCK) and not self._store.hold():
            await asyncio.sleep_ms(_LOOK_MS)
            limit_ms -= _LOOK_MS

    def _save(self) -> None:
        value = {"counter": self.counter, "floor_s": self.floor_s, "address": self.address}
        self._store.save(_BLOCK, json.dumps(value).encode())


def _read(store: "Store") -> dict:
    try:
        kept = json.loads(store.load(_BLOCK) or b"{}")
    except ValueError:
        kept = None
    return kept if isinstance(kept, dict) else {}


def _whole(kept: dict, name: str) -> int:
    value = kept.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
