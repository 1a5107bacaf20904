"""The relay's own thread over a link that the test connects and cuts."""

import contextlib
import queue
import threading
import time

from relay.lab import LIMIT_S, wait_for

from tools.relay import databases, show
from tools.relay.database import Unavailable
from tools.relay.messages import Inbox
from tools.relay.service import Relay


class Cuttable:
    """What the relay sees of its link."""

    def __init__(self) -> None:
        self.passed = queue.Queue()
        self.since = None
        self.once_subscribed = False

    def connect(self) -> None:
        self.since, self.once_subscribed = 1.0, True

    def publish(self, topic, payload) -> None:
        return None

    def acknowledge(self, arrived) -> None:
        pass


@contextlib.contextmanager
def running(url, spoil=lambda store: None):
    """A relay in a thread, where SQLite wants its connection made too; and its link. spoil(its store) comes first."""
    link, made = Cuttable(), queue.Queue()

    def work() -> None:
        with contextlib.closing(databases.open_store(url)) as store:
            spoil(store)
            relay = Relay(store, link, Inbox(), show.choose(False, False, "test"), "relay")
            made.put(relay)
            relay.run()

    thread = threading.Thread(target=work)
    thread.start()
    relay = made.get(timeout=LIMIT_S)
    try:
        yield relay, link, thread
    finally:
        relay.stop()
        thread.join(LIMIT_S)


def runs(url) -> list:
    with contextlib.closing(databases.open_store(url)) as store, store.transaction():
        return store.execute("SELECT run FROM relays").fetchall()


def test_of_two_programs_of_one_name_the_first_ends_though_each_is_thrown_out_before_it_looks(url):
    with running(url) as (first, link, thread):
        link.connect()
        begun = wait_for(lambda: runs(url), "the first in the database")
        link.since = None  # the broker has the second one now
        with running(url) as (second, other, going_on):
            other.connect()
            other.since = None  # and the first again: this goes on for ever
            wait_for(lambda: runs(url) != begun, "the second in the database")
            thread.join(LIMIT_S)
            assert first.replaced and not thread.is_alive()
            assert not second.replaced and going_on.is_alive()


def test_a_database_that_goes_away_while_the_relay_says_its_name_there_is_not_another_relay(url):
    """It ended: what it had begun was rolled back, and it took its own missing name for somebody else's."""
    failed = []

    def spoil(store) -> None:
        real = store.fall_silent

        def fall_silent(now, listening):
            if not failed:
                failed.append(now)
                raise Unavailable("gone")
            return real(now, listening)

        store.fall_silent = fall_silent

    with running(url, spoil) as (relay, link, thread):
        link.connect()
        wait_for(lambda: failed and runs(url), "its name, at the second try")
        time.sleep(2.5)  # two looks more
        assert thread.is_alive() and not relay.replaced
