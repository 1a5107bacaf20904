"""The link to the relay through everything that a network, a broker or a relay does to it, in virtual time."""

import pytest
from lanes import check_order
from scenario.timeline import ARMED, play, press, step

S = 1000
M = 60 * S
T = ARMED
LATE_S = 330  # back-off of 5 min at most, and the handshake
DOOR = {"sensor": "door"}


def door(at, is_open=True):
    return step(at, "door", open=is_open, **DOOR)


def relay(at, fault):
    return step(at, "relay", fault=fault)


def events(line, name):
    return [one["t"] for one in line.all("relay") if one["record"].get("event") == name]


def ups(line):
    return line.times("link", link="up")


def told_once(line):
    """Every record the relay has, it has once; repeats were recognised; in order."""
    got = [(one["record"]["boot"], one["record"]["seq"]) for one in line.all("relay")]
    assert len(set(got)) == len(got)
    check_order([one["record"] for one in line.all("relay")])
    boots = {boot for boot, _ in got}
    for boot in boots:
        seqs = [seq for each, seq in got if each == boot]
        assert sorted(seqs) == list(range(1, len(seqs) + 1)), "a gap"


@pytest.mark.req("TEL-04")
@pytest.mark.fault(18)
def test_an_event_is_at_the_relay_within_a_second():
    line = play([door(T), door(T + 5 * S, False)], T + 10 * S)
    assert 0 < events(line, "door.opened")[0] - T < 1000 and 0 < events(line, "door.closed")[0] - T - 5 * S < 1000
    told_once(line)


@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-09")
@pytest.mark.fault(67)
@pytest.mark.fault(75)
def test_a_half_open_link_is_noticed_in_30_s_and_nothing_is_lost():
    line = play([relay(T, "silent"), door(T + S), relay(T + 4 * M, "none")], T + 4 * M + LATE_S * S)
    told = line.records("gateway.recovered")
    assert [record["why"] for record in told] == ["reboot", "silent"]
    logged = [one["t"] for one in line.all("log") if one["text"].startswith("link: open")]
    assert logged[0] - T <= 30 * S
    assert len(events(line, "door.opened")) == 1
    told_once(line)


@pytest.mark.fault(66)
def test_a_broker_that_takes_the_connection_and_says_nothing_is_left_after_20_s():
    line = play([relay(T, "no_connack"), door(T + 3 * S), relay(T + 5 * M, "none")], T + 5 * M + LATE_S * S)
    failed = [one["t"] for one in line.all("log") if one["text"].startswith("link: mqtt")]
    assert failed and failed[0] - T <= 35 * S and len(failed) <= 12, "no storm"
    assert len(events(line, "door.opened")) == 1
    told_once(line)


@pytest.mark.fault(65)
@pytest.mark.req("TEL-02")
def test_hours_without_the_broker_cost_nothing_but_the_wait():
    line = play([step(T, "relay", up=False), door(T + S), door(T + M, False), step(T + 180 * M, "relay", up=True)],
                T + 180 * M + LATE_S * S)
    assert len(events(line, "door.opened")) == len(events(line, "door.closed")) == 1
    assert [record["fault"] for record in line.records("gateway.fault")] == ["link"]
    tries = [one for one in line.all("log") if one["text"].startswith("link:")]
    assert 180 * M / (300 * S) / 2 <= len(tries) <= 150, "5 min at most, and no storm"
    told_once(line)


@pytest.mark.fault(68)
@pytest.mark.fault(69)
@pytest.mark.parametrize("fault", ["slow", "doubled"])
def test_answers_that_are_late_or_come_twice_change_nothing(fault):
    steps = [relay(T, fault)] + [door(T + at * 3 * S, at % 2 == 0) for at in range(20)] + [relay(T + 5 * M, "none")]
    line = play(steps, T + 7 * M)
    assert len(events(line, "door.opened")) == len(events(line, "door.closed")) == 10
    assert len(line.all("repeat")) <= 20, "no storm of repeats"
    told_once(line)


@pytest.mark.req("EMG-11")
@pytest.mark.fault(13)
def test_a_relay_that_does_not_answer_is_a_fault_and_gets_everything_later():
    line = play([relay(T, "mute_relay"), door(T + S), door(T + M, False), relay(T + 10 * M, "none")],
                T + 10 * M + LATE_S * S)
    assert len(events(line, "door.opened")) == len(events(line, "door.closed")) == 1
    assert "the relay does not answer" in [record.get("what") for record in line.records("gateway.fault")]
    told_once(line)


@pytest.mark.fault(70)
def test_a_broker_that_throws_us_out_sees_us_every_10_s_at_most_and_it_is_said():
    line = play([relay(T, "kick"), step(T, "modem", data=False), step(T + S, "modem", data=True),
                 relay(T + 3 * M, "none")], T + 3 * M + LATE_S * S)
    at = [t for t in ups(line) if t > T]
    assert len(at) >= 3 and min(b - a for a, b in zip(at, at[1:], strict=False)) >= 10 * S
    assert any("another one" in record.get("what", "") for record in line.records("gateway.fault"))


@pytest.mark.fault(74)
@pytest.mark.parametrize("dns", ["fails", "silent", "slow", "lies", "stranger"])
def test_a_name_that_leads_nowhere_or_to_a_stranger_is_not_the_end(dns):
    """The address that answered last is kept, over a power cut too; who is there shows its certificate."""
    line = play([step(T, "net", dns=dns), step(T + S, "power_cut", for_ms=2000), door(T + M)], T + 3 * M)
    assert [t for t in ups(line) if t > T], "the kept address"
    assert len(events(line, "door.opened")) == 1
    told_once(line)


@pytest.mark.req("TEL-10")
@pytest.mark.fault(75)
def test_without_a_network_it_waits_for_one_and_says_so():
    line = play([step(T, "modem", data=False), door(T + S), step(T + 5 * M, "modem", data=True)], T + 6 * M)
    [told] = [record for record in line.records("gateway.recovered") if record["why"] == "network"]
    assert 4 * M <= told["down_ms"] <= 5 * M + 10 * S
    assert events(line, "door.opened")[0] - T - 5 * M <= 5 * S
    assert line.all("screen", view="home")[-1]
    shown = [text for view in line.all("screen") for text in view.get("lines", []) if "관제 서버" in text]
    assert shown, "after 3 min the person is told"


@pytest.mark.req("TEL-07")
@pytest.mark.fault(80)
def test_without_a_clock_records_are_dated_when_the_relay_tells_the_time():
    line = play([step(0, "clock", lost=True), step(0, "modem", data=False, time=False), door(T),
                 step(T + M, "modem", data=True),
                 door(T + 2 * M, False), step(T + 3 * M, "power_cut", for_ms=1000), door(T + 4 * M)], T + 5 * M)
    opened = line.record("door.opened")
    start = 1_772_323_200_000  # 2026-03-01 09:00 in Korea
    assert opened["clock"] == "late" and abs(opened["at"] - start - T) < 2500
    closed = line.record("door.closed")
    assert closed["clock"] == "set" and abs(closed["at"] - start - T - 2 * M) < 2500
    again = line.records("door.opened")[-1]
    assert again["clock"] == "set" and abs(again["at"] - start - T - 4 * M) < 2500, "the clock chip was set too"
    told_once(line)


@pytest.mark.req("TEL-05")
def test_the_state_is_asked_for_and_told():
    line = play([step(T, "relay", command={"id": "s", "name": "state"})], T + 10 * S)
    state = line.record("command.done")["state"]
    assert state["armed"] and state["mains"] and state["sensors"] == 4 and state["version"]
    told = [one["record"]["sensor"] for one in line.all("relay") if one["record"]["kind"] == "status"]
    assert sorted(told) == ["bedroom", "door", "kitchen", "pendant"]


@pytest.mark.fault(77)
@pytest.mark.req("SEC-03")
def test_old_late_and_repeated_commands_do_nothing():
    now = 1_772_323_200_000 + T
    change = {"name": "settings.set", "setting": "status_period_h"}

    def command(at, name, counter, expires, value):
        return step(at, "relay", command={"id": name, "counter": counter, "expires": expires, "value": value, **change})

    steps = [command(T, "a", now, now + M, 2), command(T + 2 * S, "b", now - 5, now + M, 3),
             command(T + 4 * S, "c", now + 1, now - M, 1), step(T + 6 * S, "power_cut", for_ms=1000),
             command(T + M, "d", now, now + 9 * M, 4)]
    line = play(steps, T + 2 * M)
    assert [record["value"] for record in line.records("settings.changed")] == [2]
    assert [record["id"] for record in line.records("command.done")] == ["a"]
    assert [(record["id"], record["reason"]) for record in line.records("command.refused")] == [("c", "too late")]


@pytest.mark.fault(78)
@pytest.mark.req("SEC-03")
def test_a_relay_that_floods_us_gets_the_press_all_the_same():
    flood = [step(T + at, "relay", command={"id": f"f{at}", "name": "settings.set", "setting": "no", "value": "x" * 99})
             for at in range(0, 4000, 20)]
    line = play([*flood, press(T + 2000)], T + 20 * S)
    assert line.first("dial")["t"] - T - 2000 <= 15_200
    assert len(line.records("command.refused")) < 200
    told_once(line)


@pytest.mark.req("EMG-19")
@pytest.mark.req("EMG-11")
def test_an_emergency_with_the_link_down_brings_it_up_within_seconds_of_its_return():
    line = play([step(T - 10 * S, "relay", up=False), press(T + 30 * M), step(T + 30 * M + 40 * S, "relay", up=True)],
                T + 32 * M)
    first = events(line, "emergency.triggered")[0]
    assert first - (T + 30 * M + 40 * S) <= 7 * S
    assert line.first("dial")["t"] - T - 30 * M <= 15_200


@pytest.mark.req("EMG-19")
@pytest.mark.fault(73)
def test_no_handshake_is_made_while_somebody_is_asked():
    """The link comes back in the window: the words are spoken to the end first, and 119 is dialled in time."""
    line = play([step(T - 10 * S, "modem", data=False), press(T), step(T + 2 * S, "modem", data=True)], T + 60 * S)
    assert line.first("dial")["t"] - T <= 15_200
    assert min(t for t in ups(line) if t > T) >= line.first("dial")["t"]


@pytest.mark.req("TEL-07")
@pytest.mark.fault(80)
def test_without_a_clock_and_without_a_link_the_mobile_network_dates_the_records():
    """The relay's own word comes first thing with the link; a power cut forgets what only the network said."""
    line = play([step(0, "clock", lost=True), step(0, "relay", up=False), door(T + 40 * S),
                 step(T + M, "power_cut", for_ms=1000), door(T + M + 10 * S, False), door(T + 2 * M),
                 step(T + 3 * M, "relay", up=True)], T + 3 * M + LATE_S * S)
    start = 1_772_323_200_000  # 2026-03-01 09:00 in Korea
    first, second = line.records("door.opened")
    for record, at in ((first, T + 40 * S), (second, T + 2 * M)):
        assert record["clock"] == "network" and abs(record["at"] - start - at) < 2500
    [early] = line.records("door.closed")  # before the modem was up again
    assert early["clock"] == "late" and abs(early["at"] - start - T - M - 10 * S) < 2500
    assert line.records("gateway.recovered")[-1]["clock"] in ("network", "set")
    told_once(line)


@pytest.mark.req("TEL-02")
def test_a_quarter_of_an_hour_of_redialling_without_a_network_is_in_flash_all_of_it():
    """What is erased ahead lasts for some ten minutes of it; the pauses between two attempts make more."""
    end = T + 15 * M
    line = play([step(T, "modem", data=False), step(T, "line119", reply="busy"), press(T + S),
                 step(end, "power_cut", for_ms=2000), step(end + S, "line119", reply="answer"),
                 step(end + M, "modem", data=True)], end + 2 * M + LATE_S * S)
    assert len(line.records("emergency.dialled")) > 90
    assert line.record("emergency.answered")
    told_once(line)
