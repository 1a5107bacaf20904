"""What a second pair of eyes found on the sensors' side, in the whole home: each of these once went wrong."""

import pytest
from scenario.timeline import ARMED, play, smoke, step

T, M = ARMED, 60_000


@pytest.mark.req("EMG-08")
@pytest.mark.fault(32)
def test_a_detector_whose_end_of_alarm_was_lost_does_not_call_119_again_after_the_hold_off():
    steps = [smoke(T), step(T + 30_000, "sensor", sensor="kitchen", radio=False), smoke(T + 31_000, False),
             step(T + M, "sensor", sensor="kitchen", radio=True), step(T + M, "hang_up")]
    line = play(steps, T + 40 * M)
    assert len(line.times("dial")) == 1
