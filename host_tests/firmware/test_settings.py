"""Settings and known sensors: legal values only, whatever stands in the files."""

import json

import pytest

from firmware import settings as st


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, text):
        self.lines.append(text)


@pytest.mark.fault(20)
@pytest.mark.parametrize("values", [None, 1, [], "x", {"tester": 5}, {"tester": "119"}, {"volume": 9},
                                    {"allowed": ["x"]}, {"allowed": ["1"] * 15}, {"gateway": ""},
                                    {"emergency_number": "1"}, {"119": "0"}])
def test_a_bad_value_gives_its_default(values):
    log = Log()
    settings = st.Settings(values, log)
    assert (settings.get("tester"), settings.get("volume"), settings.get("allowed")) == ("", 4, [])
    assert settings.get("gateway") == "GW-000000"
    assert bool(log.lines) == isinstance(values, dict)


@pytest.mark.req("TST-02")
@pytest.mark.parametrize(("number", "good"), [
    ("01012345678", True), ("+821012345678", True), ("", True), ("119", False), ("112", False), ("01 1", False),
    ("+", False), ("02119", False), ("+82119", False), ("031112", False), ("00119", False), ("1588", False),
    ("1" * 16, False), (None, False), ("010-1234", False)])
def test_who_may_be_the_tester(number, good):
    assert st.is_tester(number) is good


def test_there_is_no_setting_for_119():
    assert st.check_setting("emergency_number", "1") and st.check_setting("119", "1")


class Shelf:
    """A store in memory."""

    works = True
    lost = ()

    def __init__(self, data=None):
        self.data = data

    def load(self, name):
        return self.data

    def save(self, name, data):
        assert name == "settings"
        self.data = data
        return True


@pytest.mark.req("ZB-13")
def test_what_is_changed_at_run_time_wins_and_stays():
    shelf, told = Shelf(), []
    settings = st.Settings({"status_period_h": 2, "tester": "01012345678"}, Log(), shelf)
    settings.on_change = lambda *what: told.append(what)
    assert settings.get("status_period_h") == 2
    assert settings.change("status_period_h", 3, "care") == "" == settings.change("door_announce", False, "gateway")
    assert settings.change("door_announce", False, "gateway") == ""
    assert told == [("status_period_h", 3, "care"), ("door_announce", False, "gateway")]
    again = st.Settings({"status_period_h": 2, "tester": "01012345678"}, Log(), shelf)
    assert (again.get("status_period_h"), again.get("door_announce"), again.get("tester")) == (3, False, "01012345678")
    assert again.all() == {"status_period_h": 3, "door_announce": False, "tester": "01012345678"}


@pytest.mark.req("ZB-05")
@pytest.mark.fault(20)
def test_settings_that_are_lost_open_no_window_without_codes():
    shelf = Shelf()
    shelf.lost = ("settings",)
    settings = st.Settings({"status_period_h": 2}, Log(), shelf)
    assert settings.get("install_code_required") is True and settings.get("status_period_h") == 2
    assert settings.change("install_code_required", False, "gateway") == ""
    assert st.Settings({}, Log(), Shelf(shelf.data)).get("install_code_required") is False


@pytest.mark.parametrize(("name", "value"), [
    ("status_period_h", 0), ("status_period_h", 5), ("status_period_h", "4"), ("status_period_h", True),
    ("status_period_h", 2.5), ("door_announce", 1), ("install_code_required", None), ("other", 1), (None, 1), ([], 1),
    ("tester", "01012345678"), ("gateway", "GW-1"), ("119", "1"), ("day_from", 13), ("day_to", 25)])
def test_what_cannot_be_changed_is_refused_and_nothing_is_kept(name, value):
    shelf = Shelf()
    settings = st.Settings({}, Log(), shelf)
    assert settings.change(name, value, "care") != ""
    assert shelf.data is None and settings.all() == {}


@pytest.mark.fault(20)
@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b'{"status_period_h": 9, "volume": true}'])
def test_bad_changes_in_the_store_give_the_base(data):
    settings = st.Settings({"status_period_h": 2}, Log(), Shelf(data))
    assert (settings.get("status_period_h"), settings.get("volume")) == (2, 4)


@pytest.mark.parametrize("text", ["", "{", "\x00", "[1, 2", "x" * 20000])
def test_a_bad_file_is_said_to_be_bad(tmp_path, text):
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(st.Unreadable, match="settings.json"):
        st.read_json(str(path))
    assert st.read_json(str(tmp_path / "missing")) is None
    path.write_text(json.dumps({"a": 1, "place": "부엌"}, ensure_ascii=False), encoding="utf-8")
    assert st.read_json(str(path)) == {"a": 1, "place": "부엌"}
