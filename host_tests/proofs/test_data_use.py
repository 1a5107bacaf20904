"""TEL-08: what a normal home sends in a month over the mobile network, counted at the socket, with TLS and reconnects.

Two days, times fifteen; SOAK: thirty. A day has one gap of half an hour, so that each has its handshakes.
"""

import pytest
from proofs.watched import DAY_MS, HOUR_MS, SOAK, watched

DAYS = 30 if SOAK else 2
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def home():
    gaps = [[day * DAY_MS + 13 * HOUR_MS, day * DAY_MS + 13 * HOUR_MS + HOUR_MS // 2] for day in range(DAYS)]
    return watched("reported", {"seed": 1, "until": DAYS * DAY_MS, "sensors": []}, heap="16M", whole=False, sensors=4,
                   masks=1, events=30, gaps=gaps, cuts=[], press_ms=[])


@pytest.mark.req("TEL-08")
def test_a_month_stays_well_under_100_mb(home):
    [used] = home.all("used")
    month = {name: used[name] * 30 / DAYS / MEGABYTE for name in ("up", "down", "wire")}
    print("a month: %.1f MB up and %.1f MB down through the socket, %.1f MB with the headers of TCP/IP at most"
          % (month["up"], month["down"], month["wire"]))
    records = len(home.all("relay"))
    assert records >= DAYS * 330 and used["connections"] >= DAYS + 1
    assert month["wire"] < 60


@pytest.mark.req("TEL-10")
def test_after_a_gap_the_gateway_says_why_it_was_silent(home):
    told = [(record["why"], record["down_ms"]) for record in home.records("gateway.recovered")]
    assert [why for why, _ in told] == ["reboot"] + ["network"] * DAYS
    assert all(29 * 60_000 <= down_ms <= 31 * 60_000 for _, down_ms in told[1:])


@pytest.mark.req("TEL-09")
@pytest.mark.req("TEL-10")
def test_the_relay_notices_a_silent_gateway_within_3_min(home):
    gone = [day * DAY_MS + 13 * HOUR_MS for day in range(DAYS)]
    noticed = [line["t"] for line in home.all("silent")]
    assert len(noticed) == DAYS
    assert all(0 < at - since <= 180_000 for since, at in zip(gone, noticed, strict=True))
    assert len(home.all("heard")) == DAYS
