"""A backlog of more than 10,000 records over 60 ms round trip, and an emergency pressed in the middle of it."""

import time

import pytest
from link.harness import GATEWAY, identity
from relay.lab import wait_for

BACKLOG = 10_500
FAST = 60  # the world's speed while the backlog is made: its flash takes minutes for it
PRESSES = 5
MEAN_MS, WORST_MS = 3000, 10_000


def press_and_cancel(home):
    """Wall time of the press, ms since 1970."""
    home.step("press", button="119")
    pressed = int(time.time() * 1000)
    time.sleep(0.7)
    home.step("press", button="cancel")
    time.sleep(0.5)
    return pressed


@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-03")
@pytest.mark.req("EMG-11")
@pytest.mark.fault(65)
def test_all_of_a_backlog_arrives_once_in_order_and_an_emergency_passes_it(rig):
    home = rig(job={"backlog": BACKLOG})
    home.start(up=False, steps=[{"at": 0, "do": "modem", "data": False}])
    home.step("speed", x=FAST)
    home.gateway.told("backlog", limit_s=240)
    home.step("speed", x=1)
    begun = home.gateway.begun()
    assert len(begun) >= BACKLOG and home.rows() == []
    time.sleep(1)
    home.network(True)
    wait_for(lambda: len(home.identities()) > 500, "the drain", 90)
    pressed = [press_and_cancel(home) for _ in range(PRESSES)]
    left = BACKLOG - len(home.identities())
    told = wait_for(lambda: (found := triggered(home)) and len(found) == PRESSES and found, "the emergencies", 60)
    took = [received - at for at, (received, _) in zip(pressed, told, strict=True)]
    print(f"{took} ms to the database, {left} records of the backlog were left then")
    home.judge(240)
    assert sum(took) / PRESSES <= MEAN_MS and max(took) <= WORST_MS
    order = [identity(record) for _, record in home.rows() if record["kind"] != "event"]
    behind = [received for received, record in home.rows() if identity(record) == order[-1]]
    assert behind[0] > told[0][0], "the backlog was through before the first emergency: no test of it"
    assert home.lab.rows("SELECT COUNT(*) FROM records WHERE gateway = ?", GATEWAY)[0][0] >= BACKLOG
    home.bounded()


def triggered(home):
    return [(received, record) for received, record in home.rows() if record.get("event") == "emergency.triggered"]
