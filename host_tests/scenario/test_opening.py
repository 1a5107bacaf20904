"""The queue's flash takes its time to be opened: 119 does not wait for it, and no record is lost."""

import json

import pytest
from lanes import check_order, identity
from scenario.timeline import SENSORS, Timeline, press, step

from tools import simulator

START = 2500  # the firmware begins to run
PRESS = START + 100
DIALLED_MS = 14_700  # from the press, as with an empty queue
ANSWERS = step(1000, "line119", reply="answer", after_ms=4000)
FULL = {"sectors": 1024, "old": 1010, "bytes": 3000, "read_us": 20_000}  # 20 s in all: an exaggeration
SLOW = {"sectors": 256, "old": 240, "bytes": 3000, "read_us": 60_000}  # 15 s
SMALL = {"sectors": 64, "old": 100, "bytes": 300, "read_us": 20_000}  # 1.4 s


@pytest.fixture
def opening(tmp_path, micropython):
    """run(job, steps, until): a home whose queue is opened as in port/opening.py; its timeline."""

    def run(job, steps, until):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        simulator.furnish(folder)
        scenario = {"seed": 1, "until": until, "sensors": SENSORS, "steps": steps}
        return Timeline(micropython(
            ["host_tests/scenario/port/opening.py", str(folder), json.dumps(job)], heap="24M",
            stdin=json.dumps(scenario, ensure_ascii=False) + "\n"))

    return run


def got(line):
    return [one["record"] for one in line.all("relay")]


def judge(line, job, lost_boots=()):
    """The relay has all of before and after, once, in order. lost_boots: what a cut may have taken out of memory."""
    records = got(line)
    idents = [identity(record) for record in records]
    assert len(set(idents)) == len(idents), "one identity, two records"
    check_order(records)
    old, made = ([(one["boot"], one["seq"]) for one in line.all(what)] for what in ("old", "made"))
    assert len(old) == job["old"] and len(set(made)) == len(made) and not set(made) & set(old)
    assert set(idents) <= {*old, *made}
    assert {one for one in [*old, *made] if one[0] not in lost_boots} <= set(idents)
    boots = [one["boot"] for one in line.all("opened")]
    assert boots == sorted(set(boots)) and all(boot > 11 for boot in boots)
    assert all(one["journal"] == one["boot"] for one in line.all("opened"))


def dialled(line):
    return [t - PRESS for t in line.times("dial", number="119")]


# ---------------------------------------------------------------------------------- time
@pytest.mark.req("EMG-19")
@pytest.mark.req("EMG-04")
@pytest.mark.req("TEL-02")
@pytest.mark.fault(8)
def test_a_press_just_after_power_on_does_not_wait_for_a_full_queue(opening):
    """4 MB whose 1,030 reads take 20 s together: dialled as with an empty queue, reported, and all of it delivered."""
    until = 90_000
    line = opening(FULL, [ANSWERS, press(PRESS), step(45_000, "hang_up")], until)
    empty = opening({**FULL, "old": 0, "read_us": 0}, [ANSWERS, press(PRESS), step(45_000, "hang_up")], until)
    assert line.first("filled")["used"] == 1010
    assert line.first("opened")["t"] - START > 20_000 and empty.first("opened")["t"] - START < 200
    assert len(dialled(line)) == len(dialled(empty)) == 1 and dialled(empty)[0] <= DIALLED_MS
    assert dialled(line)[0] - dialled(empty)[0] <= 100, "some reads more"
    assert line.first("beacon", sound=True)["t"] - PRESS <= 200
    assert len(line.all("prompt_end", to="line")) == len(empty.all("prompt_end", to="line")) == 2
    judge(line, FULL)
    assert line.first("opened")["boot"] == 12 and line.times("link", link="up")[0] >= line.first("opened")["t"]
    steps = [record["event"] for record in got(line) if record.get("event", "").startswith("emergency.")]
    assert steps == ["emergency.triggered", "emergency.dialled", "emergency.answered", "emergency.ended"]
    before = [one for one in line.all("relay") if one["record"].get("event") == "emergency.dialled"]
    assert before[0]["record"]["up"] < line.first("opened")["t"] - START, "made before it had a number"


@pytest.mark.req("EMG-21")
def test_the_acknowledgement_of_a_record_without_a_number_is_seen(opening):
    """It is cancelled before the queue is open; its seq is the one that the relay acknowledges later."""
    line = opening(SLOW, [press(PRESS), press(PRESS + 5000, "cancel")], 60_000)
    opened = line.first("opened")["t"]
    cancelled = line.record("emergency.cancelled")
    assert cancelled["up"] < opened - START
    shown = [one["t"] for one in line.all("screen") for rung in one.get("ladder", ())
             if rung["step"] == "acknowledged" and rung["at"] is not None]
    assert not dialled(line) and shown and shown[0] > opened


@pytest.mark.req("EMG-19")
@pytest.mark.fault(86)
@pytest.mark.parametrize("stall_ms", [3000, 12_000])
def test_a_partition_that_hangs_in_a_read(opening, stall_ms):
    """For a moment: 119 is late by no more. For longer: the watchdog, and the journal knows."""
    line = opening({**SMALL, "stall_at": 30, "stall_ms": stall_ms}, [ANSWERS, press(PRESS)], 90_000)
    reset = line.all("boot", reason="watchdog")
    assert bool(reset) == (stall_ms > 8000)
    assert len(dialled(line)) == 1 or reset
    if not reset:
        assert dialled(line)[0] <= DIALLED_MS + stall_ms
    judge(line, SMALL)


def test_a_press_during_the_hang_counts_when_it_is_held(opening):
    job = {**SMALL, "read_us": 0, "stall_at": 2, "stall_ms": 3000}
    line = opening(job, [ANSWERS, press(PRESS, hold_ms=3200)], 60_000)
    assert dialled(line)[0] <= DIALLED_MS + 3000
    judge(line, job)


# ---------------------------------------------------------------------------------- cuts
@pytest.mark.req("EMG-17")
@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-07")
@pytest.mark.fault(1)
@pytest.mark.parametrize("after_ms", [[300], [4000], [14_900], [16_300], [1000, 9000, 30_000]])
def test_power_cuts_while_it_is_opened_with_an_emergency_open(opening, after_ms):
    """The journal resumes the emergency; what was in flash arrives once, in order, and no number comes twice."""
    cuts = [step(START + at, "power_cut", for_ms=1000) for at in after_ms]
    line = opening(SLOW, [ANSWERS, press(PRESS), *cuts], 120_000)
    assert len(line.all("boot")) == len(cuts) + 1
    assert [t for t in line.times("dial") if t > START + after_ms[-1]], "it goes on"
    assert len(line.all("prompt_end", to="line")) >= 2
    boots = [one["boot"] for one in line.all("opened")]
    judge(line, SLOW, lost_boots=boots[:-1])
    booted = [record for record in got(line) if record.get("event") == "gateway.booted"]
    assert booted[-1]["boot"] == boots[-1] and booted[-1]["seq"] == 1


@pytest.mark.req("TEL-02")
@pytest.mark.fault(1)
@pytest.mark.fault(2)
@pytest.mark.parametrize("operation", range(6))
def test_a_power_cut_in_what_the_opening_itself_programs(opening, operation):
    line = opening({**SMALL, "cut_at": operation}, [ANSWERS, press(PRESS)], 60_000)
    assert len(line.all("boot")) == 2 and dialled(line)
    judge(line, SMALL, lost_boots=[one["boot"] for one in line.all("opened")][:-1])


# ---------------------------------------------------------------------------------- identity
@pytest.mark.req("TEL-07")
@pytest.mark.fault(80)
def test_a_number_that_only_the_queue_knew_is_in_the_journal_before_the_next_start(opening):
    """119 is being dialled, which costs the journal no flash else; then the queue's flash dies."""
    busy = step(1000, "line119", reply="busy")
    line = opening({**SLOW, "dead_from": 2}, [busy, press(PRESS), step(40_000, "power_cut", for_ms=1000)], 120_000)
    first, second = line.all("opened")
    assert first["boot"] == 12 and first["flash"] and second["boot"] == 13
    assert len(dialled(line)) > 4
    numbers = [identity(record) for record in got(line)]
    assert len(numbers) == len(set(numbers)) and {12, 13} <= {boot for boot, _ in numbers}


@pytest.mark.req("TEL-07")
@pytest.mark.fault(10)
@pytest.mark.fault(80)
def test_without_the_queue_s_flash_numbers_grow_by_the_journal(opening):
    cuts = [step(at, "power_cut", for_ms=1000) for at in (30_000, 60_000)]
    line = opening({**SMALL, "dead_from": 1}, [ANSWERS, press(PRESS), *cuts], 100_000)
    boots = [one["boot"] for one in line.all("opened")]
    assert boots == [boots[0], boots[0] + 1, boots[0] + 2] and boots[0] > 5_000_000
    assert {one["boot"] for one in got(line)} == set(boots)
    assert "queue" in {record["fault"] for record in line.records("gateway.fault")}


@pytest.mark.req("EMG-19")
@pytest.mark.req("TEL-02")
@pytest.mark.fault(85)
def test_an_opening_that_raises_costs_neither_the_call_nor_a_record(opening):
    """What is made then goes out of memory; what flash has waits for a start that can read it."""
    job = {**SMALL, "raises_at": 40}
    line = opening(job, [ANSWERS, press(PRESS), step(40_000, "power_cut", for_ms=1000)], 90_000)
    assert dialled(line)[0] <= DIALLED_MS
    first, second = line.all("opened")
    assert not first["flash"] and second["flash"] and second["boot"] == first["boot"] + 1
    told = [record for record in line.records("gateway.fault") if record["fault"] == "queue"]
    assert told[0]["boot"] == first["boot"] and "broken" in told[0]["what"]
    idents = [identity(record) for record in got(line)]
    expected = [(one["boot"], one["seq"]) for what in ("old", "made") for one in line.all(what)]
    assert sorted(idents) == sorted(expected)


@pytest.mark.req("ZB-19")
def test_what_is_handed_over_says_the_number_of_this_boot(opening):
    """Asked for before that is known: it is written then."""
    steps = [step(60_000, "monitor", touch="sensors.rename", **{"with": {"sensor": "kitchen", "to": "주방"}}),
             step(130_000, "power_cut", for_ms=1000), step(140_000, "monitor", touch="takeover.make", **{"with": {}})]
    line = opening(SLOW, steps, 180_000)
    [written] = [one["t"] for one in line.all("log") if one["text"] == "takeover: the file is written"]
    assert 140_000 < line.all("opened")[1]["t"] <= written


# ---------------------------------------------------------------------------------- safe modes
@pytest.mark.req("TEL-02")
@pytest.mark.fault(88)
@pytest.mark.parametrize("broken", [3, 5, 7])
def test_in_a_safe_boot_119_is_dialled_and_records_are_kept_as_far_as_it_has_a_queue(opening, broken):
    """3: the emergency path and a queue that is opened; 5: no queue; 7: no journal either."""
    line = opening({**SMALL, "broken_boots": broken}, [ANSWERS, press(PRESS), step(60_000, "power_cut", for_ms=1000)],
                   120_000)
    assert dialled(line)[0] <= DIALLED_MS
    boots = [one["boot"] for one in line.all("opened")]
    judge(line, SMALL)
    safe = [record for record in line.records("gateway.booted") if record["safe"]]
    if broken == 3:
        assert len(boots) == 2 and [record["boot"] for record in safe] == [boots[0]]
        assert line.record("emergency.answered")["boot"] == boots[0], "in flash, over the power cut"
    else:
        assert len(boots) == 1 and not safe


@pytest.mark.fault(85)
def test_without_a_queue_at_all_the_number_comes_from_the_journal_and_nothing_is_kept(opening):
    line = opening({**SMALL, "no_queue": True}, [ANSWERS, press(PRESS), step(40_000, "power_cut", for_ms=1000)], 60_000)
    first, second = line.all("alone")
    assert dialled(line)[0] <= DIALLED_MS
    assert first["boot"] == first["journal"] > 5_000_000 and second["boot"] == first["boot"] + 1
    assert first["left"] == second["left"] == 0


@pytest.mark.fault(88)
def test_a_hang_of_the_queue_s_flash_at_every_start_ends_in_boots_without_it(opening):
    """It hangs the loop; once the watchdog has bitten often enough nobody reads that flash any more."""
    line = opening({**SMALL, "read_us": 20_000_000}, [ANSWERS, press(70_000)], 100_000)
    assert 5 <= len(line.all("boot")) <= 8 and not line.all("opened")
    assert line.first("dial")["t"] - 70_000 <= DIALLED_MS + 200
