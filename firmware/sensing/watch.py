"""Supervision of the home's sensors: who is heard, whose battery fails, and whether the radio hears anybody at all.

Owns when a sensor is asked, judged and reported. Is called once a frame, after the alarm in it was dealt with, and once
every 10 s. Must never touch an alarm, never pair anything by itself, and never declare the sensors lost for what is the
radio's fault.
"""

import asyncio

from micropython import const

from firmware.sensing import battery, kept, links
from firmware.sensing import radio as rd
from firmware.sensing.radio import Radio
from firmware.sensing.sensor import SMOKE
from zigbee import ias, zcl
from zigbee.link import LinkError

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from firmware.sensing.sensor import Sensor

_DAY_S = const(86_400)
_KEEP_MS = const(3_600_000)  # the state is written at most once in this time
_FIRST_KEEP_MS = const(60_000)  # after the start, if the last time is an hour ago
_TOLD_KEEP_MS = const(600_000)  # ... but what was told once is not to be told again after a restart: in this time then
_MORE_MS = const(20_000)  # between the reports that a change of battery class wants
_UNTOLD_MS = const(60_000)  # after the start's questions, before who told nothing of its battery is asked
_SECOND = const(1000)
_FIRE_MS = const(300_000)  # as often as our own detectors say that the smoke stays
_QUESTIONS = const(4)  # a tick; the line to the coprocessor is also the alarms' confirmations'
_VOLTS, _PERCENT, _RADIO_VOLTS = const(0x0020), const(0x0021), const(0x0040)
_ZCL_VERSION = const(0x0000)
_NOISY = const(100)  # energy on the own channel that drowns sensors: -57 dBm on the scale of LQI
_FIRST_CHANNEL = const(11)
_TSN_FIRST = const(0x80)  # a row of numbers of our own: answers are known by device and time


class Watch:
    """parts: has sensors, coordinator, machine, clock, log, recorder, store. reports, announcer: told of changes."""

    def __init__(self, parts: "Any", reports: "Any", announcer: "Any") -> None:
        self._parts = parts
        self._clock = parts.clock
        self._coordinator = parts.coordinator
        self._sensors = parts.sensors
        self._reports = reports
        reports.watch = self
        self._announcer = announcer
        now = self._clock.ms()
        self._keep_at_ms = now + _FIRST_KEEP_MS
        self._kept_ms = now - _TOLD_KEEP_MS
        self._known = False  # something was kept before this start
        self._noted_day = 0
        self._tsn = _TSN_FIRST
        self._blind_from: int | None = None  # wall ms of what was kept before this start
        self._first = True
        self._energy = asyncio.Event()
        self.noisy = False
        self._measured = False  # in this roll
        self._fault = ""
        self.radio = Radio(now, self.question)
        self._recall(now)

    # ------------------------------------------------------------------ what is kept over a restart
    def _recall(self, now_ms: int) -> None:
        try:
            data = self._parts.store.load(kept.NAME)
            made_s = kept.unpack(data, self._sensors.all, now_ms, self._clock.wall_s()) if data else -1
            self._known = made_s >= 0
            self._blind_from = made_s * _SECOND if made_s > 0 else None
            since_ms = (self._clock.wall_s() - made_s) * _SECOND if made_s > 0 and self._clock.wall_s() else 0
            if self._known:
                self._keep_at_ms = now_ms + min(max(_KEEP_MS - since_ms, _FIRST_KEEP_MS), _KEEP_MS)
            for sensor in self._sensors.all:
                if sensor is not None and sensor.battery.state == battery.REPLACE:
                    self._announcer.battery(sensor, True)
        except Exception as error:  # noqa: BLE001 - what cannot be read is not known
            self._parts.log.failed("supervision", "recall", error)

    def _keep(self, now_ms: int) -> None:
        if now_ms >= self._keep_at_ms:
            self._keep_at_ms = now_ms + _KEEP_MS
            self._kept_ms = now_ms
            self._parts.store.save(kept.NAME, bytes(kept.pack(self._sensors.all, now_ms, self._clock.wall_s())))

    def _keep_soon(self, now_ms: int) -> None:
        self._keep_at_ms = min(self._keep_at_ms, max(now_ms, self._kept_ms + _TOLD_KEEP_MS))

    # ------------------------------------------------------------------ every frame
    def heard(self, sensor: "Sensor", lqi: int, now_ms: int) -> None:
        """A whole frame of this sensor came."""
        sensor.link.heard(now_ms, lqi)
        self.radio.heard(now_ms)

    def moved(self) -> None:
        """Somebody was seen moving."""
        self._announcer.awake()

    def removed(self, index: int) -> None:
        """The sensor at index is no longer of the home."""
        self._announcer.removed(index)

    def tell(self, sensor: "Any") -> None:
        """Its status record, now."""
        self._reports.status(sensor)

    # ------------------------------------------------------------------ every 10 s
    def tick(self, now_ms: int) -> None:
        coordinator = self._coordinator
        chip = coordinator.supervisor
        deaf_ms = self.radio.chip(now_ms, coordinator.ready, chip.starts, coordinator.link.heard_ms)
        if deaf_ms:
            self._back(deaf_ms, now_ms)
        if self.radio.up:
            self._listen(now_ms)
        self._judge(now_ms)
        self._reports.tick(now_ms, self.radio.up and self.radio.state == rd.CALM)
        self._daily()
        self._keep(now_ms)

    def _back(self, deaf_ms: int, now_ms: int) -> None:
        """The sensors can be heard again: what was not heard meanwhile means nothing. What the chip had is told by the
        network; this says from when to when nobody was heard."""
        first, self._first = self._first, False
        since = self._blind_from if first else self._clock.wall_ms(self.radio.blind_ms)
        fields = {"fault": "blind", "why": "start" if first else "radio", "from": since,
                  "to": self._clock.wall_ms(now_ms)}
        self._excuse(deaf_ms, now_ms)
        for sensor in self._sensors.all:
            if sensor is not None and sensor.device is not None and sensor.device.zone:
                sensor.link.asked(now_ms)  # the coordinator asks every zone after a start
        if self._known or not first:  # at the very first start there is nothing to go on from
            self._event("gateway.recovered", fields)

    def _excuse(self, deaf_ms: int, now_ms: int) -> None:
        for sensor in self._sensors.all:
            if sensor is not None:
                sensor.link.excuse(deaf_ms, now_ms)

    def _listen(self, now_ms: int) -> None:
        before = self.radio.state
        change = self.radio.look(now_ms, self._sensors.all, self.noisy)
        if before == rd.CALM and self.radio.state == rd.CALLING:
            self.noisy = self._measured = False
        elif self.radio.unanswered and not self._measured:  # not deaf for a moment in every home that sleeps
            self._measured = True
            self._energy.set()
        if change == rd.SILENT:
            self._fault = "interference" if self.noisy else "radio_silence"
            self._event("gateway.fault", {
                "fault": self._fault, "from": self._clock.wall_ms(self.radio.from_ms),
                "asked": self.radio.asked, "answered": self.radio.answered})
        elif change == rd.CALM:
            self._event("gateway.recovered", {
                "fault": self._fault, "from": self._clock.wall_ms(self.radio.from_ms),
                "to": self._clock.wall_ms(now_ms)})
            self._fault = ""
            self._excuse(now_ms - self.radio.from_ms, now_ms)

    # ------------------------------------------------------------------ each sensor
    def _judge(self, now_ms: int) -> None:
        hears = self.radio.up and self.radio.state == rd.CALM
        left = _QUESTIONS
        for sensor in self._sensors.all:
            if sensor is None or sensor.device is None:
                continue
            link = sensor.link
            if hears and link.judge(now_ms):
                self._link_changed(sensor, now_ms)
            wanted = link.wants_question(now_ms) or self._doubts_fire(sensor, now_ms)
            if hears and left and wanted and self.question(sensor):
                left -= 1
            elif hears and left and sensor.battery.untold() and link.fresh and now_ms - link.asked_ms >= _UNTOLD_MS:
                sensor.battery.queries -= 1
                left -= 1
                self._send(sensor, ias.POWER, (_VOLTS, _PERCENT, _RADIO_VOLTS))
            if sensor.battery.fresh or sensor.battery.asks:
                self._battery(sensor, now_ms)

    def _doubts_fire(self, sensor: "Sensor", now_ms: int) -> bool:
        """Its alarm is on and nothing was heard since. An end that was lost would call 119 again after the hold-off."""
        if sensor.kind != SMOKE or not sensor.alarm or not self._parts.machine.hold_off_ms or sensor.link.unasked:
            return False
        return now_ms - max(sensor.link.quiet_ms, sensor.link.asked_ms) >= _FIRE_MS

    def _link_changed(self, sensor: "Sensor", now_ms: int) -> None:
        link = sensor.link
        before = link.reported
        link.reported = link.state
        if links.LOST in (link.state, before):
            self._keep_soon(now_ms)
        self._sensors.tell(
            "sensor.link", sensor, now=links.NAMES[link.state], before=links.NAMES[before], dbm=link.dbm,
            heard=self.heard_at(sensor),
        )  # fmt: skip
        self._announcer.link(sensor, link.state == links.LOST)
        full = sensor.battery.permille() >= battery.FULL and not sensor.battery.low_bit
        suspected = link.state != links.GOOD and full
        if suspected is not sensor.battery.suspected and (full or link.state == links.GOOD):
            sensor.battery.suspected = suspected
            self._sensors.tell("sensor.fault", sensor, fault="battery_suspect", on=suspected)

    def _battery(self, sensor: "Sensor", now_ms: int) -> None:
        cell = sensor.battery
        if cell.report():
            before = cell.reported
            cell.reported = cell.state
            if battery.REPLACE in (cell.state, before):
                self._tell_battery(sensor)
                self._keep_soon(now_ms)
            self._announcer.battery(sensor, cell.state == battery.REPLACE)
        if cell.asks and now_ms - sensor.link.asked_ms >= _MORE_MS and not sensor.link.unasked:
            cell.asks -= 1
            self._send(sensor, ias.POWER, (_VOLTS, _PERCENT, _RADIO_VOLTS))
            if sensor.device is not None and sensor.device.zone:
                self.question(sensor)  # some tell no more than the low bit

    def _daily(self) -> None:
        """Once a day: the batteries' history, and a warning a month ahead (fault 38)."""
        day = self._clock.wall_s() // _DAY_S
        if not day or day == self._noted_day:
            return
        self._noted_day = day
        for sensor in self._sensors.all:
            if sensor is not None:
                sensor.battery.note(day)
                if sensor.battery.warns(day):
                    self._tell_battery(sensor)

    def _tell_battery(self, sensor: "Sensor") -> None:
        fields: dict = {}
        self.battery_fields(sensor, fields)
        self._sensors.tell("sensor.battery", sensor, **fields)

    # ------------------------------------------------------------------ questions
    def question(self, sensor: "Sensor") -> bool:
        """Ask the sensor for a sign of life: its zone status, which is an alarm's second chance, or any attribute."""
        device = sensor.device
        if device is None:
            return False
        if device.zone:
            return self._send(sensor, ias.ZONE, (ias.ZONE_STATUS,))
        return self._send(sensor, ias.BASIC, (_ZCL_VERSION,))

    def _send(self, sensor: "Sensor", cluster: int, attributes: tuple) -> bool:
        self._tsn = self._tsn + 1 if self._tsn < 0xFF else _TSN_FIRST
        if not self._coordinator.send_zcl(sensor.device, cluster, zcl.read(self._tsn, attributes)):
            return False
        sensor.link.asked(self._clock.ms())
        return True

    async def run(self) -> None:
        """For ever: measure the noise when nobody answers. The radio is deaf for 0.8 s meanwhile."""
        while True:
            await self._energy.wait()
            self._energy.clear()
            if self._parts.machine.open():
                continue  # not deaf for a moment while help is called
            try:
                energy = await self._coordinator.network.energy()
                place = self._coordinator.supervisor.info.channel - _FIRST_CHANNEL
                self.noisy = 0 <= place < len(energy) and energy[place] >= _NOISY
            except LinkError:
                self.noisy = False

    # ------------------------------------------------------------------ what others want to know
    def heard_at(self, sensor: "Sensor") -> "int | None":
        """Wall time of the last frame, ms since 1970; None: never heard, or the time is not known."""
        heard_ms = sensor.link.heard_ms
        return None if heard_ms is None else self._clock.wall_ms(heard_ms)

    def battery_fields(self, sensor: "Sensor", fields: dict) -> None:
        """Add state, percent, mv and, where there is such a thing, radio_mv and days."""
        cell = sensor.battery
        fields["state"] = battery.NAMES[cell.state]
        fields["percent"] = cell.percent
        fields["mv"] = cell.mv or None
        if cell.radio_mv:
            fields["radio_mv"] = cell.radio_mv
        day = self._clock.wall_s() // _DAY_S
        left = cell.days_left(day) if day else None
        if left is not None:
            fields["days"] = left

    def describe(self, sensor: "Sensor", seen: dict) -> None:
        """For the screen: link, dbm, heard_s (how long ago), battery's state, percent, mv, days; suspect."""
        link = sensor.link
        seen["link"] = None if link.heard_ms is None else links.NAMES[link.state]  # not known yet
        seen["dbm"] = link.dbm
        seen["heard_s"] = None if link.heard_ms is None else (self._clock.ms() - link.heard_ms) // _SECOND
        seen["temperature"] = sensor.temperature
        self.battery_fields(sensor, seen)
        seen["suspect"] = sensor.battery.suspected

    def trouble(self) -> str:
        """radio_silence, interference or empty: why nobody is heard although the radio chip is in service."""
        return self._fault

    def _event(self, name: str, fields: dict) -> None:
        """`from` is a word of Python's, so the fields come as a dict."""
        self._parts.recorder.event(name, **fields)
