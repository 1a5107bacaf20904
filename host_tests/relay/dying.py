"""The relay, killed (SIGKILL) by itself at one point: DIE is `where number`, number counts how often it has been there.

where: before the commit, after it and before the answer, after the answer and before the broker's acknowledgement, and
after a command got its counter and before it is sent.
"""

import os
import signal
import sys

sys.path[:0] = [os.getcwd()]

from tools.relay import commands  # noqa: E402
from tools.relay.__main__ import main  # noqa: E402
from tools.relay.committer import Group  # noqa: E402
from tools.relay.link import Link  # noqa: E402

WHERE, NUMBER = os.environ["DIE"].split()
passed = {"count": 0}


def here(where: str) -> None:
    if where == WHERE:
        passed["count"] += 1
        if passed["count"] == int(NUMBER):
            os.kill(os.getpid(), signal.SIGKILL)


def batches(group: Group) -> bool:
    return any(hasattr(message, "records") for message, _ in group._messages)


real_refusals, real_commit, real_acknowledge = Group._refusals, Group.commit, Link.acknowledge
real_publish = Link.publish


def refusals(self, store, now):
    real_refusals(self, store, now)
    if batches(self):
        here("before")


def commit(self, store, now):
    outcome = real_commit(self, store, now)
    if batches(self):
        here("after")
    return outcome


def acknowledge(self, arrived):
    if arrived.topic.endswith("/event"):
        here("answered")
    real_acknowledge(self, arrived)


def publish(self, topic, payload):
    if topic.endswith("/command") and b'"c-' in payload:
        here("command")
    return real_publish(self, topic, payload)


Group._refusals, Group.commit, Link.acknowledge, Link.publish = refusals, commit, acknowledge, publish
assert commands  # imported for what it patches
sys.exit(main())
