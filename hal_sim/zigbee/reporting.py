"""Attribute reports of a simulated device: by time and by change, as configured.

Owns the intervals and the device's one timer for them. Must never run a timer while nothing is to be reported.
Source: Zigbee Cluster Library (07-5123), 2.5.7 Configure Reporting, 2.5.11 Report Attributes.
"""

from hal_sim.zigbee.mt import put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.device import EndDevice

NEVER = 0xFFFF  # the longest interval: no reports at all
_TOGETHER_MS = 2000  # what is due so soon travels in the same frame


class Report:
    """One attribute that is reported; change None = by time only."""

    def __init__(self, cluster: int, number: int, least_s: int, most_s: int, change: "int | None") -> None:
        self.cluster = cluster
        self.number = number
        self.least_s = least_s
        self.most_s = most_s
        self.change = change
        self.sent_ms = 0
        self.said = b""
        self.changed = False  # enough to be told as soon as the least interval is over

    def due_ms(self) -> int:
        """When it is to be sent."""
        return self.sent_ms + (self.least_s if self.changed else self.most_s) * 1000


class Reporting:
    """The reports of one device; `judge`s of the device say which intervals it takes."""

    def __init__(self, device: "EndDevice") -> None:
        self._device = device
        self._sched = device.sched
        self._timer: list | None = None
        self._all: list = []
        self.reset()

    def reset(self) -> None:
        """As it left the factory; nothing is sent until start()."""
        self._sched.cancel(self._timer)
        self._timer = None
        self._all = [Report(*one) for one in self._device.reports]

    def start(self) -> None:
        """From now on, each device at a moment of its own within the period."""
        now = self._sched.now_ms
        for one in self._all:
            period_ms = one.most_s * 1000
            one.sent_ms = now - period_ms + 1 + self._device.phase * period_ms // 0x10000
            one.changed = False
            one.said = self._value(one)
        self._plan()

    def find(self, cluster: int, number: int) -> "Report | None":
        """The report of that attribute; None: it cannot be reported."""
        for one in self._all:
            if one.cluster == cluster and one.number == number:
                return one
        return None

    def configure(self, one: Report, least_s: int, most_s: int, change: "int | None") -> None:
        """New intervals, already judged; the next report comes after the longest of them."""
        one.least_s = least_s
        one.most_s = most_s
        if change is not None:
            one.change = change
        one.sent_ms = self._sched.now_ms
        one.said = self._value(one)
        one.changed = False
        self._plan()

    def changed(self, cluster: int) -> None:
        """Something in that cluster changed: tell it if it is enough."""
        if self._timer is None:
            return
        for one in self._all:
            if one.cluster == cluster and one.change is not None and one.most_s != NEVER:
                one.changed = far(one.said, self._value(one), one.change)
        self._plan()

    def _value(self, one: Report) -> bytes:
        return self._device.attributes(one.cluster).get(one.number, b"")

    def _plan(self) -> None:
        self._sched.cancel(self._timer)
        due = [one.due_ms() for one in self._all if one.most_s != NEVER]
        self._timer = self._sched.at(min(due), self._due) if due else None

    def _due(self) -> None:
        now = self._sched.now_ms
        clusters = sorted({one.cluster for one in self._all if one.most_s != NEVER and one.due_ms() <= now})
        for cluster in clusters:
            entries = b""
            for one in self._all:
                if one.cluster == cluster and one.most_s != NEVER and one.due_ms() <= now + _TOGETHER_MS:
                    one.said = self._value(one)
                    one.sent_ms = now
                    one.changed = False
                    entries += put16(one.number) + one.said if one.said else b""
            if entries:
                self._device.report(cluster, entries)
        self._plan()


def number_of(value: bytes) -> int:
    """An attribute's value, with its type in front, as a number."""
    found = 0
    for byte in reversed(value[1:]):
        found = found << 8 | byte
    signed = 0x28 <= value[0] <= 0x2F
    return found - (1 << 8 * (len(value) - 1)) if signed and value[-1] & 0x80 else found


def is_analog(kind: int) -> bool:
    """Whether values of this type have a distance (ZCL 2.6.2): then a reportable change belongs to them."""
    return 0x20 <= kind <= 0x2F or 0x38 <= kind <= 0x3A or 0xE0 <= kind <= 0xE2


def far(old: bytes, new: bytes, change: int) -> bool:
    """Whether the value changed enough to be told."""
    if old == new or not old or not new:
        return old != new
    return not is_analog(new[0]) or abs(number_of(new) - number_of(old)) >= max(change, 1)
