"""How devices come in and go: the open window, beacons, association, keys, announcement, leaving, coming back.

Owns the window of the coprocessor and the search of every device that wants in. Must never let a device in that does
not hold the key it is sent; what the host is told is what Z-Stack tells it, and no more: a device that must have an
install code and has none is turned away without a word.
Source: Zigbee specification 3.6.1.4 (joining), 4.6.3 (authentication); Base Device Behavior 10.2 (trust centre).
"""

from hal_sim.zigbee import keys, tables
from hal_sim.zigbee.member import Member
from hal_sim.zigbee.mt import put16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.zigbee.chip import NcpChip
    from hal_sim.zigbee.device import EndDevice

_FIRST_SCAN_MS = 1200
_SCAN_EVERY_MS = 4000
_SEARCH_MS = 300_000
_ASSOCIATION_MS = 520  # macResponseWaitTime
_KEY_MS = 80
_KEY_TRIES = 3
_KEY_AGAIN_MS = 700
_ANNOUNCE_MS = 60
_EXCHANGE_MS = 1300  # node descriptor, request key, key, verify, confirm
_JOIN_TIMEOUT_MS = 15_000  # bdbTrustCenterNodeJoinTimeout
_REJOIN_MS = 1900
_FOLLOW_MS = 45_000  # until a sleeper has noticed that the channel is dead and searched the others
_FOREVER = 0xFF  # means the longest time since revision 21
_LONGEST_S = 0xFE
_SECOND_MS = 1000
_SHORTS = 0xFFF7
_ANNOUNCE = 0x0013
_SLEEPER = 0x80  # capabilities: an address was allocated to it


class Joining:
    """require_code and require_exchange are the trust centre's policies; a reset of the coprocessor takes them back."""

    def __init__(self, chip: "NcpChip") -> None:
        self._chip = chip
        self._until_ms = 0
        self._closing: list | None = None
        self.require_code = False
        self.require_exchange = True

    def clear(self) -> None:
        """A reset: closed, and the policies are those of the firmware."""
        self._chip.sched.cancel(self._closing)
        self._until_ms = 0
        self.require_code = False
        self.require_exchange = True

    # ------------------------------------------------------------------ the window

    @property
    def left_s(self) -> int:
        """Seconds for which the window stays open."""
        return max(self._until_ms - self._chip.sched.now_ms + _SECOND_MS - 1, 0) // _SECOND_MS

    def permit(self, seconds: int) -> None:
        """Open the window for so long from now; 0 closes it."""
        chip = self._chip
        chip.sched.cancel(self._closing)
        self._closing = None
        was_open = self.left_s > 0
        seconds = _LONGEST_S if seconds == _FOREVER else seconds
        self._until_ms = chip.sched.now_ms + seconds * _SECOND_MS
        if seconds:
            self._closing = chip.sched.after(seconds * _SECOND_MS, self._close)
        if seconds or was_open:
            chip.areq(0x45CB, bytes((seconds,)))

    def _close(self) -> None:
        self._closing = None
        self._chip.areq(0x45CB, bytes(1))

    # ------------------------------------------------------------------ the device's side

    def search(self, device: "EndDevice", link_key: bytes) -> None:
        """A device out of the box looks for an open network, for five minutes."""
        device.member = None
        device.short = 0xFFFE
        device.outbox = []
        until_ms = self._chip.sched.now_ms + _SEARCH_MS
        self._chip.sched.after(_FIRST_SCAN_MS, self._scan, device, link_key, until_ms)

    def _scan(self, device: "EndDevice", link_key: bytes, until_ms: int) -> None:
        chip = self._chip
        if device.member is not None or chip.air.devices.get(device.name) is not device:
            return
        if chip.sched.now_ms >= until_ms:
            chip.emit("not_joined", sensor=device.name)
            return
        chip.sched.after(_SCAN_EVERY_MS, self._scan, device, link_key, until_ms)
        heard = device.radio and chip.in_service and self.left_s and chip.air.once() and chip.air.once()
        if heard and tables.free_place(chip.nv.items) is not None and chip.air.hop():
            chip.sched.after(_ASSOCIATION_MS, self._associate, device, link_key)

    def _associate(self, device: "EndDevice", link_key: bytes) -> None:
        chip = self._chip
        if device.member is None and chip.in_service and self.left_s and device.radio and chip.air.hop():
            self.admit(device, link_key)

    # ------------------------------------------------------------------ the trust centre's side

    def admit(self, device: "EndDevice", link_key: bytes, short: "int | None" = None) -> None:
        """Give the device an address and the network key under the link key it ought to have."""
        chip = self._chip
        items = chip.nv.items
        key = tables.code_key(items, device.wire)
        if key is None and self.require_code:
            return
        place = tables.place_of(items, device.wire)
        place = tables.free_place(items) if place is None else place
        if place is None:
            return
        tables.join_anew(items, device.wire)
        device.short = self._address() if short is None else short
        tables.keep_address(items, place, device.short, device.wire)
        chip.areq(0x45CA, put16(device.short) + device.wire + put16(0))
        chip.sched.after(_JOIN_TIMEOUT_MS, self._timed_out, device, device.short)
        chip.sched.after(_KEY_MS, self._key, device, link_key, key or keys.WELL_KNOWN, _KEY_TRIES)

    def _address(self) -> int:
        """A random address that nobody has."""
        taken = [entry[0] for entry in tables.children(self._chip.nv.items)]
        while True:
            short = 1 + self._chip.air.dice.below(_SHORTS)
            if short not in taken:
                return short

    def _key(self, device: "EndDevice", link_key: bytes, sent_under: bytes, tries: int) -> None:
        """The network key arrives, encrypted; who cannot read it stays out."""
        chip = self._chip
        running = chip.air.running
        if running is None or not chip.in_service:
            return
        if not device.radio or not chip.air.hop():
            if tries > 1:
                chip.sched.after(_KEY_AGAIN_MS, self._key, device, link_key, sent_under, tries - 1)
            return
        if sent_under == link_key:
            device.member = Member(running.identity, link_key, running.sent())
            device.joined(chip.wire)
            device.home = chip.wire
            chip.sched.after(_ANNOUNCE_MS, self._announce, device, True)
            chip.sched.after(_EXCHANGE_MS, self._exchange, device, _KEY_TRIES)

    def _exchange(self, device: "EndDevice", tries: int) -> None:
        """The device asks for a link key of its own."""
        chip = self._chip
        if not getattr(device, "exchanges_key", True) or device.member is None:
            return
        known = tables.link_place(chip.nv.items, device.wire) is not None
        running = chip.air.running
        if running and known and chip.in_service and device.radio and chip.air.fits(device) and chip.air.hop():
            device.member.link_key = tables.verify_waiting(chip.nv.items, device.wire)
            device.member.heard = running.sent()
        elif tries > 1:
            chip.sched.after(_EXCHANGE_MS, self._exchange, device, tries - 1)

    def _timed_out(self, device: "EndDevice", short: int) -> None:
        """Who did not get in by now, or has no key of its own where one is required, is struck off."""
        chip = self._chip
        if device.short != short or not chip.in_service:
            return
        if device.member is None:
            tables.forget(chip.nv.items, device.wire)
            device.short = 0xFFFE
        elif self.require_exchange and not tables.verified(chip.nv.items, device.wire):
            self.expelled(device, False)

    def _announce(self, device: "EndDevice", new: bool) -> None:
        chip = self._chip
        if device.member is None:
            return
        if new:
            chip.emit("joined", sensor=device.name)
        if chip.in_service and device.radio and chip.air.fits(device) and chip.air.hop():
            self.tell_announcement(device)

    def tell_announcement(self, device: "EndDevice") -> None:
        """The host hears of the announcement, in both ways that the coprocessor has."""
        body = put16(device.short) + device.wire + bytes((_SLEEPER,))
        self._chip.zdo.heard(device.short, _ANNOUNCE, device.next_tsn(), body, True)
        self._chip.areq(0x45C1, put16(device.short) + body)

    # ------------------------------------------------------------------ going and coming back

    def expelled(self, device: "EndDevice", rejoin: bool) -> None:
        """The device was told to leave, and does; or only to come back."""
        self._gone(device, rejoin, True)

    def leave(self, device: "EndDevice") -> None:
        """The device leaves by itself: its button was held."""
        self._gone(device, False, False)

    def _gone(self, device: "EndDevice", rejoin: bool, asked: bool) -> None:
        chip = self._chip
        if device.member is None:
            return
        heard = chip.in_service and device.radio and chip.air.fits(device) and chip.air.hop()
        if rejoin:
            chip.sched.after(_REJOIN_MS, self._come_back, device)
        else:
            device.member = None
            device.outbox = []
            device.left()
            chip.emit("left", sensor=device.name)
        if heard or asked:
            chip.areq(0x45C9, put16(device.short) + device.wire + bytes((0, 0, rejoin)))
            if not rejoin:
                tables.forget(chip.nv.items, device.wire)

    def _come_back(self, device: "EndDevice") -> None:
        """A rejoin under the network key: no window is needed, the short address stays."""
        chip = self._chip
        if not (chip.in_service and device.radio and chip.air.fits(device) and chip.air.hop()):
            return
        items = chip.nv.items
        place = tables.place_of(items, device.wire)
        place = tables.free_place(items) if place is None else place
        if place is not None:
            tables.keep_address(items, place, device.short, device.wire)
            self._announce(device, False)

    def back(self, device: "EndDevice") -> None:
        """A device was away, or restarted: it joins again under the network key."""
        if device.member is not None:
            self._come_back(device)

    def strangers_come_back(self) -> None:
        """Members that the coprocessor does not know as its children any more are told so at their next poll."""
        known = [entry[1] for entry in tables.children(self._chip.nv.items)]
        for name in sorted(self._chip.air.devices):
            device = self._chip.air.devices[name]
            if device.wire not in known and self._chip.air.fits(device):
                self._chip.sched.after(device.poll_in_ms() + _REJOIN_MS, self._come_back, device)

    def follow(self, channel: int) -> None:
        """The network went to another channel: its sleepers find it again after a while."""
        for name in sorted(self._chip.air.devices):
            device = self._chip.air.devices[name]
            if self._chip.air.fits(device):
                wait_ms = _FOLLOW_MS // 2 + self._chip.air.dice.below(_FOLLOW_MS // 2)
                self._chip.sched.after(wait_ms, self._followed, device.member, channel)

    def _followed(self, member: Member, channel: int) -> None:
        member.identity = (channel,) + member.identity[1:]
