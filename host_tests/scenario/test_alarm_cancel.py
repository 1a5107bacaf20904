"""The care system takes an alarm back, and stops a sounder (EMG-14, EMG-15)."""

import pytest
from scenario.timeline import ARMED, FIRE, pendant, play, press, smoke, step

T = ARMED


def command(at, sensor, name="alarm.cancel", ident="c1"):
    return step(at, "relay", command={"id": ident, "name": name, "sensor": sensor})


@pytest.mark.req("EMG-14")
@pytest.mark.parametrize("trigger,sensor,cause", [(smoke, "kitchen", "fire"), (pendant, "pendant", "call")])
@pytest.mark.parametrize("after", [3000, 14_000, 16_500])
def test_an_alarm_is_cancelled_from_afar_before_119_answers(trigger, sensor, cause, after):
    line = play([trigger(T), step(1000, "line119", reply="answer", after_ms=8000), command(T + after, sensor)],
                T + 60_000)
    assert not line.all("call", state="answered")
    record = line.record("emergency.cancelled")
    assert (record["by"], record["sensor"], record["causes"]) == ("care", sensor, [cause])
    assert line.record("command.done")["id"] == "c1"
    assert line.all("beacon")[-1]["light"] is False
    assert line.all("prompt")[-1]["text"] == "취소되었습니다. 119에 전화하지 않습니다"


@pytest.mark.req("EMG-14")
def test_a_connected_call_is_never_hung_up():
    line = play([smoke(T), command(T + 25_000, "kitchen"), step(T + 60_000, "hang_up")], T + 70_000)
    assert line.times("call", state="answered")[0] < T + 25_000
    assert line.times("call", state="ended") == [T + 60_000]
    assert line.record("command.refused")["reason"] == "119 has answered"
    assert not line.records("emergency.cancelled")


@pytest.mark.req("EMG-14")
@pytest.mark.parametrize("sensor,reason", [
    ("bedroom", "the emergency is not this sensor's"), ("pendant", "the emergency is not this sensor's"),
    ("door", "no such smoke detector or pendant"), ("nobody", "no such smoke detector or pendant")])
def test_the_wrong_sensor_is_refused_and_119_is_dialled(sensor, reason):
    line = play([smoke(T), command(T + 3000, sensor)], T + 20_000)
    assert line.record("command.refused")["reason"] == reason
    assert line.times("dial")[0] - T <= 15_000


@pytest.mark.req("EMG-14")
def test_without_an_emergency_it_is_refused():
    line = play([command(T, "kitchen")], T + 5000)
    assert line.record("command.refused")["reason"] == "no emergency is open"


@pytest.mark.req("EMG-14")
@pytest.mark.req("EMG-18")
def test_what_somebody_else_said_goes_on():
    line = play([smoke(T), pendant(T + 2000), command(T + 4000, "kitchen"), command(T + 5000, "kitchen", ident="c2")],
                T + 30_000)
    assert line.times("dial")[0] - T <= 15_000
    record = line.record("emergency.withdrawn")
    assert (record["by"], record["sensor"], record["causes"]) == ("care", "kitchen", ["call"])
    assert line.record("command.refused")["id"] == "c2"
    assert not line.records("emergency.cancelled")


@pytest.mark.req("EMG-14")
def test_the_119_button_outlives_every_cancel_from_afar():
    line = play([pendant(T), press(T + 1000), command(T + 3000, "pendant")], T + 30_000)
    assert line.times("dial")[0] - T <= 15_000 and not line.records("emergency.cancelled")


@pytest.mark.req("EMG-14")
@pytest.mark.req("EMG-15")
def test_smoke_that_stays_calls_again_after_a_cancel_from_afar():
    line = play([smoke(T), command(T + 3000, "kitchen")], T + 400_000)
    assert len(line.records("emergency.triggered")) == 2
    assert 290_000 <= line.times("dial")[0] - T <= 330_000


@pytest.mark.req("EMG-15")
@pytest.mark.parametrize("how", ["command", "touch"])
def test_a_silenced_detector_sounds_and_reports_again_while_the_smoke_stays(how):
    """It is silenced for a minute; then it says it again, and the gateway calls again."""
    quiet = command(T + 6000, "kitchen", "smoke.silence") if how == "command" else step(
        T + 6000, "monitor", touch="smoke.silence")
    line = play([smoke(T), press(T + 4000, "cancel"), quiet], T + 100_000)
    triggered = [one["t"] for one in line.all("relay") if one["record"].get("event") == "emergency.triggered"]
    assert len(triggered) == 2 and 60_000 <= triggered[1] - (T + 6000) <= 75_000
    assert len(line.all("prompt", text=FIRE)) >= 2
    assert line.times("dial")[0] - triggered[1] <= 15_500
