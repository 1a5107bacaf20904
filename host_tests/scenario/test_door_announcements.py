"""The door is said aloud, and never into an emergency (ZB-09)."""

import pytest
from scenario.timeline import ARMED, MANUAL, play, press, step

OPENED, CLOSED = "출입문이 열렸습니다", "출입문이 닫혔습니다"
T = ARMED


def door(at, is_open):
    return step(at, "door", sensor="door", open=is_open)


def said(line):
    return [(one["t"], one["text"]) for one in line.all("prompt") if one["text"] in (OPENED, CLOSED)]


@pytest.mark.req("ZB-09")
def test_open_and_closed_are_said_within_a_second():
    line = play([door(T, True), door(T + 20_000, False)], T + 30_000)
    (opened, first), (closed, second) = said(line)
    assert (first, second) == (OPENED, CLOSED)
    assert opened - T <= 1000 and closed - (T + 20_000) <= 1000
    assert line.record("door.opened") and line.record("door.closed")


@pytest.mark.req("ZB-09")
def test_it_can_be_switched_off():
    line = play([door(T, True)], T + 10_000, settings={"door_announce": False})
    assert not said(line) and line.record("door.opened")


def test_of_a_door_that_swings_the_latest_state_is_said_last():
    moves = [door(T + 400 * n, n % 2 == 0) for n in range(12)]
    line = play(moves, T + 30_000)
    texts = [text for _, text in said(line)]
    assert texts[0] == OPENED and texts[-1] == CLOSED and len(texts) <= 4
    assert not [end for end in line.all("prompt_end") if end.get("cut")]


def test_nothing_is_said_into_an_emergency():
    line = play([press(T), *[door(T + 2000 * n, n % 2 == 0) for n in range(1, 12)],
                 step(T + 60_000, "hang_up"), press(T + 70_000, "cancel"), door(T + 90_000, True)], T + 120_000)
    during = [t for t, _ in said(line) if t < T + 89_000]
    assert during == [] and len(said(line)) == 1
    assert len(line.all("prompt", text=MANUAL)) == 2
    assert not [end for end in line.all("prompt_end", text=MANUAL) if end.get("cut")]


def test_an_emergency_cuts_an_announcement():
    line = play([door(T, True), press(T + 700)], T + 25_000)
    assert [end["t"] - (T + 700) <= 300 for end in line.all("prompt_end", text=OPENED) if end.get("cut")] == [True]
    assert line.first("prompt", text=MANUAL)["t"] - (T + 700) <= 500
