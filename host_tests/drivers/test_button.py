"""Debouncing, holding, sticking: every order of levels in small steps."""

import itertools

import pytest

from drivers.button import PRESSED, RELEASED, STUCK, STUCK_MS, Button
from hal_sim.bus.pin import Pin


def feed(levels, step_ms=10):
    pin = Pin(1)
    button = Button(pin)
    seen = []
    for index, level in enumerate(levels):
        pin.drive(level)
        what = button.sample(index * step_ms)
        if what:
            seen.append((what, index * step_ms))
    return button, seen


def test_a_press_and_its_release_are_told_once():
    _, seen = feed([1, 0, 0, 0, 0, 1, 1, 1, 1])
    assert seen == [(PRESSED, 30), (RELEASED, 70)]


@pytest.mark.req("EMG-01")
def test_no_pattern_of_bounces_shorter_than_20_ms_is_a_press_and_presses_and_releases_alternate():
    for levels in itertools.product((0, 1), repeat=12):
        _, seen = feed((1, *levels, 1, 1, 1, 1))
        kinds = [what for what, _ in seen]
        assert kinds == [PRESSED, RELEASED] * (len(kinds) // 2)
        runs = ["".join(map(str, levels))]
        if "000" not in runs[0]:
            assert PRESSED not in kinds


@pytest.mark.fault(39)
def test_stuck_is_told_once_and_a_release_arms_it_again():
    pin = Pin(0)
    button = Button(pin)
    seen = [(what, now) for now in range(0, 3 * STUCK_MS, 1000) if (what := button.sample(now))]
    assert [what for what, _ in seen] == [PRESSED, STUCK]
    assert button.held_ms(3 * STUCK_MS) >= STUCK_MS
    pin.drive(1)
    assert [button.sample(3 * STUCK_MS + ms) for ms in (0, 30)] == [0, RELEASED]
    pin.drive(0)
    assert [button.sample(4 * STUCK_MS + ms) for ms in (0, 30)] == [0, PRESSED]
