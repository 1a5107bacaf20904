"""The whole Zigbee side in virtual time on MicroPython: coordinator and sensors against the simulated coprocessor."""


import pytest
from played import of, play_in, times

FIRE, FIRE_CLEAR, CALL, CANCEL = 1, 2, 3, 5
PRELUDE = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from scene import *
"""


@pytest.fixture
def play(micropython):
    def run(program):
        lines = play_in(micropython, PRELUDE, program)
        assert lines[-1][1:] == ["alive", True]
        return lines

    return run


@pytest.mark.req("EMG-01")
@pytest.mark.req("ZB-06")
def test_smoke_reaches_the_sink_in_the_handling_of_its_frame(play):
    lines = play("""
        home = Scene()
        home.at(25000, home.chip.smoke, "smoke", True)
        home.at(29000, home.chip.smoke, "smoke", False)
        home.at(29500, home.devices["smoke"].test)
        home.show(32000, "permit", lambda: home.chip.zdo.permit_s)
        home.run(40000)
    """)
    assert times(lines, "sink", FIRE, 0) == [25015, 29515]  # 12 ms on the air, 3 ms on the wire
    assert times(lines, "sink", FIRE_CLEAR, 0)[-2:] == [29015, 34515]
    assert of(lines, "permit", 0)
    assert "channel 20" in of(lines, "info")[0][2]


@pytest.mark.fault(32)
def test_the_alarm_is_a_level(play):
    """The notification never arrives; the periodic repeat, or the four-hourly report, is as good."""
    lines = play("""
        home = Scene()
        home.at(25000, home.chip.sensor, "smoke", None, False)
        home.at(26000, home.chip.smoke, "smoke", True)
        home.at(27000, home.chip.sensor, "smoke", None, True)
        home.at(400000, home.chip.sensor, "pendant", None, False)
        home.at(400100, home.devices["pendant"].change, 1, True)
        home.at(400200, home.chip.sensor, "pendant", None, True)
        home.run(15000000)
    """)
    assert times(lines, "sink", FIRE, 0)[0] == 26000 + 300_000 + 15
    call = times(lines, "sink", CALL, 1)
    assert len(call) == 1
    assert call[0] < 400_000 + 4 * 3600 * 1000 + 100


@pytest.mark.fault(31)
def test_repeats_of_the_same_frame(play):
    lines = play("""
        home = Scene()
        home.devices["pendant"].duplicates = 3
        home.at(5000, home.chip.call_button, "pendant", "call")
        home.at(7000, lambda: setattr(home.devices["smoke"], "duplicates", 2))
        home.at(7001, home.chip.smoke, "smoke", True)
        home.show(9000, "repeats", lambda: home.sensors.repeats)
        home.run(10000)
    """)
    assert times(lines, "sink", CALL, 1) == [5015]
    assert times(lines, "sink", FIRE, 0) == [7016]
    assert len(of(lines, "confirm")) == 1
    assert of(lines, "repeats")[0][2] == 5


@pytest.mark.req("EMG-16")
@pytest.mark.req("ZB-08")
def test_pendant_call_cancel_and_confirmation(play):
    lines = play("""
        home = Scene()
        for number in range(40):
            home.at(5000 + number * 6013, home.chip.call_button, "pendant", "call" if number % 2 else "cancel")
        home.run(250000)
    """)
    calls, cancels, confirmed = times(lines, "sink", CALL, 1), times(lines, "sink", CANCEL, 2), times(lines, "confirm")
    assert len(calls) == len(cancels) == 20
    presses = [5000 + number * 6013 for number in range(40)]
    assert max(seen - pressed for seen, pressed in zip(sorted(calls + cancels), presses, strict=True)) <= 20
    assert max(shown - pressed for shown, pressed in zip(confirmed, presses, strict=True)) <= 500


@pytest.mark.fault(35)
def test_an_unknown_device_is_shown_and_nobody_is_called(play):
    lines = play("""
        home = Scene(known=["pendant"])
        home.at(5000, home.chip.smoke, "smoke", True)
        home.at(305100, home.chip.smoke, "smoke", False)
        home.at(310000, home.chip.call_button, "pendant", "call")
        home.show(311000, "strangers", lambda: home.sensors.strangers.count)
        home.run(320000)
    """)
    assert {line[2] for line in of(lines, "sink")} == {CALL}
    refused = of(lines, "record", "sensor.refused")
    assert len(refused) == 1
    assert refused[0][3]["reason"] == "unknown"
    assert of(lines, "strangers")[0][2] >= 3
    assert times(lines, "sink", CALL, 0) == [310015]


@pytest.mark.fault(33)
@pytest.mark.parametrize("remembered", [True, False])
def test_a_new_short_address_is_looked_up_and_the_alarm_held(play, remembered):
    """Whether the coprocessor's address manager knows it or the device itself has to be asked."""
    lines = play(f"""
        home = Scene()
        def move():
            device = home.devices["pendant"]
            device.short = 0x7777
            if {remembered}:
                from hal_sim.zigbee.network import remember
                remember(home.chip.nv.items, 1, device)
        home.at(5000, move)
        home.at(5100, home.chip.call_button, "pendant", "call")
        home.run(30000)
    """)
    calls = times(lines, "sink", CALL, 1)
    assert len(calls) == 1
    assert calls[0] - 5100 <= (40 if remembered else 300)
    assert len(of(lines, "confirm")) == 1


def test_an_announcement_is_believed(play):
    lines = play("""
        home = Scene()
        home.at(25000, lambda: setattr(home.devices["smoke"], "enrolled", False))
        home.at(25000, home.chip.rejoin, "smoke", 0x4321)
        home.at(26000, home.chip.smoke, "smoke", True)
        home.show(39000, "enrolled", lambda: home.devices["smoke"].enrolled)
        home.run(40000)
    """)
    assert times(lines, "sink", FIRE, 0)[0] == 26015
    assert of(lines, "enrolled", True)


@pytest.mark.fault(32)
def test_what_happened_before_the_start_is_asked_for(play):
    """A fire is one; the level of a pendant, which may never restore, is knowledge until it notifies."""
    lines = play("""
        home = Scene()
        home.devices["smoke"].status = 1
        home.devices["pendant"].status = 2
        home.at(12000, home.devices["pendant"].notify)
        home.run(20000)
    """)
    assert times(lines, "sink", FIRE, 0)[0] < 10_000
    assert [time // 100 for time in times(lines, "sink", CALL, 1)] == [120]


@pytest.mark.fault(34)
def test_a_lost_enrolment_is_made_again_and_the_alarm_counts_meanwhile(play):
    lines = play("""
        home = Scene()
        def forget():
            device = home.devices["smoke"]
            device.lose_enrolment()
            device.set_smoke(True)
        home.at(5000, forget)
        home.show(15000, "zone", lambda: [home.devices["smoke"].enrolled, home.devices["smoke"].zone_id,
                                          home.devices["smoke"].cie == home.chip.wire])
        home.run(20000)
    """)
    assert times(lines, "sink", FIRE, 0)[0] < 5050
    assert of(lines, "zone")[0][2] == [True, 0, True]


@pytest.mark.fault(39)
def test_a_stuck_pendant_calls_once_a_minute_and_others_work_on(play):
    """Until it is known to be stuck it may be a person who presses again and again: a call in 5 s."""
    lines = play("""
        home = Scene(HOME + [{"name": "second", "kind": "call_button", "place": "person"}])
        device = home.devices["pendant"]
        device.stuck = True
        home.at(5000, home.chip.call_button, "pendant", "call")
        for number in range(200):
            home.at(6000 + number * 1000, device.notify)
        home.at(100000, home.chip.call_button, "second", "call")
        def free():
            device.stuck = False
            device.change(2, False)
        home.at(300000, free)
        home.at(301000, home.chip.call_button, "pendant", "call")
        home.run(310000)
    """)
    calls = times(lines, "sink", CALL, 1)
    assert calls[0] == 5015 and calls[-1] == 301015
    assert len([time for time in calls if time < 76_000]) <= 15
    assert len([time for time in calls if 76_000 <= time < 300_000]) == 2
    assert times(lines, "sink", CALL, 4) == [100018]  # another frame was on the wire
    faults = of(lines, "record", "sensor.fault")
    assert [(line[3]["fault"], line[3]["on"]) for line in faults] == [("stuck", True), ("stuck", False)]
    assert 65_000 <= faults[0][0] <= 76_000


@pytest.mark.fault(39)
def test_a_press_after_a_lost_restore_is_a_press(play):
    lines = play("""
        home = Scene()
        device = home.devices["pendant"]
        device.stuck = True
        home.at(5000, home.chip.call_button, "pendant", "call")
        home.at(20000, device.notify)
        home.at(200000, device.notify)
        home.run(210000)
    """)
    assert times(lines, "sink", CALL, 1) == [5015, 20015, 200015]


@pytest.mark.fault(21)
def test_a_hung_coprocessor_is_reset_by_its_pin(play):
    """Detected within 30 s, back within 60 s; what a sensor keeps trying to say arrives."""
    lines = play("""
        home = Scene()
        home.at(60000, home.chip.set_fault, "hang")
        home.at(70000, home.chip.smoke, "smoke", True)
        home.at(140000, home.chip.call_button, "pendant", "call")
        home.run(150000)
    """)
    silent = [line[0] for line in of(lines, "error") if "does not answer" in line[2]]
    assert 60_000 < silent[0] <= 90_000
    back = [line[0] for line in of(lines, "info") if "coordinator" in line[2]]
    assert len(back) == 2
    assert back[1] <= 120_000
    assert times(lines, "pin") != []
    assert times(lines, "sink", FIRE, 0)[0] <= 120_000
    assert times(lines, "sink", CALL, 1) == [140015]


@pytest.mark.fault(22)
@pytest.mark.parametrize(
    "loss", ['home.chip.set_fault("reset")', "(home.chip.af.clear(), setattr(home.chip, 'state', 0))"]
)
def test_a_coprocessor_that_restarts_by_itself(play, loss):
    """With its indication, or silently out of service: events flow again within 10 s."""
    lines = play(f"""
        home = Scene()
        home.at(33000, lambda: {loss})
        home.at(33050, home.chip.call_button, "pendant", "call")
        home.at(43000, home.chip.smoke, "smoke", True)
        home.run(60000)
    """)
    assert times(lines, "sink", FIRE, 0)[0] == 43015
    assert 33_050 < times(lines, "sink", CALL, 1)[0] <= 55_000  # when the pendant tries again
    assert len([line for line in of(lines, "info") if "coordinator" in line[2]]) == 2


@pytest.mark.fault(23)
def test_garbage_on_the_line(play):
    lines = play("""
        home = Scene()
        home.at(20000, home.chip.set_fault, "garbage")
        for number in range(9):
            home.at(20500 + number * 1000, home.chip.smoke, "smoke", number % 2 == 0)
        home.show(29900, "dropped", lambda: home.coordinator.link.reader.dropped)
        home.run(40000)
    """)
    fires = [line for line in times(lines, "sink", FIRE, 0) if line > 20_000]
    clears = [line for line in times(lines, "sink", FIRE_CLEAR, 0) if line > 20_000]
    assert len(fires) == 5
    assert len(clears) == 4
    assert of(lines, "dropped")[0][2] > 2000
    assert all((seen - 20_500) % 1000 <= 115 for seen in fires + clears)


@pytest.mark.fault(29)
def test_a_coprocessor_without_a_network_is_a_loud_fault(play):
    """There is no backup: nothing is formed, nothing is started; with the old one back the events flow."""
    lines = play("""
        home = Scene()
        kept = {}
        home.at(19950, lambda: kept.update(home.chip.nv.items))  # an older frame counter would be deaf to the sensors
        home.at(19900, lambda: setattr(home.coordinator.network, "kept", None))
        home.at(20000, home.chip.set_fault, "replace")
        home.show(80000, "state", lambda: [home.chip.state, home.chip.formed, home.coordinator.ready])
        def back():
            home.chip.nv.items = kept
            home.chip.set_fault("reset")
        home.at(90000, back)
        home.at(100000, home.chip.smoke, "smoke", True)
        home.run(110000)
    """)
    assert [line for line in of(lines, "error") if "no network" in line[2]]
    assert of(lines, "state")[0][2] == [0, False, False]
    assert times(lines, "sink", FIRE, 0) == [100015]


@pytest.mark.req("EMG-15")
def test_the_sounder_is_silenced_and_sounds_again_while_the_smoke_stays(play):
    lines = play("""
        home = Scene()
        home.at(20000, home.chip.smoke, "smoke", True)
        home.show(21000, "asked", lambda: [home.sensors.silence("smoke"), home.sensors.silence("door")])
        for when in (21000, 27500, 80000, 95000):
            home.show(when, "sounding", lambda: home.devices["smoke"].sounding)
        home.show(96000, "all", lambda: home.sensors.silence_all())
        home.at(97000, home.chip.smoke, "smoke", False)
        home.show(190000, "sounding", lambda: home.devices["smoke"].sounding)
        home.run(200000)
    """)
    assert of(lines, "asked")[0][2] == [True, False]
    assert [line[2] for line in of(lines, "sounding")] == [True, False, False, True, False]
    fires = times(lines, "sink", FIRE, 0)
    assert fires[0] == 20_015
    assert any(81_000 <= fire <= 88_000 for fire in fires)
    assert of(lines, "all")[0][2] == 1


def test_doors_tamper_and_trouble_are_records(play):
    """One battery bit alone is none: a class changes after three reports."""
    lines = play("""
        home = Scene()
        home.at(20000, home.chip.door, "door", True)
        home.at(21000, home.chip.door, "door", False)
        home.at(22000, home.chip.sensor, "smoke", None, None, None, True)
        home.at(23000, home.chip.sensor, "smoke", 85)
        home.at(24000, home.devices["smoke"].change, 0x40, True)
        home.at(25000, home.chip.sensor, "smoke", 100, None, None, False)
        home.run(30000)
    """)
    records = [(line[2], line[3].get("on"), line[3]["sensor"]) for line in of(lines, "record")]
    assert records == [
        ("door.opened", None, "door"), ("door.closed", None, "door"), ("sensor.tamper", True, "smoke"),
        ("sensor.fault", True, "smoke"), ("sensor.tamper", False, "smoke"),
    ]  # fmt: skip
    assert all(set(line[3]) >= {"sensor", "ieee", "place"} for line in of(lines, "record"))


@pytest.mark.fault(82)
def test_a_full_heap_and_broken_neighbours_lose_no_alarm(play):
    """The first handling fails for want of memory; the records and the confirmation fail always."""
    lines = play("""
        home = Scene()
        failures = [MemoryError]
        good = home.sensors.sink
        def sink(event, arg):
            if failures:
                raise failures.pop()()
            good(event, arg)
        def broken(*args, **fields):
            raise OSError(5)
        home.at(15000, lambda: setattr(home.sensors, "sink", sink))
        home.sensors._record = broken
        home.coordinator.confirm = broken
        home.at(20000, home.chip.smoke, "smoke", True)
        home.at(22000, home.chip.call_button, "pendant", "call")
        home.at(23000, home.chip.door, "door", True)
        home.coordinator.on_tick = broken
        home.at(300000, home.chip.smoke, "smoke", True)
        home.run(310000)
    """)
    assert times(lines, "sink", FIRE, 0)[0] == 20015
    assert times(lines, "sink", CALL, 1) == [22015]
    assert 300_015 in times(lines, "sink", FIRE, 0)


@pytest.mark.fault(28)
def test_a_coprocessor_without_buffers_delays_nothing_that_comes_in(play):
    lines = play("""
        home = Scene()
        full = [20]
        real = home.chip.air.down
        asked = []
        def down(*args):
            asked.append(sched.now_ms)
            if full[0]:
                full[0] -= 1
                return 0x11
            return real(*args)
        home.chip.air.down = down
        home.at(3000, lambda: asked.clear())
        for number in range(10):
            home.at(20000 + 100 * number, home.chip.smoke, "smoke", number % 2 == 0)
        home.at(21500, home.chip.call_button, "pendant", "call")
        home.show(79000, "asked", lambda: asked)
        home.run(80000)
    """)
    asked = of(lines, "asked")[0][2]
    assert 2 <= len(asked) <= 20
    assert min(after - before for before, after in zip(asked, asked[1:], strict=False)) >= 200
    assert times(lines, "sink", FIRE, 0) == [20015 + 200 * number for number in range(5)]
    assert times(lines, "sink", CALL, 1) == [21515]


def test_a_day_of_silence_grows_nothing(play):
    lines = play("""
        import gc
        home = Scene()
        home.at(10000, lambda: (gc.collect(), tell("heap", gc.mem_alloc())))
        home.at(86400000, lambda: (gc.collect(), tell("heap", gc.mem_alloc())))
        home.at(86400500, home.chip.smoke, "smoke", True)
        home.run(86401000)
    """)
    assert times(lines, "sink", FIRE, 0)[-1] == 86400515
    first, last = (line[2] for line in of(lines, "heap"))
    assert last - first < 4096
