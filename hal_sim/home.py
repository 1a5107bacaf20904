"""The simulated home: everything outside the controller, and what a person, the fire or a fault does to it.

Owns what outlives a reset of the gateway: chips, flash, clock, relay, monitor, the phone network. Emits the timeline.
Must never know the firmware: it meets it only through the board's buses.
"""

import json

from hal_sim.board import SimBoard
from hal_sim.bus.net import SimNet
from hal_sim.bus.partition import Flash, SparseFlash
from hal_sim.ends import PowerCut, SimEnd
from hal_sim.modem.chip import ModemChip
from hal_sim.modem.store import FolderStore
from hal_sim.monitor import Monitor
from hal_sim.pcf8563 import Pcf8563, days_from_civil
from hal_sim.relay.site import Site
from hal_sim.room_speaker import RoomSpeaker
from hal_sim.steps import DEFAULT_START, HOST_ONLY, OUTSIDE, ScenarioError, check_step, comes, parse_start, product
from hal_sim.zigbee.chip import NcpChip
from hal_sim.zigbee.household import STEPS
from hal_sim.zigbee.ieee import ieee_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler
    from hal_sim.vtime import Kernel

_KST_S = 9 * 3600
_JOURNAL_SECTORS = 4
_STORE_SECTORS = 48
_QUEUE_SECTORS = 1024
_BOOT_MS = {"power": 2500, "reset": 1500, "watchdog": 1500}  # bootloader, MicroPython, imports: order of size
_ARMED_MS = 600  # the lamp is steady, not a flicker of the start
_PRESS_MS = 200
_BLOCK = 8192
_RELAY_HOST, _RELAY_PORT = "relay.lab", 8883
_GATEWAY = "GW-000000"


class Home:
    """root: folder for settings.json and sensors.json, with sound/ and tls/ in it; write(line): takes a timeline line.

    net: the host's network (hal_sim.bus.hostnet) for a scenario that asks for it. Raises ScenarioError without it.
    """

    def __init__(
        self, sched: "Scheduler", kernel: "Kernel", scenario: dict, root: str, write: "Callable[[str], Any]",
        net: "Any" = None,
    ) -> None:
        self.sched = sched
        self.block = kernel.block
        self._kernel = kernel
        self._write = write
        self.root = root
        self.board: SimBoard | None = None
        self._lines = {"light": False, "sound": False}
        self._beacon_shown = (False, False)
        self._beacon_due: list | None = None
        self._armed_due: list | None = None
        self.mains = True
        self.rtc_cells = [b""]
        self.flash = Flash(_JOURNAL_SECTORS, scenario.get("seed", 1))
        self.store_flash = SparseFlash(_STORE_SECTORS, scenario.get("seed", 1) + 1)
        self.queue_flash = SparseFlash(_QUEUE_SECTORS, scenario.get("seed", 1) + 2)
        self.sensors = [_whole(item) for item in scenario.get("sensors", [])]
        self.clock_chip = Pcf8563(sched, _epoch_s(scenario.get("start", DEFAULT_START)))
        self.there = {item["name"]: product(item) for item in scenario.get("sensors", [])}
        self._open_chips(scenario)
        self._open_net(scenario, net)
        self._write_files(scenario)
        for step in scenario.get("steps", []):
            sched.at(step["at"], self.do, step)
        if scenario.get("until") is not None:
            sched.at(scenario["until"], self._end)

    def _open_chips(self, scenario: dict) -> None:
        index_path = self.root + "/sound/index.json"
        self.room_speaker = RoomSpeaker(self.sched, self.emit, index_path)
        self.modem = ModemChip(self.sched, self.emit, store=FolderStore(self.root + "/modem"))
        self.modem.epoch_s = _epoch_s(scenario.get("start", DEFAULT_START))
        self.modem.texts = _spoken_files(index_path)
        for name in self.modem.texts:
            if name.startswith("report_"):  # an installed gateway: the modem was given its files long ago
                _copy(self.root + "/sound/" + name, self.modem.files.kept, name)
        self.ncp = NcpChip(self.sched, self.emit, scenario.get("seed", 1))
        if scenario.get("network") != "none":
            self.ncp.load_home([_with_model(item) for item in scenario.get("sensors", [])])
        self.monitor = Monitor(self.sched, self.emit)

    def _open_net(self, scenario: dict, net: "Any") -> None:
        """The internet: the simulated one, with the relay in it, or the host's, where a relay is somebody else's."""
        self.settings: dict = {"relay_host": _RELAY_HOST, "relay_port": _RELAY_PORT}
        self.settings.update(scenario.get("settings", {}))
        self.relay: Site | None = None
        if scenario.get("internet") == "host":
            if net is None:
                raise ScenarioError(HOST_ONLY)
            self.net = net
            return
        self.net = SimNet(self.sched)
        epoch_ms = _epoch_s(scenario.get("start", DEFAULT_START)) * 1000
        gateway = self.settings.get("gateway", _GATEWAY)
        self.relay = Site(self.net, self.emit, self.root + "/tls", epoch_ms, gateway)
        self.relay.listen(self.settings["relay_host"], self.settings["relay_port"])

    def _write_files(self, scenario: dict) -> None:
        for name, value in (("settings", self.settings), ("sensors", self.sensors)):
            with open(self.root + "/" + name + ".json", "w") as file:
                file.write(json.dumps(value))

    # ------------------------------------------------------------------ the timeline
    def emit(self, what: str, **fields: "Any") -> None:
        """One timeline line; fields in the order of their names, so that equal runs give equal bytes."""
        line = '{"t": %d, "what": %s' % (self.sched.now_ms, json.dumps(what))
        for name in sorted(fields):
            line += ", %s: %s" % (json.dumps(name), json.dumps(fields[name]))
        self._write(line + "}")

    def lamp_watch(self, name: str) -> "Callable[[int], None]":
        def watch(level: int) -> None:
            self.emit("lamp", lamp=name, on=bool(level))
            if name == "119":
                self.sched.cancel(self._armed_due)
                self._armed_due = self.sched.after(_ARMED_MS, self.emit, "armed") if level else None

        return watch

    def beacon_watch(self, part: str) -> "Callable[[int], None]":
        def watch(level: int) -> None:
            self._lines[part] = bool(level)
            if self._beacon_due is None:
                self._beacon_due = self.sched.after(0, self._show_beacon)

        return watch

    def _show_beacon(self) -> None:
        self._beacon_due = None
        shown = (self._lines["light"], self._lines["sound"])
        if shown != self._beacon_shown:
            self._beacon_shown = shown
            self.emit("beacon", light=shown[0], sound=shown[1])

    # ------------------------------------------------------------------ power
    def power_on(self) -> None:
        """The supply is there: the chips start."""
        self.modem.power_on()
        self.ncp.power_on()

    def boot(self, cause: str) -> SimBoard:
        """The controller starts; returns its board when the firmware would begin to run."""
        self._wait(_BOOT_MS[cause])
        board = self.board = SimBoard(self, cause)
        self._kernel.boot()
        self.emit("boot", reason=cause)
        return board

    def stop(self) -> None:
        """The controller stops: its outputs fall back, what it lit goes dark."""
        board, self.board = self.board, None
        if board is None:
            return
        for name in ("119", "centre", "call", "cancel"):
            getattr(board, "lamp_" + name).value(0)
        board.beacon.value(0)
        board.siren.value(0)
        board.amp_enable.value(0)
        board.close()

    def power_off(self, for_ms: int) -> None:
        """Everything is off, battery too, for for_ms."""
        self.stop()
        self.rtc_cells[0] = b""
        self.modem.set_vbat(0)
        self.ncp.power_off()
        self._wait(for_ms)
        self.modem.set_vbat(1)
        self.power_on()

    def _wait(self, for_ms: int) -> None:
        """Time passes with the controller off; a further power cut meanwhile makes it longer."""
        end = self.sched.now_ms + for_ms
        while self.sched.now_ms < end:
            try:
                self._kernel.advance_to(end)
            except PowerCut as cut:
                end = max(end, self.sched.now_ms + cut.for_ms)

    def _end(self) -> None:
        raise SimEnd()

    # ------------------------------------------------------------------ what happens in the home
    def do(self, step: dict) -> None:
        """One step of a scenario, now."""
        if step["do"] not in STEPS:
            getattr(self, "_do_" + step["do"])(step)
            return
        self.ncp.act(step)
        if comes(step):
            self.there[step["name"]] = product(step)

    def try_step(self, step: "Any") -> None:
        """A step from outside while the home runs: a bad one is refused with a log line."""
        try:
            check_step(step, "step", self.there)
            self.do(step)
        except (ScenarioError, ValueError) as error:
            self.emit("log", level="error", text=str(error))

    def _do_press(self, step: dict) -> None:
        if self.board is None:
            return
        pin = getattr(self.board, "button_" + step["button"])
        pin.drive(0)
        self.sched.after(step.get("hold_ms", _PRESS_MS), pin.drive, 1)

    def _do_line119(self, step: dict) -> None:
        self.modem.set_line(step["reply"], step.get("after_ms"))

    def _do_hang_up(self, _step: dict) -> None:
        self.modem.hang_up()

    def _do_call_in(self, step: dict) -> None:
        self.modem.call_in(step["from"])

    def _do_modem(self, step: dict) -> None:
        if "fault" in step:
            self.modem.set_fault(step["fault"])
        self.modem.set_network(step.get("voice"), step.get("data"), step.get("rssi"), step.get("time"))
        if "data" in step:
            self.net.set_attached(step["data"])

    def _do_relay(self, step: dict) -> None:
        relay = self.relay
        if relay is None:
            raise ScenarioError(OUTSIDE % "relay")
        if "up" in step:
            relay.set_up(step["up"])
        if "fault" in step:
            relay.set_fault(step["fault"])
        if "command" in step:
            relay.command(step["command"])

    def _do_net(self, step: dict) -> None:
        if self.relay is None:
            raise ScenarioError(OUTSIDE % "net")
        self.net.dns = step.get("dns", self.net.dns)
        self.net.latency_ms = step.get("latency_ms", self.net.latency_ms)

    def _do_mains(self, step: dict) -> None:
        self.mains = step["on"]
        if self.board is not None:
            self.board.mains.drive(1 if step["on"] else 0)

    def _do_power_cut(self, step: dict) -> None:
        raise PowerCut(step["for_ms"])

    def _do_monitor(self, step: dict) -> None:
        if "attached" in step:
            self.monitor.set_attached(step["attached"])
        if "touch" in step:
            self.monitor.touch(step["touch"], step.get("with"))

    def _do_clock(self, step: dict) -> None:
        if step["lost"]:
            self.clock_chip.lose()


def _copy(path: str, store: FolderStore, name: str) -> None:
    store.create(name)
    at = 0
    with open(path, "rb") as file:
        while True:
            data = file.read(_BLOCK)
            if not data:
                return
            store.write(name, at, data)
            at += len(data)


def _whole(item: dict) -> dict:
    return {"name": item["name"], "kind": item["kind"], "place": item.get("place", ""),
            "ieee": item.get("ieee") or ieee_of(item["name"])}


def _with_model(item: dict) -> dict:
    return dict(_whole(item), model=item.get("model"))


def _epoch_s(start: str) -> int:
    year, month, day, hour, minute, second = parse_start(start)
    return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - _KST_S


def _spoken_files(index_path: str) -> dict:
    try:
        with open(index_path) as file:
            index = json.loads(file.read())
    except OSError:
        return {}
    return {name + ".wav": index[name]["text"] for name in index}
