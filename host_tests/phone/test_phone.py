"""The phone service against the simulated modem, on MicroPython in virtual time (world.py)."""

import json
import os
import wave

import pytest

BOOT_MS = 30000  # of a world whose modem runs already: its stories begin there


class Story:
    """What happened, with times from the beginning of the story."""

    def __init__(self, text, start):
        self.lines = [json.loads(line) for line in text.splitlines()]
        for line in self.lines:
            line["t"] -= start

    def all(self, **wanted):
        return [line for line in self.lines if all(line.get(key) == value for key, value in wanted.items())]

    def one(self, **wanted):
        found = self.all(**wanted)
        assert len(found) == 1, f"{wanted}: {found} in {self.lines}"
        return found[0]

    def times(self, **wanted):
        return [line["t"] for line in self.all(**wanted)]

    def what(self):
        """The attempt as its sink saw it."""
        return [line["what"] if line["what"] != "ended" else line["cause"] for line in self.lines
                if line["what"] in ("placed", "ringing", "answered", "ended", "report_done")]


@pytest.fixture
def play(micropython):
    def run(*steps, until, **options):
        story = {"steps": list(steps), "until": until, **options}
        start = 0 if options.get("boot") == "off" else BOOT_MS + 100 * len(options.get("modem", []))
        seen = Story(micropython(["host_tests/phone/world.py"], stdin=json.dumps(story)), start)
        check_never_two_calls(seen)
        return seen

    return run


def check_never_two_calls(seen):
    """I4: in the network's eyes there is never a second outgoing call beside one that lives."""
    up = False
    for line in seen.lines:
        if line["what"] == "dial":
            assert not up, f"two calls at once: {seen.lines}"
            up = True
        elif line["what"] == "call" and line["state"] in ("ended", "failed") and line.get("dir") != "in":
            up = False


STARVE_COUNT = int(os.environ.get("STARVE_COUNT", "10"))
CALL = [2000, "call", "119"]


@pytest.mark.req("EMG-04")
@pytest.mark.req("EMG-06")
def test_a_healthy_modem_dials_at_once_and_tells_each_step(play):
    seen = play(CALL, [9000, "chip", "hang_up"], until=12000)
    assert seen.one(what="dial")["t"] - 2000 <= 100
    assert seen.what() == ["placed", "ringing", "answered", "no_carrier"]
    assert seen.one(what="answered")["t"] - seen.one(what="call", state="answered")["t"] <= 100
    assert seen.one(what="ended")["t"] - 9000 <= 1000


@pytest.mark.req("EMG-07")
def test_an_answered_call_is_left_alone_for_an_hour(play):
    seen = play(CALL, [3600000, "status"], until=3600010)
    assert seen.what() == ["placed", "ringing", "answered"] and not seen.all(what="call", state="ended")


@pytest.mark.fault(58)
@pytest.mark.parametrize(("reply", "cause"), [("busy", "busy"), ("drop", "no_carrier"), ("answer", "no_carrier")])
def test_with_every_urc_lost_clcc_tells_the_same(play, reply, cause):
    seen = play([10, "chip", "set_line", reply], CALL, [12000, "chip", "hang_up"], until=15000, no_urcs=True,
                stored={"report_fire.wav": 2.5}, report="report_fire")
    assert seen.what()[0] == "placed" and seen.what()[-1] == cause and seen.what().count(cause) == 1
    if reply == "answer":
        assert seen.what() == ["placed", "ringing", "answered", "report_done", "no_carrier"]
        assert seen.one(what="report_done")["failed"] == 0
        assert seen.one(what="answered")["t"] - seen.one(what="call", state="answered")["t"] <= 350


@pytest.mark.req("EMG-06")
@pytest.mark.fault(53)
def test_busy_is_redialled_within_3_s_without_end(play):
    seen = play([10, "chip", "set_line", "busy"], CALL, until=60000, redial="119")
    failed = seen.times(what="call", state="failed", cause="busy")
    dials = seen.times(what="dial")
    assert len(dials) >= 12
    assert all(again - end <= 3000 for end, again in zip(failed, dials[1:], strict=False))
    assert {line["cause"] for line in seen.all(what="ended")} == {"busy"}


@pytest.mark.fault(54)
def test_no_answer_is_hung_up_after_60_s(play):
    seen = play([10, "chip", "set_line", "no_answer"], CALL, until=75000)
    assert seen.what() == ["placed", "ringing", "no_answer"]
    assert 60000 <= seen.one(what="ended")["t"] - seen.one(what="ringing")["t"] <= 61500
    assert seen.one(what="call", state="failed")["cause"] == "hung_up"


@pytest.mark.fault(55)
@pytest.mark.fault(57)
def test_a_drop_in_the_report_is_a_failed_report_and_an_ended_call(play):
    seen = play([10, "chip", "set_line", "drop", 1500], CALL, until=20000, redial="119",
                stored={"report_fire.wav": 4}, report="report_fire")
    assert seen.what()[:5] == ["placed", "ringing", "answered", "report_done", "no_carrier"]
    dropped, again = seen.times(what="call", state="ended")[0], seen.times(what="dial")[1]
    assert again - dropped <= 3000


@pytest.mark.fault(43)
def test_without_a_sim_119_goes_out_and_others_fail(play):
    seen = play([10, "chip", "set_fault", "no_sim"], [1000, "status"], CALL, [9000, "hang_up"],
                [12000, "call", "01012345678"], until=15000)
    assert seen.one(what="status")["trouble"] == "sim missing"
    assert seen.one(what="dial")["t"] <= 2100 and seen.what()[:3] == ["placed", "ringing", "answered"]
    assert seen.what()[-1] == "failed"
    assert len(seen.all(what="log", text="modem: sim missing")) == 1


@pytest.mark.fault(44)
def test_with_a_locked_sim_119_goes_out_and_no_pin_is_tried(play):
    seen = play([10, "chip", "set_fault", "sim_locked"], CALL, [90000, "status"], until=90100)
    assert "answered" in seen.what()
    assert seen.one(what="status")["pin_tries"] == 0


@pytest.mark.req("EMG-06")
@pytest.mark.fault(45)
@pytest.mark.fault(46)
def test_no_network_is_tried_again_and_again_and_works_when_it_is_back(play):
    seen = play([10, "net", {"voice": False}], CALL, [60000, "net", {"voice": True}], until=70000, redial="119")
    dials = seen.times(what="dial")
    assert all(later - before <= 15000 for before, later in zip(dials, dials[1:], strict=False))
    assert "network" in {line["cause"] for line in seen.all(what="ended")}
    assert seen.all(what="answered")
    assert len(seen.all(what="log", text="modem: no network for calls, radio off and on")) == 1


@pytest.mark.fault(48)
@pytest.mark.fault(62)
def test_an_idle_hang_is_found_and_healed(play):
    seen = play([5000, "chip", "set_fault", "hang"], [80000, "status"], until=80010)
    status = seen.one(what="status")
    assert status["ready"] and status["hard"] == 1 and status["survived"] == 0
    assert seen.times(what="log", text="modem: reset")[0] - 5000 <= 45000


@pytest.mark.req("EMG-06")
@pytest.mark.fault(48)
@pytest.mark.parametrize("after_ms", [-1500, -10, 5, 15, 25])
def test_a_hang_at_the_moment_of_the_call(play, after_ms):
    """Around ATD: whether it went out before the hang or not, 119 is dialled within 45 s of it."""
    seen = play(CALL, [2000 + after_ms, "chip", "set_fault", "hang"], until=60000, redial="119")
    dials = seen.times(what="dial")
    assert dials[-1] - 2000 <= 45000 and seen.what()[-1] == "answered"
    assert seen.what().count("modem_reset") <= len(dials) - 1 and seen.what().count("placed") <= len(dials) <= 2


@pytest.mark.fault(48)
def test_a_hang_in_the_open_call_is_not_answered_by_a_reset_at_once(play):
    seen = play(CALL, [8000, "chip", "set_fault", "hang"], until=60000, redial="119")
    assert seen.times(what="log", text="modem: reset")[0] - 8000 >= 15000
    assert seen.times(what="dial")[1] - 8000 <= 45000
    assert seen.what()[3] == "modem_reset"


def restarts(seen):
    return [line["t"] for line in seen.lines if line.get("text") in ("modem: reset", "modem: power cycle")]


@pytest.mark.fault(62)
def test_restarts_are_60_s_apart_and_6_an_hour_in_idle(play):
    """A modem that hangs again each time it has come up."""
    hangs = [[at, "chip", "set_fault", "hang"] for at in range(1000, 3600000, 5000)]
    resets = restarts(play(*hangs, until=3600000))
    assert len(resets) == 6
    assert all(later - before >= 60000 for before, later in zip(resets, resets[1:], strict=False))


@pytest.mark.fault(62)
def test_in_an_emergency_restarts_are_60_s_apart_without_end(play):
    hangs = [[at, "chip", "set_fault", "hang"] for at in range(1000, 900000, 500)]
    seen = play(CALL, *hangs, until=900000)
    resets = restarts(seen)
    assert len(resets) >= 13
    assert all(60000 <= later - before <= 75000 for before, later in zip(resets, resets[1:], strict=False))
    assert seen.all(text="modem: power cycle")


@pytest.mark.fault(50)
@pytest.mark.parametrize("at_ms", [2005, 2300, 4000, 8000])
def test_a_modem_that_restarts_by_itself(play, at_ms):
    seen = play(CALL, [at_ms, "chip", "set_fault", "reset"], until=50000, redial="119")
    assert seen.what()[-1] == "answered"
    assert seen.times(what="dial")[-1] - at_ms <= 45000
    assert len(seen.all(what="ended")) == len(seen.all(what="dial")) - 1


@pytest.mark.fault(50)
def test_a_restart_in_idle_is_set_up_again(play):
    seen = play([5000, "chip", "set_fault", "reset"], [60000, "status"], until=60010)
    assert seen.one(what="status")["ready"] and seen.one(what="log", text="modem: restarted")


@pytest.mark.fault(49)
@pytest.mark.fault(51)
@pytest.mark.fault(52)
@pytest.mark.parametrize("left_in", ["AT+CMUX=0\r", "ATD*99#\r", "ATV0\r", "ATE1\r", "ATQ1\r"])
def test_a_modem_left_in_another_mode(play, left_in):
    """By a controller that was reset: AT within 10 s in idle, ATD within 5 s in an emergency."""
    seen = play([10, "call", "119"], until=12000, modem=[left_in])
    assert seen.one(what="dial")["t"] - 10 <= 5000 and seen.what() == ["placed", "ringing", "answered"]
    idle = play([10000, "status"], until=10010, modem=[left_in])
    assert idle.one(what="status")["ready"] and idle.one(what="status")["hard"] == 0


@pytest.mark.fault(115)
def test_from_power_on_dialled_within_25_s(play):
    seen = play([0, "call", "119"], until=30000, boot="off")
    assert seen.one(what="dial")["t"] <= 25000


@pytest.mark.req("EMG-09")
@pytest.mark.req("EMG-12")
@pytest.mark.fault(59)
def test_what_rings_gives_way_and_later_callers_are_refused(play):
    seen = play([1000, "chip", "call_in", "0101111"], CALL, [3500, "chip", "call_in", "0102222"],
                [8000, "chip", "call_in", "0103333"], until=20000)
    assert seen.one(what="dial")["t"] - 2000 <= 1000
    for number in ("0101111", "0102222", "0103333"):
        assert seen.one(what="call", number=number, state="failed")["t"] <= 9100
    assert seen.what() == ["placed", "ringing", "answered"]


@pytest.mark.req("EMG-09")
@pytest.mark.fault(59)
@pytest.mark.parametrize("at_ms", [20, 1000, 6000])
def test_a_waiting_caller_is_refused_and_our_call_stays(play, at_ms):
    """Called before call waiting could be switched off in the network."""
    seen = play([10, "call", "119"], [at_ms, "chip", "call_in", "0102222"], until=12000)
    refused = seen.one(what="call", number="0102222", state="failed")
    assert refused["cause"] == "hung_up" and refused["t"] - at_ms <= 1200
    assert seen.what() == ["placed", "ringing", "answered"]


@pytest.mark.fault(58)
def test_one_empty_list_is_no_end_of_a_call(play):
    seen = play(CALL, [3000, "blank"], [7000, "blank"], until=12000)
    assert seen.what() == ["placed", "ringing", "answered"] and len(seen.all(what="dial")) == 1


@pytest.mark.req("EMG-09")
def test_another_call_is_ended_first(play):
    seen = play([1000, "call", "0212345678"], [8000, "call", "119"], until=15000)
    assert seen.what() == ["placed", "ringing", "answered", "hung_up", "placed", "ringing", "answered"]
    assert seen.one(what="dial", number="119")["t"] - 8000 <= 1000


@pytest.mark.req("EMG-09")
def test_an_answered_incoming_call_is_ended_first(play):
    seen = play([1000, "chip", "call_in", "0101111"], [1600, "status"], [1700, "answer"], [8000, "call", "119"],
                until=15000)
    assert seen.one(what="status")["incoming"]
    assert seen.one(what="call", number="0101111", state="ended")["t"] - 8000 <= 500
    assert seen.one(what="dial", number="119")["t"] - 8000 <= 1000


@pytest.mark.req("EMG-05")
@pytest.mark.parametrize("at_ms", [2001, 2010, 2020, 2035, 2600, 4000])
def test_hanging_up_while_dialling_leaves_no_call(play, at_ms):
    seen = play(CALL, [at_ms, "hang_up"], until=12000)
    assert len(seen.all(what="ended", cause="hung_up")) == len(seen.all(what="ended")) <= 1
    assert len(seen.all(what="call", state="failed")) == len(seen.all(what="dial"))
    assert not seen.all(what="answered")


def test_hanging_up_and_calling_again_at_once(play):
    seen = play(CALL, [4000, "hang_up"], [4001, "call", "119"], until=15000)
    assert len(seen.all(what="ended", cause="hung_up")) == 1 and seen.what()[-1] == "answered"


@pytest.mark.fault(48)
def test_hanging_up_on_a_hung_modem(play):
    seen = play(CALL, [3000, "chip", "set_fault", "hang"], [3100, "hang_up"], until=40000)
    assert seen.one(what="ended")["cause"] == "hung_up" and seen.one(what="ended")["t"] - 3100 <= 5000
    assert seen.one(what="call", state="ended")["cause"] == "modem_reset"  # answered meanwhile, and ended with it


@pytest.mark.req("EMG-17")
@pytest.mark.fault(87)
@pytest.mark.parametrize("verb", ["call", "find"])
def test_a_call_that_outlived_the_controller_is_taken_up(play, verb):
    seen = play([10, verb, "119"], until=8000, modem=["ATE0\r", "ATD119;\r"])
    assert seen.one(what="dial")["t"] < 0  # by the controller before
    assert seen.what() == ["placed", "ringing", "answered"]


def test_find_without_a_call_ends_and_dials_nothing(play):
    seen = play([10, "find", "119"], until=5000)
    assert seen.what() == ["no_carrier"] and not seen.all(what="dial")


@pytest.mark.req("TST-02")
@pytest.mark.fault(107)
def test_in_test_mode_119_ends_refused_and_nothing_is_dialled(play):
    seen = play(CALL, [4000, "call", "01012345678"], until=12000, test_mode=True)
    assert seen.what() == ["refused", "placed", "ringing", "answered"]
    assert [line["number"] for line in seen.all(what="dial")] == ["01012345678"]


@pytest.mark.fault(82)
@pytest.mark.parametrize("method", ["calls", "dial", "hang_up_one", "set_up", "registered", "release_hint", "probe"])
@pytest.mark.parametrize("count", [1, 3])
def test_want_of_memory_in_an_attempt(play, method, count):
    seen = play([10, "chip", "set_line", "busy"], [1990, "break", method, count], CALL,
                [9000, "chip", "set_line", "answer"], until=20000, redial="119")
    assert seen.what()[-1] == "answered" and seen.times(what="dial")[0] - 2000 <= 1000


@pytest.mark.req("EMG-19")
@pytest.mark.fault(82)
@pytest.mark.parametrize("task", ["_work", "run"])
@pytest.mark.parametrize("turns", [1, 4])
def test_every_allocation_of_a_turn_fails(play, task, turns):
    """The heap is locked in the k-th turn of the phone's task, or of the receiver's, after the call was wanted."""
    slowest = 0
    for first in range(1, STARVE_COUNT):
        seen = play([1999, "chip", "set_line", "answer", 1000], CALL, until=16000, starve=[task, 2000, first, turns])
        assert seen.what() in (["placed", "ringing", "answered"], ["placed", "answered"]), first
        slowest = max(slowest, seen.one(what="dial")["t"] - 2000)
    assert slowest <= 2000


@pytest.mark.req("EMG-19")
def test_a_sink_that_raises_does_not_stop_the_call(play):
    seen = play(CALL, [9000, "chip", "hang_up"], until=12000, deaf_sink=True)
    assert seen.what() == ["placed", "ringing", "answered", "no_carrier"]


@pytest.mark.fault(63)
def test_noise_around_every_answer(play):
    seen = play([10, "noise", [0, 255, 13, 10, 65, 84, 43, 0xF9, 62, 32]], CALL, [9000, "chip", "hang_up"], until=12000)
    assert seen.what() == ["placed", "ringing", "answered", "no_carrier"]
    assert seen.one(what="dial")["t"] - 2000 <= 1000


@pytest.mark.fault(58)
@pytest.mark.parametrize("mute_ms", [300, 700, 1500])
def test_answers_lost_around_the_dialling_never_make_two_calls(play, mute_ms):
    for at_ms in (2000, 2008, 2013, 2030, 2600):
        seen = play([at_ms, "mute", mute_ms], CALL, until=16000)
        assert seen.what() in (["placed", "ringing", "answered"], ["placed", "answered"]), at_ms
        assert len(seen.all(what="dial")) == 1


def test_a_slow_modem(play):
    """Every answer takes 400 ms; ATD still goes out within 2 s."""
    seen = play([1000, "latency", 400], CALL, [14000, "chip", "hang_up"], until=20000)
    assert seen.one(what="dial")["t"] - 2000 <= 2000
    assert seen.what() == ["placed", "ringing", "answered", "no_carrier"]


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "report_fire.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(bytes(i * 7 & 255 for i in range(2 * 16000 * 2)))
    return path


def test_report_files_are_stored_compared_and_not_stored_again(play, wav):
    files = [["report_fire.wav", str(wav)]]
    seen = play([60000, "status"], until=60010, files=files)
    assert seen.one(what="status")["files"] == ['+QFLST: "UFS:report_fire.wav",%d' % wav.stat().st_size]
    assert len(seen.all(text=f"modem: report_fire.wav stored, {wav.stat().st_size} bytes")) == 1
    other = play([700000, "status"], until=700010, files=files, stored={"report_fire.wav": 2.0})
    # the same size, another sound: seen some minutes after boot
    assert len(other.all(text=f"modem: report_fire.wav stored, {wav.stat().st_size} bytes")) == 1


@pytest.mark.req("EMG-12")
@pytest.mark.fault(61)
@pytest.mark.parametrize("at_ms", [600, 1234, 5000, 9000])
def test_a_call_goes_before_the_files(play, wav, at_ms):
    seen = play([at_ms, "call", "119"], [at_ms + 9000, "hang_up"], [59000, "status"], until=60000,
                files=[["report_fire.wav", str(wav)]])
    assert seen.one(what="dial")["t"] - at_ms <= 500
    assert seen.one(what="status")["files"] == ['+QFLST: "UFS:report_fire.wav",%d' % wav.stat().st_size]


@pytest.mark.req("EMG-12")
def test_calls_that_break_into_the_files_leave_none_of_them_open(play, wav):
    """The module takes ten open files; a night of a busy 119 breaks off more transfers than that."""
    calls = [[600 + 4000 * turn + wait, *what] for turn in range(14)
             for wait, what in ((0, ("call", "119")), (1500, ("hang_up",)))]
    seen = play(*calls, [90000, "status"], until=90010, files=[["report_fire.wav", str(wav)]])
    assert len(seen.all(what="dial")) == 14
    assert seen.one(what="status")["files"] == ['+QFLST: "UFS:report_fire.wav",%d' % wav.stat().st_size]
    assert seen.one(what="status")["open"] == []


@pytest.mark.req("EMG-06")
def test_the_report_is_played_into_the_call_and_fails_without_its_file(play):
    seen = play(CALL, until=12000, stored={"report_call.wav": 2.5}, report="report_call")
    assert seen.one(what="report_done")["failed"] == 0
    start, end = seen.one(what="prompt"), seen.one(what="prompt_end")
    assert start["text"] == "CALL" and start["to"] == "line" and end["t"] - start["t"] == 2500
    assert start["t"] - seen.one(what="call", state="answered")["t"] <= 150
    missing = play(CALL, until=12000, report="report_call")
    assert missing.one(what="report_done")["failed"] == 1
    assert missing.one(what="report_done")["t"] - missing.one(what="answered")["t"] <= 500


def test_a_report_without_a_call_fails_at_once(play):
    seen = play([2000, "report", "report_fire"], until=4000)
    assert seen.one(what="report_done")["failed"] == 1


@pytest.mark.fault(85)
def test_restart_forgets_the_attempt_and_the_next_call_works(play):
    seen = play([1000, "chip", "set_fault", "hang"], CALL, [2500, "restart"], [2501, "call", "119"], until=40000)
    assert seen.what() == ["placed", "ringing", "answered"]
