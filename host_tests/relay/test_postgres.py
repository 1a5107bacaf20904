"""PostgreSQL that is away when the relay starts, and one that will never be the relay's."""

import signal
import sys

import pytest
from relay.lab import Process

from tools.relay import RelayError, databases
from tools.relay.database import Unavailable


@pytest.mark.req("TEL-02")
def test_postgresql_that_is_away_at_the_start_is_waited_for(lab, postgres):
    lab.db = postgres.database()
    postgres.process.signal(signal.SIGINT)
    postgres.process.ended()
    try:
        relay = lab.start_relay()
        relay.wait_said("the database does not answer")
        gone = lab.start_relay()
        gone.wait_said("the database does not answer")
        gone.signal(signal.SIGTERM)
        assert gone.ended() == 0
    finally:
        postgres.start()
    relay.wait_said("connected to")
    assert len(relay.said("the database does not answer")) == len(relay.said("the database answers")) == 1
    gateway = lab.gateway()
    gateway.answered(gateway.send(gateway.record()))


@pytest.mark.parametrize(("old", "new"), [("relay@", "nobody@"), ("/relay", "/none"), ("?", "?sslmode=party")])
def test_what_will_never_be_is_not_waited_for(lab, postgres, old, new):
    url = f"{postgres.database()}?"
    lab.db = url.replace(old, new)
    relay = lab.start_relay()
    assert relay.ended() == 1
    assert len(relay.errors) == 1 and relay.errors[0].startswith("relay: cannot use the PostgreSQL database: ")


@pytest.mark.parametrize(("code", "raised"), [("57P03", Unavailable), ("28000", RelayError), ("3D000", RelayError)])
def test_one_that_is_still_starting_is_waited_for(code, raised):
    server = Process([sys.executable, "host_tests/relay/refusing.py", code])
    try:
        port = server.wait_said("")[0]
        with pytest.raises(raised, match="지금은 안 됩니다"):
            databases.open_store(f"postgresql://relay@127.0.0.1:{port}/x?sslmode=disable")
    finally:
        server.end()
