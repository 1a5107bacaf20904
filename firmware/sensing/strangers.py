"""Who is not of the home, or says too much: counted, logged and shown, and nobody is called (faults 35, 40).

Owns how often strangers are reported. Must never grow with their number.
"""

from micropython import const

from zigbee.guard import tell

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zigbee.devices import Device

_KEPT = const(8)
_AGAIN_MS = const(600_000)  # an unknown device is reported this often at most


class Strangers:
    """record(event_name, **fields) is told; heard() and flood() are the coordinator's callbacks."""

    def __init__(self, clock: "Any", log: "Any", record: "Callable[..., Any]") -> None:
        self._clock = clock
        self._log = log
        self._record = record
        self.count = 0
        self._floods = False  # told, and its end not yet
        self._flood_ms = -_AGAIN_MS
        self.seen: dict = {}  # address -> when it was last reported

    def heard(self, device: "Device", kind: int, value: int) -> None:
        """A device that does not belong to the home told something."""
        self.count += 1
        now = self._clock.ms()
        if now - self.seen.get(device.ieee, -_AGAIN_MS) < _AGAIN_MS:
            return
        if len(self.seen) >= _KEPT and not self._forget(now):
            return  # so many at once: a crowd is counted, not told one by one for ever
        self.seen[device.ieee] = now
        self._log.warning("sensors: %s does not belong to this home; it told %d, %04x" % (device.ieee, kind, value))
        self._tell("sensor.refused", ieee=device.ieee, reason="unknown", value=value)

    def _forget(self, now_ms: int) -> bool:
        """Who may be reported again need not be remembered. True: there is room."""
        for ieee in [one for one, since_ms in self.seen.items() if now_ms - since_ms >= _AGAIN_MS]:
            del self.seen[ieee]
        return len(self.seen) < _KEPT

    def flood(self, on: bool) -> None:
        """All of them together send more than they may, or no longer. Told once in a while if they do it in bursts."""
        now = self._clock.ms()
        if on and now - self._flood_ms >= _AGAIN_MS:
            self._flood_ms = now
            self._floods = True
            self._tell("gateway.fault", fault="flood")
        elif not on and self._floods:
            self._floods = False
            self._tell("gateway.recovered", fault="flood")

    def _tell(self, event: str, **fields: "Any") -> None:
        try:
            self._record(event, **fields)
        except Exception as error:  # noqa: BLE001 - a record that cannot be made holds nothing up
            tell(self._log, event, error)
