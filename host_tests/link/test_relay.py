"""The relay dies or is away, the broker is there: nothing is lost, nothing is there twice."""

import signal
import time

import pytest

DYING = ("host_tests/relay/dying.py",)


@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-07")
@pytest.mark.fault(13)
@pytest.mark.parametrize("where", ["before 3", "after 3", "answered 3"])
def test_a_relay_that_is_killed_around_its_commit(rig, where):
    """kill -9 before the commit, between commit and answer, between answer and the broker's acknowledgement."""
    home = rig(job={"rate": 20}, program=DYING, env={"DIE": where})
    home.start(up=False)
    assert home.relay.ended(90) == -signal.SIGKILL
    time.sleep(1)
    home.lab.relay()
    assert home.judge() >= 20
    repeats = home.lab.rows("SELECT repeats FROM gateways")[0][0]
    assert repeats >= (0 if where == "before 3" else 1)  # the broker gave them again, and they were known
    home.bounded()


@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-03")
@pytest.mark.fault(65)
def test_a_relay_that_is_away_for_a_while(rig):
    """Nobody answers for 8 s, and the broker keeps nothing for whom it does not know: what was sent is sent again after
    20 s, and until then nothing overtakes it."""
    home = rig(job={"rate": 20}, relay=False)
    home.start(up=False)
    home.wait_up()
    time.sleep(8)
    assert home.gateway.all("pulse")[-1]["under_way"] == 2, "one batch of each lane"
    assert home.line.up_bytes < 3 * 4608 + 8192
    home.lab.relay()
    home.arrived("door.opened")
    assert home.judge() >= 300
    home.bounded()
