"""Old frames put on the wire again, and frames out of their order, in front of coordinator and sensors (fault 41)."""

import json

import pytest

FIRE, FIRE_CLEAR, CALL, CANCEL = 1, 2, 3, 5
PRELUDE = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from scene import *

home = Scene()
kept = {}
recording = [None]
real = home.uart.deliver

def deliver(data):
    if recording[0] and data[2:4] == b"\\x44\\x81":
        kept[recording[0]] = bytes(data)
        recording[0] = None
        if recording[1:] and recording.pop():
            return
    real(data)

home.chip.send = deliver

def keep(name, hold=False):
    recording[:] = [name, True] if hold else [name]

def replay(name):
    real(kept[name])

# Before 60 s the devices have counted far enough to be believed that they count
for step in range(6):
    home.at(10000 + step * 6000, home.chip.smoke, "smoke", True)
    home.at(12000 + step * 6000, home.chip.smoke, "smoke", False)
    home.at(13000 + step * 6000, home.chip.call_button, "pendant", "call")
    home.at(15000 + step * 6000, home.chip.call_button, "pendant", "cancel")
for step in range(10):
    home.at(10500 + step * 3000, home.chip.door, "door", True)
    home.at(11500 + step * 3000, home.chip.door, "door", False)
"""


@pytest.fixture
def play(micropython):
    def run(program, until=90000):
        script = f"{PRELUDE}\n{program}\nhome.show({until - 1}, 'old', lambda: home.coordinator.incoming.stale)\n"
        lines = [json.loads(line) for line in micropython(["-c", f"{script}\nhome.run({until})"]).splitlines()]
        assert lines[-1][1:] == ["alive", True]
        return [line for line in lines if line[0] >= 60_000 or line[1] == "alive"]

    return run


def sinks(lines, until=90_000):
    return [(line[0], line[2], line[3]) for line in lines if line[1] == "sink" and line[0] < until]


def old(lines):
    return next(line[2] for line in lines if line[1] == "old")


@pytest.mark.fault(41)
def test_a_replayed_restore_does_not_end_a_fire(play):
    lines = play("""
home.at(45999, keep, "restored")
home.at(46000, home.devices["smoke"].set_smoke, False)
home.at(60000, home.chip.smoke, "smoke", True)
home.at(61000, replay, "restored")
home.at(61500, replay, "restored")
home.at(70000, home.chip.smoke, "smoke", False)
""")
    assert [(event, arg) for _, event, arg in sinks(lines)] == [(FIRE, 0), (FIRE_CLEAR, 0)]
    assert [at for at, event, _ in sinks(lines) if event == FIRE_CLEAR][0] >= 70_000
    assert old(lines) == 2


@pytest.mark.fault(41)
def test_a_replayed_cancel_cancels_nothing(play):
    lines = play("""
home.at(45990, keep, "cancel")
home.at(46000, home.chip.call_button, "pendant", "cancel")
home.at(60000, home.chip.call_button, "pendant", "call")
for step in range(5):
    home.at(62000 + 100 * step, replay, "cancel")
""")
    assert [(event, arg) for _, event, arg in sinks(lines)] == [(CALL, 1)]
    assert old(lines) == 5


@pytest.mark.fault(41)
@pytest.mark.parametrize("after_ms", [100, 1000, 4000, 11_000])
def test_a_replayed_press_calls_and_the_real_one_after_it_calls_too(play, after_ms):
    lines = play(f"""
home.at(45990, keep, "press")
home.at(46000, home.chip.call_button, "pendant", "call")
home.at(60000, replay, "press")
home.at({60000 + after_ms}, home.chip.call_button, "pendant", "call")
""")
    times = [at for at, event, _ in sinks(lines) if event == CALL]
    assert len(times) == 2 and times[1] - times[0] <= after_ms + 20
    assert old(lines) == 1


@pytest.mark.fault(41)
@pytest.mark.fault(39)
def test_replays_for_minutes_do_not_make_a_pendant_stuck(play):
    lines = play("""
home.at(45990, keep, "press")
home.at(46000, home.chip.call_button, "pendant", "call")
for step in range(400):
    home.at(60000 + 500 * step, replay, "press")
home.at(250000, home.chip.call_button, "pendant", "call")
""", 300_000)
    assert not [line for line in lines if line[1] == "record" and line[2] == "sensor.fault"]
    assert [at for at, event, _ in sinks(lines, 300_000) if event == CALL and 250_000 <= at <= 250_020]


@pytest.mark.fault(41)
def test_a_replayed_door_neither_opens_nor_closes(play):
    lines = play("""
home.at(45990, keep, "open")
home.at(46000, home.chip.door, "door", True)
home.at(46500, home.chip.door, "door", False)
home.at(60000, replay, "open")
home.at(70000, home.chip.door, "door", True)
""")
    told = [line[0] for line in lines if line[1] == "record" and line[2].startswith("door")]
    assert len(told) == 1 and told[0] >= 70_000


@pytest.mark.req("ZB-17")
@pytest.mark.parametrize("late_ms", [200, 3000, 9000])
def test_frames_out_of_their_order_are_neither_lost_nor_doubled(play, late_ms):
    """A press comes after its own restore; it is one call. A restore that a new fire overtook does not end that."""
    lines = play(f"""
home.at(59990, keep, "press", True)
home.at(60000, home.chip.call_button, "pendant", "call")
home.at({61200 + late_ms}, replay, "press")
home.at({61300 + late_ms}, replay, "press")
""")
    assert [(event, arg) for _, event, arg in sinks(lines)] == [(CALL, 1)]
    lines = play(f"""
home.at(60000, home.chip.smoke, "smoke", True)
home.at(64990, keep, "restored", True)
home.at(65000, home.chip.smoke, "smoke", False)
home.at(66000, home.chip.smoke, "smoke", True)
home.at({66100 + late_ms}, replay, "restored")
""")
    assert {event for _, event, _ in sinks(lines)} == {FIRE}
