"""The composition root: builds every part of the gateway on a Board and starts their tasks.

Owns which part gets which other, and in which order things come up: the emergency path first, everything else after.
Nothing is created at import. A part outside the emergency path that cannot be built is left out and named.
"""

import asyncio
import gc

from micropython import const

from drivers.eg25 import Eg25
from drivers.pcf8563 import Pcf8563
from drivers.speaker import Speaker
from firmware import settings as st
from firmware.bootcount import BootCounter
from firmware.clock import Clock
from firmware.emergency import events as ev
from firmware.emergency.journal import Journal
from firmware.emergency.machine import Machine
from firmware.emergency.service import Emergency
from firmware.front import Front
from firmware.log import Log
from firmware.outputs import Outputs
from firmware.phone.dialler import Dialler
from firmware.phone.phone import Phone
from firmware.records import Queue, Recorder
from firmware.screen import Screen
from firmware.sensors import Sensors
from firmware.supervisor import WATCHDOG_MS, Supervisor
from firmware.test_mode import TestMode
from firmware.texts import REPORTS
from firmware.uplink import Uplink
from zigbee.coordinator import Coordinator

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from firmware.boards.board import Board

VERSION = "0.1.0"


class Gateway:
    """The parts, by name; what several of them need to know of each other is asked here."""

    def __init__(self, board: "Board") -> None:
        self.board = board
        self.clock = Clock(Pcf8563(board.i2c))
        self.log = Log(board.console, self.clock)
        self.boots = BootCounter(board.rtc)
        self.settings = st.Settings(st.read_json(board.root + "/settings.json", self.log), self.log)
        self.known = st.check_sensors(st.read_json(board.root + "/sensors.json", self.log), self.log)
        self.outputs = Outputs(board, self.log)
        self.queue = Queue()
        self.recorder = Recorder(self.clock, self.queue, 0, self.is_test, self.log)
        self.speaker = Speaker(board.speaker, board.amp_enable, board.root, self.log)
        self.test_mode = TestMode(self.settings, self.clock, self.recorder.event, self.speaker.say)
        self.phone = Phone(Eg25(board.modem_uart), board, Dialler(self.test_mode), self.clock, self.log)
        self.phone.files = [(name + ".wav", "%s/sound/%s.wav" % (board.root, name)) for name in REPORTS]
        self.machine = Machine()
        self.journal = Journal(board.rtc, board.journal, self.log)
        self.screen: Screen | None = None
        self.emergency = Emergency(self)
        self.coordinator = Coordinator(board.ncp_uart, board.ncp_reset, self.clock, self.log)
        self.sensors = Sensors(self.known, self.coordinator, self.clock, self.log, self.recorder.event)
        self.sensors.sink = self.emergency.inbox.put
        self.front = Front(board, self)
        self.supervisor = Supervisor(self.clock, self.log, self._task_died)

    # ------------------------------------------------------------------ asked by several parts
    def is_test(self) -> bool:
        return self.test_mode.active

    def armed(self) -> bool:
        """Every way from a trigger to 119 is there: buttons, radio, modem. The 119 lamp says so."""
        return self.coordinator.ready and self.phone.ready

    def troubles(self) -> list:
        """What the person should know, in plain words."""
        lines: list = []
        if not self.coordinator.ready:
            lines.append("감지기 연결을 준비하고 있습니다. 119 버튼은 쓸 수 있습니다")
        if not self.phone.ready:
            lines.append("전화 모듈을 준비하고 있습니다")
        elif self.phone.trouble():
            lines.append("전화 신호를 확인해 주세요. 119는 그래도 시도합니다")
        return lines

    def changed(self) -> None:
        """Something that is seen may have changed: lamps and screen look anew."""
        self.front.wake()
        if self.screen is not None:
            self.screen.changed()

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

    def silence_detectors(self) -> None:
        """EMG-15: the sounders of the smoke detectors, not their detecting."""
        self.sensors.silence_all()

    def _touches(self) -> dict:
        return {
            "test.enter": lambda: self.test_mode.enter(self.machine.open()),
            "test.leave": lambda: self.test_mode.leave("gateway"),
            "test.extend": self.test_mode.extend,
            "test.real": self._real,
            "smoke.silence": self.silence_detectors,
            "alarm.silence": lambda: self.emergency.inbox.put(ev.SILENCE),
            "cancel": self.cancel_pressed,
        }

    def _real(self) -> None:
        if self.test_mode.active:
            self.emergency.inbox.put(ev.REAL)

    def _commands(self) -> dict:
        return {"smoke.silence": self._silence_command}

    def _silence_command(self, command: dict) -> "str | None":
        name = command.get("sensor")
        if name is None:
            self.silence_detectors()
            return None
        return None if self.sensors.silence(name) else "no such smoke detector"

    # ------------------------------------------------------------------ running
    def _task_died(self, name: str, error: "BaseException | None") -> None:
        self.recorder.event("gateway.fault", fault="task", task=name, error=repr(error)[:80])

    def start_vital(self) -> None:
        """The emergency path: what a press needs to become a call."""
        self.emergency.resume()
        if self.board.reset_cause == "power":
            self.phone.expect_boot()
        keep = self.supervisor
        self.emergency.beat = lambda: keep.beat("emergency")
        self.front.beat = lambda: keep.beat("front")
        keep.start("emergency", self.emergency.run, vital=True)
        keep.start("front", self.front.run, vital=True)
        keep.start("phone", self.phone.run)
        keep.start("zigbee", self.coordinator.run)
        keep.start("speaker", self.speaker.run)
        keep.start("watchdog", self._watch)

    async def _watch(self) -> None:
        if self.board.wdt is None:
            self.board.start_wdt(WATCHDOG_MS)
        await self.supervisor.feed(self.board.wdt)

    def start_rest(self) -> None:
        """Everything a call can do without."""
        keep = self.supervisor
        screen = self.screen = Screen(self.board.monitor, self, self._touches())
        uplink = Uplink(self.board.uplink, self.queue, self.recorder, self._commands(), self.log)
        uplink.on_ack = self.emergency.acknowledged
        keep.start("screen", screen.show)
        keep.start("touch", screen.touched)
        keep.start("uplink", uplink.send)
        keep.start("downlink", uplink.receive)


async def _main(gateway: Gateway) -> None:
    gateway.start_vital()
    reason = gateway.board.reset_cause
    gateway.recorder.event("gateway.booted", reason=reason, version=VERSION, safe=gateway.boots.safe)
    if gateway.boots.safe:
        gateway.log.error("several boots in a row failed: only the emergency path is started")
    else:
        try:
            gateway.start_rest()
        except Exception as error:  # noqa: BLE001
            gateway.log.error("left out: %r" % error)
    gc.collect()
    await gateway.boots.proven()
    await asyncio.Event().wait()


def run(board: "Board") -> None:
    """Build the gateway on this board and run it for ever."""
    asyncio.run(_main(Gateway(board)))
