"""Fifteen days without data: a full home's records at their rate, a power cut a day, then the link returns.

Job: `whole`: true runs the whole firmware with its 32 sensors; false leaves out radio and telephone, whose polling
takes hours of processor time, and makes the same records by the world's clock. `down_ms`, `up_ms`: when the network
goes and comes back. `cuts`: when the power fails. `press_ms`: when somebody presses 119. Prints `made` for each record
whose making returned, the relay's lines, and how many sectors were used at most.
"""

from host_tests.proofs.port import watched
from host_tests.proofs.port.watched import SCHED, Watched

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
ASIDE = ("zigbee", "phone", "speaker", "supervision", "announcements", "registration", "takeover", "screen", "touch",
         "emergency tick", "front tick", "watchdog")  # nobody beats without the ticks
SENSORS = 32  # 192 status records a day
MASKS = 2  # activity sensors: 576 records a day
IEEE = "00124b00%08x"
EVENTS = 100  # a day: doors, links, batteries, what somebody does


class Fortnight(Watched):
    keep = ("relay", "repeat", "boot", "dial")

    def __init__(self, *args) -> None:
        Watched.__init__(self, *args)
        job = self.job
        self.most = 0
        SCHED.at(job["down_ms"], self.net.set_attached, False)
        SCHED.at(job["up_ms"], self.net.set_attached, True)
        for at in job["cuts"]:
            SCHED.at(at, self.power_cut, 2000)
        for at in job["press_ms"]:
            SCHED.at(at, self.pressed)
        SCHED.at(job["up_ms"] - 1, self.count)
        if not job["whole"]:
            self.every(4 * HOUR_MS // SENSORS, self.status)
            self.every(5 * MINUTE_MS // MASKS, self.mask)
            self.every(DAY_MS // EVENTS, self.door)

    def every(self, step_ms: int, make) -> None:
        def turn(number: int) -> None:
            if self.gateway is not None and self.board is not None:
                make(self.gateway.recorder, number)
            SCHED.after(step_ms, turn, number + 1)

        SCHED.after(step_ms, turn, 0)

    def began(self) -> None:
        recorder = self.gateway.recorder
        append = recorder._append

        def told(kind, *rest) -> int:
            seq = append(kind, *rest)
            self.say("made", boot=recorder.boot, seq=seq, kind=kind)
            return seq

        recorder._append = told
        if not self.job["whole"]:
            self.gateway.board.wdt.stop()
            start = self.gateway.supervisor.start
            self.gateway.supervisor.start = lambda name, *rest, **more: (
                None if name in ASIDE else start(name, *rest, **more))

    def stop(self) -> None:
        self.gateway = None
        Watched.stop(self)

    def pressed(self) -> None:
        self.say("pressed")
        self.push("119")

    def count(self) -> None:
        flash = self.gateway.queue.flash
        self.say("stored", sectors=[len(chain) for chain in flash.chains], total=flash.sectors.total)

    # ------------------------------------------------------------------ as the firmware makes them, by size too
    def status(self, recorder, number: int) -> None:
        recorder.periodic("status", sensor="출입감지기 %d" % (number % SENSORS), ieee=IEEE % (number % SENSORS),
                          place="화장실", type="door", now="good", before="good", dbm=-60, value=False, days=None,
                          heard=1_772_323_200_000 + number, state="good", percent=100, mv=3000, radio_mv=None)

    def mask(self, recorder, number: int) -> None:
        recorder.periodic("activity", sensor="활동량감지기 %d" % (number % MASKS), ieee=IEEE % (number % MASKS),
                          place="침실", mask="%038x" % (number * 0x123456789), known=[1, 1, 1, 1, 1],
                          **{"from": 1_772_323_200_000 + number})

    def door(self, recorder, number: int) -> None:
        recorder.event("door.opened" if number % 2 == 0 else "door.closed", sensor="현관 출입감지기",
                       ieee="00124b0000000003", place="현관")


watched.live(Fortnight)
