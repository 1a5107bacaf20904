"""What a second pair of eyes found on the sensors' side, in the whole home: each of these once went wrong."""

import pytest
from scenario.timeline import ARMED, pendant, play, press, smoke, step

T, M = ARMED, 60_000


@pytest.mark.req("EMG-08")
@pytest.mark.fault(32)
def test_a_detector_whose_end_of_alarm_was_lost_does_not_call_119_again_after_the_hold_off():
    steps = [smoke(T), step(T + 30_000, "sensor", sensor="kitchen", radio=False), smoke(T + 31_000, False),
             step(T + M, "sensor", sensor="kitchen", radio=True), step(T + M, "hang_up")]
    line = play(steps, T + 40 * M)
    assert len(line.times("dial")) == 1


@pytest.mark.req("EMG-14")
def test_a_cancel_from_afar_that_was_long_on_its_way_takes_no_later_alarm_back():
    def late(at, incident):
        command = {"id": f"c{incident}", "name": "alarm.cancel", "sensor": "pendant", "incident": incident}
        return step(at, "relay", command=command)

    line = play([pendant(T), press(T + 3000, "cancel"), pendant(T + 30_000), late(T + 33_000, 1)], T + 60_000)
    assert line.record("emergency.cancelled")["incident"] == 1
    assert line.record("command.refused")["reason"] == "that emergency is over"
    assert len(line.times("dial")) == 1
    line = play([pendant(T), press(T + 3000, "cancel"), pendant(T + 30_000), late(T + 33_000, 2)], T + 60_000)
    assert line.times("dial") == []
