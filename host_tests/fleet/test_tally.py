"""The fleet's arithmetic: percentiles, reconnects, back-off, and the verdict over what a database has."""

import random

import pytest

from tools.fleet.backoff import LIVED_S, MOST_S, Backoff
from tools.fleet.judge import Verdict, from_answers, judge
from tools.fleet.tally import Reconnects, Spread, Tally


def test_percentiles_are_within_five_percent():
    spread = Spread()
    dice = random.Random(7)
    values = sorted(dice.lognormvariate(-3, 1.5) for _ in range(5000))
    for value in values:
        spread.add(value)
    for percent in (1, 50, 90, 99):
        exact = values[int(len(values) * percent / 100 + 0.999999) - 1]
        assert exact <= spread.percentile(percent) * 1.0001 <= exact * 1.051
    assert spread.percentile(100) == spread.most == values[-1]
    assert spread.mean() == pytest.approx(sum(values) / len(values))
    assert spread.summary()["count"] == 5000 and spread.summary()["max"] == round(1000 * values[-1], 1)


def test_a_spread_of_nothing_and_of_what_is_out_of_its_range():
    spread = Spread()
    assert spread.percentile(99) == spread.mean() == 0
    for value in (0.0, 1e-9, 1e6):
        spread.add(value)
    assert spread.count == 3 and spread.percentile(50) <= 0.0001 and spread.percentile(100) > 3000


def test_reconnects_by_the_second():
    found = Reconnects()
    found.came(5.0)
    assert found.seconds == {} and found.bars() == [] and found.busiest() == 0  # nothing was out
    found.since = 10.0
    for now in (9.9, 10.0, 10.9, 11.0, 35.5):
        found.came(now)
    assert found.seconds == {0: 2, 1: 1, 25: 1} and found.busiest() == 2
    bars = found.bars(most=12)
    assert len(bars) == 9 and bars[0].split()[2:] == ["3", 40 * "#"] and bars[8].split()[2] == "1"
    assert sum(int(bar.split()[2]) for bar in bars) == 4


@pytest.mark.req("FLT-01")
def test_back_off_doubles_up_to_five_minutes_and_takes_any_time_within():
    backoff = Backoff(random.Random(1))
    limits = []
    for _ in range(12):
        limits.append(backoff.most_s())
        assert 0 <= backoff.delay_s() <= limits[-1]
    assert limits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    backoff.ended(LIVED_S - 1)
    assert backoff.most_s() == MOST_S  # a short connection was none
    backoff.ended(LIVED_S)
    assert backoff.most_s() == 1


@pytest.mark.req("FLT-01")
def test_gateways_that_lost_their_connection_at_one_time_come_back_at_many():
    dice = [random.Random(n) for n in range(1000)]
    gateways = [Backoff(each) for each in dice]
    for gateway in gateways:
        gateway.attempts = 6
    tenths = [0] * 10
    for gateway in gateways:
        tenths[int(gateway.delay_s() / 64 * 10)] += 1
    assert min(tenths) > 60 and max(tenths) < 140


def rows(gateway: str, *committed: tuple) -> list:
    return [(gateway, seq, kind, received) for seq, kind, received in committed]


@pytest.mark.req("FLT-01")
def test_a_verdict():
    good = rows("A", (1, "event", 10), (2, "status", 10), (3, "event", 20), (4, "activity", 15))
    assert judge(good, {"A": 4}) == Verdict(committed=4) and judge(good, {"A": 4}).good()
    assert judge(good, {"A": 4, "B": 0}).good() and judge([*good, *rows("C", (1, "event", 1))], {"A": 4}).committed == 4
    lost = judge(good[:2] + good[3:], {"A": 4})
    assert (lost.lost, lost.committed) == (1, 3) and not lost.good() and not lost.good(any_order=True)
    assert judge(good, {"A": 4, "B": 3}).lost == 3
    twice = judge(good + good[:1], {"A": 4})
    assert twice.doubled == 1 and not twice.good()


@pytest.mark.req("FLT-01")
def test_order_is_judged_for_each_topic_of_each_gateway():
    late = rows("A", (1, "event", 30), (2, "event", 20), (3, "status", 5), (4, "activity", 5), (5, "event", 25))
    verdict = judge(late, {"A": 5})
    assert verdict.out_of_order == 1 and not verdict.good() and verdict.good(any_order=True)
    assert judge(rows("A", (1, "event", 2)) + rows("B", (2, "event", 1), (1, "event", 1)), {"A": 1, "B": 2}).good()


def test_without_a_database_the_answers_are_the_verdict():
    assert from_answers(0, 0, 9).good() and from_answers(0, 0, 9).committed == 9
    assert not from_answers(1, 0, 9).good() and not from_answers(0, 1, 9).good()


def test_a_tally_counts_and_stays_small():
    tally = Tally()
    for n in range(100):
        tally.failed(f"reason {n}")
    assert len(tally.failures) == 21 and sum(tally.failures.values()) == 100 and tally.failures["others"] == 80
    tally.opened(1.0, 0.2)
    tally.opened(1.0, 0.2)
    tally.ended("x")
    assert (tally.up, tally.most_up, tally.connects, tally.ends) == (1, 2, 2, {"x": 1})
