"""What the home's sensors say, as triggers of the emergency path and as records.

Owns the meaning of each sensor's bits. An alarm is put into `sink` in the handling of the very frame that brought it
(EMG-01): no queue, no polling, before anything else is done with it. Must never let a record, a confirmation or an
unknown device keep an alarm from the sink, and never put what an unknown device says.

A smoke detector's alarm is a level: every status that has it is FIRE, its end is FIRE_CLEAR. A pendant's is a press.
Many pendants never restore, so while the bit stays set each new notification is a press again, _HELD_MS after the last
one that counted. A press missed is worse than one counted twice, which joins the open emergency. Only a pendant that
has gone on notifying for _STUCK_MS without a pause is stuck, and counts once in _STUCK_MS.
"""

import gc

from micropython import const

from firmware.emergency.events import CALL, CANCEL, FIRE, FIRE_CLEAR
from firmware.sensing.sensor import ACTIVITY, CALL_BUTTON, DOOR, KINDS, NEVER_MS, SMOKE, Sensor
from zigbee import ias, told
from zigbee.guard import tell

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zigbee.coordinator import Coordinator
    from zigbee.devices import Device

_HELD_MS = const(5000)  # without a restore: from a press that counted to the next that does
_STUCK_MS = const(60_000)  # fault 39
_STRANGERS = const(8)
_STRANGER_MS = const(600_000)  # an unknown device is reported this often at most


def _nowhere(event: int, arg: int) -> None:
    """Until the emergency service sets its own."""


class Sensors:
    """`sink(event, arg)` gets FIRE, FIRE_CLEAR, CALL (arg: index in `known`) and CANCEL (arg: 1 + index).

    known: list of dicts with name, kind, place, ieee (16 digits as printed). record(event_name, **fields) is told the
    rest.
    """

    def __init__(
        self, known: list, coordinator: "Coordinator", clock: "Any", log: "Any", record: "Callable[..., Any]"
    ) -> None:
        self._coordinator = coordinator
        self._clock = clock
        self._log = log
        self._record = record
        self.sink: Callable[[int, int], Any] = _nowhere
        self.all = [self._open(index, entry) for index, entry in enumerate(known)]
        self.repeats = 0
        self.strangers = 0
        self._seen: dict = {}
        coordinator.on_status = self._on_status
        coordinator.on_stranger = self._on_stranger
        coordinator.on_tick = self._on_tick

    def silence(self, name: str) -> bool:
        """Stop this smoke detector's sounder (EMG-15); it goes on detecting. False: there is no such detector."""
        for sensor in self.all:
            if sensor.name == name and sensor.kind == SMOKE and sensor.device is not None:
                self._coordinator.silence(sensor.device)
                return True
        return False

    def silence_all(self) -> int:
        """Stop the sounder of every smoke detector in alarm. Returns how many were asked."""
        asked = [sensor.name for sensor in self.all if sensor.kind == SMOKE and sensor.alarm]
        return sum(self.silence(name) for name in asked)

    def _open(self, index: int, entry: dict) -> Sensor:
        kind = entry.get("kind", "")
        ieee = entry.get("ieee", "")
        sensor = Sensor(index, entry.get("name", ""), kind, entry.get("place", ""), ieee)
        if kind not in KINDS:
            self._log.error("sensors: %s is of the unknown kind %s" % (sensor.name, kind))
            return sensor
        try:
            sensor.device = self._coordinator.know(ieee, index, kind != ACTIVITY)
        except (ValueError, TypeError):
            self._log.error("sensors: %s has no valid address: %s" % (sensor.name, ieee))
        return sensor

    def _on_status(self, device: "Device", kind: int, value: int, tsn: int, lqi: int) -> None:
        sensor = self.all[device.index]
        now = self._clock.ms()
        if kind == told.NOTIFIED and sensor.kind == CALL_BUTTON and value & ias.ANY_ALARM and sensor.notified(now):
            self._unstick(sensor)  # it had paused: this is somebody's press
        if sensor.repeats(kind, value, tsn, now):
            self.repeats += 1
            return
        if kind == told.NOTIFIED or kind == told.LEVEL:
            self._zone(sensor, kind == told.NOTIFIED, value, tsn, now)
        elif kind == told.BUTTON:
            self._button(sensor, value)
        elif kind == told.PRESENCE:
            sensor.present = bool(value & 1)
        elif kind == told.PERCENT:
            sensor.battery_percent = value // 2
        sensor.remember(kind, value, tsn, now)

    def _zone(self, sensor: Sensor, notified: bool, status: int, tsn: int, now_ms: int) -> None:
        if sensor.kind == SMOKE:
            self._smoke(sensor, ias.alarm_of(status), tsn)
        elif sensor.kind == CALL_BUTTON:
            if status & ias.ANY_ALARM:
                self._pressed(sensor, notified, tsn, now_ms)
            else:
                self._restored(sensor, tsn)
        elif sensor.kind == DOOR:
            self._door(sensor, notified, bool(status & ias.ANY_ALARM))
        self._health(sensor, status)

    def _smoke(self, sensor: Sensor, alarm: bool, tsn: int) -> None:
        if alarm:
            self.sink(FIRE, sensor.index)
            if not sensor.alarm:
                sensor.forget(tsn)  # the end of this one, too, from a device that does not count its frames
        elif sensor.alarm is not False:
            self.sink(FIRE_CLEAR, sensor.index)
            sensor.forget()  # what comes now is a new fire, whatever its number
        sensor.alarm = alarm

    def _pressed(self, sensor: Sensor, notified: bool, tsn: int, now_ms: int) -> None:
        """A status with the alarm bit.

        A level is a press only when it was seen off before: at the start it is the answer to our own question, and a
        pendant that never restores would call at each boot. A press made while the gateway started is lost only if its
        notification never comes again; IAS devices send it until it is acknowledged.
        """
        if notified:
            quiet_ms = now_ms - sensor.accepted_ms
            if sensor.alarm and quiet_ms < (_STUCK_MS if sensor.stuck else _HELD_MS):
                return
        elif sensor.alarm is not False:
            sensor.alarm = True
            return
        self.sink(CALL, sensor.index)
        sensor.alarm = True
        sensor.accepted_ms = now_ms
        sensor.forget(tsn)  # its restore, from a device that does not count its frames
        self._confirm(sensor)

    def _restored(self, sensor: Sensor, tsn: int) -> None:
        """Only a restore with the press's own number makes that press's frame new again: then the device does not count
        its frames. From one that does, the same press after the restore is an older frame that came late.
        """
        sensor.forget(tsn)
        sensor.rested()
        self._unstick(sensor)
        sensor.alarm = False

    def _unstick(self, sensor: Sensor) -> None:
        if sensor.stuck:
            sensor.stuck = False
            self._tell("sensor.fault", sensor, fault="stuck", on=False)

    def _button(self, sensor: Sensor, command: int) -> None:
        """The pendant's IAS ACE commands; nobody else's count."""
        if sensor.kind != CALL_BUTTON:
            return
        if command == ias.ACE_DISARM:
            self.sink(CANCEL, 1 + sensor.index)
            sensor.forget()  # who cancels and calls again means it, whatever the frame's number
            if not sensor.stuck:
                sensor.accepted_ms = NEVER_MS
        elif command == ias.FIRE:
            self.sink(FIRE, sensor.index)
            self.sink(FIRE_CLEAR, sensor.index)  # a key is no level: nothing would ever clear it
            self.sink(CALL, sensor.index)  # and it is a press: no hold-off for fire keeps it back
        else:
            self.sink(CALL, sensor.index)
        self._confirm(sensor)

    def _confirm(self, sensor: Sensor) -> None:
        """EMG-16. Should it fail, the emergency goes on all the same."""
        try:
            if sensor.device is not None:
                self._coordinator.confirm(sensor.device)
        except Exception as error:  # noqa: BLE001
            gc.collect()
            tell(self._log, "confirming a press", error)

    def _door(self, sensor: Sensor, notified: bool, is_open: bool) -> None:
        if sensor.alarm is not is_open and (notified or sensor.alarm is not None):
            self._tell("door.opened" if is_open else "door.closed", sensor)
        sensor.alarm = is_open

    def _health(self, sensor: Sensor, status: int) -> None:
        tamper = bool(status & ias.TAMPER)
        if tamper is not sensor.tamper:
            sensor.tamper = tamper
            self._tell("sensor.tamper", sensor, on=tamper)
        trouble = bool(status & (ias.TROUBLE | ias.BATTERY_DEFECT))
        if trouble is not sensor.trouble:
            sensor.trouble = trouble
            self._tell("sensor.fault", sensor, fault="trouble", on=trouble)
        low = bool(status & ias.BATTERY_LOW)
        if low is not sensor.battery_low:
            sensor.battery_low = low
            self._tell("sensor.battery", sensor, state="low" if low else "good", percent=sensor.battery_percent)

    def _tell(self, event: str, sensor: Sensor, **fields: "Any") -> None:
        try:
            self._record(event, sensor=sensor.name, ieee=sensor.ieee, place=sensor.place, **fields)
        except Exception as error:  # noqa: BLE001 - a record that cannot be made holds nothing up
            tell(self._log, event, error)

    def _on_stranger(self, device: "Device", kind: int, value: int) -> None:
        """Fault 35: counted, logged and shown, but nobody is called."""
        self.strangers += 1
        now = self._clock.ms()
        if now - self._seen.get(device.ieee, -_STRANGER_MS) < _STRANGER_MS:
            return
        if len(self._seen) >= _STRANGERS:
            self._seen.clear()
        self._seen[device.ieee] = now
        self._log.warning("sensors: %s does not belong to this home; it told %d, %04x" % (device.ieee, kind, value))
        try:
            self._record("sensor.refused", ieee=device.ieee, reason="unknown", value=value)
        except Exception as error:  # noqa: BLE001
            tell(self._log, "sensor.refused", error)

    def _on_tick(self, now_ms: int) -> None:
        for sensor in self.all:
            if sensor.alarm and not sensor.stuck and sensor.notifies_since(now_ms, _STUCK_MS):
                sensor.stuck = True
                self._tell("sensor.fault", sensor, fault="stuck", on=True)
