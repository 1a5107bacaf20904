"""`make run` with a real broker and the real relay: what the page shows is in the database, and all ends with it."""

import datetime
import json
import os
import signal
import tempfile
import time

import pytest
from home.real import KINDS, LIMIT_S, Real, family, need_broker, wait_gone

from tools import owner


@pytest.fixture(scope="module", params=KINDS)
def home(request, sounds, tmp_path_factory):
    """A home with each broker; at the end every process of it is gone."""
    need_broker(request.param)
    made = Real(tmp_path_factory.mktemp(request.param), *KINDS[request.param])
    made.kind = request.param
    try:
        yield made
        assert made.close() == (0, "")
    finally:
        made.kill()


@pytest.fixture
def fresh(sounds, tmp_path):
    """fresh(kind): a home for one test, which ends it."""
    made = []

    def start(kind: str) -> Real:
        need_broker(kind)
        made.append(Real(tmp_path, *KINDS[kind]))
        return made[-1]

    yield start
    for one in made:
        one.kill()


async def cancelled(page, count: int) -> dict:
    """The 119 button and at once the cancel button: the record of it, once the relay has it."""
    await page.step("press", button="119", hold_ms=200)
    await page.until(lambda: [line for line in page.lines if line.get("view") == "prompt"], "the prompt")
    page.lines = [line for line in page.lines if line.get("view") != "prompt"]
    await page.step("press", button="cancel", hold_ms=200)
    return await page.record("emergency.cancelled", count)


@pytest.mark.req("TEL-06")
@pytest.mark.req("TEL-08")
def test_a_press_in_the_page_is_in_the_database_and_then_a_line_in_the_page(home):
    async def story(page) -> None:
        number = await page.linked()
        line = await cancelled(page, 1)
        record = line["record"]
        rows = home.ask("SELECT record FROM records WHERE gateway = ? AND boot = ? AND seq = ?",
                        number, record["boot"], record["seq"])
        assert [json.loads(text) for (text,) in rows] == [record]
        await page.until(lambda: page.account["records"] >= 4, "the account counts them")
        assert page.account["committed"] is not None and page.account["waiting"] is not None
        assert page.account["broker"] == home.kind
        assert not page.records("emergency.cancelled", "repeat")

    home.tell(story)


@pytest.mark.req("EMG-11")
def test_the_time_of_the_home_is_the_relays(home):
    """Else the relay would set the gateway's clock, which runs fast at the start, back to this computer's."""

    async def story(page) -> None:
        await page.linked()
        await page.ask(command={"name": "state", "fields": ""})
        line = await page.record("command.done")
        began = datetime.datetime.fromisoformat(page.start).replace(
            tzinfo=datetime.timezone(datetime.timedelta(hours=9))).timestamp() * 1000
        assert abs(line["record"]["at"] - began - line["t"]) < 5000
        received = home.ask("SELECT received FROM records WHERE seq = ?", line["record"]["seq"])[-1][0]
        assert abs(received - began - line["t"]) < 5000

    home.tell(story)


def test_a_command_is_carried_out_and_answered_and_a_bad_one_is_refused_with_the_reason(home):
    async def story(page) -> None:
        await page.linked()
        await page.ask(command={"name": "settings.set", "fields": "setting=door_announce value=false"})
        changed = await page.record("settings.changed")
        assert (changed["record"]["value"], changed["record"]["by"]) == (False, "care")
        await page.ask(command={"name": "no.such", "fields": 'text="two words"'})
        assert (await page.record("command.refused"))["record"]["reason"] == "unknown command"
        ended = [("settings.set", "done", None), ("no.such", "refused", "unknown command")]
        await page.until(lambda: ended == [(line["name"], line["state"], line["reason"]) for line in page.lines
                                           if line["what"] == "order" and line["name"] != "state"], "both are told")
        for bad in ({"name": "No Such"}, {"name": "state", "fields": '"'}, {"name": "state", "fields": "id=1"}, 7):
            await page.ask(command=bad)
        await page.until(lambda: len(page.refused) == 4, "each bad one is refused")

    home.tell(story)


@pytest.mark.fault(69)
def test_while_the_relay_is_switched_off_records_wait_and_then_come_each_once(home):
    async def story(page) -> None:
        number = await page.linked()
        before = len(page.records("emergency.cancelled"))
        await page.step("relay", up=False)
        await page.until(lambda: page.account["link"] == "lost", "the relay sees that the gateway is gone")
        await page.step("press", button="119", hold_ms=200)
        await page.listen(1.0)
        await page.step("press", button="cancel", hold_ms=200)
        await page.listen(2.0)
        assert len(page.records("emergency.cancelled")) == before
        await page.step("relay", up=True)
        await page.step("speed", x=10)  # until the gateway tries again
        await page.record("emergency.cancelled", before + 1)
        await page.linked()
        await page.until(lambda: page.links()[-2:] == ["lost", "up"], "both are told")
        await page.step("speed", x=1)
        again = home.ask("SELECT COUNT(*), COUNT(DISTINCT boot || '.' || seq) FROM records WHERE gateway = ?", number)
        assert again[0][0] == again[0][1] and page.account["conflicts"] == 0

    home.tell(story)


def test_restarted_it_is_a_gateway_fresh_from_its_box(home):
    """With a number of its own: its first records are no second version of the other one's."""

    async def story(page) -> None:
        old = await page.linked()
        await page.ask(restart=True)
        await page.until(lambda: page.account["gateway"] != old, "a new number")
        new = await page.linked()
        await page.record("gateway.booted")
        told = home.ask("SELECT gateway, conflicts FROM gateways WHERE gateway IN (?, ?) ORDER BY gateway", old, new)
        assert told == [(old, 0), (new, 0)]

    home.tell(story)


def test_fast_time_keeps_the_link(home):
    """Between two pings seconds pass in a few ms, and a handshake takes minutes: a far end would always be too late."""

    async def story(page) -> None:
        await page.linked()
        await page.listen(0.5)
        page.lines = []
        repeats = page.account["repeats"]
        for speed in (60, 600):
            await page.step("speed", x=speed)
            await page.until(lambda least=speed / 12: page.pace > least, "time runs fast")
            await page.listen(4.0)
        assert page.links() == [] and page.account["link"] == "up"
        assert not page.account["silent"]
        await page.step("relay", up=False)
        await page.until(lambda: page.account["link"] == "lost", "it is cut off")
        await page.step("relay", up=True)
        await page.linked()
        await page.listen(1.0)
        await page.step("speed", x=1)
        assert page.links() == ["lost", "up"], "a handshake at x600 in one go"
        assert len([line for line in page.lines if line["what"] == "relay"]) >= 1
        assert page.account["repeats"] - repeats <= 2  # a computer that is very busy may be late once

    home.tell(story)


@pytest.mark.parametrize(("word", "kind"), [("tools.home.child", "mosquitto"), ("mosquitto.conf", "mosquitto"),
                                            ("--embedded", "embedded")])
def test_killed_the_relay_or_the_broker_is_started_again_and_nothing_is_lost(fresh, word, kind):
    home = fresh(kind)

    async def story(page) -> None:
        number = await page.linked()
        await cancelled(page, 1)
        os.kill(home.child(word), signal.SIGKILL)
        await page.until(lambda: page.account["relay"] == "dead", "its death is told")
        await page.step("press", button="119", hold_ms=200)
        await page.listen(0.5)
        await page.step("press", button="cancel", hold_ms=200)
        await page.step("speed", x=10)
        await page.record("emergency.cancelled", 2)
        assert await page.linked() == number
        assert home.ask("SELECT COUNT(*) FROM records WHERE event = 'emergency.cancelled'") == [(2,)]

    home.tell(story)
    assert home.close() == (0, "")


@pytest.mark.parametrize("kind", KINDS)
def test_killed_the_home_leaves_no_process_and_its_folder_goes_with_the_next(fresh, kind, monkeypatch):
    home = fresh(kind)

    async def story(page) -> None:
        await page.linked()

    home.tell(story)
    children = family(home.process.pid)
    assert len(children) == 3, children
    home.kill()
    wait_gone(children)
    left, = home.folder.glob("simulated-home-*")
    monkeypatch.setattr(tempfile, "tempdir", str(home.folder))
    with owner.folder("simulated-home-"):
        assert not left.exists()


def test_ended_while_it_starts_leaves_no_process_and_no_word(fresh):
    home = fresh("mosquitto")
    end = time.monotonic() + LIMIT_S
    while not family(home.process.pid):
        assert time.monotonic() < end
    assert home.close() == (0, "")
