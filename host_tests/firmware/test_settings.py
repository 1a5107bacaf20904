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


def test_sensors_that_are_not_whole_are_left_out_and_named():
    good = {"name": "a", "kind": "smoke", "place": "x", "ieee": "00124b0000000001"}
    bad = [1, {}, {**good, "kind": "tank"}, {**good, "name": 5}, {**good, "ieee": "12"}, dict(good)]
    log = Log()
    assert st.check_sensors([good, *bad], log) == [good]
    assert len(log.lines) == len(bad)
    assert st.check_sensors("nonsense", log) == []
    assert len(st.check_sensors([{**good, "ieee": "%016x" % i} for i in range(99)], log)) == 32


@pytest.mark.parametrize("text", ["", "{", "\x00", "[1, 2", "x" * 20000])
def test_a_bad_file_is_said_to_be_bad(tmp_path, text):
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(st.Unreadable, match="settings.json"):
        st.read_json(str(path))
    assert st.read_json(str(tmp_path / "missing")) is None
    path.write_text(json.dumps({"a": 1, "place": "부엌"}, ensure_ascii=False), encoding="utf-8")
    assert st.read_json(str(path)) == {"a": 1, "place": "부엌"}
