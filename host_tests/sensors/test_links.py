"""Good, weak and lost, from signal and rhythm."""

import pytest

from firmware.sensing.links import GOOD, LOST, WEAK, Link, dbm_of

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
STRONG, FAINT = 200, 10


def after(link, silent_ms):
    """The state after so much silence, looked at every 10 s."""
    start = link.quiet_ms
    for now in range(start, start + silent_ms + 1, 10 * SECOND):
        link.judge(now)
    return link.state


@pytest.mark.parametrize("lqi,dbm", [(0, -87), (255, -10), (128, -48), (33, -77), (999, -10), (-1, -87)])
def test_dbm_on_the_scale_of_z_stack(lqi, dbm):
    assert dbm_of(lqi) == dbm


@pytest.mark.req("ZB-11")
@pytest.mark.parametrize("silent_ms,state", [
    (5 * MINUTE - 10 * SECOND, GOOD), (5 * MINUTE, WEAK), (10 * MINUTE - 10 * SECOND, WEAK), (10 * MINUTE, LOST)])
def test_an_activity_sensor_is_weak_at_five_minutes_and_lost_at_ten(silent_ms, state):
    link = Link(0, 60, True)
    link.heard(1000, STRONG)
    assert after(link, silent_ms) == state


@pytest.mark.req("ZB-11")
@pytest.mark.req("ZB-15")
def test_a_four_hour_reporter_is_asked_at_five_hours_and_lost_an_hour_and_a_half_later():
    link = Link(0, 4 * 3600, False)
    link.heard(0, STRONG)
    assert not link.wants_question(5 * HOUR - SECOND)
    assert link.wants_question(5 * HOUR)
    link.asked(5 * HOUR)
    assert not link.wants_question(5 * HOUR + 9 * MINUTE)
    assert link.wants_question(5 * HOUR + 10 * MINUTE)
    assert after(link, 5 * HOUR + 15 * MINUTE) == WEAK
    assert after(link, 6 * HOUR + 30 * MINUTE - 10 * SECOND) == WEAK
    assert after(link, 6 * HOUR + 30 * MINUTE) == LOST


@pytest.mark.req("ZB-15")
def test_the_laziest_sleeper_is_lost_well_under_a_day():
    for rhythm_s in (3600, 14_400, 86_400, 7 * 86_400):
        link = Link(0, rhythm_s, False)
        link.heard(0, STRONG)
        assert after(link, 12 * HOUR) == LOST


@pytest.mark.fault(36)
def test_a_detector_that_is_heard_often_warns_at_half_an_hour_and_is_lost_at_two_hours():
    link = Link(0, 12 * 60, False)
    link.heard(0, STRONG)
    assert after(link, 30 * MINUTE - 10 * SECOND) == GOOD
    assert after(link, 30 * MINUTE) == WEAK
    assert after(link, 2 * HOUR - 10 * SECOND) == WEAK
    assert after(link, 2 * HOUR) == LOST


@pytest.mark.req("ZB-15")
def test_who_was_not_heard_since_the_start_is_asked():
    link = Link(0, 14_400, False)
    assert not link.wants_question(59 * SECOND)
    assert link.wants_question(MINUTE)
    link.asked(MINUTE)
    assert not link.wants_question(10 * MINUTE)
    assert link.wants_question(11 * MINUTE)
    link.heard(12 * MINUTE, STRONG)
    assert not link.wants_question(HOUR)


@pytest.mark.req("ZB-11")
def test_a_faint_signal_is_weak_only_when_it_stays_and_good_only_when_it_is_clearly_back():
    link = Link(0, 60, True)
    for minute in range(5):
        link.heard(minute * MINUTE, FAINT)
        link.judge(minute * MINUTE)
    assert link.state == GOOD  # four minutes of it
    link.heard(5 * MINUTE, 34)  # -76.7 dBm rounds to -77: still faint
    link.judge(5 * MINUTE)
    assert link.state == WEAK
    for minute in range(6, 30):
        link.heard(minute * MINUTE, 40)  # -75 dBm: between the two
        link.judge(minute * MINUTE)
    assert link.state == WEAK
    for minute in range(30, 36):
        link.heard(minute * MINUTE, 60)
        link.judge(minute * MINUTE)
    assert link.state == GOOD


def test_one_strong_frame_among_faint_ones_keeps_it_good():
    link = Link(0, 60, True)
    for minute in range(60):
        link.heard(minute * MINUTE, STRONG if minute % 5 == 4 else FAINT)
        link.judge(minute * MINUTE)
        assert link.state == GOOD


def test_a_faint_four_hour_reporter_is_asked_for_a_second_look():
    link = Link(0, 14_400, False)
    link.heard(0, FAINT)
    assert not link.wants_question(5 * MINUTE)
    assert link.wants_question(5 * MINUTE + SECOND)
    link.asked(5 * MINUTE + SECOND)
    link.heard(5 * MINUTE + 3 * SECOND, FAINT)
    assert link.judge(6 * MINUTE) and link.state == WEAK
    assert link.answers


@pytest.mark.fault(37)
def test_excused_silence_means_nothing_and_proves_nothing():
    link = Link(0, 60, True)
    link.heard(0, STRONG)
    link.excuse(9 * MINUTE, 9 * MINUTE)
    assert not link.judge(9 * MINUTE)
    assert after(link, 10 * MINUTE) == LOST
    link.excuse(10 * MINUTE, 19 * MINUTE)
    assert not link.judge(19 * MINUTE) and link.state == LOST  # excused is not heard
    link.heard(20 * MINUTE, STRONG)
    assert link.judge(20 * MINUTE) and link.state == GOOD


def test_what_was_lost_before_the_start_stays_lost_until_it_is_heard():
    link = Link(0, 14_400, False)
    link.recall(LOST, 7 * HOUR, -8 * HOUR, 0)
    assert not link.judge(MINUTE) and link.state == LOST
    link.excuse(7 * HOUR, MINUTE)
    assert not link.judge(MINUTE) and link.state == LOST
    link.heard(2 * MINUTE, STRONG)
    assert link.judge(2 * MINUTE) and link.state == GOOD and link.reported == LOST
