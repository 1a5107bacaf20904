"""Registration mode against a double of the pairing: what people see, what is recorded, who takes whose place."""

import pytest
from doubled_gateway import Gateway

SMOKE = {"kind": "smoke", "maker": "HEIMAN", "model": "SmokeSensor-EF-3.0", "ready": True}
HOME = [{"name": "부엌 감지기", "kind": "smoke", "place": "부엌", "ieee": "00124b0000000001"},
        {"name": "pendant", "kind": "call_button", "place": "", "ieee": "00124b0000000002"}]
NEW = "00124b00000000aa"


@pytest.fixture
def gateway():
    return Gateway(HOME)


def join(gateway, ieee=NEW, facts=SMOKE):
    """As the pairing tells it."""
    pairing = gateway.pairing
    if pairing.admit(ieee):
        pairing.on_refused(ieee, pairing.admit(ieee))
        return
    facts = dict(facts)
    kind = facts.pop("kind")
    pairing.on_step(ieee, 0, 11, "node")
    assert pairing.on_facts(ieee, facts) is None, "of no kind yet, of no home yet"
    facts["kind"] = kind
    device = pairing.on_facts(ieee, facts)
    if device is None:
        pairing.on_refused(ieee, "full")
        return
    assert device.ieee == ieee
    pairing.on_step(ieee, 10, 11, "state")
    pairing.on_joined(ieee, facts)


@pytest.mark.req("ZB-02")
def test_it_is_closed_until_somebody_opens_it_and_closes_by_itself(gateway):
    assert gateway.look() is None and gateway.pairing.asked == []
    assert gateway.registration.open() == ""
    assert gateway.pairing.asked == [("open", 60, False)] and gateway.spoken == ["register_open"]
    assert gateway.look()["open"] and gateway.registration.left_s() == 60
    gateway.look(30_000)
    assert gateway.registration.open() == "" and gateway.registration.left_s() == 60, "counted anew"
    assert gateway.spoken == ["register_open"]
    gateway.look(59_000)
    assert gateway.registration.left_s() == 1
    gateway.look(1_000)
    assert gateway.spoken == ["register_open", "register_closed"] and gateway.look() is None


@pytest.mark.req("ZB-02")
@pytest.mark.parametrize("seconds", [0, -1, 61, 100000])
def test_it_opens_for_a_minute_at_most(gateway, seconds):
    assert gateway.registration.open(seconds) == "seconds must be 1 to 60"
    assert gateway.pairing.asked == []


@pytest.mark.req("EMG-19")
def test_an_emergency_refuses_and_closes_it(gateway):
    gateway.registration.open()
    gateway.machine.emergency = True
    gateway.look()
    assert ("close",) in gateway.pairing.asked and not gateway.pairing.opened
    assert gateway.registration.open() == "an emergency is open"
    assert gateway.registration.remove("부엌 감지기") == "an emergency is open"
    assert gateway.registration.replace("부엌 감지기") == "an emergency is open"
    assert len(gateway.names()) == 2


def test_without_a_radio_it_says_so(gateway):
    gateway.coordinator.ready = False
    assert gateway.registration.open() == "the radio is not ready"


@pytest.mark.req("ZB-02")
@pytest.mark.req("ZB-03")
def test_what_joins_is_named_shown_spoken_and_recorded(gateway):
    gateway.registration.open()
    gateway.pairing.on_step(NEW, 3, 11, "model")
    assert gateway.look()["now"] == [
        {"name": "새 감지기", "ieee": NEW, "done": 3, "of": 11, "text": "등록하고 있습니다"}]
    assert gateway.look(9_000)["now"][0]["text"] == "감지기의 버튼을 한 번 눌러 주세요"
    join(gateway)
    panel = gateway.look()
    assert panel["now"] == [] and panel["said"] == [{"ok": True, "text": "등록되었습니다: 화재감지기 1"}]
    assert panel["count"] == 3
    assert gateway.named("sensor.joined") == [{
        "sensor": "화재감지기 1", "ieee": NEW, "place": "", "sensor_kind": "smoke", "maker": "HEIMAN",
        "model": "SmokeSensor-EF-3.0", "code": False}]
    assert gateway.spoken == ["register_open", "register_joined"]
    assert gateway.sensors.all[2].device.ieee == NEW
    assert ("touch", (), {}) in gateway.network.calls, "the backup has to know it"


@pytest.mark.req("ZB-02")
@pytest.mark.fault(42)
@pytest.mark.parametrize(("reason", "text", "aloud"), [
    ("closed", "등록 모드가 아닐 때", False), ("unknown_kind", "지원하지 않는 기기입니다", True),
    ("no_code", "설치 코드가 필요합니다", True), ("duplicate", "주소가 중복됩니다", True),
    ("full", "더 등록할 수 없습니다 (32개)", True), ("neighbour", "다른 집의 기기입니다", False),
    ("failed", "등록을 마치지 못했습니다", True)])
def test_what_is_refused_is_shown_with_its_reason_and_recorded(gateway, reason, text, aloud):
    gateway.registration.open()
    gateway.pairing.on_refused(NEW, reason)
    said = gateway.look()["said"]
    assert len(said) == 1 and not said[0]["ok"] and text in said[0]["text"] and NEW[-4:] in said[0]["text"]
    assert gateway.named("sensor.refused") == [{"ieee": NEW, "reason": reason}]
    assert ("register_refused" in gateway.spoken) is aloud
    assert len(gateway.names()) == 2


@pytest.mark.fault(42)
def test_while_closed_nothing_is_said_aloud_and_a_thousand_tries_are_few_records(gateway):
    for number in range(1000):
        gateway.clock.now += 1000
        gateway.pairing.on_refused("%016x" % number, "closed")
    assert gateway.spoken == [] and 25 <= len(gateway.records) <= 35
    assert len(gateway.look()["said"]) == 5


@pytest.mark.req("ZB-03")
def test_the_thirty_third_is_refused(gateway):
    gateway.registration.open()
    for number in range(30):
        join(gateway, "00124b00000001%02x" % number)
    assert len(gateway.names()) == 32 and gateway.named("sensor.refused") == []
    join(gateway, "00124b0000000300")
    assert [fields["reason"] for fields in gateway.named("sensor.refused")] == ["full"]


@pytest.mark.req("ZB-03")
@pytest.mark.parametrize("full", [False, True])
def test_a_dead_sensor_is_replaced_under_its_name(gateway, full):
    for number in range(30 if full else 0):
        join(gateway, "00124b00000001%02x" % number)
    before = gateway.names()
    assert gateway.registration.replace("부엌 감지기") == ""
    assert gateway.look()["replaces"] == "부엌 감지기"
    if not full:
        join(gateway, "00124b00000000bb", {"kind": "door"})
        assert gateway.names() == [*before, "출입감지기 1"], "another kind replaces nobody"
        before = gateway.names()
    join(gateway)
    assert gateway.names() == before
    entry = gateway.registry.entries[0]
    assert (entry["name"], entry["place"], entry["ieee"]) == ("부엌 감지기", "부엌", NEW)
    assert gateway.named("sensor.left") == [
        {"sensor": "부엌 감지기", "ieee": HOME[0]["ieee"], "place": "부엌", "why": "replaced"}]
    joined = gateway.named("sensor.joined")[-1]
    assert joined["sensor"] == "부엌 감지기" and joined["ieee"] == NEW
    gateway.look()
    assert ("remove", HOME[0]["ieee"]) in gateway.pairing.asked
    assert gateway.sensors.all[0].device.ieee == NEW
    assert sum(sensor is not None for sensor in gateway.sensors.all) == len(before)


@pytest.mark.req("ZB-03")
def test_a_replacement_that_does_not_come_changes_nothing(gateway):
    gateway.registration.replace("부엌 감지기")
    gateway.look(61_000)
    assert gateway.registry.entries[0]["ieee"] == HOME[0]["ieee"] and gateway.records == []
    gateway.registration.open()
    join(gateway)
    assert gateway.names() == ["부엌 감지기", "pendant", "화재감지기 1"], "the next window replaces nobody"
    assert gateway.registration.replace("nobody") == "unknown sensor"


def test_one_on_the_way_in_when_the_window_closes_still_replaces(gateway):
    gateway.registration.replace("부엌 감지기")
    gateway.pairing.on_step(NEW, 1, 11, "endpoints")
    gateway.look(61_000)
    join(gateway)
    assert gateway.names() == ["부엌 감지기", "pendant"] and gateway.registry.entries[0]["ieee"] == NEW


@pytest.mark.req("ZB-03")
def test_a_removed_sensor_has_to_leave_and_its_place_is_free(gateway):
    assert gateway.registration.remove("부엌 감지기") == ""
    gateway.look()
    assert ("remove", HOME[0]["ieee"]) in gateway.pairing.asked
    assert gateway.named("sensor.left")[0]["why"] == "removed"
    assert gateway.names() == ["pendant"] and gateway.registry.entries[1]["name"] == "pendant"
    assert gateway.sensors.all[0] is None
    assert gateway.registration.remove("부엌 감지기") == "unknown sensor"


@pytest.mark.parametrize("written", [True, False])
def test_a_removed_sensor_leaves_once_no_power_cut_can_bring_it_back_into_the_list(gateway, written):
    """A flash that takes nothing holds it back for half a minute."""
    leave = ("remove", HOME[0]["ieee"])
    gateway.store.unwritten = True
    assert gateway.registration.remove("부엌 감지기") == ""
    gateway.look(29_000)
    assert leave not in gateway.pairing.asked and gateway.sensors.all[0] is None
    gateway.store.unwritten = not written
    gateway.look(0 if written else 1000)
    assert gateway.pairing.asked.count(leave) == 1


def test_who_leaves_by_itself_keeps_its_name(gateway):
    gateway.pairing.on_left(HOME[0]["ieee"])
    gateway.pairing.on_left(NEW)
    assert [fields["why"] for fields in gateway.named("sensor.left")] == ["itself"]
    assert gateway.names() == ["부엌 감지기", "pendant"]


def test_a_known_one_that_comes_again_keeps_its_name_and_what_it_told(gateway):
    gateway.registration.open()
    sensor = gateway.sensors.all[0]
    gateway.pairing.on_facts(HOME[0]["ieee"], dict(SMOKE))
    assert gateway.sensors.all[0] is sensor and gateway.registry.entries[0]["facts"]["maker"] == "HEIMAN"
    gateway.pairing.on_joined(HOME[0]["ieee"], dict(SMOKE))
    assert gateway.named("sensor.joined")[0]["sensor"] == "부엌 감지기" and len(gateway.names()) == 2


@pytest.mark.req("ZB-05")
def test_install_codes_go_to_the_pairing_and_bad_ones_come_back(gateway):
    assert gateway.registration.code("00:12:4B:00:00:00:00:AA", "83FED3407A93") == ""
    assert ("code", NEW, "83FED3407A93") in gateway.pairing.asked
    assert gateway.registration.code(NEW, "83F") == "install code: its length is wrong"
    gateway.settings.change("install_code_required", True, "care")
    gateway.registration.open()
    assert gateway.pairing.asked[-1] == ("open", 60, True) and gateway.look()["code"] is True


@pytest.mark.req("ZB-13")
def test_a_new_period_is_told_to_every_sensor(gateway):
    assert gateway.pairing.period_s == 4 * 3600
    gateway.settings.change("status_period_h", 2, "care")
    gateway.registration.reconfigure()
    assert gateway.pairing.period_s == 7200
    assert [asked for asked in gateway.pairing.asked if asked[0] == "reconfigure"] == [
        ("reconfigure", entry["ieee"], 7200) for entry in HOME]


def test_who_never_ends_is_taken_off_the_screen(gateway):
    for number in range(20):
        gateway.pairing.on_step("%016x" % number, 1, 11, "node")
    assert len(gateway.look()["now"]) == 8
    assert gateway.look(601_000) is None
