"""What an emergency says, shows and records of itself, in the order of the machine's actions.

Owns the wording's names and the event records of the emergency path. Must never decide anything about the call.
"""

from micropython import const

from firmware.emergency import ladder as steps
from firmware.emergency import machine as m

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

LEAD_MS = 250  # the beacon sounds first, so that the first word is not missed; first word within 0.5 s of the press
_MARGIN_MS = 150  # the second prompt has ended this long before the window does
_MIN_GAP_MS = 300
_RETRY_SPOKEN_EVERY = 4  # attempts

_PROMPTS = {m.CAUSE_FIRE: "prompt_fire", m.CAUSE_CALL: "prompt_call", m.CAUSE_BUTTON: "prompt_manual"}
CAUSES = {m.CAUSE_FIRE: "fire", m.CAUSE_CALL: "call", m.CAUSE_BUTTON: "button"}


class Narrator:
    """parts: as the service has them."""

    def __init__(self, parts: "Any", ladder: steps.Ladder) -> None:
        self._parts = parts
        self._machine = parts.machine
        self._clock = parts.clock
        self._ladder = ladder
        self._prompt_ms = 0  # when the prompt begins; 0: nothing waits
        self._last_seq = 0  # the record that closed the last emergency, to be acknowledged
        self._number = ""

    # ------------------------------------------------------------------ speech
    def prompt(self) -> None:
        self._prompt_ms = self._clock.ms() + LEAD_MS
        self._ladder.reach(steps.PROMPTING, self._clock.ms())

    def tick(self, now_ms: int) -> None:
        """Begin the prompt when its time has come."""
        if not self._prompt_ms or now_ms < self._prompt_ms:
            return
        self._prompt_ms = 0
        if self._machine.state == m.PROMPT:
            name = _PROMPTS[self._machine.prompt_cause]
            speaker = self._parts.speaker
            gap_ms = m.WINDOW_MS - LEAD_MS - _MARGIN_MS - 2 * speaker.length_ms(name)
            speaker.say(name, 2, max(gap_ms, _MIN_GAP_MS))

    def speaking(self) -> bool:
        return self._parts.speaker.speaking

    def hush(self) -> None:
        self._prompt_ms = 0
        self._parts.speaker.stop()

    def dialling(self) -> None:
        """An attempt begins: the person is told that 119 is being called."""
        machine = self._machine
        self._ladder.reach(steps.DIALLING, self._clock.ms())
        if machine.attempt == 1:
            self._parts.speaker.say("dialling_test" if machine.test else "dialling")
        elif machine.attempt % _RETRY_SPOKEN_EVERY == 0:
            self._parts.speaker.say("retrying")

    # ------------------------------------------------------------------ records
    def triggered(self) -> None:
        machine = self._machine
        if self._ladder.start_ms != machine.started_ms:  # the first cause of this emergency
            self._ladder.begin(machine.started_ms)
            self._last_seq = 0
        fields = {"cause": CAUSES[machine.cause], "source": self._source(machine.cause, machine.source)}
        self._add_sensor(fields, machine.cause, machine.source)
        self._event("emergency.triggered", **fields)
        self._parts.log.info("emergency %d: %s from %s" % (machine.incident, fields["cause"], fields["source"]))

    def superseded(self) -> None:
        self._parts.recorder.event("emergency.ended", outcome="superseded", number=self._number, test=True)

    def test_over(self) -> None:
        self._ladder.reach(steps.CLOSED, self._clock.ms())
        self._event("emergency.ended", outcome="test_over", number=self._number)

    def test_dropped(self) -> None:
        self._parts.recorder.event("emergency.ended", outcome="reset_in_test", number="", test=True)

    def dialled(self) -> None:
        self._number = self._parts.emergency.number()
        self._event("emergency.dialled", number=self._number, attempt=self._machine.attempt)

    def answered(self) -> None:
        self._ladder.reach(steps.ANSWERED, self._clock.ms())
        self._event("emergency.answered", number=self._number, attempt=self._machine.attempt)

    def attempt_failed(self) -> None:
        machine = self._machine
        outcome = self._parts.phone.cause_text(machine.outcome)
        self._event("call.ended", number=self._parts.emergency.number(), attempt=machine.attempt, outcome=outcome)

    def reported(self) -> None:
        self._ladder.reach(steps.REPORTED, self._clock.ms())

    def cancelled(self) -> None:
        machine = self._machine
        now = self._clock.ms()
        self._ladder.reach(steps.CLOSED, now)
        fields = {"by": "gateway", "causes": self._causes(), "after_ms": now - machine.started_ms}
        if machine.by_care:
            fields["by"] = "care"
            self._add_sensor(fields, m.CAUSE_CALL, machine.source)
        elif machine.source:
            fields["by"] = self._sensor_name(machine.source - 1)
        self._last_seq = self._event("emergency.cancelled", ladder=self._ladder.as_dict(), **fields)
        self._parts.speaker.say("cancelled")

    def withdrawn(self) -> None:
        """The care system took one sensor's alarm back; others keep the emergency open."""
        fields = {"by": "care", "causes": self._causes()}
        self._add_sensor(fields, m.CAUSE_CALL, self._machine.source)
        self._event("emergency.withdrawn", **fields)

    def ended(self) -> None:
        now = self._clock.ms()
        self._ladder.reach(steps.CLOSED, now)
        self._last_seq = self._event(
            "emergency.ended", number=self._number, outcome="answered", causes=self._causes(),
            started=self._clock.wall_ms(self._machine.answered_ms) if self._machine.answered_ms else None,
            ended=self._clock.wall_ms(now), ladder=self._ladder.as_dict(),
        )
        self._parts.speaker.say("ended_test" if self._machine.test else "ended")

    def silenced(self) -> None:
        self._event("emergency.alarm_silenced", by="gateway")
        if not self._machine.open():  # what an emergency says itself is not cut short
            self._parts.speaker.say("silenced")

    def fire_held(self) -> None:
        self._parts.log.info("fire within 15 min of a connected call: not dialled again")

    def acknowledged(self, seq: int) -> None:
        """The relay committed every event of this boot up to this one."""
        if 0 < self._last_seq <= seq:
            self._last_seq = 0
            self._ladder.reach(steps.ACKNOWLEDGED, self._clock.ms())

    def _event(self, name: str, **fields: "Any") -> int:
        fields["incident"] = self._machine.incident
        return self._parts.recorder.event(name, test=self._machine.test, **fields)

    def _causes(self) -> list:
        return [CAUSES[bit] for bit in CAUSES if self._machine.causes & bit]

    def _source(self, cause: int, index: int) -> str:
        return "119" if cause == m.CAUSE_BUTTON else self._sensor_name(index)

    def _sensor(self, index: int) -> "dict | None":
        """The registry's entry; None: there is none (any more)."""
        known = self._parts.known
        return known[index] if 0 <= index < len(known) else None

    def _sensor_name(self, index: int) -> str:
        sensor = self._sensor(index)
        return "?" if sensor is None else sensor["name"]

    def _add_sensor(self, fields: dict, cause: int, index: int) -> None:
        sensor = None if cause == m.CAUSE_BUTTON else self._sensor(index)
        if sensor is not None:
            fields.update(sensor=sensor["name"], ieee=sensor["ieee"], place=sensor["place"])
