"""How long this relay's certificate is good."""

import datetime

import pytest

from tools.relay.certificate import Certificate

UTC = datetime.timezone.utc
GOOD = Certificate("relay", datetime.datetime(2026, 1, 2, tzinfo=UTC), datetime.datetime(2026, 12, 31, tzinfo=UTC))


@pytest.mark.parametrize(("now", "fault", "reminder"), [
    ((2026, 1, 1), "begins on 2026-01-02, and it is 2026-01-01 here", "begins on"),
    ((2026, 1, 2), "", ""), ((2026, 11, 30), "", ""),
    ((2026, 12, 2), "", "ends on 2026-12-31"), ((2026, 12, 31), "", "ends on 2026-12-31"),
    ((2027, 1, 1), "ended on 2026-12-31", "ended on 2026-12-31"),
])
def test_what_is_said_of_it(now, fault, reminder):
    then = datetime.datetime(*now, tzinfo=UTC)
    assert fault in GOOD.fault(then) and bool(GOOD.fault(then)) == bool(fault)
    assert reminder in GOOD.reminder(then) and bool(GOOD.reminder(then)) == bool(reminder)
