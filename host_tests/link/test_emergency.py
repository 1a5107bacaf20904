"""From the button to the database: the real gateway, mosquitto, the relay."""

import time

import pytest


@pytest.mark.req("EMG-11")
@pytest.mark.req("TEL-04")
def test_a_press_is_in_the_database_step_by_step(rig):
    home = rig()
    home.start()
    home.step("line119", reply="answer", after_ms=1000)
    home.step("press", button="119")
    [triggered] = home.arrived("emergency.triggered")
    assert (triggered["cause"], triggered["source"], triggered["test"]) == ("button", "119", False)
    home.step("speed", x=4)  # until it is dialled, and while the report is spoken
    [dialled] = home.arrived("emergency.dialled")
    assert not home.records("emergency.answered") and not home.records("emergency.ended")  # told as it happens
    [answered] = home.arrived("emergency.answered")
    home.gateway.told("prompt_end", to="line", count=2)
    time.sleep(1)  # who hangs up into the last syllable has not heard it twice, and is called again
    home.step("hang_up")
    [ended] = home.arrived("emergency.ended")
    assert dialled["number"] == answered["number"] == ended["number"] == "119"
    assert dialled["attempt"] == answered["attempt"] == 1 and ended["outcome"] == "answered"
    assert triggered["at"] <= dialled["at"] <= answered["at"] <= ended["at"] and ended["started"] <= ended["ended"]
    assert len({one["incident"] for one in (triggered, dialled, answered, ended)}) == 1
    home.judge()
