"""The list of sensors: indices that stay, names that are unique, bad entries that cost nobody else anything."""

import json

import pytest
from flashed import Chip, Log, live, patch

from firmware.sensing.registry import PLACES, Registry, check_entry

FACTS = {"maker": "HEIMAN", "model": "SmokeSensor-EF-3.0", "endpoint": 1, "servers": [0, 1, 3, 9, 1280, 1282, 2821],
         "clients": [25], "zone_type": 40, "kind": "smoke", "power": "battery", "traits": 0, "code": False,
         "rhythm_s": 14400, "done": ["node", "endpoints", "simple", "basic", "bind", "report", "enrol"], "ready": True}


class Shelf:
    """A store in memory."""

    works = True
    lost = ()

    def __init__(self, data=None):
        self.data = data
        self.saves = 0

    def load(self, name):
        return self.data

    def save(self, name, data):
        assert name == "sensors"
        self.data = data()
        self.saves += 1
        return True


def ieee(number):
    return "00124b%010x" % number


def facts(kind="smoke"):
    return {**FACTS, "kind": kind}


def names(registry):
    return [entry and entry["name"] for entry in registry.entries]


OLD = [{"name": "kitchen", "kind": "smoke", "place": "부엌", "ieee": ieee(1)},
       {"name": "door", "kind": "door", "place": "", "ieee": ieee(2).upper()}]


@pytest.mark.req("ZB-03")
def test_the_old_file_is_taken_over_once():
    shelf = Shelf()
    first = Registry(shelf, OLD, Log())
    assert names(first)[:3] == ["kitchen", "door", None] and first.entries[1]["ieee"] == ieee(2)
    first.remove(0)
    again = Registry(shelf, OLD, Log())
    assert names(again)[:3] == [None, "door", None], "the store's list wins, and the index stays"
    again.remove(1)
    assert Registry(shelf, OLD, Log()).count() == 0, "an empty list is a list"


@pytest.mark.req("ZB-03")
def test_several_of_a_kind_get_names_of_their_own():
    registry = Registry(Shelf(), [], Log())
    for number, kind in enumerate(["smoke", "smoke", "call_button", "activity", "door", "smoke"]):
        assert registry.add(ieee(number), facts(kind)) == number
    assert names(registry)[:6] == [
        "화재감지기 1", "화재감지기 2", "응급호출기 1", "활동량감지기 1", "출입감지기 1", "화재감지기 3"]
    registry.remove(1)
    assert registry.add(ieee(9), facts()) == 1 and names(registry)[1] == "화재감지기 2"


@pytest.mark.req("ZB-03")
def test_thirty_two_fit_with_all_their_facts_and_no_more(monkeypatch):
    chip = Chip()
    patch(monkeypatch, chip.clock)
    store = chip.boot()
    registry = Registry(store, [], Log())
    for number in range(PLACES):
        assert registry.add(ieee(number), facts()) == number
        assert registry.rename(number, "거실과 부엌 사이의 화재감지기 %d" % number, "아주 긴 이름의 방") == ""
    assert registry.full() and registry.add(ieee(99), facts()) == -1
    live(store)
    again = Registry(chip.boot(), [], Log())
    assert again.entries == registry.entries
    assert len(json.dumps({"s": registry.entries}, ensure_ascii=False).encode()) < 20224


def test_rename_says_why_not():
    registry = Registry(Shelf(), OLD, Log())
    entry = registry.entries[0]
    assert registry.rename(0, "침실 감지기", "침실") == "" and registry.find("침실 감지기") == 0
    assert entry["place"] == "침실", "changed in place"
    assert registry.rename(0, "door") == "name taken"
    assert registry.rename(0, "침실 감지기") == ""
    assert registry.rename(0, None, "안방") == "" and entry["name"] == "침실 감지기"
    for bad in ("", "  ", "x" * 41, "a\nb", 5):
        assert registry.rename(0, bad) == "bad name"
        if bad not in ("", "  "):
            assert registry.rename(0, "good", bad) == "bad place"
    assert entry["name"] == "침실 감지기", "nothing is changed by halves"
    assert registry.rename(5, "x") == registry.rename(-1, "x") == registry.rename(99, "x") == "unknown sensor"


@pytest.mark.req("ZB-03")
def test_a_replaced_sensor_keeps_index_name_and_place():
    registry = Registry(Shelf(), OLD, Log())
    own = registry.add(ieee(7), facts())
    registry.replace(0, ieee(7), facts())
    assert registry.entries[0] == {**OLD[0], "ieee": ieee(7), "facts": facts()} and registry.entries[own] is None
    assert registry.by_ieee(ieee(7)) == 0 and registry.by_ieee(ieee(1)) == -1


@pytest.mark.fault(20)
@pytest.mark.parametrize("bad", [
    1, "x", [], {}, {**OLD[0], "name": ""}, {**OLD[0], "name": 3}, {**OLD[0], "kind": "tank"}, {**OLD[0], "ieee": "12"},
    {**OLD[0], "ieee": "g" * 16}, {**OLD[0], "ieee": None}, {**OLD[0], "place": 5}, {**OLD[0], "facts": []},
    {**OLD[0], "name": "other"}, {**OLD[0], "ieee": ieee(5)}, {**OLD[0], "kind": None}])
def test_a_bad_entry_is_named_and_the_others_keep_their_places(bad):
    log = Log()
    registry = Registry(Shelf(json.dumps({"format": 1, "sensors": [OLD[0], bad, OLD[1]]}).encode()), [], log)
    assert names(registry)[:4] == ["kitchen", None, "door", None]
    assert len(log.lines) == 1 and "sensor 2" in log.lines[0]


@pytest.mark.fault(20)
@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b"{}", b'{"format": 2, "sensors": []}', b'{"format": 1}',
                                  b"nul", b'{"format": 1, "sensors": {}}'])
def test_a_list_that_cannot_be_read_gives_the_imported_one(data):
    assert names(Registry(Shelf(data), OLD, Log()))[:2] == ["kitchen", "door"]


def test_each_change_is_kept_and_reading_is_not_a_change():
    shelf = Shelf()
    registry = Registry(shelf, [], Log())
    assert shelf.saves == 0
    registry.add(ieee(1), facts())
    registry.rename(0, "이름")
    registry.learn(0, facts("smoke"))
    registry.replace(0, ieee(2), facts())
    registry.remove(0)
    assert shelf.saves == 5
    assert registry.add(ieee(3), {}) == registry.add("x", facts()) == -1 and shelf.saves == 5


def test_a_store_that_fails_costs_no_sensor():
    shelf = Shelf()
    shelf.save = lambda name, data: 1 / 0
    log = Log()
    registry = Registry(shelf, [], log)
    assert registry.add(ieee(1), facts()) == 0 and registry.count() == 1
    assert "could not be kept" in log.lines[0]


def test_an_address_is_taken_in_capitals_too():
    assert check_entry(OLD[1]) == ""
    assert Registry(Shelf(), OLD, Log()).by_ieee(ieee(2).upper()) == 1


def test_it_runs_on_the_board_s_python(micropython):
    program = (
        "import sys\nsys.path[:0] = ['.', 'host_tests/shims']\nfrom firmware.sensing.registry import Registry\n"
        "class S:\n data = None\n works = True\n lost = ()\n def load(self, n): return S.data\n"
        " def save(self, n, d):\n  S.data = d()\n  return True\n"
        "class L:\n def error(self, t): print(t)\n"
        "r = Registry(S(), [], L())\n"
        "for i in range(32): r.add('00124b00000000%02x' % i, {'kind': 'smoke', 'done': []})\n"
        "r.rename(3, '침실 \\\"가\\\"', '안방')\nr.remove(4)\n"
        "a = Registry(S(), [], L())\nprint(a.entries == r.entries, a.count(), a.find('침실 \\\"가\\\"'))\n")
    assert micropython(["-c", program]).split() == ["True", "31", "3"]


def test_who_was_removed_is_remembered_until_it_left_or_joined_again():
    shelf = Shelf()
    registry = Registry(shelf, [], Log())
    for number in range(20):
        assert registry.add(ieee(number), facts()) == 0
        registry.remove(0)
    assert registry.gone == [ieee(number) for number in range(4, 20)]
    registry.left(ieee(4))
    registry.left(ieee(99))
    registry.add(ieee(5), facts())
    registry.replace(0, ieee(6), facts())
    assert Registry(shelf, [], Log()).gone == [*(ieee(number) for number in range(7, 20)), ieee(5)]
    whole = json.loads(shelf.data)
    for bad in (None, 7, ["x", ieee(1), 5]):
        again = Registry(Shelf(json.dumps({**whole, "gone": bad}).encode()), [], Log())
        assert again.gone == ([ieee(1)] if isinstance(bad, list) else []) and again.count() == 1
