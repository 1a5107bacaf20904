"""The activity sensor made for this gateway: a mask of 30 bits every minute.

Owns what it tells of movement. Must never run a timer for its 2 s samples. Source: docs/zigbee-profile.md, cluster
0xFC30; Zigbee Cluster Library (07-5123), 4.8 Occupancy Sensing.
"""

from hal_sim.zigbee.device import EndDevice
from hal_sim.zigbee.mask import MINUTE_MS, Moves
from hal_sim.zigbee.mt import put16, put32
from hal_sim.zigbee.reporting import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.air import Air

MASK = 0xFC30
_OCCUPANCY = 0x0406
_TAMPER = 0x01
_BATTERY = 0x02
_FAULT = 0x04
_TEST = 0x08
_COVERED = 0x10


class Activity(EndDevice):
    """state holds tamper, fault, self-test, covered; the battery's bit is computed."""

    model = "Motion"
    profile_device = 0x0107
    servers = (0x0000, 0x0001, 0x0003, 0x0020, _OCCUPANCY, MASK)
    reports = EndDevice.reports + ((_OCCUPANCY, 0x0000, 0, NEVER, 0),)

    def __init__(self, air: "Air", sched: "Scheduler", name: str, place: str, wire: bytes, short: int) -> None:
        self.state = 0
        self.moves = Moves()
        self._minute = self._mask = self._before = 0
        self._next = 0  # the number of the minute under way
        self._tick: list | None = None
        self._still: list | None = None
        EndDevice.__init__(self, air, sched, name, place, wire, short)

    def start(self) -> None:
        """Its minutes begin anew."""
        self.moves.forget(self.sched.now_ms)
        self._next = self._minute = self._mask = self._before = 0
        self.sched.cancel(self._tick)
        first_ms = 1 + self.phase * MINUTE_MS // 0x10000
        self._tick = self.sched.after(first_ms, self._told)
        EndDevice.start(self)

    def left(self) -> None:
        self.sched.cancel(self._tick)
        EndDevice.left(self)

    def attributes(self, cluster: int) -> dict:
        if cluster == MASK:
            state = self.state | (_BATTERY if self.battery_low else 0)
            return {0x0000: b"\x23" + put32(self._minute), 0x0001: b"\x1b" + put32(self._mask),
                    0x0002: b"\x1b" + put32(self._before), 0x0003: bytes((0x18, state))}  # fmt: skip
        if cluster == _OCCUPANCY:
            return {0x0000: bytes((0x18, self.occupied)), 0x0001: b"\x30\x00", 0x0002: b"\x18\x01"}
        return EndDevice.attributes(self, cluster)

    @property
    def occupied(self) -> int:
        """1 while somebody moves."""
        return int(self.sched.now_ms < self.moves.until_ms)

    def see(self, for_ms: int) -> None:
        """Somebody moves here for so long."""
        now = self.sched.now_ms
        self.moves.see(now, for_ms)
        self.reporting.changed(_OCCUPANCY)
        one = self.reporting.find(_OCCUPANCY, 0x0000)
        if one is not None and one.most_s != NEVER:  # nobody needs the end of it otherwise
            self.sched.cancel(self._still)
            self._still = self.sched.at(self.moves.until_ms, self.reporting.changed, _OCCUPANCY)

    def _told(self) -> None:
        """A minute is over."""
        now = self.sched.now_ms
        self._tick = self.sched.after(MINUTE_MS, self._told)
        self._before, self._mask = self._mask, self.moves.mask(now - MINUTE_MS)
        self._minute = self._next
        self._next += 1
        # a report that still waits is overtaken: its mask travels as `before`
        self.outbox = self.outbox[:1] + [one for one in self.outbox[1:] if one[0] != MASK]
        known = self.attributes(MASK)
        self.report(MASK, b"".join([put16(number) + known[number] for number in range(4)]))

    def set_tamper(self, on: bool) -> None:
        self._mark(_TAMPER, on)

    def set_fault(self, on: bool) -> None:
        """Its sensing part fails or works again."""
        self._mark(_FAULT, on)

    def set_test(self, on: bool) -> None:
        """Its walk test, while it is mounted."""
        self._mark(_TEST, on)

    def cover(self, on: bool) -> None:
        """Something hides what it looks at."""
        self._mark(_COVERED, on)

    def _mark(self, bits: int, on: bool) -> None:
        self.state = self.state | bits if on else self.state & ~bits
