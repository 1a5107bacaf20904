"""python-gsmmodem, somebody else's driver, judges the simulated modem over a pty."""

import json
import pathlib
import subprocess
import sys
import threading
import time

import pytest

gsmmodem = pytest.importorskip("gsmmodem", reason="python-gsmmodem-new is not installed")
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Server:
    """`serve_modem.py` as a process; its timeline is read as it grows."""

    def __init__(self, link):
        self.timeline = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tools" / "serve_modem.py", str(link)], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        until = time.monotonic() + 10
        while not link.is_symlink():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < until, "serve_modem made no link"
            time.sleep(0.01)

    def _read(self):
        for text in self.process.stdout:
            with self._changed:
                self.timeline.append(json.loads(text))
                self._changed.notify_all()

    def order(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def wait(self, timeout=10, **wanted):
        """The first timeline entry with these fields."""
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                for entry in self.timeline:
                    if all(entry.get(key) == value for key, value in wanted.items()):
                        return entry
                assert self._changed.wait(until - time.monotonic()), f"{wanted} not in {self.timeline}"

    def close(self):
        self.process.terminate()
        assert self.process.wait(5) == 0
        self._reader.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


@pytest.fixture
def server(tmp_path):
    served = Server(tmp_path / "modem")
    yield served
    served.close()
    assert not (tmp_path / "modem").exists()


@pytest.fixture
def modem(server, tmp_path):
    from gsmmodem.modem import GsmModem

    incoming = []
    opened = GsmModem(str(tmp_path / "modem"), 115200, incomingCallCallbackFunc=incoming.append)
    opened.incoming = incoming
    opened.connect()
    yield opened
    opened.close()


def until(condition, timeout=10):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_connects_and_reads_signal_and_identity(modem):
    assert modem.signalStrength == 22
    assert modem.imei == "866834040000019"
    assert modem.manufacturer == "Quectel"
    assert modem.networkName == "SIM-KT"
    assert modem.waitForNetworkCoverage(5) == 22


def test_dials_sees_answered_and_ended(server, modem):
    server.order("line answer 1500")
    call = modem.dial("0212345678", timeout=10)
    assert call.active and not call.answered
    until(lambda: call.answered)
    assert server.wait(what="dial")["number"] == "0212345678"
    assert server.wait(what="call", state="answered")["number"] == "0212345678"
    server.order("hang_up")
    until(lambda: not call.active)
    assert server.wait(what="call", state="ended")["cause"] == "far_end"


def test_receives_a_call_and_takes_it(server, modem):
    server.order("call_in 01012345678")
    until(lambda: modem.incoming)
    call = modem.incoming[0]
    assert call.number == "+01012345678"  # the library puts the + there
    call.answer()
    server.wait(what="call", state="answered")
    call.hangup()
    assert server.wait(what="call", state="ended")["cause"] == "hung_up"


def test_sends_messages_in_pdu_and_in_text_mode(server, modem):
    modem.sendSms("+821012345678", "help 1234")
    assert server.wait(what="sms")["to"] == "+821012345678"
    assert server.timeline[-1]["text"] == "help 1234"
    modem.sendSms("01012345678", "화재발생!")  # UCS-2
    assert server.wait(what="sms", to="01012345678")["text"] == "화재발생!"
    modem.smsTextMode = True
    modem.sendSms("0101111", "plain")
    assert server.wait(what="sms", to="0101111")["text"] == "plain"


def test_a_file_in_the_way_of_the_link_is_one_line(tmp_path):
    (tmp_path / "modem").write_text("mine")
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "serve_modem.py", str(tmp_path / "modem")],
        capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "is not a link" in done.stderr
    assert (tmp_path / "modem").read_text() == "mine"
