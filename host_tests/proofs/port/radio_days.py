"""Days of a home whose radio chip fails at random moments: what happened and what the gateway made of it.

MicroPython: radio_days.py DAYS SEED. A JSON list a line: [what, ms, event, index], at last ["end", ...]. A smoke
detector and a pendant act at random times; every few hours the chip hangs, restarts, talks garbage or is unplugged.
"""

import json
import random
import sys

sys.path[:0] = [".", "host_tests/zigbee"]

import scene  # noqa: E402

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FAULTS = ("hang", "reset", "garbage", "unplugged", "nv_lost", "replace")
LASTS_MS = 40_000  # a plug is put back, the noise ends; a pendant tries for about a minute
SETTLED_MS = 30_000
FIRE, FIRE_CLEAR, CALL = 1, 2, 3

days, seed = int(sys.argv[1]), int(sys.argv[2])
random.seed(seed)
faults: dict = {}
scene.tell = lambda *_args: None  # days of log lines help nobody
home = scene.Scene()


def tell(what: str, event: int, index: int) -> None:
    print(json.dumps([what, scene.sched.now_ms, event, index]))


home.sensors.sink = lambda event, arg: tell("heard", event, arg)
identity = home.devices["smoke"].member.identity  # channel, PAN, extended PAN, key: what the sensors remember


def smoke() -> None:
    """Smoke for two minutes."""
    tell("told", FIRE, 0)
    home.chip.smoke("smoke", True)
    home.at(scene.sched.now_ms + 120_000, clear)


def clear() -> None:
    tell("told", FIRE_CLEAR, 0)
    home.chip.smoke("smoke", False)


def press() -> None:
    tell("told", CALL, 1)
    home.chip.call_button("pendant", "call")


def fault() -> None:
    name = random.choice(FAULTS)
    faults[name] = faults.get(name, 0) + 1

    home.chip.set_fault(name)
    if name != "reset":
        home.at(scene.sched.now_ms + LASTS_MS, mend, name)
    if random.randrange(2):  # something happens in the middle of it
        home.at(scene.sched.now_ms + random.randrange(LASTS_MS), random.choice((smoke, press)))


def mend(name: str) -> None:
    if name != "hang":  # the gateway has to see to that by itself
        home.chip.set_fault("none")


end_ms = days * DAY_MS
for day in range(days):
    for number in range(6):
        begin = day * DAY_MS + number * 4 * HOUR_MS
        home.at(begin + 60_000 + random.randrange(HOUR_MS), fault)
        home.at(begin + 2 * HOUR_MS + random.randrange(HOUR_MS), smoke)
        home.at(begin + 3 * HOUR_MS + random.randrange(HOUR_MS // 2), press)
home.run(end_ms + SETTLED_MS)
running = home.chip.air.running
same = running is not None and running.identity == identity
print(json.dumps(["end", faults, same, home.coordinator.ready, home.coordinator.supervisor.starts]))
