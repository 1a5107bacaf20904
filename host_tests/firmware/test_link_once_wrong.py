"""What was once found wrong in the link to the relay, each shown by a test."""

import asyncio
import datetime
import importlib
import json
import sys
import types

import flashed
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from queued import Clock, Kept, Log

from firmware.emergency import events as ev
from firmware.emergency.machine import ATTEMPT_GUARD_MS, WINDOW_MS, Machine
from firmware.phone import events as ph
from firmware.uplink.courier import Courier
from firmware.uplink.kept import Kept as LinkKept
from firmware.uplink.orders import Orders
from tools.certs.x509s import Validity, leaf, root

AGAIN_MS = 20_000
DAY_S = 86_400


class Desk:
    """A courier over a queue, to which the relay has answered already."""

    def __init__(self, sectors=256):
        self.kept = Kept(sectors)
        self.made = self.kept.boot()
        queue = self.queue = self.kept.queue
        self.courier = Courier(queue, self.kept.clock, lambda: self.made.boot)
        self.courier.begin()
        self.courier._heard = [queue.events, queue.data]
        self.buf = memoryview(bytearray(4608))

    def fill(self, events=0, data=0):
        for index in range(max(events, data)):
            if index < events:
                self.made.event("door.opened", index=index)
            if index < data:
                self.made.periodic("status", index=index)
            self.kept.work()

    def send(self):
        """All that may go out now; the broker takes it."""
        sent = []
        while True:
            found = self.courier.fill(self.buf)
            if found is None:
                return sent
            message = json.loads(bytes(self.buf[:found[1]]))
            found[2].packet = message["batch"]
            self.courier.taken(message["batch"], self.kept.clock.now)
            sent.append(message)

    def answer(self, message):
        return self.courier.acknowledged(message["boot"], message["batch"])


@pytest.mark.req("TEL-02")
@pytest.mark.fault(13)
@pytest.mark.parametrize("lane", ["events", "data"])
def test_a_batch_without_an_answer_is_not_forgotten_while_many_behind_it_are_answered(lane):
    """One of two relays died with a batch; after 64 more nobody knew of it, and its lane was never delivered."""
    desk = Desk()
    desk.fill(**{lane: 1200})
    sent = desk.send()
    lost = sent[0]
    while sent:
        for message in sent:
            if message is not lost:
                assert desk.answer(message)
        sent = desk.send()
    assert len(desk.courier._batches) <= 96
    desk.kept.clock.now += AGAIN_MS
    assert desk.courier.look(desk.kept.clock.now), "the one that was lost comes again"
    seqs = []
    while True:
        sent = desk.send()
        if not sent:
            break
        for message in sent:
            seqs += [record["seq"] for record in message["records"]]
            desk.answer(message)
    assert seqs[:10] == [record["seq"] for record in lost["records"]]
    assert desk.queue.waiting() == 0 and getattr(desk.queue, lane).acked & 0xFFFFFFFF == 1200


@pytest.mark.req("TEL-03")
@pytest.mark.fault(13)
def test_events_go_on_while_a_batch_of_data_waits_for_its_answer_and_the_other_way_round():
    desk = Desk()
    desk.fill(events=600, data=600)
    lost = None
    while True:
        sent = desk.send()
        if not sent:
            break
        for message in sent:
            if message["records"][0]["kind"] != "event" and lost is None:
                lost = message
            elif message is not lost:
                desk.answer(message)
    assert desk.queue.events.acked >= 600
    assert [batch for batch in desk.courier._batches if batch.number == lost["batch"]], "still known"
    for _ in range(20):  # events sent again and again do not push it out
        desk.fill(events=160)
        desk.send()
        desk.courier._again(desk.queue.events)
        desk.courier._heard.append(desk.queue.events)
    assert [batch for batch in desk.courier._batches if batch.number == lost["batch"]]
    assert len(desk.courier._batches) <= 96


# ---------------------------------------------------------------------- who answers nothing
@pytest.mark.fault(69)
def test_a_broker_that_takes_nothing_is_not_waited_for_for_ever():
    """It answered pings and no message: nothing was sent again, nothing told, and the link was called up."""
    desk = Desk()
    desk.courier.on_ack = None
    desk.fill(events=5)
    assert desk.courier.unanswered_ms() == 0 and desk.courier.is_taken()
    found = desk.courier.fill(desk.buf)
    found[2].packet = 7
    desk.kept.clock.now += 150_000
    assert not desk.courier.look(desk.kept.clock.now)
    assert desk.courier.unanswered_ms() == 150_000 and not desk.courier.is_taken()
    desk.courier.taken(7, desk.kept.clock.now)
    assert desk.courier.is_taken()
    desk.answer(json.loads(bytes(desk.buf[:found[1]])))
    assert desk.courier.unanswered_ms() == 0


@pytest.mark.fault(65)
def test_that_the_relay_answers_nothing_counts_on_while_the_same_is_sent_again():
    """Sending again began the count anew: after 8 min it was told, and not after 3."""
    desk = Desk()
    desk.fill(events=5)
    desk.send()
    for _ in range(179):
        desk.kept.clock.now += 1000
        desk.courier.look(desk.kept.clock.now)
        desk.send()
    assert desk.courier.repeated >= 3 and desk.courier.unanswered_ms() == 179_000
    desk.courier.begin()
    assert desk.courier.unanswered_ms() == 0, "a new connection: it is given time"


# ---------------------------------------------------------------------- certificates and the time
@pytest.fixture
def uplink(monkeypatch):
    """firmware.uplink.`name` under CPython: nothing of mbedTLS is used but its names."""
    class SSLContext:
        def __init__(self, _protocol):
            self.stream = None

        def load_verify_locations(self, _data):
            pass

        def load_cert_chain(self, _cert, _key):
            pass

        def wrap_socket(self, raw, **_named):
            return raw

    tls = types.ModuleType("tls")
    tls.SSLContext, tls.PROTOCOL_TLS_CLIENT, tls.CERT_REQUIRED = SSLContext, 0, 2
    monkeypatch.setitem(sys.modules, "tls", tls)
    for name in ("secure", "session", "link"):
        monkeypatch.delitem(sys.modules, "firmware.uplink." + name, raising=False)
    yield lambda name: importlib.import_module("firmware.uplink." + name)
    for name in ("secure", "session", "link"):
        sys.modules.pop("firmware.uplink." + name, None)


def moment(year, month=1, day=1):
    return datetime.datetime(year, month, day, tzinfo=datetime.timezone.utc)


def seconds(*date):
    return int(moment(*date).timestamp())


def der(pair):
    return pair.cert.public_bytes(serialization.Encoding.DER)


class Dates:
    """A Secure whose own certificate is from 2026, and a server's from March 2026 to March 2028."""

    def __init__(self, uplink, folder, floor_s=0):
        ca = root("Lab CA", Validity(moment(2026), moment(2046)))
        own = leaf(ca, "GW-1", ExtendedKeyUsageOID.CLIENT_AUTH, [], Validity(moment(2026), moment(2036)))
        for name, data in (("ca", der(ca)), ("cert", der(own)), ("key", b"")):
            (folder / (name + ".der")).write_bytes(data)
        server = Validity(moment(2026, 3), moment(2028, 3))
        self.chain = [der(ca), der(leaf(ca, "relay", ExtendedKeyUsageOID.SERVER_AUTH, ["relay.lab"], server))]
        self.clock = Clock()
        self.kept = LinkKept(flashed.Chip().boot())
        self.kept.floor_s = floor_s
        self.secure = uplink("secure").Secure(str(folder), self.clock, self.kept, None)

    def is_set(self, *date):
        self.clock.offset = None if not date else seconds(*date) * 1000

    def is_believed(self):
        self.secure._begins_s, self.secure._ends_s = 0, 1 << 40
        return all(self.secure._judge(memoryview(cert), 0) == 0 for cert in self.chain)


@pytest.mark.req("SEC-01")
@pytest.mark.fault(79)
def test_a_relay_that_tells_a_time_in_which_its_own_certificate_is_no_good_is_not_believed(uplink, tmp_path):
    """It was: the next connection was refused by that time, and only a relay could have set it right."""
    dates = Dates(uplink, tmp_path)
    dates.is_set(2026, 6)
    assert dates.is_believed()
    assert [dates.secure.fits(seconds(*date)) for date in ((2026, 2, 27), (2026, 3, 1), (2028, 2, 29), (2028, 3, 2),
                                                           (2099,))] == [False, True, True, False, False]
    parts = Home(dates.clock, dates.kept)
    orders = Orders(parts, dates.kept, dates.secure.fits)
    for counter, date in enumerate(((2099,), (2026, 1, 2), (2027,))):
        orders.feed(memoryview(json.dumps({"id": "t", "counter": counter + 1, "expires": 1 << 50, "name": "time",
                                           "at": seconds(*date) * 1000}).encode()))
    assert [fields["reason"] for _, fields in parts.records] == ["the relay's certificate is not of that time"] * 2
    assert parts.times == [seconds(2027) * 1000]


@pytest.mark.req("SEC-01")
@pytest.mark.fault(80)
def test_a_clock_that_is_wrong_for_certain_keeps_nobody_out(uplink, tmp_path):
    """A clock chip that begins anew in 2026, or says 2090: every certificate was refused until somebody came."""
    dates = Dates(uplink, tmp_path, floor_s=seconds(2027))
    for date in ((2026, 1, 5), (2026, 12, 31), (2090,)):
        dates.is_set(*date)
        assert dates.is_believed(), date
    for date, good in (((2027, 1, 2), True), ((2028, 2), True), ((2028, 4), False), ((2040,), False)):
        dates.is_set(*date)
        assert dates.is_believed() is good, date
    dates.kept.floor_s = seconds(2028, 4)
    dates.is_set()
    assert not dates.is_believed(), "it has ended before the latest that is certainly past"


@pytest.mark.req("SEC-01")
@pytest.mark.fault(79)
def test_a_mobile_network_that_tells_another_year_keeps_nobody_out_and_lets_nobody_in(uplink, tmp_path):
    dates = Dates(uplink, tmp_path, floor_s=seconds(2027))
    dates.clock.sure_s = lambda: 0
    for date in ((2026, 1, 5), (2028, 4), (2040,)):
        dates.is_set(*date)
        assert dates.is_believed(), date
    dates.kept.floor_s = seconds(2028, 4)
    dates.is_set(2027)
    assert not dates.is_believed(), "it has ended, whatever the network says"


def test_a_handshake_that_fails_leaves_no_stream_of_tls_open(uplink, tmp_path):
    class Stream:
        closed = 0

        def __init__(self, answers):
            self.answers = answers

        def write(self, _data):
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        def close(self):
            self.closed += 1
            raise OSError(9)

    secure = Dates(uplink, tmp_path).secure
    refused = uplink("secure").Refused
    for answers, error, limit_ms in (([ValueError("bad cert")], refused, 100), ([OSError(104)], OSError, 100),
                                     ([None], asyncio.TimeoutError, 0)):
        stream = Stream(list(answers))
        with pytest.raises(error):
            asyncio.run(secure.open(stream, "relay.lab", b"x", lambda: False, limit_ms))
        assert stream.closed == 1
    stream = Stream([5])
    assert asyncio.run(secure.open(stream, "relay.lab", b"hello", lambda: False, 100)) is stream and not stream.closed


# ---------------------------------------------------------------------- commands
class Home:
    """What commands act on, written down."""

    def __init__(self, clock, kept):
        self.clock = clock
        clock.set_wall = lambda at_ms: self.times.append(at_ms) or True
        self.kept = kept
        self.records, self.done, self.times = [], [], []
        self.recorder = self.machine = self.commands = self
        self.is_open = False

    def event(self, name, **fields):
        self.records.append((name, fields))

    def open(self):
        return self.is_open

    def run(self, name, _message, _who):
        self.done.append(name)
        return ""


def order(counter, name="alarm.cancel", ident="c"):
    return {"id": ident, "counter": counter, "expires": 1 << 50, "name": name}


def fed(orders, message):
    orders.feed(memoryview(message if isinstance(message, bytes) else json.dumps(message).encode()))


@pytest.mark.req("SEC-03")
@pytest.mark.fault(77)
def test_a_counter_too_large_by_mistake_is_not_the_last_one_that_is_ever_taken():
    """After one of 2^53 nothing larger could be said any more, the time neither."""
    kept = LinkKept(flashed.Chip().boot())
    orders = Orders(Home(Clock(), kept), kept)
    for counter in (1 << 53, 4_102_444_800_001):
        fed(orders, order(counter))
    assert orders.refused == 2 and kept.counter == 0
    for counter in (1_800_000_000_000, 4_102_444_800_000, 4_102_444_800_000 + (1 << 32), 4_102_444_800_001 + (1 << 32)):
        fed(orders, order(counter))
    assert orders.refused == 2 and kept.counter == 4_102_444_800_001 + (1 << 32)


@pytest.mark.req("SEC-03")
def test_a_name_that_is_no_text_is_not_repeated_in_a_record():
    """Half of a surrogate pair came back in `command.done`, in bytes that no relay takes for JSON: the lane stood."""
    kept = LinkKept(flashed.Chip().boot())
    orders = Orders(Home(Clock(), kept), kept)
    for bad in (b'"\\ud800"', b'"\\uDFff"', b'"\xed\xa0\x80"'):
        fed(orders, b'{"id": %s, "counter": 1, "expires": 1125899906842624, "name": "state"}' % bad)
    assert orders.refused == 3 and kept.counter == 0
    fed(orders, order(1, ident="\ud55c\uae00"))
    assert kept.counter == 1


@pytest.mark.req("EMG-14")
@pytest.mark.fault(77)
def test_an_emergency_that_begins_while_a_counter_is_written_does_not_hold_back_the_command_for_it(monkeypatch):
    """The wait for flash did not end while nothing may be written: the alarm could not be taken back from afar."""
    chip = flashed.Chip()
    clock = chip.clock
    flashed.patch(monkeypatch, clock)
    store = chip.boot()
    kept = LinkKept(store)
    home = Home(Clock(), kept)
    home.clock.offset = 1_800_000_000_000
    orders = Orders(home, kept)
    store.hold = lambda: home.is_open

    async def live():
        task = asyncio.ensure_future(orders.run())  # the store's task does not run: flash takes nothing
        fed(orders, order(1, name="settings.set"))
        for _ in range(3):
            await asyncio.sleep(0)
        assert home.done == []
        home.is_open = True
        fed(orders, order(2))
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(live())
    assert home.done == ["settings.set", "alarm.cancel"]


def test_commands_are_done_though_there_is_no_store(monkeypatch):
    from firmware.absent import Absent

    flashed.patch(monkeypatch, flashed.Clock())
    kept = LinkKept(Absent())
    home = Home(Clock(), kept)
    home.clock.offset = 1_800_000_000_000
    orders = Orders(home, kept)

    async def live():
        task = asyncio.ensure_future(orders.run())
        fed(orders, order(1))
        for _ in range(1000):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(live())
    assert home.done == ["alarm.cancel"]


# ---------------------------------------------------------------------- the link itself
class Gateway:
    """As much of it as a Link asks."""

    def __init__(self):
        self.clock = Clock()
        self.machine = Machine()
        self.queue = Kept(0)
        self.queue.boot()
        self.queue = self.queue.queue
        self.store = flashed.Chip().boot()
        self.board = types.SimpleNamespace(net=types.SimpleNamespace(ready=lambda: True))
        self.records = []
        self.recorder = types.SimpleNamespace(boot=1, event=lambda _, **fields: self.records.append(fields.get("what")))
        self.log = Log()

    def changed(self):
        pass


@pytest.mark.req("EMG-19")
@pytest.mark.fault(73)
def test_no_step_of_a_handshake_falls_into_the_moment_of_dialling(uplink):
    """Held back while the prompt ran, it went on as soon as that was over: in front of ATD."""
    gateway = Gateway()
    link, machine, clock = uplink("link").Link(gateway), gateway.machine, gateway.clock
    assert not link.hold()
    machine.handle(ev.BUTTON, 0, clock.now)
    held = []
    for _ in range(0, WINDOW_MS + 3000, 100):
        clock.now += 100
        machine.handle(ev.TICK, 0, clock.now)
        held.append(link.hold())
    assert held == [True] * (WINDOW_MS // 100 + 9) + [False] * 21, "until a second after the order to dial"
    machine.handle(ph.CALL_ENDED, ph.BUSY, clock.now)
    assert not link.hold(), "between two attempts"
    clock.now += 2000
    machine.handle(ev.TICK, 0, clock.now)
    assert link.hold() and machine.attempt == 2
    clock.now += ATTEMPT_GUARD_MS - 1
    assert not link.hold(), "a modem that is dead does not keep the relay from hearing of it"


@pytest.mark.fault(89)
def test_troubles_that_take_turns_are_each_told_once(uplink):
    """Refused here, no answer there: each attempt made a record, every 5 s in an emergency."""
    gateway = Gateway()
    link = uplink("link").Link(gateway)
    refused = uplink("secure").Refused
    gateway.clock.now = 10**6
    for _ in range(50):
        link._failed("tls", refused("the certificate has ended"))
        link._failed("connect", OSError(110))
    assert len(gateway.records) == 2
    link._over("down")
    link._failed("connect", OSError(110))
    assert len(gateway.records) == 3


class Deaf:
    """A connection on which everything goes out and a broker says nothing to it."""

    error, free, payload = None, 16, memoryview(bytearray(4608))

    async def run(self):
        await asyncio.Event().wait()

    async def subscribe(self, *_asked):
        pass

    async def publish(self, *_message):
        return 1

    def close(self):
        self.error = OSError()


@pytest.mark.fault(69)
def test_the_connection_to_a_broker_that_takes_nothing_is_given_up(uplink, monkeypatch):
    gateway = Gateway()
    link = uplink("link").Link(gateway)
    link.secure = types.SimpleNamespace(number="GW-1")
    link.greeting = link.beat = dict
    link.opened, link.idle_ms, link.beat_due = link.courier.begin, (lambda: 10_000), (lambda: False)
    gateway.clock.offset = 1_800_000_000_000
    gateway.queue.append(1, 1, b"{}", 1)
    session = uplink("session").Session(link, None)
    session._mqtt = Deaf()

    async def wait_for_ms(what, ms):
        what.close()
        gateway.clock.now += ms
        assert gateway.clock.now < 400_000, "for ever"
        raise asyncio.TimeoutError

    monkeypatch.setattr(asyncio, "wait_for_ms", wait_for_ms, raising=False)
    begun = gateway.clock.now
    with pytest.raises(uplink("session").MqttError, match="takes nothing"):
        asyncio.run(session._serve())
    assert gateway.clock.now - begun == 200_000
