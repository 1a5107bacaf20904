"""Registering sensors through the whole firmware: buttons, monitor and care system, chips and sensors, power cuts."""

import json

import pytest
from scenario.timeline import ARMED, SENSORS, Timeline, play, press, smoke, step

from tools import simulator

CODE = "83FED3407A939723A5C639B26916D505C3B5"
IEEE = "00124b0000005eed"
T = ARMED + 1000
KINDS = ("smoke", "call_button", "door", "activity")


def touch(at, name, **fields):
    return step(at, "monitor", touch=name, **{"with": fields})


def command(at, name, number, **fields):
    return step(at, "relay", command={"id": number, "name": name, **fields})


def pair(at, kind="smoke", name="new", **fields):
    return step(at, "pair", kind=kind, name=name, **fields)


def panels(line):
    return [shown["register"] for shown in line.all("screen") if "register" in shown]


def rows(line):
    """The list of sensors as it was sent last, by name."""
    return {row["name"]: row for shown in line.all("sensors") for row in shown["sensors"]}


@pytest.mark.req("ZB-01")
@pytest.mark.req("ZB-02")
@pytest.mark.req("ZB-03")
def test_a_home_from_nothing():
    """No network, no sensors: formed, four kinds registered by the buttons alone, used, power cut."""
    steps = []
    for number, kind in enumerate(KINDS):
        at = 60_000 + 70_000 * number
        steps += [press(at, "centre", 5500), press(at, "call", 5500), pair(at + 8000, kind, kind, place="거실")]
    steps += [touch(345_000, "sensors.show"), step(350_000, "power_cut", for_ms=5000), smoke(390_000, sensor="smoke")]
    line = play(steps, 430_000, sensors=[], network="none")
    assert line.faults() == []
    names = ["화재감지기 1", "응급호출기 1", "출입감지기 1", "활동량감지기 1"]
    joined = line.records("sensor.joined")
    assert [(record["sensor"], record["sensor_kind"]) for record in joined] == list(zip(names, KINDS, strict=True))
    assert sorted(rows(line)) == sorted(names) and all(row["ready"] for row in rows(line).values())
    assert len(line.all("prompt", text="감지기를 등록했습니다")) == 4
    assert any(panel["open"] for panel in panels(line))
    triggered = line.record("emergency.triggered")
    assert triggered["sensor"] == "화재감지기 1" and line.first("dial")["number"] == "119"
    assert panels(line)[-1]["open"] is False


@pytest.mark.req("ZB-02")
@pytest.mark.fault(42)
def test_nobody_joins_while_it_is_closed():
    line = play([pair(T, name="early", ieee=IEEE), step(T + 20_000, "power_cut", for_ms=3000)], T + 120_000)
    assert line.records("sensor.joined") == []
    assert not any(panel["open"] for panel in panels(line))
    assert line.all("prompt") == []


@pytest.mark.req("ZB-02")
def test_it_closes_by_itself_and_by_hand():
    line = play([touch(T, "sensors.register"), touch(T + 10_000, "sensors.register_close"), pair(T + 15_000, ieee=IEEE),
                 touch(T + 60_000, "sensors.register", seconds=20), pair(T + 85_000, name="late")], T + 150_000)
    assert [record["ieee"] for record in line.records("sensor.joined")] == [IEEE]
    joined = [shown["t"] for shown in line.all("relay") if shown["record"].get("event") == "sensor.joined"]
    assert joined[0] > T + 60_000
    opened = [(shown["t"], shown["register"]["open"]) for shown in line.all("screen") if "register" in shown]
    assert any(is_open for t, is_open in opened if t < T + 10_000)
    assert not any(is_open for t, is_open in opened if T + 11_000 < t < T + 60_000)
    assert not any(is_open for t, is_open in opened if t > T + 83_000)
    assert len(line.all("prompt", text="등록을 마칩니다")) == 2


@pytest.mark.req("ZB-05")
@pytest.mark.parametrize("known", [True, False])
def test_install_codes_are_required_when_the_setting_says_so(known):
    steps = [command(T, "settings.set", 1, setting="install_code_required", value=True),
             touch(T + 4000, "sensors.register"), pair(T + 5000, name="without")]
    if known:
        steps += [touch(T + 2000, "sensors.code", ieee=IEEE, code=CODE), pair(T + 5000, ieee=IEEE, install_code=CODE)]
    line = play(steps, T + 80_000)
    assert line.record("settings.changed")["setting"] == "install_code_required"
    assert line.record("settings.changed")["by"] == "care"
    if known:
        assert [(record["ieee"], record["code"]) for record in line.records("sensor.joined")] == [(IEEE, True)]
    else:
        assert line.records("sensor.joined") == []
        assert any("설치 코드가 필요합니다" in said["text"] for panel in panels(line) for said in panel["said"])


@pytest.mark.req("ZB-03")
def test_a_new_name_is_kept_over_a_power_cut_and_told_in_the_emergency():
    steps = [touch(T, "sensors.rename", sensor="kitchen", to="주방 감지기", place="가스레인지 위"),
             step(T + 5000, "power_cut", for_ms=2000), smoke(T + 40_000)]
    line = play(steps, T + 60_000)
    triggered = line.record("emergency.triggered")
    assert triggered["source"] == triggered["sensor"] == "주방 감지기" and triggered["place"] == "가스레인지 위"
    assert line.faults() == []


@pytest.mark.req("ZB-03")
@pytest.mark.req("EMG-17")
def test_the_source_of_an_emergency_stays_right_when_the_list_changed_before():
    """Another sensor's place became free: an index in the journal still means the same sensor after a power cut."""
    steps = [command(T, "sensors.remove", 1, sensor="kitchen"), smoke(T + 5000, sensor="bedroom"),
             step(T + 9000, "power_cut", for_ms=2000), press(T + 24_000, "cancel")]
    line = play(steps, T + 60_000)
    assert line.record("sensor.left")["why"] == "removed" and line.records("command.done")
    assert line.record("emergency.triggered")["sensor"] == "bedroom"
    assert line.record("emergency.cancelled")["causes"] == ["fire"]


@pytest.mark.req("ZB-03")
def test_a_removed_sensor_calls_nobody():
    line = play([touch(T, "sensors.remove", sensor="kitchen"), smoke(T + 20_000), touch(T + 30_000, "sensors.show")],
                T + 60_000)
    assert line.all("dial") == [] and line.records("emergency.triggered") == []
    assert sorted(rows(line)) == ["bedroom", "door", "pendant"]


@pytest.mark.req("ZB-03")
@pytest.mark.req("ZB-04")
def test_a_sensor_removed_while_it_was_away_has_to_leave_when_it_comes_back_after_a_restart():
    """It announces nothing: it only has smoke to tell."""
    steps = [step(T, "sensor", sensor="kitchen", radio=False), touch(T + 1000, "sensors.remove", sensor="kitchen"),
             step(T + 60_000, "power_cut", for_ms=5000), step(T + 100_000, "sensor", sensor="kitchen", radio=True),
             smoke(T + 110_000), smoke(T + 130_000, on=False), step(T + 160_000, "power_cut", for_ms=5000)]
    line = play(steps, T + 200_000)
    assert line.all("dial") == []
    assert [(left["sensor"], left["t"] > T + 100_000) for left in line.all("left")] == [("kitchen", True)]


@pytest.mark.req("ZB-03")
def test_a_dead_sensor_is_replaced_under_its_name():
    steps = [step(T, "sensor", sensor="kitchen", radio=False),
             command(T + 1000, "sensors.replace", 1, sensor="kitchen"),
             pair(T + 3000, "door", "another kind"), pair(T + 20_000, "smoke", "new"),
             smoke(T + 70_000, sensor="new")]
    line = play(steps, T + 90_000)
    left = line.record("sensor.left")
    assert (left["sensor"], left["why"]) == ("kitchen", "replaced")
    joined = line.records("sensor.joined")
    assert [record["sensor"] for record in joined] == ["출입감지기 1", "kitchen"]
    triggered = line.record("emergency.triggered")
    assert (triggered["sensor"], triggered["place"], triggered["ieee"]) == ("kitchen", "부엌", joined[1]["ieee"])
    assert joined[1]["ieee"] != left["ieee"]


@pytest.mark.req("EMG-19")
def test_an_emergency_closes_registration_and_goes_on_undelayed():
    steps = [touch(T, "sensors.register"), pair(T + 2000), press(T + 8000), touch(T + 12_000, "sensors.register"),
             command(T + 12_000, "sensors.remove", 1, sensor="kitchen")]
    line = play(steps, T + 60_000)
    assert 14_000 <= line.first("dial")["t"] - (T + 8000) <= 15_500
    assert line.record("command.refused")["reason"] == "an emergency is open"
    closed = [entry["t"] for entry in line.all("log") if "joining is closed" in entry["text"]]
    assert closed and closed[0] < T + 10_000
    assert len(line.all("log", text="zigbee: joining is open")) == 1


@pytest.mark.req("SEC-03")
@pytest.mark.req("ZB-13")
def test_what_is_bad_is_refused_with_a_reason_and_what_is_good_is_done():
    steps = [command(T, "settings.set", 1, setting="status_period_h", value=9),
             command(T + 100, "settings.set", 2, setting="tester", value="01012345678"),
             command(T + 200, "sensors.rename", 3, sensor="kitchen", to="door"),
             command(T + 300, "sensors.fly", 4), command(T + 400, "cancel", 5),
             command(T + 500, "settings.set", 6, setting="status_period_h", value=2),
             touch(T + 3600, "settings.set", setting="door_announce", value=False),
             touch(T + 3700, "sensors.rename", sensor="kitchen", to="door"),
             step(T + 6000, "power_cut", for_ms=2000), step(T + 30_000, "door", sensor="door", open=True)]
    line = play(steps, T + 60_000)
    refused = {record["id"]: record["reason"] for record in line.records("command.refused")}
    assert sorted(refused) == [1, 2, 3, 4, 5] and refused[3] == "name taken" and refused[5] == "unknown command"
    assert [record["id"] for record in line.records("command.done")] == [6]
    assert [(record["setting"], record["value"], record["by"]) for record in line.records("settings.changed")] == [
        ("status_period_h", 2, "care"), ("door_announce", False, "gateway")]
    assert line.first("screen", notice="같은 이름이 있습니다")
    assert line.records("door.opened") and line.all("prompt") == [], "still switched off after the cut"


@pytest.mark.req("ZB-02")
@pytest.mark.fault(1)
@pytest.mark.parametrize("cut", [8_500, 9_300, 9_700, 10_500, 11_500, 13_000])
def test_a_power_cut_in_the_middle_of_an_interview_costs_nothing(cut):
    """The registry is whole, the others are there, and the new one is taken up again where it stopped or joins anew."""
    steps = [touch(T, "sensors.register"), pair(T + 5000, ieee=IEEE), step(T + cut, "power_cut", for_ms=1000),
             touch(T + cut + 30_000, "sensors.register"), touch(T + 180_000, "sensors.show"),
             smoke(T + 185_000, sensor="new")]
    line = play(steps, T + 210_000)
    assert line.faults() == []
    names = [SENSORS[index]["name"] for index in range(4)]
    assert sorted(rows(line)) == sorted([*names, "화재감지기 1"]) and rows(line)["화재감지기 1"]["ready"]
    assert [record["sensor"] for record in line.records("sensor.joined")] == ["화재감지기 1"]
    assert line.record("emergency.triggered")["ieee"] == IEEE


# ---------------------------------------------------------------------------------- another gateway


@pytest.fixture
def gateways(tmp_path, micropython):
    """run(folder, mode, steps, until): a gateway whose files outlive the run; mode as in port/takeover.py."""

    def run(folder, mode, steps, until, cut=-1, **fields):
        place = tmp_path / folder
        if not place.exists():
            place.mkdir()
            simulator.furnish(place)
        scenario = {"seed": 1, "until": until, "sensors": SENSORS, "steps": steps, **fields}
        out = micropython(
            ["host_tests/scenario/port/takeover.py", str(place), mode, str(cut)], heap=simulator.HEAP,
            stdin=json.dumps(scenario) + "\n")
        return Timeline(out)

    run.folder = tmp_path
    return run


@pytest.fixture
def handed_over(gateways):
    """The file and code of an old gateway with a renamed sensor, a changed setting, and a sensor it registered."""
    steps = [touch(T, "sensors.rename", sensor="kitchen", to="주방 감지기"), touch(T + 1000, "sensors.register"),
             pair(T + 2000, "door", "window"), touch(T + 3000, "settings.set", setting="status_period_h", value=3),
             touch(120_000, "takeover.make")]
    line = gateways("old", "old", steps, 130_000, settings={"gateway": "GW-000042", "tester": "01012345678"})
    assert line.records("sensor.joined") and line.faults() == []
    shown = [text for view in line.all("screen") for text in view.get("lines", []) if text.startswith("인수 코드: ")]
    assert "GW-000042" not in line.text
    return (gateways.folder / "old" / "takeover.bin").read_bytes(), shown[-1][len("인수 코드: "):]


def receive(gateways, folder, handed_over, code_file=False):
    (gateways.folder / folder).mkdir()
    simulator.furnish(gateways.folder / folder)
    (gateways.folder / folder / "takeover.bin").write_bytes(handed_over[0])
    if code_file:
        (gateways.folder / folder / "takeover.code").write_text(handed_over[1])


@pytest.mark.req("ZB-19")
@pytest.mark.req("ZB-16")
def test_another_gateway_with_another_chip_takes_the_home_over(gateways, handed_over):
    receive(gateways, "new", handed_over)
    steps = [touch(T, "takeover.take", code=handed_over[1].replace("A", "B").replace("1", "2")),
             press(T + 3000), press(T + 6000, "cancel"),
             touch(T + 20_000, "takeover.take", code=handed_over[1].lower()), smoke(T + 60_000),
             step(T + 110_000, "hang_up"), touch(T + 115_000, "test.enter"), touch(T + 116_000, "sensors.show")]
    line = gateways("new", "new", steps, T + 130_000)
    assert line.first("screen", notice="코드를 다시 확인해 주세요"), "a slip is found before anything is tried"
    assert line.record("emergency.cancelled")["causes"] == ["button"], "the button works all the while"
    assert [boot["reason"] for boot in line.all("boot")] == ["power", "reset"]
    booted = line.records("gateway.booted")
    assert booted[1]["boot"] > booted[0]["boot"] + 900
    triggered = line.records("emergency.triggered")[1]
    assert (triggered["sensor"], triggered["place"]) == ("주방 감지기", "부엌")
    assert line.first("dial")["number"] == "119"
    assert line.records("test.entered"), "the tester's number came along"
    assert sorted(rows(line)) == sorted(["주방 감지기", "bedroom", "pendant", "door", "출입감지기 1"])
    assert not (gateways.folder / "new" / "takeover.bin").exists()


@pytest.mark.req("ZB-19")
@pytest.mark.parametrize("cut", [1, 9, 30, 47, 60, 75])
def test_a_power_cut_while_taking_over_leaves_all_or_nothing(gateways, handed_over, cut):
    receive(gateways, "new", handed_over, code_file=True)
    line = gateways("new", "new", [smoke(90_000)], 120_000, cut=cut)
    assert "power" in [boot["reason"] for boot in line.all("boot")][1:], "the cut came"
    assert line.record("emergency.triggered")["sensor"] == "주방 감지기", "taken up again from the file, and done"


@pytest.mark.req("ZB-19")
@pytest.mark.req("SEC-03")
def test_a_spoilt_file_changes_nothing_and_forms_no_network(gateways, handed_over):
    data = handed_over[0]
    receive(gateways, "new", (data[:-50] + bytes((data[-50] ^ 1,)) + data[-49:], handed_over[1]), code_file=True)
    line = gateways("new", "new", [touch(60_000, "takeover.drop")], 120_000)
    assert [record["error"] for record in line.records("gateway.fault") if record["fault"] == "takeover"] == [
        "the code is another file's, or the file is damaged"]
    formed = [entry["t"] for entry in line.all("log") if "a new network was formed" in entry["text"]]
    assert len(formed) == 1 and formed[0] > 60_000, "only when the file was dropped"
    assert [boot["reason"] for boot in line.all("boot")] == ["power", "reset"]
