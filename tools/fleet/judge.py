"""What the relay's database says of a run: is every record there, once, and was each topic committed in order.

Owns the verdict. Reads only; whatever runs it did not make are left out by the number of the boot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from tools.fleet import FleetError
from tools.relay import RelayError, databases
from tools.relay.database import Unacceptable, Unavailable


@dataclasses.dataclass
class Verdict:
    """Records of all gateways of a run."""

    committed: int = 0
    lost: int = 0  # made and not there
    doubled: int = 0  # there twice, or a second one under a used identity
    out_of_order: int = 0  # committed before one that is older, of the same topic of the same gateway

    def good(self, any_order: bool = False) -> bool:
        return not self.lost and not self.doubled and (any_order or not self.out_of_order)


Row = tuple[str, int, str, int]  # gateway, seq, kind, when it was committed (ms)


def judge(rows: Iterable[Row], made: dict[str, int]) -> Verdict:
    """made: gateway -> how many records it made; their numbers are 1 to that. rows: in any order."""
    verdict = Verdict()
    found: dict[str, dict[int, tuple[bool, int]]] = {gateway: {} for gateway in made}
    for gateway, seq, kind, received in rows:
        if gateway not in found:
            continue
        verdict.committed += 1
        if seq in found[gateway]:
            verdict.doubled += 1
        else:
            found[gateway][seq] = (kind == "event", received)
    for gateway, records in found.items():
        verdict.lost += sum(seq not in records for seq in range(1, made[gateway] + 1))
        verdict.out_of_order += _out_of_order(records)
    return verdict


def _out_of_order(records: dict[int, tuple[bool, int]]) -> int:
    """How many were committed later than one of the same topic that is younger."""
    earliest = {True: float("inf"), False: float("inf")}  # of those behind
    wrong = 0
    for seq in sorted(records, reverse=True):
        is_event, received = records[seq]
        wrong += received > earliest[is_event]
        earliest[is_event] = min(earliest[is_event], received)
    return wrong


def from_database(url: str, boot: int, made: dict[str, int]) -> Verdict:
    """The verdict over what the relay's database has. Raises FleetError."""
    try:
        store = databases.open_store(url, make=False)
        try:
            with store.transaction():
                rows: Iterator[tuple] = store.stream(
                    "SELECT gateway, seq, kind, received FROM records WHERE boot = ?", (boot,))
                verdict = judge(rows, made)
                conflicts = store.stream("SELECT gateway FROM conflicts WHERE boot = ?", (boot,))
                verdict.doubled += sum(gateway in made for (gateway,) in conflicts)
        finally:
            store.close()
    except (RelayError, Unavailable, Unacceptable) as error:
        raise FleetError(f"the relay's database: {error}") from None
    return verdict


def from_answers(waiting: int, overtaken: int, committed: int) -> Verdict:
    """The verdict where there is no database to look into: what the relay's answers say."""
    return Verdict(committed=committed, lost=waiting, out_of_order=overtaken)
