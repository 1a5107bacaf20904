"""`python -m tools.fleet`: against mosquitto and the relay, with what can go wrong between them; its command line."""

import asyncio
import json
import os
import pathlib
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time

import pytest
from conftest import ROOT, need
from home.real import family, wait_gone

from tools import owner, schema
from tools.fleet import FleetError
from tools.fleet.__main__ import main
from tools.fleet.gateway import Gateway, Place
from tools.fleet.home import Home
from tools.fleet.judge import Verdict
from tools.fleet.options import parse
from tools.fleet.run import Result, make_room, summary
from tools.fleet.show import report
from tools.fleet.stand import Stand, certificates
from tools.fleet.tally import Tally


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    """A folder for certificates: made once."""
    need("mosquitto")
    return tmp_path_factory.mktemp("certs")


def fleet(certs, *words: str) -> tuple:
    """Exit status and summary. Anything but the progress on stderr fails the test."""
    done = subprocess.run([sys.executable, "-X", "dev", "-m", "tools.fleet", "--certs", str(certs), "--json", *words],
                          cwd=ROOT, capture_output=True, text=True, timeout=240)
    odd = [line for line in done.stderr.splitlines()
           if "records/s" not in line and not line.startswith("Executing ")]  # asyncio, on a computer that is busy
    assert not odd, "\n".join(odd)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.req("FLT-01")
@pytest.mark.req("TEL-02")
@pytest.mark.fault(65)
def test_a_broker_that_is_cut_off_costs_nothing_and_no_order(certs):
    """It forgets what it had for the relay, and takes messages before the relay is back."""
    status, found = fleet(certs, "--gateways", "20", "--rate", "60", "--minutes", "0.15", "--outage", "1", "--kill",
                          "--every", "2")
    assert status == 0 and found["good"], found
    assert (found["lost"], found["doubled"], found["out_of_order"], found["unanswered"]) == (0, 0, 0, 0)
    assert found["committed"] == found["records"] > 300 and found["connected"] == 20
    assert found["connects"] == 40 == 20 + sum(found["reconnects_by_s"].values())
    assert sum(found["ended"].values()) == 40 and found["ended"]["left"] == 20
    assert found["beats"] >= 40 and found["commands"] >= 1
    assert set(found["cpu_s"]) == {"fleet", "broker", "relay"} and min(found["cpu_s"].values()) > 0


@pytest.mark.req("FLT-01")
def test_relays_share_the_messages_and_lose_and_double_nothing(certs):
    status, found = fleet(certs, "--gateways", "5", "--rate", "100", "--minutes", "0.08", "--relays", "2",
                          "--any-order")
    assert status == 0 and found["committed"] == found["records"] > 300
    assert found["lost"] == found["doubled"] == found["unanswered"] == 0 and found["connects"] == 5


def test_a_relay_that_is_not_there_is_a_failure(certs, tmp_path):
    """A broker of somebody else's, which takes everything, and nobody answers."""
    stand = Stand(certs, tmp_path)
    certificates(certs, ["FL-000001"], made_here=True)
    stand.begin("broker")
    stand.ready("broker")
    try:
        status, found = fleet(certs, "--broker", f"127.0.0.1:{stand.port}", "--gateways", "2", "--rate", "20",
                              "--minutes", "0.05", "--drain", "0.5")
    finally:
        stand.stop()
    assert status == 1 and not found["good"] and found["committed"] == 0
    assert found["lost"] == found["unanswered"] == found["records"] > 10 and found["connected"] == 2


def test_what_a_database_lacks_is_lost(certs, tmp_path):
    """Records are taken out of the relay's database behind its back."""
    stand = Stand(certs, tmp_path)
    certificates(certs, ["FL-000001", "FL-000002"], made_here=True)
    stand.start()
    database = pathlib.Path(stand.database[len("sqlite:///"):])
    with sqlite3.connect(database) as db:
        db.execute("CREATE TRIGGER thief AFTER INSERT ON records WHEN NEW.seq % 7 = 3 "
                   "BEGIN DELETE FROM records WHERE gateway = NEW.gateway AND boot = NEW.boot AND seq = NEW.seq; END")
    db.close()
    try:
        status, found = fleet(certs, "--broker", f"127.0.0.1:{stand.port}", "--db", stand.database, "--gateways", "2",
                              "--rate", "50", "--minutes", "0.05")
    finally:
        stand.stop()
    assert status == 1 and found["unanswered"] == 0 and found["lost"] > 5
    assert found["committed"] + found["lost"] == found["records"]


def test_what_a_gateway_says_of_itself_is_what_the_schemas_say(certs):
    asyncio.run(_says(certs))


async def _says(certs):
    folder, = certificates(certs, ["FL-000001"], made_here=True)
    dice = random.Random(1)
    home = Home("FL-000001", 7, 1.0, 0.5, time.monotonic(), dice)
    gateway = Gateway("FL-000001", Place("127.0.0.1", 1, 60), folder, home, Tally(), dice)
    assert schema.check_payload("gw/FL-000001/up/link", gateway._greeting()) == []
    assert schema.check_payload("gw/FL-000001/up/beat", gateway._beat(time.monotonic())) == []
    gateway._opened(time.monotonic())
    at = home.moment(time.monotonic())["at"]
    orders = [{"id": "a", "counter": 5, "expires": at + 60000, "name": "time", "at": at},
              {"id": "b", "counter": 6, "expires": at + 60000, "name": "state"},
              {"id": "b", "counter": 6, "expires": at + 60000, "name": "state"},  # again
              {"id": "c", "counter": 7, "expires": at - 60000, "name": "state"},
              {"id": "d", "counter": 8, "expires": at + 60000, "name": "smoke.silence"}]
    for order in orders:
        payload = json.dumps(order).encode()
        assert schema.check_payload("gw/FL-000001/down/command", payload) == []
        gateway._message("gw/FL-000001/down/command", payload)
    for payload in (b"", b"[]", b"{}", b'{"id":1}', b"\xff", b'{"counter":"x","expires":1,"name":1,"id":1}'):
        gateway._message("gw/FL-000001/down/command", payload)
        gateway._message("gw/FL-000001/down/ack", payload)
    records = []
    while (message := gateway.courier.fill(0.0)) is not None:
        assert schema.check_payload("gw/FL-000001/up/event", message[1]) == []
        records += json.loads(message[1])["records"]
        gateway.courier.acknowledged(7, message[2].number, 0.0)
    assert [record["event"] for record in records] == [
        "gateway.recovered", "command.done", "command.refused", "command.refused"]
    assert [record.get("reason") for record in records[2:]] == ["too late", "unknown command"]


def test_killed_the_fleet_leaves_no_process_and_its_folder_goes_with_the_next(certs, tmp_path, monkeypatch):
    command = [sys.executable, "-m", "tools.fleet", "--certs", str(certs), "--gateways", "2"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert "records/s" in process.stderr.readline(), "broker and relay are there"
    children = family(process.pid)
    assert len(children) == 2, children
    process.kill()
    process.communicate()
    wait_gone(children)
    left, = tmp_path.glob("fleet-*")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with owner.folder("fleet-"):
        assert not left.exists()


# ---------------------------------------------------------------------------- the command line
@pytest.mark.parametrize("words,says", [
    (["--gateways", "0"], "a whole number of 1 to 5000, not '0'"),
    (["--gateways", "many"], "a whole number of 1 to 5000, not 'many'"),
    (["--rate", "1e9"], "a number of 0 to 20000, not '1e9'"),
    (["--rate", "nan"], "not 'nan'"),
    (["--minutes", "9999"], "a number of 0.05 to 1440, not '9999'"),
    (["--relays", "9"], "a whole number of 1 to 8, not '9'"),
    (["--every", "1.5"], "a whole number of 1 to 3600, not '1.5'"),
    (["--outage-of", "moon"], "invalid choice: 'moon'"),
    (["--fast"], "unrecognized arguments: --fast"),
    (["--kill"], "--kill and --outage-of say how an outage is: add --outage SECONDS"),
    (["--db", "sqlite:///x.db"], "--db goes with --broker"),
    (["--broker", "localhost"], "--broker needs --certs DIR"),
    (["--broker", "localhost", "--certs", "nowhere", "--outage", "3"], "without --broker"),
    (["--broker", "localhost:99999", "--certs", "nowhere"], "--broker is HOST or HOST:PORT, not 'localhost:99999'"),
    (["--broker", "localhost", "--certs", "nowhere"], "nowhere has no CA: make one with"),
])
def test_what_is_wrong_with_the_command_line_is_one_line(words, says, capsys):
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    assert status in (1, 2) and not out and err.count("\n") == 1 and err.startswith("fleet: ") and says in err


def test_the_defaults_need_no_word():
    options = parse([])
    assert (options.host, options.gateways, options.rate, options.outage) == (None, 100, 100.0, None)
    assert parse(["--broker", "relay.lab", "--certs", "x"]).port == 8883


@pytest.mark.parametrize(("words", "names_it"), [([], True), (["--any-order"], False)])
def test_what_is_out_of_order_is_told_with_the_option_that_allows_it(words, names_it):
    found = summary(Result(Tally(), Verdict(committed=9, out_of_order=3), 1.0, {}), parse(["--relays", "2", *words]))
    assert found["good"] is not names_it
    last = report(found, Tally())[-1]
    assert "3 out of order" in last and ("--any-order" in last) is names_it


def test_more_sockets_than_allowed_is_one_line(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (100, 1000))
    with pytest.raises(FleetError, match="2000 gateways need 2200 open files, 1000 are allowed"):
        make_room(2000)


def test_a_process_that_dies_is_told_with_its_last_words(certs, tmp_path):
    stand = Stand(certs, tmp_path)
    certificates(certs, [], made_here=True)
    stand.begin("broker")
    stand.ready("broker")
    try:
        other = Stand(certs, tmp_path)
        other.port = stand.port  # taken
        (tmp_path / "broker.log").write_text("")
        other._start("broker", ["broker", str(certs), "--port", str(other.port)])
        until = time.monotonic() + 60
        while not other.died() and time.monotonic() < until:
            time.sleep(0.05)
        assert other.died().startswith("broker ended with status 1: ") and "in use" in other.died()
    finally:
        stand.stop()
