"""Whether the gateway can hear at all: the radio chip out of service, and everybody silent at once (faults 37, 111).

Owns the judgement that silence is the radio's fault and not the sensors'. Pure but for `ask`: time comes in with each
call. Must never form, open or pair anything; it only says what is the case.

Mass silence: there is doubt when a sensor is overdue and nobody was heard since, when several are overdue at once, when
two that report each minute are both missing, and after half an hour without a sound. Then all that have answered before
are asked (the roll). If three or more were asked and less than a third answered within 30 s, or 20 s if the channel is
noisy, it is the radio. It is over when as many of them are heard again.
"""

from micropython import const

from firmware.sensing.links import LOST

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firmware.sensing.sensor import Sensor

CALM = const(0)
CALLING = const(1)  # the roll is called: nobody is judged
SILENT = const(2)  # a fault of the radio

_ROLL_MS = const(30_000)  # from the first question to the judgement: sleepers poll every few seconds
_NOISY_ROLL_MS = const(20_000)
_BATCH = const(16)  # questions a call of look(), every 10 s; the line to the coprocessor has 24 places
_HUSH_MS = const(70_000)  # without a sound, where two sensors owe a report a minute
_STILL_MS = const(1_800_000)  # without a sound in any home
_LEAST = const(3)  # sensors that were asked; fewer are judged one by one
_PAUSE_MS = const(600_000)  # after a roll that found the radio well
_PROBE_MS = const(60_000)  # in a silence: how often a few are asked
_PROBES = const(3)


class Radio:
    """ask(sensor) -> bool sends a question. now_ms: of the start."""

    def __init__(self, now_ms: int, ask: "Callable[[Sensor], bool]") -> None:
        self._ask = ask
        self.state = CALM
        self.up = False
        self.blind_ms = now_ms  # while not up: deaf since
        self.from_ms = now_ms  # in CALLING and SILENT: silent since
        self.asked = 0
        self.answered = 0
        self.last_ms = now_ms  # when anybody was heard
        self._seen_ms = now_ms  # when it was last known to be up
        self._starts = 0
        self._called_ms = -_PAUSE_MS
        self._place = 0

    # ------------------------------------------------------------------ the chip
    def chip(self, now_ms: int, ready: bool, starts: int, byte_ms: int) -> int:
        """Look at the chip. starts: how often it was brought up; byte_ms: when it last said anything.

        Returns how long it was deaf, in ms, when that has just ended (from `blind_ms`); else 0.
        """
        if not ready:
            if self.up:
                self.up = False
                self.blind_ms = min(byte_ms, self._seen_ms)  # hung unnoticed for some seconds, or gone since we looked
            return 0
        deaf_ms = 0
        if not self.up:
            deaf_ms = now_ms - self.blind_ms
        elif starts != self._starts:  # it went and came between two looks
            self.blind_ms = self._seen_ms
            deaf_ms = now_ms - self._seen_ms
        self.up = True
        self._starts = starts
        self._seen_ms = now_ms
        return deaf_ms

    # ------------------------------------------------------------------ the air
    def heard(self, now_ms: int) -> None:
        """Somebody of the home was heard."""
        self.last_ms = now_ms

    @property
    def unanswered(self) -> bool:
        """The roll is called, and nobody at all was heard since it began."""
        return self.state == CALLING and self.last_ms < self._called_ms

    def look(self, now_ms: int, sensors: "Iterable[Sensor | None]", noisy: bool) -> int:
        """Call every 10 s while the chip is up. noisy: something drowns the channel.

        Returns SILENT when that begins, CALM when it has ended, -1 else.
        """
        if self.state == CALM:
            if now_ms - self._called_ms >= _PAUSE_MS and self._doubtful(now_ms, sensors):
                self.state = CALLING
                self._called_ms = now_ms
                self._place = 0
                self._batch(now_ms, sensors, _BATCH)
            return -1
        if self.state == CALLING:
            self._batch(now_ms, sensors, _BATCH)
            called_ms = now_ms - self._called_ms
            return self._judge(now_ms, sensors) if called_ms >= (_NOISY_ROLL_MS if noisy else _ROLL_MS) else -1
        if now_ms - self._called_ms >= _PROBE_MS:
            self._called_ms = now_ms
            if not self._batch(now_ms, sensors, _PROBES):
                self._place = 0
        if self._count(sensors) * 3 < self.asked:
            return -1
        self.state = CALM
        return CALM

    def _doubtful(self, now_ms: int, sensors: "Iterable[Sensor | None]") -> bool:
        overdue = brisk = 0
        alone = False
        for sensor in sensors:
            if sensor is None or sensor.link.state == LOST:
                continue
            brisk += sensor.link.brisk
            if sensor.link.overdue(now_ms):
                overdue += 1
                alone = alone or self.last_ms <= sensor.link.quiet_ms
        still_ms = now_ms - self.last_ms
        return alone or overdue > 1 or still_ms >= (_HUSH_MS if brisk > 1 else _STILL_MS)

    def _batch(self, now_ms: int, sensors: "Iterable[Sensor | None]", limit: int) -> int:
        """Ask the next of those who answer. In the roll whoever was heard since it began needs no question."""
        sent = 0
        for sensor in sensors:
            if sensor is None or sensor.index < self._place:
                continue
            if sent >= limit:
                break
            self._place = sensor.index + 1
            link = sensor.link
            if link.answers and link.state != LOST and link.quiet_ms < self._called_ms:
                sent += 1 if self._ask(sensor) else 0
        return sent

    def _judge(self, now_ms: int, sensors: "Iterable[Sensor | None]") -> int:
        self.asked = 0
        latest = -1
        for sensor in sensors:
            if sensor is None or not sensor.link.answers or sensor.link.state == LOST:
                continue
            if sensor.link.quiet_ms >= self._called_ms:
                self.asked += 1
            elif sensor.link.asked_ms >= self._called_ms:
                self.asked += 1
                latest = max(latest, sensor.link.quiet_ms)
        self.from_ms = self._called_ms
        self.answered = self._count(sensors)
        if self.asked < _LEAST or self.answered * 3 >= self.asked:
            self.state = CALM
            return -1
        self.from_ms = latest if latest >= 0 else now_ms  # the last that was heard of those who are silent now
        self.state = SILENT
        return SILENT

    def _count(self, sensors: "Iterable[Sensor | None]") -> int:
        """How many of those who answer were heard since `from_ms`."""
        found = 0
        for sensor in sensors:
            if sensor is not None and sensor.link.answers and sensor.link.heard_ms is not None:
                found += sensor.link.heard_ms > self.from_ms and sensor.link.state != LOST
        return found
