"""Minutes of movement: masks, gaps, repeats, restarts, bought sensors."""

import random

import pytest

from firmware.sensing.masks import MINUTES, Mask

MINUTE = 60_000


def drive(reports, until, mask=None, hold_ms=0):
    """reports: (at_ms, number, mask[, before[, valid]]); all windows taken until then, looked at every 10 s."""
    mask = mask or Mask(0, hold_ms)
    windows = []
    todo = sorted(reports)
    for now in range(0, until + 1, 10_000):
        while todo and todo[0][0] <= now:
            at, number, bits, *rest = todo.pop(0)
            before = rest[0] if rest else 0
            mask.report(at, number, bits, before, rest[1] if len(rest) > 1 else True)
        while mask.due(now):
            windows.append(mask.take(now))
    return windows


def minutes(windows):
    """Minute of the gateway -> its 30 bits, None where it is not known."""
    found = {}
    for begin, text, known in windows:
        bits = int(text, 16)
        assert len(text) == 38 and begin % (MINUTES * MINUTE) == 0 and bits >> 150 == 0
        for place in range(MINUTES):
            value = bits >> 30 * place & 0x3FFFFFFF
            found[begin // MINUTE + place] = value if known >> place & 1 else None
            assert known >> place & 1 or not value
    return found


def stream(count, first_ms=25_000, jitter=None, period_ms=MINUTE):
    """A sensor's reports: minute n is n + 1 in its mask, and ends at first_ms + (n + 1) minutes."""
    dice = jitter or (lambda n: 0)
    return [(first_ms + (n + 1) * period_ms + dice(n), n, n + 1, n if n else 0) for n in range(count)]


@pytest.mark.req("ZB-07")
@pytest.mark.req("SNS-03")
def test_every_minute_of_a_good_hour_is_there_once():
    found = minutes(drive(stream(60), 70 * MINUTE))
    assert [found[n] for n in range(60)] == [n + 1 for n in range(60)]
    assert set(found) >= set(range(60))


@pytest.mark.req("SNS-03")
@pytest.mark.parametrize("first_ms", [0, 1, 999, 29_999, 30_000, 30_001, 59_999])
def test_nothing_is_lost_over_a_boundary_however_late_each_report_is(first_ms):
    dice = random.Random(first_ms)
    reports = stream(200, first_ms, lambda n: dice.choice((0, 1, 900, 29_000, 58_000)))
    found = minutes(drive(reports, 215 * MINUTE))
    values = [value for _, value in sorted(found.items()) if value]
    assert values == list(range(1, 201))


def test_a_lost_report_is_filled_from_the_next_and_two_are_unknown():
    reports = [one for one in stream(30) if one[1] not in (7, 15, 16)]
    found = minutes(drive(reports, 40 * MINUTE))
    assert found[7] == 8 and found[14] == 15
    assert found[15] is None and found[16] == 17 and found[17] == 18


def test_repeats_count_once_and_a_late_one_fills_its_gap():
    reports = stream(20)
    reports += [(at + 3000, *rest) for at, *rest in reports]
    late = reports.pop(5)
    reports.append((late[0] + MINUTE + 500, *late[1:]))
    found = minutes(drive(reports, 30 * MINUTE))
    assert [found[n] for n in range(20)] == [n + 1 for n in range(20)]


def test_a_restart_of_the_sensor_loses_no_minute_that_was_reported():
    reports = stream(9) + [(at + 9 * MINUTE + 20_000, n, bits << 8, before << 8) for at, n, bits, before in stream(9)]
    found = minutes(drive(reports, 30 * MINUTE))
    seen = [value for value in found.values() if value]
    for value in list(range(1, 10)) + [n << 8 for n in range(1, 10)]:
        assert any(one & value == value for one in seen), value


def test_a_silent_minute_is_unknown_not_quiet():
    found = minutes(drive(stream(5), 30 * MINUTE))
    assert [found[n] for n in range(5, 20)] == [None] * 15


def test_masks_that_mean_nothing_are_unknown():
    reports = [(at, n, bits, before, n != 3) for at, n, bits, before in stream(9)]
    found = minutes(drive([(*one[:3], -1, one[4]) for one in reports], 20 * MINUTE))
    assert found[2] == 3 and found[4] == 5
    mask = Mask(0)
    mask.report(90_000, 0, 5, 0, False)
    assert mask._known == 0


@pytest.mark.parametrize("drift", [0.999, 1.001, 0.98, 1.02])
def test_a_sensor_whose_clock_drifts_loses_nothing(drift):
    reports = stream(1000, period_ms=int(MINUTE * drift))
    found = minutes(drive(reports, 1050 * MINUTE))
    seen = {value for value in found.values() if value}
    assert len(seen) > 950 and max(seen) >= 1000
    if drift > 1:
        assert set(range(1, 1001)) <= seen


def moved(events, until, hold_ms=0, watched=True):
    mask = Mask(0, hold_ms)
    windows = []
    todo = sorted(events)
    for now in range(0, until + 1, 10_000):
        while todo and todo[0][0] <= now:
            mask.moved(*todo.pop(0))
        mask.fill(now)
        if watched and now % MINUTE == 0 and now:
            mask.watched(now // MINUTE - 1)
        while mask.due(now):
            windows.append(mask.take(now))
    return minutes(windows)


@pytest.mark.req("ZB-14")
def test_a_bought_sensors_events_make_a_mask():
    found = moved([(65_000, True), (71_000, False), (200_000, True), (260_000, False)], 15 * MINUTE)
    assert found[0] == 0
    assert found[1] == 0b1111 << 2  # 64 to 72 s
    assert found[3] == (0x3FFFFFFF & ~((1 << 10) - 1))
    assert found[4] == (1 << 11) - 1


@pytest.mark.parametrize("hold_ms,samples", [(60_000, 30), (0, 300)])
def test_movement_that_never_ends_counts_for_a_limited_time(hold_ms, samples):
    found = moved([(120_000, True)], 30 * MINUTE, hold_ms)
    assert sum(bin(value).count("1") for value in found.values() if value) == samples


def test_movement_told_again_goes_on():
    found = moved([(at, True) for at in range(120_000, 900_000, 50_000)], 40 * MINUTE, 60_000)
    assert all(found[n] == 0x3FFFFFFF for n in range(2, 14))
    assert found[17] == 0


def test_without_watching_a_minute_is_not_known():
    assert set(moved([], 20 * MINUTE, watched=False).values()) == {None}


def test_a_ring_nobody_took_from_gives_the_newest_and_stays_bounded():
    mask = Mask(0)
    for at, number, bits, before in stream(500):
        mask.report(at, number, bits, before, True)
    begin, _, known = mask.take(501 * MINUTE)
    assert begin >= 485 * MINUTE and known
    assert len(mask._masks) == 16
