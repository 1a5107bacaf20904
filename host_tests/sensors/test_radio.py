"""Whose fault a silence is: the radio's or a sensor's. And how long the radio chip was deaf."""

import pytest

from firmware.sensing.links import LOST, Link
from firmware.sensing.radio import CALLING, CALM, SILENT, Radio

MINUTE, HOUR = 60_000, 3_600_000


class Sensor:
    def __init__(self, index, brisk):
        self.index = index
        self.link = Link(0, 60 if brisk else 14_400, brisk)
        self.there = True


class Home:
    """Sensors that report by their rhythm and answer within 5 s, while they are there."""

    def __init__(self, brisk, lazy):
        self.all = [None] + [Sensor(1 + n, n < brisk) for n in range(brisk + lazy)]
        self.radio = Radio(0, self.ask)
        self.now = 0
        self.asks = 0
        self.found = []
        for sensor in self.all[1:]:
            self.ask(sensor)
            self.hear(sensor)

    def hear(self, sensor):
        sensor.link.heard(self.now, 200)
        self.radio.heard(self.now)

    def ask(self, sensor):
        self.asks += 1
        sensor.link.asked(self.now)
        return True

    def run(self, until, noisy=False):
        while self.now < until:
            self.now += 10_000
            for sensor in self.all[1:]:
                owes = 60_000 if sensor.link.brisk else 4 * HOUR
                answers = 0 <= self.now - sensor.link.asked_ms <= 10_000
                if sensor.there and ((self.now + sensor.index * 7000) % owes < 10_000 or answers):
                    self.hear(sensor)
            change = self.radio.look(self.now, self.all, noisy)
            if change >= 0:
                self.found.append((self.now, change))
            if self.radio.state == CALM:
                for sensor in self.all[1:]:
                    sensor.link.judge(self.now)
        return self.found

    def vanish(self, *indices):
        for sensor in self.all[1:]:
            sensor.there = sensor.index not in indices if indices else False


@pytest.mark.parametrize("brisk,lazy", [(1, 3), (4, 16), (0, 20), (2, 0)])
def test_a_healthy_home_is_never_doubted_for_long(brisk, lazy):
    home = Home(brisk, lazy)
    assert home.run(24 * HOUR) == [] and home.radio.state == CALM
    assert home.asks <= 24 * 2 * (brisk + lazy) + brisk + lazy


@pytest.mark.fault(37)
@pytest.mark.parametrize("brisk,lazy,noisy,limit_ms", [
    (3, 5, False, 120_000), (3, 5, True, 100_000), (2, 30, False, 140_000), (0, 20, False, 31 * MINUTE)])
def test_all_silent_is_the_radio_and_none_is_lost(brisk, lazy, noisy, limit_ms):
    home = Home(brisk, lazy)
    home.run(2 * HOUR)
    home.vanish()
    began = home.now
    (when, change), = home.run(30 * HOUR, noisy)
    assert change == SILENT and when - began <= limit_ms
    assert not [sensor for sensor in home.all[1:] if sensor.link.state == LOST]
    for sensor in home.all[1:]:
        sensor.there = True
    home.run(30 * HOUR + 10 * MINUTE)
    assert [change for _, change in home.found] == [SILENT, CALM]


@pytest.mark.fault(37)
def test_most_of_those_due_silent_together_is_the_radio():
    home = Home(4, 16)
    home.run(2 * HOUR)
    home.vanish(*range(1, 19))
    found = home.run(3 * HOUR)
    assert [change for _, change in found] == [SILENT]
    assert home.radio.asked == 20 and home.radio.answered <= 6


@pytest.mark.parametrize("gone", [1, 2, 3, 4])
def test_a_few_silent_sensors_are_lost_by_themselves(gone):
    home = Home(4, 16)
    home.run(2 * HOUR)
    home.vanish(*range(1, 1 + gone))
    assert home.run(4 * HOUR) == []
    assert [sensor.index for sensor in home.all[1:] if sensor.link.state == LOST] == list(range(1, 1 + gone))


def test_two_sensors_are_judged_one_by_one():
    home = Home(2, 0)
    home.run(HOUR)
    home.vanish()
    assert home.run(2 * HOUR) == []
    assert all(sensor.link.state == LOST for sensor in home.all[1:])


def test_who_never_answered_proves_nothing():
    home = Home(0, 10)
    for sensor in home.all[1:]:
        sensor.link.answers = False
    home.vanish()
    assert home.run(12 * HOUR) == [] and home.radio.state != SILENT


# --------------------------------------------------------------------- the chip
@pytest.mark.fault(21)
def test_deaf_from_the_last_byte_to_the_next_look_at_a_chip_in_service():
    radio = Radio(0, lambda sensor: True)
    assert radio.chip(10_000, True, 1, 9_000) == 10_000  # deaf since the start
    assert radio.chip(20_000, True, 1, 19_000) == 0
    assert radio.chip(30_000, True, 1, 19_500) == 0  # hung, unnoticed
    assert radio.chip(40_000, False, 1, 19_500) == 0 and not radio.up
    assert radio.chip(50_000, False, 1, 48_000) == 0
    assert radio.chip(60_000, True, 2, 59_000) == 40_500
    assert radio.blind_ms == 19_500


@pytest.mark.fault(22)
def test_a_restart_between_two_looks_is_seen_too():
    radio = Radio(0, lambda sensor: True)
    radio.chip(10_000, True, 1, 9_000)
    assert radio.chip(20_000, True, 2, 19_000) == 10_000
    assert radio.blind_ms == 10_000


def test_calling_ends_in_a_judgement():
    home = Home(3, 3)
    home.vanish()
    home.run(80_000)
    assert home.radio.state == CALLING
    home.run(120_000)
    assert home.radio.state == SILENT
