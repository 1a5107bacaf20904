"""Who is not the relay's broker hears nothing; who is not believed by it keeps everything and does not storm."""

import datetime
import shutil
import threading
import time

import paho.mqtt.client as paho
import pytest
from link.harness import GATEWAY
from link.imposter import Imposter
from mqtt.broker import Broker, Listener
from relay.lab import wait_for

from tools import certs
from tools.certs.x509s import Validity

HELLO = b"\x16\x03"  # a TLS handshake record begins so
ALERT = 21
APPLICATION = 23


def years(begin, end):
    return Validity(*(datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc) for year in (begin, end)))


def certificate(home, which):
    """A server's folder, wrong in one way."""
    authority = home.lab.certs.authority
    if which == "expired":
        return authority.server("old.lab", ["relay.lab"], years(2020, 2021))
    if which == "early":
        return authority.server("new.lab", ["relay.lab"], years(2058, 2059))
    if which == "name":
        return authority.server("other.lab", ["other.lab"], certs.LAB)
    return certs.lab(home.folder / "others", []).server


def records_of(data):
    """Kinds of the TLS records in these bytes, in order."""
    kinds, at = [], 0
    while at + 5 <= len(data):
        kinds.append(data[at])
        at += 5 + int.from_bytes(data[at + 3:at + 5], "big")
    return kinds


@pytest.mark.req("SEC-01")
@pytest.mark.req("TEL-02")
@pytest.mark.fault(71)
@pytest.mark.parametrize(("which", "says"), [
    ("expired", "ended"), ("early", "not valid yet"), ("name", "name"), ("authority", "CA"),
])  # fmt: skip
def test_a_server_that_is_not_ours_is_told_nothing(rig, which, says):
    home = rig(job={"rate": 5})
    imposter = Imposter(certificate(home, which))
    try:
        home.line.target = imposter.port
        home.start(up=False)
        wait_for(lambda: imposter.tries, "a try", 60)
        time.sleep(0.5)
        assert imposter.said == b"" and "" not in imposter.tries
        for passage in home.line.passages:
            assert passage.up_start.startswith(HELLO) and APPLICATION not in records_of(passage.up_start)
        home.line.target = home.lab.port
        home.wait_up()
        [fault] = home.arrived("gateway.fault", fault="link")
        assert says.lower() in fault["what"].lower()
        home.judge()
        assert imposter.said == b""
    finally:
        imposter.close()


@pytest.mark.req("SEC-01")
@pytest.mark.fault(76)
def test_a_broker_without_tls_hears_nothing_it_could_understand(rig, tmp_path):
    """No fallback: to a plain broker goes the beginning of a TLS handshake and nothing else, however often."""
    home = rig(job={"rate": 5})
    (tmp_path / "plain").mkdir()
    plain = Broker(tmp_path / "plain")
    listener = Listener(plain)
    try:
        home.line.target = plain.port
        home.start(up=False)
        wait_for(lambda: sum(bool(passage.closed) for passage in home.line.passages) >= 2, "two tries", 60)
        for passage in home.line.passages:
            assert passage.up_start.startswith(HELLO) and set(records_of(passage.up_start)) <= {HELLO[0], ALERT}
            assert b"MQTT" not in passage.up_start and GATEWAY.encode() not in passage.up_start
        home.line.target = home.lab.port
        home.wait_up()
        home.judge()
        assert listener.empty()
    finally:
        listener.close()
        plain.close()


@pytest.mark.req("SEC-01")
@pytest.mark.req("TEL-02")
@pytest.mark.fault(72)
def test_a_gateway_whose_certificate_is_revoked_keeps_everything_and_does_not_storm(rig):
    home = rig(job={"rate": 5})
    lab = home.lab
    shutil.copy(lab.certs.crl, home.folder / "crl.pem")
    lab.certs.authority.revoke(GATEWAY)
    home.kill_broker()
    lab.start_broker()
    home.start(up=False)
    begun = time.monotonic()
    wait_for(lambda: len(home.line.passages) >= 3, "three tries", 60)
    time.sleep(max(0, begun + 20 - time.monotonic()))
    assert len(home.line.passages) <= 6, "20 s: 1, 2, 4, 8 s apart, or nearly"
    assert home.gateway.all("pulse")[-1]["up"] is False and home.rows() == []
    assert len(lab.rows("SELECT * FROM gateways")) == 0, "not a word got through"
    shutil.copy(home.folder / "crl.pem", lab.certs.crl)  # it was a mistake
    home.kill_broker()
    lab.start_broker()
    home.wait_up()
    assert home.judge() >= 50  # 5 a second, less on a busy computer


class Twin:
    """Somebody with the gateway's own certificate, who comes back at once whenever he is sent away."""

    def __init__(self, lab):
        folder = lab.certs.folder / GATEWAY
        self._stop = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, GATEWAY, protocol=paho.MQTTv311)
        self.client.tls_set(str(folder / "ca.pem"), str(folder / "cert.pem"), str(folder / "key.pem"))
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("localhost", lab.port)
        self.client.loop_start()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.req("SEC-01")
@pytest.mark.fault(70)
def test_two_with_the_same_number_do_not_play_ping_pong(rig):
    """The broker lets in who comes last: the gateway waits 10 s and more, and says what it thinks."""
    home = rig(job={"rate": 2})
    home.start()
    twin = Twin(home.lab)
    try:
        wait_for(lambda: sum(bool(passage.closed) for passage in home.line.passages) >= 3, "sent away three times", 90)
    finally:
        twin.close()
    home.wait_up()
    pairs = zip(home.line.passages, home.line.passages[1:], strict=False)
    gaps = [later.opened - passage.closed for passage, later in pairs]
    assert gaps and min(gaps) >= 9.5
    [fault] = home.arrived("gateway.fault", fault="link")
    assert "using this number" in fault["what"]
    home.judge()
