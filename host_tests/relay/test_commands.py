"""Commands: from the command line through database, relay and broker to the gateway, and its answer back."""

import re
import signal
import time

import pytest
from relay.test_committer import arrived, commit
from relay.test_protocol import UP
from relay.test_relay import DYING

from tools.relay import databases
from tools.relay.__main__ import main


@pytest.mark.req("TEL-04")
@pytest.mark.fault(77)
def test_a_command_goes_there_and_its_answer_comes_back(lab):
    relay = lab.relay()
    gateway = lab.gateway()
    gateway.say_link()
    gateway.took("time")
    identity = lab.command("send", "GW-1", "settings.set", "setting=status_period_h", "value=2", "--db", lab.db).strip()
    command = gateway.took("settings.set")[0]
    assert (command["id"], command["setting"], command["value"]) == (identity, "status_period_h", 2)
    assert command["counter"] > gateway.taken[0]["counter"] and command["counter"] > time.time() * 1000 - 60_000
    assert 500_000 < command["expires"] - time.time() * 1000 <= 600_000
    lab.wait_rows("SELECT * FROM commands WHERE state = 'sent'")
    gateway.send(gateway.record(event="command.done", id=identity))
    assert lab.wait_rows("SELECT reason FROM commands WHERE state = 'done'") == [(None,)]
    assert identity in lab.command("commands", "GW-1", "--db", lab.db)
    assert relay.said("sent: settings.set")


def test_waiting_for_the_answer_says_how_it_ended(lab):
    lab.relay()
    gateway = lab.gateway()
    gateway.say_link()
    gateway.took("time")
    identities = [lab.command("send", "GW-1", "state", "--db", lab.db).strip() for _ in range(2)]
    gateway.took("state", 2)
    gateway.answered(gateway.send(gateway.record(event="command.done", id=identities[0]),
                                  gateway.record(event="command.refused", id=identities[1], reason="name")))
    said = lab.command("commands", "--db", lab.db)
    assert f"{identities[0]} done" in said and f"{identities[1]} refused (name)" in said
    assert lab.command("send", "GW-1", "state", "--wait", "0", "--db", lab.db, status=1) == ""


@pytest.mark.req("TEL-09")
def test_a_command_waits_for_its_gateway_and_is_sent_in_order(lab):
    lab.relay()
    gateway = lab.gateway()
    gateway.say_link()
    gateway.took("time")
    gateway.drop()
    lab.wait_rows("SELECT * FROM gateways WHERE link = 'lost'")
    for number in range(3):
        lab.command("send", "GW-1", "settings.set", f"number={number}", "--db", lab.db)
    assert lab.rows("SELECT DISTINCT state FROM commands") == [("waiting",)]
    back = lab.gateway("GW-1", boot=2)
    back.counter = gateway.counter
    back.say_link()
    assert [command["number"] for command in back.took("settings.set", 3)] == [0, 1, 2]
    counters = [command["counter"] for command in back.commands]
    assert counters == sorted(set(counters)) and counters[0] > gateway.counter


@pytest.mark.fault(13)
def test_a_relay_killed_while_it_sends_sends_again_under_the_same_counter(lab):
    relay = lab.relay(program=DYING, env={"DIE": "command 1"})
    gateway = lab.gateway()
    gateway.say_link()
    gateway.took("time")
    lab.command("send", "GW-1", "state", "--db", lab.db)
    assert relay.ended() == -signal.SIGKILL
    counter = lab.rows("SELECT counter FROM commands WHERE state = 'sending'")[0][0]
    lab.relay()
    assert gateway.took("state")[0]["counter"] == counter
    lab.wait_rows("SELECT * FROM commands WHERE state = 'sent'")


def test_a_command_that_was_lost_on_the_way_is_sent_when_the_link_is_back(lab):
    """It went into a connection that was dead already: the gateway's counter says so."""
    lab.relay()
    gateway = lab.gateway()
    gateway.say_link()
    first = gateway.took("time")[0]["counter"]
    lab.command("send", "GW-1", "state", "--db", lab.db)
    taken = gateway.took("state")[0]
    time.sleep(2.1)  # what was sent within two seconds of the news may have gone over the new connection
    gateway.say_link(counter=first)  # as one that never saw it
    again = gateway.took("state", 2)[1]
    assert again["id"] == taken["id"] and again["counter"] > taken["counter"]
    time.sleep(2.1)
    gateway.say_link()  # this one was taken
    gateway.took("time", 3)
    time.sleep(0.6)
    assert len([command for command in gateway.commands if command["name"] == "state"]) == 2


def test_a_gateway_that_is_not_there_is_found_out(lab):
    """The broker says that nobody has subscribed: the command waits on."""
    lab.relay()
    gateway = lab.gateway()
    gateway.say_link()
    gateway.took("time")
    gateway.client.unsubscribe("gw/GW-1/down/#")
    time.sleep(0.5)
    lab.command("send", "GW-1", "state", "--db", lab.db)
    lab.wait_rows("SELECT * FROM commands WHERE state = 'waiting' AND counter IS NOT NULL")
    gateway.client.subscribe("gw/GW-1/down/#", 1)
    gateway.took("state")


WRONG = (
    ("GW-9", "state"), ("GW/1", "state"), ("GW-1", "State!"), ("GW-1", "state", "x"), ("GW-1", "state", "counter=1"),
    ("GW-1", "state", "id=c"), ("GW-1", "state", "name=x"), ("GW-1", "x", "value=" + "y" * 1000),
    ("GW-1", "x", "v=NaN"),
)


def test_a_command_that_cannot_be_is_one_line(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'relay.db'}"
    store = databases.open_store(url)
    commit(store, arrived("link", UP, "GW-1"))
    for arguments in WRONG:
        assert main(["send", *arguments, "--db", url]) == 1
        assert re.fullmatch(r"relay: [^\n]+\n", capsys.readouterr().err), arguments
    with store.transaction():
        assert store.commands(None, 10) == []
    store.close()
