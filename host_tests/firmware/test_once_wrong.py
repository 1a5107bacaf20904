"""What was once found wrong in the product's part of registering, keeping and taking over."""

import asyncio
import json

import pytest
from doubled_gateway import Gateway
from flashed import Chip, Log, live, patch, saved

from firmware.sensing.registry import Registry

OLD = [{"name": "kitchen", "kind": "smoke", "place": "부엌", "ieee": "00124b0000000001"}]


@pytest.mark.fault(20)
def test_an_old_list_does_not_take_the_place_of_one_that_is_lost(monkeypatch):
    """The installer's file serves for this time, and the loss is said at each start."""
    chip = Chip()
    patch(monkeypatch, chip.clock)
    saved(chip, sensors=json.dumps({"format": 1, "sensors": []}).encode())
    for sector in (2, 9):
        chip.partition().writeblocks(sector, bytes(8), 256)
    for _ in (1, 2):
        store = chip.boot()
        registry = Registry(store, OLD, Log())
        live(store)
        assert registry.count() == 1 and not registry.whole and store.lost == ["sensors"]


@pytest.mark.req("ZB-03")
def test_thirty_two_with_the_longest_names_and_much_to_say_are_kept(micropython):
    """It was 24 KB where 20 KB had room: from then on nothing was kept any more. On the board's Python, as the board
    writes Korean as it is.
    """
    program = """
import sys
sys.path[:0] = ["host_tests/shims"]
from firmware.log import Log
from firmware.sensing.registry import PLACES, Registry
from firmware.store import Store
facts = {"maker": "m" * 32, "model": "x" * 32, "endpoint": 1, "servers": [0, 1, 3, 9, 32, 1026, 1029, 1280, 1282, 2821],
         "clients": [25, 10, 6], "elsewhere": [[1026, 2]], "zone_type": 40, "kind": "smoke", "power": "battery",
         "traits": 1024, "code": True, "rhythm_s": 14400, "device": 1026, "ready": True, "period_s": 14400,
         "done": ["node", "endpoints", "clusters", "model", "zone", "kind", "enrol", "bind", "report", "poll", "state"],
         "lacks": ["report 0001/0021", "report 0402/0000", "check-in", "long poll"]}
class Clock:
    def ms(self):
        return 0
store = Store(None, Clock(), Log(None, Clock()))
registry = Registry(store, [], Log(None, Clock()))
for number in range(PLACES):
    registry.add("%016x" % (number + 1), dict(facts))
    print(registry.rename(number, ("감지기 %d " % number + "가" * 40)[:40], "방" * 40))
print(registry.save(), store.load("sensors") is not None)
"""
    assert micropython(["-c", program]).split() == ["True", "True"]


@pytest.mark.req("ZB-02")
@pytest.mark.fault(30)
def test_a_radio_chip_of_unknown_firmware_lets_nobody_in():
    gateway = Gateway(OLD)
    gateway.network.known_firmware = False
    assert gateway.registration.open() == gateway.registration.replace("kitchen") == "unknown radio firmware"
    assert gateway.pairing.asked == []


@pytest.mark.req("ZB-02")
def test_a_boot_that_keeps_nothing_lets_nobody_in():
    """Without the store's task a sensor that joined would be forgotten at the next boot, and its alarms with it."""
    gateway = Gateway(OLD)
    gateway.boots.safe = True
    assert gateway.registration.open() == "not now" and gateway.pairing.asked == []


def test_a_field_of_null_is_a_field_that_is_missing():
    gateway = Gateway(OLD)
    assert gateway.commands.run("sensors.register", {"seconds": None}, 1) == ""
    assert gateway.pairing.asked == [("open", 60, False)]


@pytest.mark.fault(104)
@pytest.mark.parametrize(("line", "taken"), [
    ('{"to": "\\\\ud83d\\\\ude00"}', "0"), ('{"to": "\\\\uD83D"}', "0"), ("{\"to\": \"\\xed\\xa0\\xbd\"}", "0"),
    ('{"to": "\\\\uac10 \\\\u00e9"}', "1"), ("{\"to\": \"\\xf0\\x9f\\x98\\x80 \\xed\\x9e\\xa3\"}", "1")])
def test_half_a_character_never_gets_in(micropython, line, taken):
    """The board's Python keeps halves of a pair as they are: a sensor named with them made every record of it, an
    emergency's too, no UTF-8 that a relay could read.
    """
    program = ("import sys\nsys.path[:0] = ['host_tests/shims']\nfrom firmware.jsonlines import JsonLines\ngot = []\n"
               "lines = JsonLines(None, lambda message: got.append(message) or True, 640)\n"
               f"lines.feed(b'''{line}\\n''')\nprint(len(got))\n")
    assert micropython(["-c", program]).split() == [taken]


@pytest.mark.fault(15)
@pytest.mark.fault(78)
def test_commands_by_the_thousand_do_not_wear_the_flash_out(monkeypatch):
    """A relay that has sensors renamed without end would have worn a sector out within two days."""
    chip = Chip()
    patch(monkeypatch, chip.clock)
    store = chip.boot()
    day = 24 * 3_600_000

    async def rename(store):
        number = 0
        while chip.clock.now < 3 * day:
            number += 1
            assert store.save("sensors", b"name %d" % number)
            await asyncio.sleep_ms(3000)
        return number

    assert live(store, rename, settle=False) > 50_000
    assert store.writes <= 2 * (1000 + 3 * 24) and any("too often" in fault for fault in store.faults)
    assert int(chip.boot().load("sensors")[5:]) > 50_000, "the last hour's was kept all the same"
