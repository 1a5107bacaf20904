"""The radio between the sensors and the coprocessor: acknowledged, retried, kept for sleeping children.

Owns what is under way, who can hear whom, and the luck of each frame. A frame arrives whole and unchanged or not at
all; each sensor's frames keep their order.
Source: Zigbee specification 2.2.8.4 (APS acknowledgement and retries), IEEE 802.15.4 (retries, indirect transmission).
"""

from hal_sim.zigbee.dice import Dice
from hal_sim.zigbee.mt import put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler
    from hal_sim.zigbee.device import EndDevice
    from hal_sim.zigbee.member import Running

_FLIGHT_MS = 12  # back-off, frame, acknowledgement
_APS_WAIT_MS = 1600  # until an unacknowledged frame is sent again
_TRIES = 4  # both of the application sublayer and, within each, of the MAC
_LATER_MS = 15_000  # the sensor's application tries again
_LATER = 3
_OUTBOX = 8  # frames a sensor keeps
_QUEUE = 8  # frames the coprocessor keeps for sleeping children
_EXPIRE_MS = 7680
_BACK_MS = 1000
_REPEAT_MS = 40
_LEAVE = 0x0034
_NOT_SUPPORTED = 0x84  # ZDP status
_MANAGEMENT = (0x0007, 0x0008, 0x0030, 0x0031, 0x0032, 0x0033, 0x0035, 0x0036)  # every device refuses what it cannot
_QUIET = 12  # energy of a channel nobody uses
_JAMMED = 236
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
    """arrive(device, cluster, frame) -> bool is the coprocessor's ear: False when nobody acknowledged.

    To be set: `loss` (percent of radio frames that are lost, each try of a hop by itself), `jammed` (nothing passes),
    `noise` ({channel: energy 0 to 255}) and `neighbours`, a list of (channel, PAN, extended PAN as it travels, link
    quality, open).
    """

    def __init__(self, sched: "Scheduler", emit: "Callable[..., Any]", seed: int = 1) -> None:
        self._sched = sched
        self.emit = emit
        self.arrive: Callable[[EndDevice, int, bytes], bool] = _nobody
        self.answered: Callable[[int, int, int, bytes], None] = _unheard  # a device profile answer came
        self.told_to_leave: Callable[[EndDevice, bool], None] = lambda device, rejoin: None
        self.is_child: Callable[[int], bool] = lambda short: False
        self.running: Running | None = None  # what the coprocessor is in service on
        self.devices: dict = {}
        self.loss = 0
        self.jammed = False
        self.full = False  # the coprocessor has no buffers left
        self.noise: dict = {}
        self.neighbours: list = []
        self.dice = Dice(seed)
        self._kept = 0
        self._era = 0

    def find(self, short: int) -> "EndDevice | None":
        """Who answers to this address; of two that claim it, the one that asks first."""
        found = None
        for device in self.devices.values():
            if device.short != short or not self.fits(device):
                continue
            if found is None or device.poll_in_ms() < found.poll_in_ms():
                found = device
        return found

    def fits(self, device: "EndDevice") -> bool:
        """Device and coprocessor are on one network."""
        return device.member is not None and device.member.fits(self.running)

    def once(self) -> bool:
        """A frame that nobody acknowledges passes."""
        return not self.jammed and (not self.loss or self.dice.below(100) >= self.loss)

    def hop(self) -> bool:
        """A frame with its retries passes."""
        if not self.loss:
            return not self.jammed
        for _ in range(_TRIES):
            if self.once():
                return True
        return False

    def energy(self, channel: int) -> int:
        """What an energy scan measures there, 0 to 255."""
        if self.jammed:
            return _JAMMED + channel % 16
        level = self.noise.get(channel, _QUIET + channel * 5 % 9)
        for neighbour in self.neighbours:
            if neighbour[0] == channel:
                level = max(level, neighbour[3] // 2)
        return level

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
        if self.full:
            return BUFFER_FULL
        device = self.find(short)
        if device is None and not self.is_child(short):
            self._sched.after(_FLIGHT_MS, done, NO_ROUTE)
            return DELIVERED
        if self._kept >= _QUEUE:
            return BUFFER_FULL
        self._kept += 1
        kept = (self._era, self._sched.now_ms + _EXPIRE_MS, cluster, endpoint, frame, done)
        self._wait_for_poll(device, kept)
        return DELIVERED

    def drop_all(self) -> None:
        """The coprocessor forgot what it kept."""
        self._kept = 0
        self._era += 1

    def _fly(self, device: "EndDevice", tries: int) -> None:
        if not device.outbox:
            return
        cluster, frame, repeats = device.outbox[0]
        if device.radio and self.fits(device) and self.hop() and self.arrive(device, cluster, frame):
            for again in range(repeats):
                self._sched.after(_REPEAT_MS * (again + 1), self.arrive, device, cluster, frame)
        elif tries > 1 and device.radio:
            last = (tries - 1) % _TRIES == 0
            self._sched.after(_LATER_MS if last else _APS_WAIT_MS, self._fly, device, tries - 1)
            return
        device.outbox.pop(0)
        if device.outbox:
            self._sched.after(_FLIGHT_MS, self._fly, device, _TRIES * (1 + _LATER))

    def _wait_for_poll(self, device: "EndDevice | None", kept: tuple) -> None:
        left_ms = max(kept[1] - self._sched.now_ms, 0)
        wait_ms = _EXPIRE_MS
        if device is not None:
            wait_ms = device.poll_in_ms() if device.radio else _BACK_MS  # it may be back before the frame expires
        if wait_ms >= left_ms:
            self._sched.after(left_ms, self._expired, kept)
        else:
            self._sched.after(wait_ms + _FLIGHT_MS, self._polled, device, kept)

    def _expired(self, kept: tuple) -> None:
        if kept[0] == self._era:
            self._kept -= 1
            kept[5](EXPIRED)

    def _polled(self, device: "EndDevice", kept: tuple) -> None:
        era, _, cluster, endpoint, frame, done = kept
        if era != self._era:
            return
        running, member = self.running, device.member
        if running is None or member is None or not device.radio or not self.fits(device) or not self.hop():
            self._wait_for_poll(device, kept)
            return
        self._kept -= 1
        member.heard = running.sent()
        done(DELIVERED)
        if endpoint == 0:
            self.zdo(device, cluster, frame)
        else:
            device.receive(cluster, frame)

    def zdo(self, device: "EndDevice", cluster: int, frame: bytes) -> None:
        """A device profile request reached a sensor; its answer goes to the coprocessor."""
        if not frame:
            return
        body: bytes | None = b"\x00"
        if cluster == _LEAVE:
            rejoin = len(frame) > 9 and bool(frame[9] & 0x80)
            self._sched.after(_FLIGHT_MS * 3, self.told_to_leave, device, rejoin)
        else:
            body = device.descriptor(cluster, frame[1:])
            if body is None and cluster in _MANAGEMENT:
                body = bytes((_NOT_SUPPORTED,)) + (put16(device.short) if cluster < 0x0030 else b"")
        if body is not None:
            self._sched.after(_FLIGHT_MS, self._answer, device, cluster | 0x8000, frame[0], body)

    def _answer(self, device: "EndDevice", cluster: int, tsn: int, body: bytes) -> None:
        if device.radio and self.fits(device) and self.hop():
            self.answered(device.short, cluster, tsn, body)
