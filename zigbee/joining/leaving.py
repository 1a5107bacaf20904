"""Having a device leave: asked a few times at once, and again whenever it is heard of, until it is gone.

Owns who is to leave, the last few. Must never ask more often than every few seconds, whatever the device sends.
"""

from micropython import const

from zigbee.devices import Device
from zigbee.joining.asker import Asker

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_LIMIT = const(16)
_AGAIN_MS = const(4000)
_TRIES = const(4)  # unasked by a sign of life: a device that has just joined listens for some seconds


class Leaving:
    """ask() begins; alive() and again() go on; end() when it said that it left, or may stay after all."""

    def __init__(self, asker: Asker, clock: "Any") -> None:
        self._asker = asker
        self._clock = clock
        self._some: dict = {}  # wire: [device, when it was asked last, tries left]

    @property
    def busy(self) -> bool:
        """Somebody is to be asked again in time."""
        for one in self._some.values():
            if one[2]:
                return True
        return False

    def has(self, wire: bytes) -> bool:
        """Whether it is to leave."""
        return wire in self._some

    def ask(self, device: Device) -> None:
        """It is to leave."""
        if device.wire not in self._some and len(self._some) >= _LIMIT:
            del self._some[min(self._some, key=lambda wire: self._some[wire][1])]
        self._some[device.wire] = [device, self._clock.ms(), _TRIES]
        self._asker.leave(device)

    def expect(self, wire: bytes) -> None:
        """It was to leave before the last start: it is asked at its first sign of life."""
        if wire not in self._some and len(self._some) < _LIMIT:
            self._some[wire] = [None, self._clock.ms() - _AGAIN_MS, 0]

    def alive(self, device: Device) -> None:
        """A sign of life of one that is to leave."""
        one = self._some[device.wire]
        one[0] = device
        if self._clock.ms() - one[1] >= _AGAIN_MS:
            self._once_more(one)

    def again(self) -> None:
        """To be called every second or so while busy."""
        now = self._clock.ms()
        for one in list(self._some.values()):
            if one[2] and now - one[1] >= _AGAIN_MS:
                one[2] -= 1
                self._once_more(one)

    def end(self, wire: bytes) -> bool:
        """It is gone, or need not go any more. True: it was to."""
        return self._some.pop(wire, None) is not None

    def _once_more(self, one: list) -> None:
        one[1] = self._clock.ms()
        self._asker.leave(one[0])
