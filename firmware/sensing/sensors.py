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
from firmware.sensing.sensor import (
    ACTIVITY,
    CALL_BUTTON,
    COVERED,
    DOOR,
    FLOOD,
    KINDS,
    NEVER_MS,
    OPEN,
    SMOKE,
    TAMPER,
    TROUBLE,
    Sensor,
)
from firmware.sensing.strangers import Strangers
from zigbee import activity, ias, told
from zigbee.guard import tell

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.sensing.watch import Watch
    from zigbee.coordinator import Coordinator
    from zigbee.devices import Device

_HELD_MS = const(5000)  # without a restore: from a press that counted to the next that does
_STUCK_MS = const(60_000)  # fault 39
_NO_MASK = activity.FAULT | activity.WALK_TEST | activity.COVERED  # in any of these states a mask means nothing
_DOUBT_MS = const(60_000)  # a sensor whose old frames come again is asked what is the case this often at most


def _nowhere(event: int, arg: int) -> None:
    """Until the emergency service sets its own."""


def _nobody(_is_open: bool) -> None:
    """Until somebody wants to know of the doors."""


class Sensors:
    """`sink(event, arg)` gets FIRE, FIRE_CLEAR, CALL (arg: index in the registry) and CANCEL (arg: 1 + index).

    registry: its `entries` are dicts with name, kind, place, ieee (16 digits as printed) and facts, or None.
    record(event_name, **fields) is told the rest. `watch` is told of every frame once its alarm is dealt with.
    """

    def __init__(
        self, registry: "Any", coordinator: "Coordinator", clock: "Any", log: "Any", record: "Callable[..., Any]"
    ) -> None:
        self._registry = registry
        self._coordinator = coordinator
        self._clock = clock
        self._log = log
        self._record = record
        self.sink: Callable[[int, int], Any] = _nowhere
        self.on_door: Callable[[bool], Any] = _nobody  # a door opened or closed just now
        self.watch: Watch | None = None
        self.all: list = []  # of Sensor or None: the registry's indices
        for index in range(len(registry.entries)):
            self.add(index)
        self.repeats = 0
        self.strangers = Strangers(clock, log, record)
        coordinator.on_status = self._on_status
        coordinator.on_stranger = self.strangers.heard
        coordinator.on_activity = self._on_activity
        coordinator.on_flood = self._on_flood
        coordinator.on_duplicate = self._on_duplicate
        coordinator.on_tick = self._on_tick

    # ------------------------------------------------------------------ which there are
    def add(self, index: int) -> None:
        """The registry has a sensor at index now, a new one or another than before."""
        self.remove(index)
        while len(self.all) <= index:
            self.all.append(None)
        entry = self._registry.entries[index]
        if entry is not None:
            sensor = self.all[index] = Sensor(index, entry, self._clock.ms())  # first: its frames may come at once
            self._introduce(sensor, entry.get("facts"))

    def remove(self, index: int) -> None:
        """The sensor at index is no longer of the home. A fire it told of is over with it."""
        sensor = self.all[index] if index < len(self.all) else None
        if sensor is None:
            return
        self.all[index] = None
        if sensor.device is not None:
            self._coordinator.forget(sensor.device)
        if sensor.kind == SMOKE and sensor.alarm:
            self.sink(FIRE_CLEAR, index)
        if self.watch is not None:
            self.watch.removed(index)

    def find(self, name: object) -> "Sensor | None":
        """The sensor of that name."""
        for sensor in self.all:
            if sensor is not None and sensor.name == name:
                return sensor
        return None

    def summary(self, index: int) -> dict:
        """What a person wants to see of the sensor at index; empty when there is none."""
        sensor = self.all[index] if 0 <= index < len(self.all) else None
        if sensor is None:
            return {}
        seen = {"name": sensor.name, "kind": sensor.kind, "place": sensor.place, "alarm": sensor.alarm,
                "tamper": sensor.tamper, "fault": sensor.trouble or sensor.stuck or sensor.covered}
        if self.watch is not None:
            self.watch.describe(sensor, seen)
        return seen

    def silence(self, name: str) -> bool:
        """Stop this smoke detector's sounder (EMG-15); it goes on detecting. False: there is no such detector."""
        sensor = self.find(name)
        if sensor is None or sensor.kind != SMOKE or sensor.device is None:
            return False
        self._coordinator.silence(sensor.device)
        return True

    def silence_all(self) -> int:
        """Stop the sounder of every smoke detector in alarm. Returns how many were asked."""
        asked = 0
        for sensor in self.all:
            if sensor is not None and sensor.kind == SMOKE and sensor.alarm and sensor.device is not None:
                self._coordinator.silence(sensor.device)
                asked += 1
        return asked

    # ------------------------------------------------------------------ what they say
    def _introduce(self, sensor: Sensor, facts: "Any") -> None:
        if sensor.kind not in KINDS:
            self._log.error("sensors: %s is of the unknown kind %s" % (sensor.name, sensor.kind))
            return
        zone = _has_zone(sensor.kind, facts)
        try:
            if isinstance(facts, dict):
                sensor.device = self._coordinator.know(sensor.ieee, sensor.index, zone, facts)
            else:
                sensor.device = self._coordinator.know(sensor.ieee, sensor.index, zone)
        except (ValueError, TypeError):
            self._log.error("sensors: %s has no valid address: %s" % (sensor.name, sensor.ieee))

    def _on_status(self, device: "Device", kind: int, value: int, tsn: int, lqi: int) -> None:
        sensor = self.all[device.index]
        if sensor is None:
            return  # removed a moment ago
        now = self._clock.ms()
        if device.stale:
            self._replayed(sensor, kind, value, tsn, now)
            return
        if kind == told.NOTIFIED and sensor.kind == CALL_BUTTON and value & ias.ANY_ALARM and sensor.notified(now):
            self._unstick(sensor)  # it had paused: this is somebody's press
        if kind > told.PRESENCE:  # it says the same however often it comes
            self._value(sensor, kind, value)
        elif sensor.repeats(kind, value, tsn, now):
            self.repeats += 1
        else:
            if kind == told.NOTIFIED or kind == told.LEVEL:
                self._zone(sensor, kind == told.NOTIFIED, value, tsn, now)
            elif kind == told.BUTTON:
                self._button(sensor, value)
            else:
                self._moved(sensor, bool(value & 1), now)
            sensor.remember(kind, value, tsn, now)
        self._lives(sensor, lqi, now)

    def _replayed(self, sensor: Sensor, kind: int, value: int, tsn: int, now_ms: int) -> None:
        """An alarm in an old frame come again (fault 41). It calls, as nobody can be sure, but it is not taken for the
        sensor's own word: it neither uses up a press nor makes the pendant stuck nor opens a door.
        """
        if sensor.repeats(kind, value, tsn, now_ms):
            self.repeats += 1
            return
        if sensor.kind == SMOKE and kind != told.BUTTON:
            self._smoke(sensor, ias.alarm_of(value), tsn)  # the sensor's next word ends it
        elif sensor.kind == CALL_BUTTON and kind != told.LEVEL:
            self.sink(CALL, sensor.index)
            self._confirm(sensor)
        sensor.remember(kind, value, tsn, now_ms)
        if now_ms - sensor.doubted_ms >= _DOUBT_MS:
            sensor.doubted_ms = now_ms
            self._doubt(sensor)

    def _lives(self, sensor: Sensor, lqi: int, now_ms: int) -> None:
        """Whatever it said, it lives."""
        try:
            if self.watch is not None:
                self.watch.heard(sensor, lqi, now_ms)
        except Exception as error:  # noqa: BLE001 - the frame itself was dealt with
            gc.collect()
            tell(self._log, "supervision", error)

    def _doubt(self, sensor: Sensor) -> None:
        """An alarm in an old frame: it called, but whether it is so now only the sensor can say (fault 41)."""
        try:
            if self.watch is not None:
                self.watch.question(sensor)
        except Exception as error:  # noqa: BLE001
            gc.collect()
            tell(self._log, "supervision", error)

    def _value(self, sensor: Sensor, kind: int, value: int) -> None:
        if kind == told.TEMPERATURE:
            sensor.temperature = value
        elif kind == told.PERCENT or kind == told.VOLTS or kind == told.RADIO_VOLTS:
            sensor.battery.heard(kind, value)

    def _moved(self, sensor: Sensor, present: bool, now_ms: int) -> None:
        sensor.present = present
        if sensor.mask is not None:
            sensor.mask.moved(now_ms, present)
        if present and self.watch is not None:
            self.watch.moved()

    def _on_activity(self, device: "Device", minute: int, mask: int, before: int, state: int, lqi: int) -> None:
        """Our own sensor's minute (docs/zigbee-profile.md)."""
        sensor = self.all[device.index]
        if sensor is None:
            return
        now = self._clock.ms()
        if sensor.mask is not None:
            sensor.mask.report(now, minute, mask, before, not state & _NO_MASK)
        status = (ias.TAMPER if state & activity.TAMPER else 0) | (ias.TROUBLE if state & activity.FAULT else 0)
        sensor.covered = bool(state & activity.COVERED)
        self._health(sensor, status, now)
        sensor.battery.heard_bit(bool(state & activity.BATTERY_LOW))
        if mask and self.watch is not None:
            self.watch.moved()
        self._lives(sensor, lqi, now)

    def _zone(self, sensor: Sensor, notified: bool, status: int, tsn: int, now_ms: int) -> None:
        if sensor.kind == SMOKE:
            self._smoke(sensor, ias.alarm_of(status), tsn)
        elif sensor.kind == CALL_BUTTON:
            if status & ias.ANY_ALARM:
                self._pressed(sensor, notified, tsn, now_ms)
            else:
                self._restored(sensor, tsn)
        elif sensor.kind == DOOR:
            self._door(sensor, notified, bool(status & ias.ANY_ALARM), now_ms)
        elif sensor.kind == ACTIVITY:
            self._moved(sensor, bool(status & ias.ANY_ALARM), now_ms)
        if sensor.device is not None and sensor.device.stale:
            return  # nothing but an alarm follows from an old frame
        self._health(sensor, status, now_ms)
        sensor.battery.heard_bit(bool(status & ias.BATTERY_LOW))

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
            self.tell("sensor.fault", sensor, fault="stuck", on=False)

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

    def _door(self, sensor: Sensor, notified: bool, is_open: bool, now_ms: int) -> None:
        moved = sensor.alarm is not is_open
        if sensor.alarm is None:  # what it says first is news if it happened now
            sensor.recorded = sensor.recorded & ~OPEN | (OPEN if is_open is not notified else 0)
            moved = notified
        sensor.alarm = is_open
        if moved:
            self._record_levels(sensor, now_ms)
            self._say_door(is_open)

    def _say_door(self, is_open: bool) -> None:
        try:
            self.on_door(is_open)
        except Exception as error:  # noqa: BLE001
            tell(self._log, "announcing the door", error)

    def _health(self, sensor: Sensor, status: int, now_ms: int) -> None:
        sensor.tamper = bool(status & ias.TAMPER)
        sensor.trouble = bool(status & (ias.TROUBLE | ias.BATTERY_DEFECT))
        self._record_levels(sensor, now_ms)

    def _record_levels(self, sensor: Sensor, now_ms: int) -> None:
        """What is otherwise than the records have it; of what goes to and fro only so much, and the rest in time."""
        changed = sensor.levels() ^ sensor.recorded
        if changed & OPEN and self._records(sensor, OPEN, now_ms):
            self.tell("door.opened" if sensor.alarm else "door.closed", sensor)
        if changed & TAMPER and self._records(sensor, TAMPER, now_ms):
            self.tell("sensor.tamper", sensor, on=sensor.tamper)
        if changed & TROUBLE and self._records(sensor, TROUBLE, now_ms):
            self.tell("sensor.fault", sensor, fault="trouble", on=sensor.trouble)
        if changed & COVERED and self._records(sensor, COVERED, now_ms):
            self.tell("sensor.fault", sensor, fault="covered", on=sensor.covered)
        if changed & FLOOD and self._records(sensor, FLOOD, now_ms):
            self.tell("sensor.fault", sensor, fault="flood", on=sensor.floods)

    @staticmethod
    def _records(sensor: Sensor, level: int, now_ms: int) -> bool:
        if not sensor.may_record(now_ms):
            return False
        sensor.recorded ^= level
        return True

    def tell(self, event: str, sensor: Sensor, **fields: "Any") -> None:
        """An event record about this sensor."""
        try:
            self._record(event, sensor=sensor.name, ieee=sensor.ieee, place=sensor.place, **fields)
        except Exception as error:  # noqa: BLE001 - a record that cannot be made holds nothing up
            tell(self._log, event, error)

    def _on_flood(self, device: "Device | None", on: bool) -> None:
        """Fault 40: it sends more than it may; only its alarms pass. None: all the strangers together."""
        sensor = self.all[device.index] if device is not None and device.index >= 0 else None
        if sensor is not None:
            sensor.floods = on
            self._record_levels(sensor, self._clock.ms())
        else:
            self.strangers.flood(on)

    def _on_duplicate(self, device: "Device") -> None:
        """ZB-04: its address is used from two places. Its alarms count all the same."""
        sensor = self.all[device.index] if device.index >= 0 else None
        if sensor is not None:
            self.tell("sensor.fault", sensor, fault="duplicate", on=True)

    def _on_tick(self, now_ms: int) -> None:
        for sensor in self.all:
            if sensor is None:
                continue
            self._record_levels(sensor, now_ms)
            if sensor.alarm and not sensor.stuck and sensor.notifies_since(now_ms, _STUCK_MS):
                sensor.stuck = True
                self.tell("sensor.fault", sensor, fault="stuck", on=True)
        try:
            if self.watch is not None:
                self.watch.tick(now_ms)
        except Exception as error:  # noqa: BLE001 - the next tick comes in any case
            gc.collect()
            tell(self._log, "supervision", error)


def _has_zone(kind: str, facts: object) -> bool:
    """Whether it has an IAS zone to enrol and to ask: what its facts say; without any, all but the activity sensor."""
    servers = facts.get("servers") if isinstance(facts, dict) else None
    return ias.ZONE in servers if isinstance(servers, list) else kind != ACTIVITY
