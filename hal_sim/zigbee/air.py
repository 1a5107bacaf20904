"""The radio between the sensors and the coprocessor: acknowledged, retried, kept for sleeping children.

Owns what is under way. A frame arrives whole and unchanged or not at all; each sensor's frames keep their order.
Source: Zigbee specification 2.2.8.4 (APS acknowledgement and retries), IEEE 802.15.4 (indirect transmission).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.device import EndDevice

_FLIGHT_MS = 12  # back-off, frame, acknowledgement
_APS_WAIT_MS = 1600  # until an unacknowledged frame is sent again
_TRIES = 4
_LATER_MS = 15_000  # the sensor's application tries again
_LATER = 3
_OUTBOX = 8  # frames a sensor keeps
_QUEUE = 8  # frames the coprocessor keeps for sleeping children
_EXPIRE_MS = 7680
_REPEAT_MS = 40
DELIVERED = 0x00
BUFFER_FULL = 0x11
NO_ROUTE = 0xCD
EXPIRED = 0xF0


def _nobody(device: "EndDevice", cluster: int, frame: bytes) -> bool:
    """The ear of a coprocessor that is not there."""
    return False


def _unheard(short: int, cluster: int, tsn: int, body: bytes) -> None:
    """Its device profile."""


class Air:
    """arrive(device, cluster, frame) -> bool is the coprocessor's ear: False when nobody acknowledged."""

    def __init__(self, sched: "Scheduler", emit: "Callable[..., Any]") -> None:
        self._sched = sched
        self.emit = emit
        self.arrive: Callable[[EndDevice, int, bytes], bool] = _nobody
        self.answered: Callable[[int, int, int, bytes], None] = _unheard  # a device profile answer came
        self.devices: dict = {}
        self._kept = 0

    def find(self, short: int) -> "EndDevice | None":
        for device in self.devices.values():
            if device.short == short:
                return device
        return None

    def up(self, device: "EndDevice", cluster: int, frame: bytes) -> None:
        """The sensor sends; the frame waits its turn."""
        if not device.radio:
            return
        device.outbox.append((cluster, frame, device.duplicates))
        device.duplicates = 0
        if len(device.outbox) > _OUTBOX:
            device.outbox.pop(1)  # the first is on the air
        if len(device.outbox) == 1:
            self._sched.after(_FLIGHT_MS, self._fly, device, _TRIES * (1 + _LATER))

    def down(self, short: int, cluster: int, endpoint: int, frame: bytes, done: "Callable[[int], None]") -> int:
        """The coprocessor sends to a child; done(status) tells how it ended. Returns the immediate status."""
        device = self.find(short)
        if device is None:
            self._sched.after(_FLIGHT_MS, done, NO_ROUTE)
            return DELIVERED
        if self._kept >= _QUEUE:
            return BUFFER_FULL
        self._kept += 1
        wait_ms = device.poll_in_ms() if device.radio else _EXPIRE_MS
        self._sched.after(wait_ms + _FLIGHT_MS, self._polled, device, cluster, endpoint, frame, done)
        return DELIVERED

    def drop_all(self) -> None:
        """The coprocessor forgot what it kept."""
        self._kept = 0

    def _fly(self, device: "EndDevice", tries: int) -> None:
        if not device.outbox:
            return
        cluster, frame, repeats = device.outbox[0]
        if device.radio and self.arrive(device, cluster, frame):
            for again in range(repeats):
                self._sched.after(_REPEAT_MS * (again + 1), self.arrive, device, cluster, frame)
        elif tries > 1 and device.radio:
            last = (tries - 1) % _TRIES == 0
            self._sched.after(_LATER_MS if last else _APS_WAIT_MS, self._fly, device, tries - 1)
            return
        device.outbox.pop(0)
        if device.outbox:
            self._sched.after(_FLIGHT_MS, self._fly, device, _TRIES * (1 + _LATER))

    def _polled(
        self, device: "EndDevice", cluster: int, endpoint: int, frame: bytes, done: "Callable[[int], None]"
    ) -> None:
        self._kept = max(self._kept - 1, 0)
        if not device.radio:
            done(EXPIRED)
            return
        done(DELIVERED)
        if endpoint == 0:
            self.zdo(device, cluster, frame)
        else:
            device.receive(cluster, frame)

    def zdo(self, device: "EndDevice", cluster: int, frame: bytes) -> None:
        """A device profile request reached a sensor; its answer goes to the coprocessor."""
        body = device.descriptor(cluster, frame[1:]) if frame else None
        if body is not None:
            self._sched.after(_FLIGHT_MS, self.answered, device.short, cluster | 0x8000, frame[0], body)
