"""Battery classes, hysteresis, three reports, history and days left."""

import pytest

from firmware.sensing.battery import GOOD, LOW, POINTS, REPLACE, UNKNOWN, Battery
from zigbee import told


def tell(cell, times=1, **values):
    changes = 0
    for _ in range(times):
        for name, value in values.items():
            cell.heard({"mv": told.VOLTS, "radio": told.RADIO_VOLTS, "half": told.PERCENT}[name], value)
        changes += cell.report()
    return changes


@pytest.mark.req("ZB-10")
@pytest.mark.parametrize("mv,half,state", [
    (3000, None, GOOD), (2850, None, GOOD), (2849, None, LOW), (2700, None, LOW), (2699, None, REPLACE),
    (2900, 190, GOOD), (2800, 189, LOW), (2700, 180, LOW), (2700, 179, REPLACE),  # told finer by the percentage
    (2700, 200, LOW),  # a percentage that is an estimate says nothing against the voltage
    (3600, None, GOOD), (3230, None, GOOD),
])
def test_classes_by_percent_of_the_rated_voltage(mv, half, state):
    cell = Battery()
    assert cell.state == UNKNOWN
    tell(cell, 3, **({"mv": mv} if half is None else {"mv": mv, "half": half}))
    assert cell.state == state


@pytest.mark.req("ZB-10")
@pytest.mark.req("ZB-18")
def test_three_reports_change_the_class_and_two_do_not():
    cell = Battery()
    assert tell(cell, 1, mv=3000) == 1 and cell.state == GOOD
    for _ in range(5):
        assert tell(cell, 2, mv=2600) == 0
        assert cell.asks  # worth a question
        assert tell(cell, 1, mv=3000) == 0
        assert not cell.asks
    assert tell(cell, 3, mv=2600) == 1 and cell.state == REPLACE
    assert tell(cell, 50, mv=2600) == 0


def test_the_first_report_counts_unless_it_says_replace():
    cell = Battery()
    assert tell(cell, 2, mv=2500) == 0 and cell.state == UNKNOWN
    assert tell(cell, 1, mv=2500) == 1 and cell.state == REPLACE


@pytest.mark.req("ZB-18")
def test_hysteresis_keeps_a_battery_that_hovers_in_its_class():
    cell = Battery()
    tell(cell, 3, mv=2690)
    assert cell.state == REPLACE
    tell(cell, 9, mv=2730)
    assert cell.state == REPLACE
    tell(cell, 3, mv=2750)
    assert cell.state == LOW
    tell(cell, 9, mv=2880)
    assert cell.state == LOW
    tell(cell, 3, mv=2900)
    assert cell.state == GOOD


@pytest.mark.req("ZB-06")
def test_of_two_batteries_the_worse_one_counts_and_both_are_kept():
    cell = Battery()
    tell(cell, 3, mv=3000, radio=2600)
    assert (cell.state, cell.mv, cell.radio_mv, cell.percent) == (REPLACE, 3000, 2600, 86)
    tell(cell, 3, mv=3000, radio=3000)
    assert cell.state == GOOD


def test_without_a_voltage_the_percentage_is_an_estimate_of_what_is_left():
    cell = Battery()
    tell(cell, 1, half=178)
    assert (cell.state, cell.percent) == (GOOD, 89)
    tell(cell, 3, half=160)
    assert cell.state == LOW
    tell(cell, 3, half=130)
    assert (cell.state, cell.percent) == (REPLACE, 65)
    tell(cell, 3, half=255)  # "unknown"
    assert cell.half_percent == 130


def test_the_low_bit_counts_alone_and_beside_a_voltage_that_looks_good():
    cell = Battery()
    for low in (False, True, True, True):
        cell.heard_bit(low)
        cell.report()
    assert cell.state == REPLACE
    other = Battery()
    tell(other, 1, mv=3000)
    for _ in range(3):
        other.heard_bit(True)
        other.report()
    assert other.state == REPLACE
    other.heard_bit(False)
    tell(other, 3, mv=3000)
    assert other.state == GOOD


@pytest.mark.parametrize("mv,rated", [(1550, 1500), (3250, 3000), (3650, 3600), (4700, 4500),
                                      (6400, 6000), (9300, 9000)])
def test_what_battery_it_is_shows_in_the_highest_voltage(mv, rated):
    cell = Battery()
    tell(cell, 1, mv=mv)
    tell(cell, 1, mv=mv // 2)
    assert cell.rated_mv == rated


def test_nonsense_changes_nothing():
    cell = Battery()
    tell(cell, 3, mv=0)
    tell(cell, 3, mv=-5)
    tell(cell, 3, mv=70_000)
    assert cell.state == UNKNOWN and cell.permille() == -1 and cell.percent is None


# --------------------------------------------------------------------- history
def aged(days, first_mv, mv_a_day, step=1, day=20_000):
    """A battery that fell so far, looked at every day; its voltage told in steps."""
    cell = Battery()
    warned = []
    for n in range(days):
        mv = int(first_mv - mv_a_day * n)
        tell(cell, 1, mv=(mv + step // 2) // step * step)
        cell.note(day + n)
        if cell.warns(day + n):
            warned.append(n)
    return cell, day + days - 1, warned


@pytest.mark.req("ZB-18")
def test_days_left_by_the_slope_of_its_history():
    cell, day, _ = aged(100, 3000, 1)
    assert abs(cell.days_left(day) - 200) <= 3
    coarse, day, _ = aged(160, 3000, 1, step=100)
    assert abs(coarse.days_left(day) - 140) <= 40


@pytest.mark.fault(38)
@pytest.mark.req("ZB-18")
def test_the_warning_comes_thirty_days_ahead_once():
    _, _, warned = aged(299, 3000, 1)
    assert len(warned) == 1 and 262 <= warned[0] <= 272


def test_no_estimate_without_a_fall_or_enough_of_history():
    assert aged(13, 3000, 5)[0].days_left(20_012) is None
    assert aged(400, 3000, 0)[0].days_left(20_399) is None
    assert aged(400, 2900, -0.2)[0].days_left(20_399) is None


def test_a_new_battery_begins_a_new_history():
    cell, day, _ = aged(250, 3000, 1)
    assert cell.count > 3
    tell(cell, 3, mv=3100)
    cell.note(day + 1)
    assert cell.count == 1 and cell.days_left(day + 1) is None


def test_ten_years_of_history_stay_bounded():
    cell, day, _ = aged(3650, 3000, 0.07)
    assert 2 <= cell.count <= POINTS and cell.days[cell.count - 1] <= day
    assert cell.days_left(day) is not None
