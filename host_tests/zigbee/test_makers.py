"""Bought sensors end to end on MicroPython: paired, recognised, each thing told once, battery understood."""

import json

import pytest

from zigbee import ias, quirks, told

NAMES = {told.NOTIFIED: "notified", told.BUTTON: "button", told.PRESENCE: "present"}
ALARM, ALARM_2, TEST, TAMPER, LOW = ias.ALARM_1, ias.ALARM_2, ias.TEST, ias.TAMPER, ias.BATTERY_LOW
IDLE = 0x20  # the restore bit, which some never clear
IDLE_2 = 0x30  # and the supervision bit
HUSHED = 0x800

# What happens to each kind: (word, method, argument); five minutes apart
USES = {
    "smoke": (("smoke", "set_smoke", True), ("clear", "set_smoke", False), ("test", "test", None)),
    "activity": (("move", "see", 5000), ("again", "see", 5000)),
    "door": (("open", "set_open", True), ("close", "set_open", False)),
    "call_button": (("press", "press", "call"), ("second", "press", "call")),
}


# ... and to some more, after that: (word, method, argument, what it tells)
MORE = {
    "RBSH-SD-ZB-EU": (("smoke again", "set_smoke", True, [ALARM]),
                      ("hush", "hush", None, [ALARM | TEST | HUSHED, ALARM | HUSHED])),
    "W599001": (("heat", "set_heat", True, [ALARM_2]), ("cool", "set_heat", False, [0])),
    "ZB-MotionSensor-D0003": (("bright", "set_bright", True, [0]), ("tampered", "set_tamper", True, [TAMPER])),
    "SMSZB-120": (("tampered", "set_tamper", True, []),),
    "MCT-340 SMA": (("tampered", "set_tamper", True, [TAMPER]),),
    "TS0205": (("tampered", "set_tamper", True, [TAMPER]),),
}  # fmt: skip


class Product:
    """model, kind, what it tells in turn after each of USES, battery at 60 % as (millivolts, half percent)."""

    def __init__(self, model, kind, *tells, volts=1800, percent=120, rhythm_s=(3600, 14400), **more):
        self.model, self.kind, self.tells, self.volts, self.percent = model, kind, tells, volts, percent
        self.rhythm_s, self.more = rhythm_s, more


def n(*values):
    return [("notified", value) for value in values]


SOS = [("button", ias.EMERGENCY)]
LUMI = {"rhythm_s": (3600,), "percent": None}
PRODUCTS = [
    Product("SmokeSensor-EF-3.0", "smoke", n(ALARM | IDLE), n(IDLE), n(ALARM | IDLE, IDLE), volts=None),
    Product("SMSZB-120", "smoke", n(ALARM | IDLE_2), n(IDLE_2), n(TEST | IDLE_2, IDLE_2), percent=None, endpoint=35),
    Product("RBSH-SD-ZB-EU", "smoke", n(ALARM), n(0), n(TEST, 0), volts=None),
    Product("TS0205", "smoke", n(ALARM), n(0), n(ALARM, 0)),
    Product("W599001", "smoke", n(ALARM), n(0), n(TEST, 0)),
    Product("lumi.sensor_smoke", "smoke", n(ALARM), n(0), n(TEST, 0), **LUMI),
    Product("lumi.sensor_smoke.acn03", "smoke", n(ALARM), n(0), n(TEST, 0), **LUMI),
    Product("SML001", "activity", *[[("present", 1), ("present", 0)]] * 2, volts=None, endpoint=2),
    Product("VALLHORN Wireless Motion Sensor", "activity", *[[("present", 1), ("present", 0)]] * 2, endpoint=2),
    Product("TRADFRI motion sensor", "activity", *[[("present", 1)]] * 2, volts=None, mark_s=180),
    Product("MS01", "activity", *[n(ALARM, 0)] * 2),
    Product("CCT595011_AS", "activity", *[n(ALARM_2, 0)] * 2, volts=None),
    Product("3045", "activity", *[n(ALARM_2, 0)] * 2, volts=None),
    Product("ZB-MotionSensor-D0003", "activity", *[n(ALARM, 0)] * 2, volts=None),
    Product("895a2d80097f4ae2b2d40500d5e03dcc", "activity", *[n(ALARM)] * 2, volts=None, mark_s=30),
    Product("lumi.sensor_motion.aq2", "activity", *[[("present", 1)]] * 2, mark_s=70, **LUMI),
    Product("PARASOLL Door/Window Sensor", "door", n(ALARM), n(0), volts=900, percent=200, endpoint=2),
    Product("3RDS17BZ", "door", n(ALARM), n(0)),
    Product("TS0203", "door", n(ALARM), n(0)),
    Product("MCT-340 SMA", "door", n(ALARM), n(0), percent=None),
    Product("SOC001", "door", n(ALARM), n(0), volts=None, endpoint=2),
    Product("lumi.sensor_magnet.aq2", "door", n(ALARM), n(0), **LUMI),
    Product("SOS-EM", "call_button", *[n(ALARM, 0)] * 2, volts=None),
    Product("TS0215A", "call_button", *[SOS] * 2),
    Product("SBTZB-110", "call_button", *[n(ALARM_2 | IDLE_2, IDLE_2)] * 2, percent=None, endpoint=35),
    Product("FNB56-SOS03FB1.5", "call_button", *[n(ALARM_2)] * 2, volts=None),
]

PROGRAM = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from makers_scene import *
market = Market(%r)
def do(model, word, method, argument):
    tell("do", model, word)
    if argument is None:
        getattr(market[model], method)()
    else:
        getattr(market[model], method)(argument)
for model, turn, word, method, argument in %r:
    market.at(60000 + turn * 300000, do, model, word, method, argument)
market.run(13 * 3600000)
"""


class Seen:
    """What was told of one product."""

    def __init__(self, lines, model):
        mine = [line for line in lines if line[1] in ("joined", "refused", "told", "do") and line[2] == model]
        self.joined = [line for line in mine if line[1] == "joined"]
        self.refused = [line for line in mine if line[1] == "refused"]
        self.turns = {}
        word = "before"
        for line in mine:
            if line[1] == "do":
                word = line[3]
            elif line[1] == "told":
                self.turns.setdefault(word, []).append((line[3], line[4]))

    def events(self, word, once):
        """What happened, not what is the case; once: a level told again is no event."""
        found = []
        for kind, value in self.turns.get(word, []):
            event = (NAMES.get(kind), value)
            if kind in NAMES and not (once and found and found[-1] == event):
                found.append(event)
        return found


@pytest.fixture(scope="module")
def market(micropython):
    """Each kind's products are bought, paired and used in one home; played when first asked for."""
    played = {}

    def of(kind):
        if kind not in played:
            models = [one.model for one in PRODUCTS if one.kind == kind]
            plan = []
            for model in models:
                uses = USES[kind] + tuple(one[:3] for one in MORE.get(model, ())) + (("battery", "set_battery", 60),)
                plan += [(model, turn, *use) for turn, use in enumerate(uses)]
            out = micropython(["-c", PROGRAM % (models, plan)])
            played[kind] = [json.loads(line) for line in out.splitlines()]
            assert played[kind][-1][1:] == ["alive", True]
        return played[kind]

    return of


def every(test):
    return pytest.mark.parametrize("product", PRODUCTS, ids=lambda one: one.model)(test)


@pytest.mark.req("ZB-14")
@every
def test_it_is_paired_and_recognised(market, product):
    seen = Seen(market(product.kind), product.model)
    assert not seen.refused
    facts = seen.joined[-1][3]
    assert len(seen.joined) == 1
    assert facts["kind"] == product.kind
    assert facts["ready"] is True
    assert facts["power"] == "battery"
    assert facts["rhythm_s"] in product.rhythm_s
    assert facts["endpoint"] == product.more.get("endpoint", 1)
    assert quirks.mark_s(facts["traits"]) == product.more.get("mark_s", 0)


@pytest.mark.req("ZB-14", "ZB-06", "ZB-07", "ZB-08", "ZB-09")
@every
def test_each_thing_is_told_once(market, product):
    seen = Seen(market(product.kind), product.model)
    for (word, _, _), expected in zip(USES[product.kind], product.tells, strict=True):
        assert seen.events(word, product.kind != "call_button") == expected, word
    for word, _, _, values in MORE.get(product.model, ()):
        assert seen.events(word, True) == n(*values), word


@pytest.mark.req("ZB-14", "ZB-10")
@every
def test_its_battery_is_understood(market, product):
    """At 60 % of the rated voltage; what says nothing is not told."""
    heard = Seen(market(product.kind), product.model).turns["battery"]
    for kind, expected in ((told.VOLTS, product.volts), (told.PERCENT, product.percent)):
        values = [value for one, value in heard if one == kind]
        assert (values[-1] if values else None) == expected


def test_the_market_is_big_enough():
    """Eight makers at least, of each kind three."""
    from hal_sim.zigbee.makers import MODELS

    assert sorted(MODELS) == sorted(one.model for one in PRODUCTS)
    assert len({one.maker.split()[0].strip("_") for one in MODELS.values()}) >= 12
    for kind in USES:
        assert sum(one.kind == kind for one in PRODUCTS) >= 3
