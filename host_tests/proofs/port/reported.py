"""Days and weeks of a home's records on their way to the relay, through the real queue, link, TLS and MQTT.

Job: `whole`: true runs the whole firmware with its sensors; false leaves out radio and telephone, whose polling takes
hours of processor time, and makes the same records by the world's clock: of `sensors` a status every 4 hours, of
`masks` of them an activity record every 5 min, `events` a day. `gaps`: [from, to] without the network. `cuts`: when the
power fails. `press_ms`: when somebody presses 119. Prints `made` for each record whose making returned, the relay's
lines, before the end of each gap which sectors are used, and at the end what went over the mobile link.
"""

import json

from host_tests.proofs.port import watched
from host_tests.proofs.port.watched import SCHED, Watched

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
ASIDE = ("zigbee", "phone", "speaker", "supervision", "announcements", "registration", "takeover", "screen", "touch",
         "emergency tick", "front tick", "watchdog")  # nobody beats without the ticks
IEEE = "00124b00%08x"


class Reported(Watched):
    keep = ("relay", "repeat", "boot", "dial", "silent", "heard")

    def __init__(self, *args) -> None:
        Watched.__init__(self, *args)
        job = self.job
        for down_ms, up_ms in job["gaps"]:
            SCHED.at(down_ms, self.net.set_attached, False)
            SCHED.at(up_ms - 1, self.count)
            SCHED.at(up_ms, self.net.set_attached, True)
        for at in job["cuts"]:
            SCHED.at(at, self.power_cut, 2000)
        for at in job["press_ms"]:
            SCHED.at(at, self.pressed)
        SCHED.at(job["scenario"]["until"] - 1, self.used)
        if not job["whole"]:
            self.every(4 * HOUR_MS // job["sensors"], self.status)
            self.every(5 * MINUTE_MS // job["masks"], self.mask)
            self.every(DAY_MS // job["events"], self.door)

    def every(self, step_ms: int, make) -> None:
        def turn(number: int) -> None:
            if self.gateway is not None and self.board is not None:
                make(self.gateway.recorder, number)
            SCHED.after(step_ms, turn, number + 1)

        SCHED.after(step_ms, turn, 0)

    def began(self) -> None:
        queue = self.gateway.queue
        append = queue.append

        def told(boot, seq, data, stream) -> None:
            append(boot, seq, data, stream)
            self.say("made", boot=boot, seq=seq, kind=json.loads(data)["kind"])

        queue.append = told
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

    def used(self) -> None:
        net = self.net
        self.say("used", up=net.up_bytes, down=net.down_bytes, up_packets=net.up_packets, down_packets=net.down_packets,
                 wire=net.wire_bytes(), connections=net.connections)

    # ------------------------------------------------------------------ as the firmware makes them, by size too
    def status(self, recorder, number: int) -> None:
        which = number % self.job["sensors"]
        recorder.periodic("status", sensor="출입감지기 %d" % which, ieee=IEEE % which, place="화장실", type="door",
                          now="good", before="good", dbm=-60, value=False, days=None, state="good", percent=100,
                          mv=3000, radio_mv=None, heard=1_772_323_200_000 + number)

    def mask(self, recorder, number: int) -> None:
        which = number % self.job["masks"]
        recorder.periodic("activity", sensor="활동량감지기 %d" % which, ieee=IEEE % which, place="침실",
                          mask="%038x" % (number * 0x123456789), known=[1, 1, 1, 1, 1],
                          **{"from": 1_772_323_200_000 + number})

    def door(self, recorder, number: int) -> None:
        recorder.event("door.opened" if number % 2 == 0 else "door.closed", sensor="현관 출입감지기",
                       ieee="00124b0000000003", place="현관")


watched.live(Reported)
