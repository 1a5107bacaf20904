"""Registration mode as people see it: opening, who is on the way in, who came in, who was refused and why.

Owns the window's state for the screen, the records of joining, refusing and leaving, and which sensor the next one
replaces. Must never open by itself (not at boot either), never during an emergency, and never refuse an alarm.
"""

import asyncio

from micropython import const

from firmware.sensing.registry import BLOCK

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from zigbee.devices import Device

WINDOW_S = const(60)
_LOOK_MS = const(500)
_ASLEEP_MS = const(8000)  # no step done for so long: it sleeps, and only a person can wake it
_UNDERWAY_MS = const(600_000)  # then it is given up on the screen; a sign of life brings it back
_UNDERWAY = const(8)
_WRITTEN_MS = const(30_000)  # a flash that takes nothing keeps no removed sensor in the network for longer
_SAID = const(5)  # last outcomes that are shown
_SHOWN_MS = const(300_000)  # how long the panel stays after the last news
_HOUR_MS = const(3_600_000)
_RECORDS = const(30)  # refusals recorded in an hour: a neighbour's device may try for ever

_REFUSALS = {
    "closed": "등록 모드가 아닐 때 들어오려는 기기를 막았습니다",
    "unknown_kind": "지원하지 않는 기기입니다",
    "no_code": "설치 코드가 필요합니다",
    "duplicate": "주소가 중복됩니다",
    "full": "더 등록할 수 없습니다 (32개)",
    "neighbour": "다른 집의 기기입니다",
    "failed": "등록을 마치지 못했습니다. 감지기의 버튼을 한 번 눌러 주세요",
}
_QUIET = ("closed", "neighbour")  # nobody here did that: shown and recorded, not said aloud


class Registration:
    """parts: registry, sensors, coordinator, settings, recorder, machine, clock, log; announce(text), changed()."""

    def __init__(self, parts: "Any") -> None:
        self._parts = parts
        self._clock = parts.clock
        self._registry = parts.registry
        self._pairing = parts.coordinator.pairing
        self._open = False
        self._came = False  # somebody was heard of since it was opened
        self._shown_open = False
        self._replace = -1  # index of the sensor whose place the next of its kind takes
        self._underway: list = []  # [ieee, done, of, since ms]
        self._said: list = []  # (went well, text)
        self._news_ms = 0
        self._hour_ms = 0
        self._recorded = 0
        self._leaving: list = []  # (device, until ms): have to leave once the list without them is in flash
        self._wake = asyncio.Event()
        pairing = self._pairing
        pairing.admit = self._admit
        pairing.on_step = self._on_step
        pairing.on_facts = self._on_facts
        pairing.on_joined = self._on_joined
        pairing.on_refused = self._on_refused
        pairing.on_left = self._on_left
        pairing.on_gone = self._registry.left
        for ieee in self._registry.gone:
            pairing.remember_removed(ieee)
        pairing.period_s = parts.settings.get("status_period_h") * 3600

    # ------------------------------------------------------------------ what people do
    def open(self, seconds: int = WINDOW_S) -> str:
        """Let sensors join for so long (1 to 60 s), counted anew. Empty, or why not."""
        parts = self._parts
        if not 1 <= seconds <= WINDOW_S:
            return "seconds must be 1 to 60"
        if parts.machine.open():
            return "an emergency is open"
        if not parts.coordinator.ready:
            return "the radio is not ready"
        if not parts.coordinator.network.known_firmware:
            return "unknown radio firmware"  # fault 30
        if parts.boots.safe:
            return "not now"  # nothing is kept in this boot
        self._pairing.open(seconds, parts.settings.get("install_code_required"))
        if not self._open:
            self._said = []
            self._came = False
            parts.announce("register_open")
        self._open = True
        self._news()
        return ""

    def close(self) -> str:
        """Nobody may join any more; who is on the way in goes on."""
        self._pairing.close()
        self._news()
        return ""

    def code(self, ieee: str, code: str) -> str:
        """Take the install code printed on a sensor. Empty, or what is wrong with it."""
        try:
            self._pairing.code(ieee.lower().replace(":", "").replace(" ", ""), code)
        except ValueError as error:
            return str(error) or "bad install code"
        self._tell(True, "설치 코드를 받았습니다")
        return ""

    def rename(self, name: str, to: "str | None", place: "str | None") -> str:
        """Another name or place (None: as it was). Empty, or why not."""
        reason = self._registry.rename(self._registry.find(name), to, place)
        if not reason:
            self._news()
        return reason

    def remove(self, name: str) -> str:
        """The sensor is no longer of the home, and has to leave the network. Empty, or why not."""
        index = self._registry.find(name)
        if index < 0:
            return "unknown sensor"
        if self._parts.machine.open():
            return "an emergency is open"
        if self._replace == index:
            self._replace = -1
        self._record_left(index, "removed")
        self._dismiss(index)
        self._registry.remove(index)
        self._tell(True, "삭제되었습니다: %s" % name)
        self._touch()
        return ""

    def replace(self, name: str) -> str:
        """The next sensor of its kind that joins takes its name and place. Empty, or why not."""
        index = self._registry.find(name)
        if index < 0:
            return "unknown sensor"
        reason = self.open()
        if not reason:
            self._replace = index
        return reason

    def reconfigure(self) -> None:
        """The reporting period was changed: every sensor is told at its next sign of life."""
        period_s = self._pairing.period_s = self._parts.settings.get("status_period_h") * 3600
        for sensor in self._parts.sensors.all:
            if sensor is not None and sensor.device is not None:
                self._pairing.reconfigure(sensor.device, period_s)

    def ask_codes(self) -> None:
        """Whether codes are required was changed: it counts for a window that is open, too."""
        left_s = self.left_s()
        if left_s:
            self._pairing.open(left_s, self._parts.settings.get("install_code_required"))

    # ------------------------------------------------------------------ what is seen
    def panel(self) -> "dict | None":
        """For the screen: open, code, replaces, now (who is on the way in), said (outcomes); None: nothing to show."""
        if not self._open and not self._underway and not self._recent():
            return None
        replaced = self._registry.entries[self._replace] if self._replace >= 0 else None
        return {
            "open": self._pairing.opened, "code": self._parts.settings.get("install_code_required"),
            "replaces": replaced["name"] if replaced else "", "count": self._registry.count(),
            "now": [self._row(row) for row in self._underway],
            "said": [{"ok": ok, "text": text} for ok, text in self._said],
        }

    def left_s(self) -> int:
        """How long a sensor may join yet."""
        return (self._pairing.left_ms + 999) // 1000

    def _row(self, row: list) -> dict:
        index = self._registry.by_ieee(row[0])
        name = self._registry.entries[index]["name"] if index >= 0 else "새 감지기"
        asleep = self._clock.ms() - row[3] > _ASLEEP_MS
        text = "감지기의 버튼을 한 번 눌러 주세요" if asleep else "등록하고 있습니다"
        return {"name": name, "ieee": row[0], "done": row[1], "of": row[2], "text": text}

    def _recent(self) -> bool:
        return bool(self._said) and self._clock.ms() - self._news_ms < _SHOWN_MS

    def _news(self) -> None:
        self._news_ms = self._clock.ms()
        self._wake.set()
        self._parts.changed()

    def _tell(self, ok: bool, text: str) -> None:
        self._said.append((ok, text))
        if len(self._said) > _SAID:
            self._said.pop(0)
        self._news()

    async def run(self) -> None:
        """For ever: while the window is open, or somebody is on the way in, see how it goes on."""
        while True:
            self._wake.clear()
            if not self._open and not self._underway and not self._leaving:
                await self._wake.wait()
            self._look()
            await asyncio.sleep_ms(_LOOK_MS)

    def _send_away(self) -> None:
        """A sensor leaves only when no power cut can bring it back into the list: listed and gone, it would look like
        one that protects.
        """
        if not self._leaving or self._parts.machine.open():
            return
        device, until_ms = self._leaving[0]
        if self._parts.store.written(BLOCK) or self._clock.ms() >= until_ms:
            self._leaving.pop(0)
            self._pairing.remove(device)

    def _look(self) -> None:
        self._send_away()
        parts = self._parts
        if self._open and parts.machine.open() and self._pairing.left_ms:
            self._pairing.close()  # nobody watches a window while help is called
        if self._pairing.opened is not self._shown_open:
            self._shown_open = self._pairing.opened
            parts.changed()
        if self._open and not self._pairing.left_ms and not self._pairing.opened:
            self._open = False
            parts.announce("register_closed")
            if not self._came and parts.settings.get("install_code_required"):
                self._tell(False, "들어온 감지기가 없습니다. 설치 코드가 필요합니다")  # the chip turns them away unseen
            self._news()
        now = self._clock.ms()
        for row in list(self._underway):
            if now - row[3] > _UNDERWAY_MS:
                self._underway.remove(row)
            elif _ASLEEP_MS < now - row[3] <= _ASLEEP_MS + 2 * _LOOK_MS:
                parts.changed()
        if not self._open and not self._underway:
            self._replace = -1

    # ------------------------------------------------------------------ told by the pairing
    def _admit(self, _ieee: str) -> str:
        """A replaced sensor gives its place up."""
        return "full" if self._registry.full() and self._replace < 0 else ""

    def _on_step(self, ieee: str, done: int, of: int, _name: str) -> None:
        row = self._under(ieee)
        if row is None:
            if len(self._underway) >= _UNDERWAY:
                self._underway.pop(0)
            row = [ieee, 0, 0, 0]
            self._underway.append(row)
        row[1], row[2], row[3] = done, of, self._clock.ms()
        self._came = True
        self._news()

    def _under(self, ieee: str) -> "list | None":
        for row in self._underway:
            if row[0] == ieee:
                return row
        return None

    def _end(self, ieee: str) -> None:
        row = self._under(ieee)
        if row is not None:
            self._underway.remove(row)

    def _on_facts(self, ieee: str, facts: dict) -> "Device | None":
        """Keep what is known of it. With its kind it is of the home: its alarms count from here on."""
        registry, sensors = self._registry, self._parts.sensors
        index = registry.by_ieee(ieee)
        if index < 0:
            index = registry.add(ieee, facts)
            if index < 0 and facts.get("kind") and registry.full() and self._replaces(facts):
                index = self._swap(ieee, facts)
            if index < 0:
                return None
            sensors.add(index)
        else:
            registry.learn(index, facts)
            if sensors.all[index] is None or sensors.all[index].kind != registry.entries[index]["kind"]:
                sensors.add(index)
        return sensors.all[index].device

    def _replaces(self, facts: dict) -> bool:
        entry = self._registry.entries[self._replace] if self._replace >= 0 else None
        return entry is not None and entry["kind"] == facts.get("kind")

    def _swap(self, ieee: str, facts: dict) -> int:
        """The new sensor takes over name and place; the old one has to leave."""
        index, self._replace = self._replace, -1
        own = self._registry.by_ieee(ieee)
        self._record_left(index, "replaced")
        self._dismiss(index)
        if own >= 0:
            self._parts.sensors.remove(own)
        self._registry.replace(index, ieee, facts)
        self._parts.sensors.add(index)
        return index

    def _on_joined(self, ieee: str, facts: dict) -> None:
        index = self._registry.by_ieee(ieee)
        if index >= 0 and index != self._replace and self._replaces(facts) and not self._parts.machine.open():
            index = self._swap(ieee, facts)
        self._end(ieee)
        if index < 0:
            return
        entry = self._registry.entries[index]
        self._parts.recorder.event(
            "sensor.joined", sensor=entry["name"], ieee=ieee, place=entry["place"], sensor_kind=entry["kind"],
            maker=facts.get("maker", ""), model=facts.get("model", ""), code=bool(facts.get("code")),
        )
        self._parts.announce("register_joined")
        self._tell(True, "등록되었습니다: %s" % entry["name"])
        self._touch()

    def _on_refused(self, ieee: str, reason: str) -> None:
        self._end(ieee)
        self._came = True
        now = self._clock.ms()
        if now - self._hour_ms >= _HOUR_MS:
            self._hour_ms, self._recorded = now, 0
        self._recorded += 1
        if self._recorded <= _RECORDS:
            self._parts.recorder.event("sensor.refused", ieee=ieee, reason=reason)
        if self._open and reason not in _QUIET:
            self._parts.announce("register_refused")
        self._tell(False, "%s (%s)" % (_REFUSALS.get(reason, reason), ieee[-4:]))

    def _on_left(self, ieee: str) -> None:
        """By itself: it keeps its name and place, for when it is registered again."""
        index = self._registry.by_ieee(ieee)
        self._end(ieee)
        if index >= 0:
            self._record_left(index, "itself")
            self._tell(False, "감지기가 스스로 나갔습니다: %s" % self._registry.entries[index]["name"])

    # ------------------------------------------------------------------ leaving
    def _record_left(self, index: int, why: str) -> None:
        entry = self._registry.entries[index]
        self._parts.recorder.event(
            "sensor.left", sensor=entry["name"], ieee=entry["ieee"], place=entry["place"], why=why
        )

    def _dismiss(self, index: int) -> None:
        """Have it leave the network once that is written; what it says counts no more from now on."""
        sensors = self._parts.sensors
        sensor = sensors.all[index]
        self._end(self._registry.entries[index]["ieee"])
        if sensor is not None and sensor.device is not None:
            self._leaving.append((sensor.device, self._clock.ms() + _WRITTEN_MS))
            self._wake.set()
        sensors.remove(index)

    def _touch(self) -> None:
        """The network's backup knows its devices."""
        self._parts.coordinator.network.touch()
