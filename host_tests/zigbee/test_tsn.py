"""Old frames by their numbers: replays, retries that come late, devices that restart, do not count, or count twice."""

import random
from array import array

import pytest

from zigbee import scan, tsn

MINUTE = 60_000


class Sender:
    """A device as the gateway judges it; hear() is True for a frame that is believed."""

    def __init__(self, counted=True):
        self.gate = tsn.gate(counted)
        self.now = self.heard_ms = 1_000_000
        self.fields = array("I", [0] * scan.FIELDS_SIZE)

    def hear(self, number, after_ms=1000, alarm=False, family=scan.STATUS_CHANGE, command=0):
        self.now += after_ms
        self.gate[tsn.LEFT] = 9
        self.fields[scan.FAMILY], self.fields[scan.COMMAND] = family, command
        self.fields[scan.TSN], self.fields[scan.STATUS] = number & 0xFF, 1 if alarm else 0
        fine = bool(scan.follows(self.gate, self.fields))
        fine = fine or not tsn.stale(self.gate, number & 0xFF, self.heard_ms, lambda: self.now)
        assert all(0 <= value < 1 << 30 for value in self.gate)  # small integers on the board
        if fine:
            self.heard_ms = self.now
        return fine

    def counting(self, last=20, frames=12):
        for number in range(last - frames + 1, last + 1):
            assert self.hear(number)
        return self


@pytest.mark.fault(41)
@pytest.mark.parametrize("back", range(1, 129))
@pytest.mark.parametrize("start", [20, 200])
def test_a_replay_of_any_of_the_last_128_frames_is_old(back, start):
    sender = Sender().counting(start, 200)
    assert not sender.hear(start - back)
    assert not sender.hear(start - back)  # as often as one likes
    assert sender.hear(start + 1)


@pytest.mark.fault(41)
@pytest.mark.parametrize("wait_ms", [0, 100, 9_000, 60_000, 3_600_000])
def test_a_replay_is_old_whenever_it_comes(wait_ms):
    sender = Sender().counting(20, 30)
    assert not sender.hear(18, wait_ms)
    assert sender.hear(21)


@pytest.mark.fault(31)
def test_the_last_frame_once_more_is_no_news_but_not_old():
    sender = Sender().counting(20)
    assert sender.hear(20, 50) and sender.hear(20, 50) and sender.hear(21)


@pytest.mark.req("ZB-17")
@pytest.mark.parametrize("order", [(1, 0), (2, 1, 0), (0, 2, 1), (1, 2, 0), (3, 0, 2, 1), (5, 4, 3, 2, 1, 0)])
def test_frames_that_overtake_each_other_are_all_believed_once(order):
    sender = Sender().counting(100)
    for number in order:
        assert sender.hear(101 + number, 200)
    for number in order:
        sender.hear(101 + number, 200)
    newest = 101 + max(order)
    assert [sender.hear(101 + number, 200) for number in order] == [101 + number == newest for number in order]
    assert sender.hear(newest + 1)


@pytest.mark.fault(41)
@pytest.mark.req("ZB-17")
def test_what_an_alarm_overtook_does_not_undo_it():
    sender = Sender().counting(100)
    assert sender.hear(102, alarm=True)
    assert not sender.hear(101, 300)  # its restore was of the time before
    assert sender.hear(103, 300)
    later = Sender().counting(100)
    assert later.hear(102, alarm=True) and later.hear(104, 300)
    assert later.hear(103, 300)  # younger than the alarm


def test_a_frame_that_was_lost_and_comes_after_a_minute_is_a_replay():
    sender = Sender().counting(100)
    assert sender.hear(102)
    assert not sender.hear(101, MINUTE)


@pytest.mark.parametrize("first", [0, 1, 99, 150, 255])
def test_a_device_that_restarts_silently_is_believed_at_its_third_frame(first):
    sender = Sender().counting(120)
    heard = [sender.hear(first + number) for number in range(12)]
    assert heard[2:] == [True] * 10
    sender = Sender().counting(120)
    tsn.reset(sender.gate)
    assert all(sender.hear(first + number) for number in range(12))


@pytest.mark.parametrize("first", [0, 7, 255])
def test_a_device_that_does_not_count_is_always_believed(first):
    sender = Sender()
    assert all(sender.hear(first) for _ in range(500))


@pytest.mark.parametrize("seed", range(40))
def test_random_numbers_are_believed(seed):
    dice = random.Random(seed)
    sender = Sender()
    heard = [sender.hear(dice.randrange(256), dice.choice((10, 1000, MINUTE))) for _ in range(3000)]
    assert sum(heard) >= 2998


@pytest.mark.parametrize("seed", range(40))
def test_losses_and_long_silences_cost_nothing(seed):
    """A device that counts, of whose frames any number up to 15 is lost, or one a minute for two hours."""
    dice = random.Random(seed)
    sender = Sender()
    number = 0
    for _ in range(2000):
        lost = dice.choice((0, 0, 0, 1, 2, 15, 100))
        number += 1 + lost
        assert sender.hear(number, 500 if lost < 16 else lost * MINUTE)


def test_two_counters_in_one_device_are_found_out():
    """Each of its endpoints counts by itself: a few frames of one are lost, then they are no longer looked at."""
    sender = Sender()
    heard = []
    for number in range(100):
        heard += [sender.hear(10 + number), sender.hear(10 + number)] if number % 5 else [sender.hear(150 + number)]
    assert heard.count(False) <= 4
    assert all(heard[60:])


@pytest.mark.fault(41)
def test_a_replayer_cannot_make_the_gateway_deaf_to_the_device():
    """Whatever is put in between, the device is believed again within two frames; its alarms always count anyway."""
    for trick in range(256):
        sender = Sender().counting(100)
        sender.hear(trick)
        heard = [sender.hear(101 + number) for number in range(10)]
        assert heard[2:] == [True] * 8


@pytest.mark.fault(41)
def test_two_replayed_frames_in_their_order_are_both_old():
    sender = Sender().counting(100)
    assert not sender.hear(60) and not sender.hear(61)
    assert sender.hear(101)
    assert not sender.hear(62)  # and the row goes on
    assert sender.hear(102)


def test_answers_carry_the_questions_number():
    sender = Sender().counting(100)
    for number in (3, 200, 7):
        assert sender.hear(number, family=scan.ATTRIBUTES, command=1)
        assert sender.hear(number, family=scan.OTHER)
    assert sender.hear(101, family=scan.ATTRIBUTES, command=0x0A)
    assert not sender.hear(60)


def test_strangers_are_not_counted():
    sender = Sender(False)
    assert all(sender.hear(number) for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 5, 200, 3))


def test_everything_against_everything():
    """From every state of counting, every number: never an exception, never more than two of a device's own lost."""
    for frames in range(1, 30):
        for number in range(256):
            sender = Sender()
            for one in range(frames):
                sender.hear(200 + one)
            sender.hear(number, 100)
            assert [sender.hear(200 + frames + one) for one in range(5)][2:] == [True] * 3
