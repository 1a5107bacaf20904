"""The composition root: builds every part of the gateway on a Board and starts their tasks.

Owns which part gets which other, and in which order things come up: the emergency path first, everything else after.
Nothing is created at import. A part that a press of the 119 button does not need and that cannot be built is left out,
an Absent in its place, and named.
"""

import asyncio
import gc
import json

from micropython import const

from drivers.eg25 import Eg25
from drivers.pcf8563 import Pcf8563
from drivers.speaker import Speaker
from firmware import settings as st
from firmware.absent import Absent
from firmware.bootcount import BootCounter
from firmware.clock import Clock
from firmware.commands import Commands
from firmware.emergency import events as ev
from firmware.emergency.journal import Journal
from firmware.emergency.machine import Machine
from firmware.emergency.service import Emergency
from firmware.front import Front
from firmware.log import Log
from firmware.outputs import Outputs
from firmware.phone.dialler import Dialler
from firmware.phone.phone import Phone
from firmware.queue import Queue
from firmware.records import Recorder
from firmware.screen import Screen
from firmware.sensing.announce import Announcer
from firmware.sensing.registration import Registration
from firmware.sensing.registry import Registry
from firmware.sensing.reports import Reports
from firmware.sensing.sensors import Sensors
from firmware.sensing.watch import Watch
from firmware.store import Store
from firmware.supervisor import WATCHDOG_MS, Supervisor
from firmware.takeover import Takeover
from firmware.test_mode import Testing, TestMode
from firmware.texts import REPORTS
from firmware.uplink.link import Link
from zigbee.coordinator import Coordinator

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.boards.board import Board

VERSION = "0.1.0"
_UNREACHED_MS = 180_000  # without the relay before the person is told
_SAFE_MS = 10 * 60 * 1000  # a boot without all its parts lasts so long before it tries again with them


class Gateway:
    """The parts, by name; what several of them need to know of each other is asked here."""

    def __init__(self, board: "Board") -> None:
        self.board = board
        self.version = VERSION
        self.log: Any = Absent()
        self.boots: Any = Absent()
        self.screen: Any = Absent()
        self.link: Any = Absent()
        self.unread: list = []  # files that are there and cannot be read: said, and not armed
        self._build_ground()
        self._build_records()
        self._build_emergency()
        self._build_home()
        self._join()

    def _build_ground(self) -> None:
        """What the others stand on: time, log, what was kept, the outputs."""
        board = self.board
        self.boots = self._build("boot counter", lambda: BootCounter(board.rtc))
        self.clock = Clock(self._build("clock chip", lambda: Pcf8563(board.i2c)))
        self.log = self._build("log", lambda: Log(board.console, self.clock))
        self.store = self._build("store", lambda: Store(board.store, self.clock, self.log))
        self.settings = self._build("settings", self._open_settings)
        self.registry = self._build("registry", self._open_registry)
        self.known = self.registry.entries  # what an emergency's source is called
        if not self.registry.whole:
            self.unread.append("sensors")
        self.outputs = self._build("outputs", lambda: Outputs(board, self.log))

    def _build_records(self) -> None:
        self.queue = self._build("queue", lambda: Queue(self.board.queue, self.clock, self.log))
        self.recorder = self._build(
            "recorder", lambda: Recorder(self.clock, self.queue, 0, self.is_test, self.log)
        )

    def _build_emergency(self) -> None:
        """The path from a trigger to 119. What it needs by all means is built without a net."""
        board = self.board
        self.speaker = self._build(
            "speaker", lambda: Speaker(board.speaker, board.amp_enable, board.root, self.log)
        )
        self.test_mode = self._build(
            "test mode", lambda: TestMode(self.settings, self.clock, self.recorder.event, self.announce)
        )
        self.machine = Machine()
        self.testing = Testing(self.test_mode, self.machine)
        self.phone = Phone(Eg25(board.modem_uart), board, Dialler(self.testing), self.clock, self.log)
        self.phone.files = [(name + ".wav", "%s/sound/%s.wav" % (board.root, name)) for name in REPORTS]
        self.journal = self._build("journal", lambda: Journal(board.rtc, board.journal, self.log), last=True)
        self.emergency = Emergency(self)

    def _build_home(self) -> None:
        """The sensors, their network, and what people and the care system may change."""
        board = self.board
        self.coordinator = self._build(
            "coordinator", lambda: Coordinator(board.ncp_uart, board.ncp_reset, self.clock, self.log)
        )
        self.sensors = self._build(
            "sensors", lambda: Sensors(self.registry, self.coordinator, self.clock, self.log, self.recorder.event)
        )
        self.announcer = self._build("announcer", lambda: Announcer(self))
        self.watch = self._build("supervision", lambda: Watch(self, Reports(self), self.announcer))
        self.takeover = self._build("takeover", lambda: Takeover(self))
        self.network = self._build("network", self._wire_network)
        self.registration = self._build("registration", lambda: Registration(self))
        self.commands = self._build("commands", lambda: Commands(self))

    def _join(self) -> None:
        """Who tells whom, who watches the buttons, and who keeps all of them running."""
        self.sensors.sink = self.emergency.inbox.put
        self.sensors.watch = self.watch
        self.sensors.on_door = self.announcer.door
        self.store.hold = self.machine.open
        self.queue.hold = lambda: self.machine.occupied(self.clock.ms())
        self.queue.on_drop = self._records_dropped
        self.queue.on_open = self.emergency.number_boot
        self.settings.on_change = self._setting_changed
        self.test_mode.on_left = lambda: self.emergency.inbox.put(ev.TEST_LEFT)
        self.front = Front(self.board, self)
        self.supervisor = Supervisor(self.clock, self.log, self._task_died)

    def _build(self, name: str, build: "Callable[[], Any]", instead: "Any" = None, last: bool = False) -> "Any":
        """The part; what stands for it when it cannot be built, or when this boot does without it (`last`: last)."""
        try:
            if not (self.boots.blank if last else self.boots.bare):
                return build()
        except Exception as error:  # noqa: BLE001 - whatever keeps a part from being built must not keep 119 from it
            self.log.failed("left out", name, error)
        return Absent() if instead is None else instead

    def _read(self, name: str) -> "Any":
        try:
            return st.read_json(self.board.root + "/" + name)
        except Exception:
            self.unread.append(name)
            raise

    def _open_settings(self) -> st.Settings:
        """A file that cannot be read costs what it says, not what was changed at run time."""
        try:
            values = self._read("settings.json")
        except st.Unreadable as error:
            self.log.failed("left out", "settings.json", error)
            values = None
        return st.Settings(values, self.log, self.store)

    def _open_registry(self) -> Registry:
        imported = None
        try:
            if not self.store.load("sensors"):
                imported = self._read("sensors.json")
        except st.Unreadable as error:
            self.log.failed("left out", "sensors.json", error)
        return Registry(self.store, imported, self.log)

    def _wire_network(self) -> "Any":
        """What the network is kept by; a new one only where there never was any."""
        network = self.coordinator.network
        sure = not self.store.lost and not self.unread and not self.registry.left_out
        self.coordinator.pairing.expels = sure
        data = self.store.load("network")
        try:
            network.kept = json.loads(data) if data else None
        except ValueError as error:
            self.log.failed("network", "the backup cannot be read", error)
        network.may_form = sure and not data and not self.registry.count() and not self.takeover.waiting
        network.on_trouble = lambda reason: self.recorder.event("gateway.fault", fault="radio_chip", reason=reason)
        network.on_recovered = self._radio_recovered
        network.on_backup = lambda backup: self.store.save("network", json.dumps(backup).encode())
        return network

    def _radio_recovered(self, reason: str, down_ms: int) -> None:
        self.recorder.event("gateway.recovered", fault="radio_chip", reason=reason, down_ms=down_ms)

    def _setting_changed(self, name: str, value: "Any", by: str) -> None:
        self.recorder.event("settings.changed", setting=name, value=value, by=by)
        if name == "status_period_h":
            self.registration.reconfigure()
        elif name == "install_code_required":
            self.registration.ask_codes()

    def announce(self, name: str) -> None:
        """Speak, but never into what an emergency says."""
        if not self.machine.open():
            self.speaker.say(name)

    # ------------------------------------------------------------------ asked by several parts
    def is_test(self) -> bool:
        return self.test_mode.active

    def armed(self) -> bool:
        """Every way from a trigger to 119 is there: buttons, radio, modem. The 119 lamp says so."""
        return self.coordinator.ready and self.phone.ready and not self.unread

    def state(self) -> dict:
        """The gateway as it is now, for the care system."""
        return {"version": VERSION, "boot": self.recorder.boot, "up": self.clock.ms(), "armed": bool(self.armed()),
                "mains": bool(self.board.mains.value()), "waiting": self.queue.waiting() + self.recorder.unnumbered(),
                "sensors": self.registry.count(), "troubles": self.troubles()}

    def troubles(self) -> list:
        """What the person should know, in plain words."""
        lines: list = []
        if self.link.down_for_ms() >= _UNREACHED_MS:
            lines.append("관제 서버와 연결이 끊겼습니다. 기록은 보관 중이며 119 버튼은 쓸 수 있습니다")
        if self.unread:
            lines.append("설정을 읽을 수 없습니다. 설치 기사에게 알려 주세요. 119 버튼은 쓸 수 있습니다")
        handover = self.takeover.line()
        if handover:
            lines.append(handover)
        if self.network.trouble and not handover:
            lines.append("감지기 무선망을 되찾지 못했습니다. 설치 기사에게 알려 주세요. 119 버튼은 쓸 수 있습니다")
        elif not self.coordinator.ready:
            lines.append("감지기 연결을 준비하고 있습니다. 119 버튼은 쓸 수 있습니다")
        elif self.watch.trouble():
            lines.append("감지기의 무선 신호가 들리지 않습니다. 119 버튼은 쓸 수 있습니다")
        if not self.phone.ready:
            lines.append("전화 모듈을 준비하고 있습니다")
        elif self.phone.trouble():
            lines.append("전화 신호를 확인해 주세요. 119는 그래도 시도합니다")
        return lines

    def changed(self) -> None:
        """Something that is seen may have changed: lamps and screen look anew."""
        self.front.wake()
        try:
            if self.screen is not None:
                self.screen.changed()
        except Exception as error:  # noqa: BLE001 - nobody who changed something waits for the screen
            self.log.failed("screen", "changed", error)

    # ------------------------------------------------------------------ what a person does
    def cancel_pressed(self) -> None:
        """Cancel what can be cancelled: the emergency, its sound, or another call (never an answered 119 call)."""
        if self.machine.open() or self.machine.sound():
            self.emergency.inbox.put(ev.CANCEL, 0)
        elif self.phone.busy():
            self.phone.hang_up()

    def toggle_test(self) -> None:
        if not self.test_mode.leave("gateway"):
            self.test_mode.enter(self.machine.open())
        self.changed()

    def register_held(self) -> None:
        """Centre and call were held: registration without a monitor."""
        self.registration.open()
        self.changed()

    # ------------------------------------------------------------------ running
    def _task_died(self, name: str, error: "BaseException | None") -> None:
        self.recorder.event("gateway.fault", fault="task", task=name, error=repr(error)[:80])

    def start_vital(self) -> None:
        """The emergency path: what a press needs to become a call."""
        self.emergency.resume()
        if isinstance(self.queue, Absent):
            self.emergency.number_boot()  # no flash will be opened that could know more
        if self.board.reset_cause == "power":
            self.phone.expect_boot()
        keep = self.supervisor
        self.emergency.beat = lambda: keep.beat("emergency")
        self.front.beat = lambda: keep.beat("front")
        keep.start("emergency", self.emergency.run, vital=True)
        keep.start("emergency tick", self.emergency.tick, urgent=True)
        keep.start("front", self.front.run, vital=True)
        keep.start("front tick", self.front.tick, urgent=True)
        keep.start("phone", self.phone.run, urgent=True)
        keep.start("zigbee", self.coordinator.run)
        keep.start("speaker", self.speaker.run)
        keep.start("watchdog", self._watch)

    async def _watch(self) -> None:
        if self.board.wdt is None:
            self.board.start_wdt(WATCHDOG_MS)
        await self.supervisor.feed(self.board.wdt)

    def say_booted(self) -> None:
        boots = self.boots
        if boots.safe:
            self.log.error("several boots in a row failed: only %s started" % (
                "buttons and telephone are" if boots.bare else "the emergency path is"))
        self.recorder.event("gateway.booted", reason=self.board.reset_cause, version=VERSION, safe=boots.safe)
        for name in self.unread:
            self.recorder.event("gateway.fault", fault="file", file=name)
        for line in self.store.faults:
            self._store_failed(*line.split(": ", 1))
        self.store.on_fault = self._store_failed
        for what in self.queue.faults:
            self._queue_failed(what)
        self.queue.on_fault = self._queue_failed

    def _store_failed(self, block: str, what: str) -> None:
        self.recorder.event("gateway.fault", fault="store", block=block, what=what[:80])

    def _queue_failed(self, what: str) -> None:
        self.recorder.event("gateway.fault", fault="queue", what=what[:80])

    def _records_dropped(self, stream: str, count: int, first: tuple, last: tuple) -> None:
        self.recorder.event("queue.dropped", stream=stream, count=count, first=list(first), last=list(last))

    async def leave_safe_mode(self) -> None:
        """A boot that did without parts has lasted: try with all of them again, when nobody needs the gateway."""
        while self.boots.safe:
            await asyncio.sleep_ms(_SAFE_MS)
            if not self.machine.open() and not self.machine.light() and not self.phone.busy():
                self.board.reset()
        await asyncio.Event().wait()

    def start_rest(self) -> None:
        """Everything a call can do without."""
        keep = self.supervisor
        screen = self.screen = Screen(self.board.monitor, self)
        self._start_link()
        keep.start("supervision", self.watch.run)
        keep.start("announcements", self.announcer.run)
        keep.start("store", self.store.run)
        keep.start("takeover", self._take_over)
        keep.start("registration", self.registration.run)
        keep.start("screen", screen.show)
        keep.start("touch", screen.lines.run)

    async def _take_over(self) -> None:
        """What it hands over says how often this gateway started."""
        if not isinstance(self.queue, Absent):
            await self.queue.opened.wait()
        await self.takeover.run()

    def start_queue(self) -> None:
        """Open it beside the emergency path, in a safe boot too, which does nothing else with it."""
        self.supervisor.start("queue", self._open_queue if self.boots.safe else self.queue.run)

    async def _open_queue(self) -> None:
        if not isinstance(self.queue, Absent):
            await self.queue.open()
        await asyncio.Event().wait()

    def _start_link(self) -> None:
        if isinstance(self.queue, Absent):
            return
        link = self._build("link", lambda: Link(self))
        if not isinstance(link, Absent):
            self.link = link
            link.courier.on_ack = self.emergency.acknowledged
            self.supervisor.start("link", link.run)
            self.supervisor.start("orders", link.orders.run)


async def _main(gateway: Gateway) -> None:
    gateway.start_vital()
    try:
        gateway.start_queue()
        gateway.say_booted()
        if not gateway.boots.safe:
            gateway.start_rest()
    except Exception as error:  # noqa: BLE001
        gateway.log.failed("left out", "the rest", error)
    gc.collect()
    gateway.supervisor.start("boot counter", gateway.boots.run)
    gateway.supervisor.start("safe mode", gateway.leave_safe_mode)
    await asyncio.Event().wait()


def run(board: "Board") -> None:
    """Build the gateway on this board and run it for ever."""
    try:
        board.start_wdt(WATCHDOG_MS)  # first of all: whatever hangs while the rest is built is reset too
    except Exception:  # noqa: BLE001
        board.wdt = None  # tried again by the task that feeds it
    asyncio.run(_main(Gateway(board)))
