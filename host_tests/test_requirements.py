"""Every requirement and fault of docs/requirements.toml has a test, and the page that says so is true."""

import pytest

from tools import requirements


def test_every_requirement_and_fault_has_a_test():
    assert not requirements.missing(requirements.wording(), requirements.shown())


def test_the_page_is_what_the_tests_say():
    expected = requirements.page(requirements.wording(), requirements.shown())
    assert requirements.PAGE.read_text(encoding="utf-8") == expected, "write it anew: python -m tools.requirements"


def test_an_id_without_a_test_is_seen():
    texts = {"req": {"EMG-99": "made up", "EMG-04": "dialled"}, "fault": {"199": "made up"}}
    found = {("req", "EMG-04"): ["host_tests/test_x.py"]}
    assert requirements.missing(texts, found) == ["EMG-99", "199"]
    assert "| EMG-99 | made up | **nothing yet** |" in requirements.page(texts, found)


def test_marks_are_found_wherever_they_stand():
    source = """
pytestmark = pytest.mark.fault(45)
@pytest.mark.req("EMG-01")
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.req("EMG-02"))])
def test_one(x): pass
# @pytest.mark.req("EMG-03")
"""
    assert requirements.marks(source, "x") == {("fault", "45"), ("req", "EMG-01"), ("req", "EMG-02")}


@pytest.mark.parametrize("mark", ['req("EMG-1")', "req()", 'fault("forty")', "req(NAME)", 'req("emg-01")'])
def test_a_mark_that_names_nothing_is_refused(mark):
    with pytest.raises(requirements.MarkError, match="x:1"):
        requirements.marks(f"a = pytest.mark.{mark}", "x")
