"""A home whose sensors are registered, renamed, replaced and removed, and whose settings change, cut off in the middle.

Job: `cycles`. In each one boot is judged, every alarm of the home is tried, something is changed, and the power goes at
a random moment of it or in a random flash operation. Lines of the proof's own:

`cycle`: what the list and the settings were after the boot, what they might have been, the network, who is deaf.
`alarms`: who alarmed and who was heard.
"""

import random

from host_tests.proofs.port import watched
from host_tests.proofs.port.watched import SCHED, Watched

ALARM_MS = 25_000  # after the boot; everything is armed by then
CLEAR_MS = 3000
CANCEL_MS = 4000
CHANGE_MS = 12_000  # after the alarms
KEPT_MS = 3000  # what was saved so long before the cut is in flash
FIRE, CALL = 1, 3
KINDS = ("smoke", "call_button", "door", "activity")
LEAST, MOST = 5, 12


class Changes(Watched):
    keep = ("boot", "dial")

    def __init__(self, *args) -> None:
        Watched.__init__(self, *args)
        random.seed(self.job["scenario"]["seed"])
        self.long_there = [sensor["ieee"] for sensor in self.sensors]  # they work, whatever is known of them
        self.cycle = 0
        self.what = "nothing"
        self.saved: list = []  # [ms, list] of each save in this boot
        self.settings: list = []  # what they might be
        self.cut_ms = 0
        self.fresh = 0
        self.heard: list = []
        self.dues: list = []

    # ------------------------------------------------------------------ what there is
    def listed(self) -> list:
        found = []
        for index, entry in enumerate(self.gateway.registry.entries):
            if entry is not None:
                ready = bool(entry["facts"].get("ready"))
                found.append([index, entry["name"], entry["kind"], entry["place"], entry["ieee"], ready])
        return found

    def network(self) -> list:
        running = self.ncp.air.running
        return [str(part) for part in running.identity] if running is not None else []

    def device(self, ieee: str):
        for device in self.ncp.air.devices.values():
            if bytes(reversed(device.wire)).hex() == ieee:
                return device
        return None

    # ------------------------------------------------------------------ a boot
    def began(self) -> None:
        for due in self.dues:
            SCHED.cancel(due)
        self.store_flash.cut_at = None
        allowed = [listed for at, listed in self.saved if at >= self.cut_ms - KEPT_MS]
        older = [listed for at, listed in self.saved if at < self.cut_ms - KEPT_MS]
        allowed = older[-1:] + allowed
        now = self.listed()
        self.say("cycle", number=self.cycle, did=self.what, listed=now, allowed=allowed,
                 settings=self.gateway.settings.all(), may=self.settings)
        self.saved = [[-1, now]]
        self.settings = [self.gateway.settings.all()]
        registry = self.gateway.registry
        save = registry.save

        def saved() -> bool:
            self.saved.append([SCHED.now_ms, self.listed()])
            return save()

        registry.save = saved
        sink = self.gateway.sensors.sink

        def heard(event: int, arg: int) -> None:
            sink(event, arg)
            self.heard.append([event, arg])

        self.gateway.sensors.sink = heard
        self.cycle += 1
        self.dues = [SCHED.after(ALARM_MS, self.alarms)]

    # ------------------------------------------------------------------ every alarm of the home
    def alarms(self) -> None:
        self.heard = []
        self.expected: list = []
        self.burning: list = []
        for index, _, kind, _, ieee, ready in self.listed():
            device = self.device(ieee)
            ready = ready or ieee in self.long_there
            if not ready or device is None or not device.radio or kind not in ("smoke", "call_button"):
                continue
            self.expected.append([FIRE if kind == "smoke" else CALL, index, self.ncp.air.fits(device)])
            if kind == "smoke":
                device.set_smoke(True)
                self.burning.append(device)
            else:
                device.press("call")
        self.dues = [SCHED.after(CLEAR_MS, self.clear), SCHED.after(CHANGE_MS, self.change)]

    def clear(self) -> None:
        for device in self.burning:
            device.set_smoke(False)
        self.dues.append(SCHED.after(CANCEL_MS - CLEAR_MS, self.push, "cancel"))
        self.say("alarms", number=self.cycle, expected=self.expected, heard=self.heard, network=self.network(),
                 open=bool(self.gateway.machine.open()))

    # ------------------------------------------------------------------ what is changed
    def change(self) -> None:
        if self.cycle >= self.job["cycles"]:
            self.end()
        listed = self.listed()
        whats = ["rename", "settings", "replace", "remove", "register", "register"]
        self.what = random.choice(whats[4:] if len(listed) < LEAST else whats if len(listed) < MOST else whats[:4])
        if self.gateway.machine.open():
            self.what = "nothing: an emergency is open"
        elif self.what == "register":
            self.register()
        elif self.what == "settings":
            self.touch("settings.set", setting="status_period_h", value=1 + self.cycle % 4)
            after = dict(self.settings[0], status_period_h=1 + self.cycle % 4)
            if after["status_period_h"] == 4:
                after.pop("status_period_h")
            self.settings.append(after)
        elif listed:
            index, name, kind, place, ieee, _ = random.choice(listed)
            self.what += " " + name
            if self.what.startswith("rename"):
                self.touch("sensors.rename", sensor=name, to="이름 %d" % self.cycle, place="방 %d" % self.cycle)
            elif self.what.startswith("remove"):
                self.touch("sensors.remove", sensor=name)
            else:
                self.replace(name, kind, ieee)
        self.cut_soon()

    def register(self) -> None:
        self.touch("sensors.register")
        self.come(random.choice(KINDS))

    def come(self, kind: str) -> None:
        self.fresh += 1
        self.dues.append(SCHED.after(1500, self.ncp.pair, kind, "new %d" % self.fresh))

    def replace(self, name: str, kind: str, ieee: str) -> None:
        device = self.device(ieee)
        if device is not None:
            device.radio = False
        self.touch("sensors.replace", sensor=name)
        self.come(kind)

    def cut_soon(self) -> None:
        """At a random moment of it; every other time in a flash operation."""
        slow = self.what == "register" or self.what.startswith("replace")
        if random.randrange(2):
            self.dues.append(SCHED.after(random.randrange(2000), self.arm))
        self.dues.append(SCHED.after(random.randrange(14_000 if slow else 3000), self.cut))

    def arm(self) -> None:
        self.store_flash.cut_at = random.randrange(40)

    def cut(self) -> None:
        if self.store_flash.cut_at is not None:  # none of its operations came yet
            self.dues.append(SCHED.after(5000, self.power_cut))
            return
        self.power_cut()

    def power_off(self, for_ms: int) -> None:
        self.cut_ms = SCHED.now_ms
        for due in self.dues:
            SCHED.cancel(due)
        Watched.power_off(self, for_ms)


watched.live(Changes)
