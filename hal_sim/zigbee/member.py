"""Who is on which network: what a device remembers, what the coprocessor runs with, and whether the two fit.

Owns the coprocessor's outgoing frame counter. A frame passes only when everything fits; there is no other way in.
Source: Zigbee specification 4.3.1 (frames are dropped when the key is another or the counter not higher); Z-Stack keeps
its counter in NV every 1000 frames and goes on 1250 further after a start (nwk_globals: MAX_NWK_FRAMECOUNTER_CHANGES,
NWK_FRAMECOUNTER_CHANGES_RESTORE_DELTA).
"""

from hal_sim.zigbee import network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.nv import Nv

_SAVE_EVERY = 1000
_JUMP = 1250
_LINK_STATUS_MS = 15_000  # what the coordinator sends by itself (nwkLinkStatusPeriod)


class Member:
    """What a device remembers of its network: identity (network.identity), link key, the highest counter it heard."""

    def __init__(self, identity: tuple, link_key: bytes, heard: int) -> None:
        self.identity = identity
        self.link_key = link_key
        self.heard = heard

    def fits(self, running: "Running | None") -> bool:
        return running is not None and self.heard <= running.counter and self.identity == running.identity


class Running:
    """The network the coprocessor is in service on; made at its start from its memory. ValueError: there is none."""

    def __init__(self, nv: "Nv", sched: "Scheduler") -> None:
        identity = network.identity(nv.items)
        if identity is None:
            raise ValueError("no network in the memory")
        self.identity = identity
        self._nv = nv
        self._sched = sched
        saved = network.counter(nv.items, identity[2])
        self.counter = saved + _JUMP if saved else 1
        self._save()
        self._timer: list | None = sched.after(_LINK_STATUS_MS * _SAVE_EVERY, self._spent)

    def sent(self) -> int:
        """One more frame goes out; its counter."""
        self.set_counter(self.counter + 1)
        return self.counter

    def set_counter(self, value: int) -> None:
        self.counter = value
        if not 0 <= value - self._saved < _SAVE_EVERY:
            self._save()

    def stop(self) -> None:
        self._sched.cancel(self._timer)

    def _spent(self) -> None:
        """So many link status frames went out by themselves."""
        self._timer = self._sched.after(_LINK_STATUS_MS * _SAVE_EVERY, self._spent)
        self.set_counter(self.counter + _SAVE_EVERY)

    def _save(self) -> None:
        self._saved = self.counter
        network.save_counter(self._nv.items, self.identity[2], self.counter)
