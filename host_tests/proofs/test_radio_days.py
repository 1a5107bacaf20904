"""Days with a radio chip that fails several times a day, forgets its network or is another one; a month with SOAK.

No alarm lost, none doubled, and the sensors' network is the same to the end.
"""

import json
import os

import pytest

DAYS = 30 if os.environ.get("SOAK") else 10
FIRE, FIRE_CLEAR, CALL = 1, 2, 3
BACK_MS = 60_000  # a chip that hangs is back by then
AGAIN_MS = 17_000  # the sensor's own pause before it sends again, and its frame
PROGRAM = "host_tests/proofs/port/radio_days.py"


def fires(heard: list) -> list:
    """When each fire was first told: repeats of a fire that goes on are the same alarm."""
    found, burning = [], False
    for at, event, _ in heard:
        if event == FIRE and not burning:
            found.append(at)
        burning = event == FIRE if event in (FIRE, FIRE_CLEAR) else burning
    return found


def late(told: list, heard: list) -> list:
    """ms from what happened to what was heard; as many of the one as of the other."""
    assert len(told) == len(heard), f"{len(told)} happened, {len(heard)} were heard"
    return [after - before for before, after in zip(told, heard, strict=True)]


@pytest.mark.req("ZB-17")
@pytest.mark.fault(21)
@pytest.mark.fault(22)
@pytest.mark.fault(23)
@pytest.mark.fault(29)
@pytest.mark.req("ZB-16")
def test_days_of_chip_faults(micropython, capsys):
    lines = [json.loads(line) for line in micropython([PROGRAM, str(DAYS), "30"], timeout=600).splitlines()]
    _, faults, same_network, ready, _ = lines[-1]
    told, heard = ([line[1:] for line in lines if line[0] == what] for what in ("told", "heard"))
    waits = late([at for at, event, _ in told if event == FIRE], fires(heard))
    waits += late([at for at, event, _ in told if event == CALL], [at for at, event, _ in heard if event == CALL])
    with capsys.disabled():
        print(f"\n{DAYS} days, {sum(faults.values())} faults {faults}, {len(waits)} alarms, "
              f"{sum(wait > 1000 for wait in waits)} heard over 1 s late, the latest after {max(waits) / 1000:.1f} s")
    assert len(faults) == 6 and min(faults.values()) > DAYS // 2 and len(waits) > 10 * DAYS
    assert max(waits) <= BACK_MS + AGAIN_MS
    assert same_network and ready
