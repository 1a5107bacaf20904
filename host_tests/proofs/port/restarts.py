"""A home of 32 sensors that restarts again and again; each time one of them alarms right after the radio chip
started.

Job: `cases`, a list of [how, ms after chip and controller run, sensor]. A line `case` for each: when both ran and when
the sensor alarmed; the emergency's record is in the timeline. Everybody else talks at the same moment.
"""

from host_tests.proofs.port import watched
from host_tests.proofs.port.watched import SCHED, Watched

SETTLED_MS = 60_000
CANCEL_MS = 6000
HOWS = {"power": "power_cut", "watchdog": "watchdog", "chip": "chip_reset"}


class Restarts(Watched):
    keep = ("relay", "boot", "dial", "beacon")

    def __init__(self, *args) -> None:
        Watched.__init__(self, *args)
        self.cases = list(self.job["cases"])
        self.waiting: list = []
        SCHED.at(SETTLED_MS, self.next)

    def next(self) -> None:
        if not self.cases:
            self.end()
        case = self.cases.pop(0)
        how, after_ms, sensor = case
        if how == "chip":
            self.ncp.set_fault("reset")
            self.when_chip_runs(lambda: self.ready(how, after_ms, sensor))
            return
        self.waiting = [how, after_ms, sensor]
        getattr(self, HOWS[how])()

    def began(self) -> None:
        if self.waiting:
            how, after_ms, sensor = self.waiting
            self.waiting = []
            SCHED.after(1, self.when_chip_runs, lambda: self.ready(how, after_ms, sensor))

    def ready(self, how: str, after_ms: int, sensor: str) -> None:
        ready_ms = SCHED.now_ms
        for device in list(self.ncp.air.devices.values()):
            self.stir(device)
        SCHED.after(after_ms, self.alarm, how, after_ms, sensor, ready_ms)

    def stir(self, device) -> None:
        """Doors move, people move, and everybody says how its battery is."""
        if hasattr(device, "set_open"):
            device.set_open(len(self.cases) % 2 == 0)
        if hasattr(device, "see"):
            device.see(5000)
        device.set_battery(100)

    def alarm(self, how: str, after_ms: int, sensor: str, ready_ms: int) -> None:
        self.say("case", how=how, after=after_ms, sensor=sensor, ready=ready_ms)
        device = self.ncp.air.devices[sensor]
        smoke = hasattr(device, "set_smoke")
        if smoke:
            device.set_smoke(True)
            SCHED.after(CANCEL_MS - 1000, device.set_smoke, False)
        else:
            device.press("call")
        SCHED.after(CANCEL_MS, self.push, "cancel")
        SCHED.after(SETTLED_MS, self.next)


watched.live(Restarts)
