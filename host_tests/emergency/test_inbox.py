"""The ring that triggers and the phone put into: order, repeats, overflow, and what a new call makes void."""

import asyncio

import pytest

from firmware.emergency import events as ev
from firmware.phone import events as ph


class Flag:
    def set(self):
        self.there = True


@pytest.fixture
def inbox(monkeypatch):
    monkeypatch.setattr(asyncio, "ThreadSafeFlag", Flag, raising=False)
    from firmware.emergency.inbox import Inbox

    return Inbox()


def drain(inbox):
    seen = []
    while inbox.peek():
        seen.append((inbox.event, inbox.arg))
        inbox.pop()
    return seen


def test_order_is_kept_and_a_repeat_takes_one_place(inbox):
    for event in [(ev.FIRE, 1)] * 500 + [(ev.CANCEL, 0), (ev.FIRE, 1), (ev.BUTTON, 0)]:
        inbox.put(*event)
    assert drain(inbox) == [(ev.FIRE, 1), (ev.CANCEL, 0), (ev.FIRE, 1), (ev.BUTTON, 0)]
    assert inbox.dropped == 0


def test_too_many_are_counted_and_the_first_ones_stay(inbox):
    for index in range(100):
        inbox.put(ev.FIRE, index % 30)
    assert drain(inbox) == [(ev.FIRE, index % 30) for index in range(64)]
    assert inbox.dropped == 35  # one was like the last that waits: it took no place
    inbox.put(ev.BUTTON)
    assert drain(inbox) == [(ev.BUTTON, 0)]


@pytest.mark.req("TST-08")
def test_what_the_phone_said_of_the_call_before_is_void(inbox):
    """The tester's answer that waits behind REAL must not count as the answer of 119."""
    for event in [(ev.REAL, 0), (ph.CALL_ANSWERED, 0), (ev.FIRE, 2), (ph.CALL_ENDED, 3)]:
        inbox.put(*event)
    assert inbox.peek() and inbox.event == ev.REAL
    inbox.pop()
    inbox.forget_phone()
    assert drain(inbox) == [(0, 0), (ev.FIRE, 2), (0, 3)]
