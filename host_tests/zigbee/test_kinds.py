"""What kind a device is, from its clusters; the table of exceptions is small, sourced and only about exceptions."""

import ast
import pathlib

import pytest

from zigbee import ias, kinds, quirks, told

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ZONE = [0, 1, 3, 0x0500]


@pytest.mark.req("ZB-14", "ZB-06", "ZB-07", "ZB-08", "ZB-09")
@pytest.mark.parametrize("zone_type,kind", [
    (0x0028, "smoke"), (0x000D, "activity"), (0x0015, "door"), (0x002C, "call_button"), (0x010F, "call_button"),
    (0x0115, "call_button"), (0x021D, "call_button"),
])  # fmt: skip
def test_zone_types(zone_type, kind):
    assert kinds.classify({"servers": ZONE, "clients": [], "zone_type": zone_type}) == (kind, 0, "")


@pytest.mark.parametrize("zone_type", [0x0000, 0x002A, 0x002B, 0x002D, 0x0225, 0x0226, 0x0229, 0x8000])
def test_zones_that_are_not_ours(zone_type):
    """Water, carbon monoxide, vibration, sirens, glass, repeaters."""
    assert kinds.classify({"servers": ZONE, "clients": [], "zone_type": zone_type}) == ("", 0, kinds.UNKNOWN_KIND)


def test_a_zone_type_not_read_yet_is_no_refusal():
    for missing in ({}, {"zone_type": None}, {"zone_type": 0xFFFF}):
        assert kinds.classify({"servers": ZONE, "clients": [], **missing}) == ("", 0, kinds.ZONE_TYPE)


def test_clusters_without_a_zone():
    assert kinds.classify({"servers": [0, 1, 0x0406]})[0] == "activity"
    assert kinds.classify({"servers": [0, 1, 0xFC30]})[0] == "activity"
    assert kinds.classify({"servers": [0, 1], "clients": [0x0501]})[0] == "call_button"
    assert kinds.classify({"servers": [0, 6, 8], "clients": [25]}) == ("", 0, kinds.UNKNOWN_KIND)
    assert kinds.classify({}) == ("", 0, kinds.UNKNOWN_KIND)
    assert kinds.classify({"servers": None, "clients": None, "maker": None, "model": None})[0] == ""


def test_what_has_several_clusters():
    """A zone that says what it is decides; else keys, else eyes."""
    assert kinds.classify({"servers": ZONE + [0x0406], "zone_type": 0x000D})[0] == "activity"
    assert kinds.classify({"servers": ZONE, "clients": [0x0501], "zone_type": 0x000D})[0] == "activity"
    assert kinds.classify({"servers": ZONE, "clients": [0x0501]})[0] == "call_button"  # no need to know its type
    assert kinds.classify({"servers": ZONE + [0x0406], "zone_type": 0xFFFF})[0] == "activity"
    assert kinds.classify({"servers": ZONE + [0x0502], "zone_type": 0x0225})[0] == ""  # a siren


@pytest.mark.req("ZB-14")
def test_a_model_says_what_clusters_do_not():
    facts = {"servers": [0, 3, 0xFFFF, 6], "clients": [0, 4], "maker": "LUMI", "model": "lumi.sensor_magnet.aq2"}
    kind, traits, reason = kinds.classify(facts)
    assert (kind, reason) == ("door", "") and traits & quirks.CONTACT_ON_OFF and traits & quirks.NO_REPORTING
    assert kinds.classify({**facts, "maker": "Another"})[0] == ""


def test_the_endpoint_that_does_the_job():
    hue = [(1, 0xC05E, 0x0850, [0], [0, 3, 4, 5, 6, 8]), (2, 0x0104, 0x0107, [0, 1, 3, 0x0406], [25])]
    frient = [(1, 0xC0C9, 1, [3, 5, 6], []), (35, 0x0104, 0x0402, [0, 1, 3, 0x0500, 0x0502], [10]),
              (38, 0x0104, 0x0302, [0, 3, 0x0402], [3])]  # fmt: skip
    moszb = [(1, 0xC0C9, 1, [3, 5, 6], []), (34, 0x0104, 0x0107, [0, 3, 0x0406], []), (35, 0x0104, 0x0402, ZONE, [])]
    for descriptors, endpoint in ((hue, 2), (frient, 35), (moszb, 35), ([(7, 0x0104, 0, [0], [])], 7), ([], 0)):
        assert kinds.pick(descriptors) == endpoint
        assert kinds.pick(descriptors[::-1]) == endpoint
    assert kinds.pick([(1, 0x0104, 0x0850, [0, 6], []), (2, 0x0104, 0x0401, [0], [0x0501])]) == 2
    assert kinds.pick([(1, 0xC0C9, 1, ZONE, []), (2, 0x0104, 0x0107, [0x0406], [])]) == 2  # a zone of the maker's own


def test_rhythm():
    assert kinds.rhythm_s({"servers": ZONE}) == 14400
    assert kinds.rhythm_s({"servers": [0xFC30, 0x0406]}) == 60
    assert kinds.rhythm_s({"servers": [6], "maker": "LUMI", "model": "lumi.sensor_magnet.aq2"}) == 3600


def test_traits_fit_and_are_apart():
    bits = [quirks.CONTACT_ON_OFF, quirks.LUMI_STRUCT, quirks.LUMI_SMOKE, quirks.ON_OFF_MOTION, quirks.WHOLE_PERCENT,
            quirks.NO_PERCENT, quirks.ALARM_2_IS_TEST, quirks.NO_ALARM_2, quirks.NO_TAMPER, quirks.NO_REPORTING,
            quirks.NO_ENROL, quirks.UNASKED, quirks.LUMI_MODE, quirks.PANIC_BUTTON]  # fmt: skip
    assert sum(bits) == quirks.FRAMES | quirks.VALUES | quirks.INTERVIEW  # each once, each in one group
    assert quirks.FRAMES & quirks.VALUES == quirks.FRAMES & quirks.INTERVIEW == quirks.VALUES & quirks.INTERVIEW == 0
    for row in quirks._ROWS:
        assert 0 <= row[2] < 1 << 30
        assert row[3] in ("", kinds.SMOKE, kinds.ACTIVITY, kinds.CALL_BUTTON, kinds.DOOR)
        assert row[2] or row[3], "a row that changes nothing"
        assert row[0] or row[1]


def test_the_first_row_that_fits_is_the_right_one():
    """No row is hidden by one above it."""
    for row in quirks._ROWS:
        assert quirks.row(row[0], row[1]) is row
    assert quirks.row("", "")[2:] == (0, "", 0)
    assert quirks.row("HEIMAN", "SmokeSensor-EF-3.0")[2] == 0  # a good one needs no row


def test_every_row_has_its_reason_and_its_source():
    """A comment above or beside each row; and it names where the behaviour was seen."""
    lines = (ROOT / "zigbee/quirks.py").read_text(encoding="utf-8").splitlines()
    start = lines.index("_ROWS = (")
    rows = lines[start + 1:lines.index(")  # fmt: skip", start)]
    comment = ""
    seen = 0
    for line in (one.strip() for one in rows):
        if line.startswith("#"):
            comment = line if comment.endswith("row") else comment + line
            continue
        seen += 1
        said = comment + line.partition("  #")[2]
        assert any(word in said for word in ("issue", "quirk", "onverters", "deCONZ", "driver")), line
        comment += "row"
    assert seen == len(quirks._ROWS)


def test_kind_decides_by_clusters_not_by_maker():
    """The code of kinds.py names no maker."""
    tree = ast.parse((ROOT / "zigbee/kinds.py").read_text(encoding="utf-8"))
    docs = {ast.get_docstring(node, clean=False) for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.FunctionDef))}  # fmt: skip
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for text in texts - docs:
        assert not any(row[0] and row[0].lower() in text.lower() for row in quirks._ROWS)


def test_values_of_those_that_mean_something_else():
    adjust = quirks.adjust
    assert adjust(quirks.WHOLE_PERCENT, told.PERCENT, 87) == 174
    assert adjust(quirks.WHOLE_PERCENT, told.PERCENT, 200) == 200
    assert adjust(quirks.NO_PERCENT, told.PERCENT, 200) == -1
    assert adjust(quirks.NO_PERCENT, told.VOLTS, 2900) == 2900
    assert adjust(quirks.ALARM_2_IS_TEST, told.NOTIFIED, ias.ALARM_2) == ias.TEST
    assert adjust(quirks.ALARM_2_IS_TEST, told.LEVEL, ias.ALARM_1 | ias.ALARM_2) == ias.ALARM_1 | ias.TEST
    assert adjust(quirks.NO_ALARM_2, told.NOTIFIED, ias.ALARM_1 | ias.ALARM_2) == ias.ALARM_1
    assert adjust(quirks.NO_TAMPER, told.LEVEL, ias.TAMPER | ias.BATTERY_LOW) == ias.BATTERY_LOW
    assert adjust(quirks.VALUES, told.BUTTON, ias.EMERGENCY) == ias.EMERGENCY
    assert adjust(quirks.VALUES, told.TEMPERATURE, -2000) == -2000


@pytest.mark.req("ZB-06", "ZB-08")
def test_no_row_takes_an_alarm_away():
    """Whatever the row: a smoke detector's or a button's alarm bits come out as an alarm."""
    for row in quirks._ROWS:
        if row[2] & quirks.NO_ALARM_2:
            facts = {"servers": ZONE, "zone_type": 0x000D, "maker": row[0], "model": row[1]}
            assert kinds.classify(facts)[0] == "activity"
            continue
        for bits in (ias.ALARM_1, ias.ALARM_2, ias.TEST, ias.ALARM_1 | ias.ALARM_2):
            assert quirks.adjust(row[2], told.NOTIFIED, bits) & (ias.ANY_ALARM | ias.TEST)


def test_what_the_interview_writes():
    assert quirks.writes(0) == ()
    assert quirks.writes(quirks.LUMI_MODE) == ((1, 0xFCC0, 0x115F, 0x0009, 0x20, b"\x01"),)
    assert quirks.writes(quirks.PANIC_BUTTON) == ((0x20, 0x000F, 0x1015, 0x8000, 0x21, b"\x2c\x00"),)
    assert quirks.mark_s(quirks.row("LUMI", "lumi.sensor_motion.aq2")[2]) == 70
    assert quirks.mark_s(0) == 0
