"""The broker dies, hangs, or says nothing: noticed in time, everything kept, everything delivered afterwards."""

import signal
import socket
import threading
import time

import pytest
from relay.lab import wait_for


class Silent:
    """Takes every connection and says nothing."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.met = []  # [since, until], s of time.monotonic()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                end, _ = self._server.accept()
            except OSError:
                return
            times = [time.monotonic(), None]
            self.met.append(times)
            with end:
                try:
                    while end.recv(4096):
                        pass
                except OSError:
                    pass
            times[1] = time.monotonic()

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-04")
@pytest.mark.fault(65)
def test_a_broker_that_is_killed_and_comes_back(rig):
    home = rig(job={"rate": 10})
    home.start()
    home.arrived("door.opened", 5)
    home.kill_broker()
    home.wait_down()
    time.sleep(3)
    while_down = home.gateway.all("made")[-1]
    assert (while_down["boot"], while_down["seq"]) not in home.identities()
    home.lab.start_broker()
    home.wait_up()
    assert home.judge() >= 50
    home.bounded()


@pytest.mark.req("TEL-02")
@pytest.mark.req("TEL-09")
@pytest.mark.fault(67)
def test_a_broker_that_hangs_is_noticed_within_30_s_and_used_again(rig):
    """SIGSTOP: its sockets are there, and nobody behind them."""
    home = rig(job={"rate": 2})
    home.start()
    home.arrived("door.opened", 2)
    stopped = time.monotonic()
    home.lab.broker.signal(signal.SIGSTOP)
    home.wait_down(60)
    assert time.monotonic() - stopped <= 30 + 2  # the gateway tells its state once a second
    while time.monotonic() - stopped < 35:
        time.sleep(0.1)
    home.lab.broker.signal(signal.SIGCONT)
    home.wait_up()
    assert home.judge() >= 50
    home.bounded()


@pytest.mark.req("TEL-09")
@pytest.mark.fault(66)
@pytest.mark.fault(67)
def test_who_takes_the_connection_and_says_nothing_is_given_up_after_20_s(rig):
    home = rig(job={"rate": 2})
    silent = Silent()
    try:
        home.line.target = silent.port
        home.start(up=False)
        first = wait_for(lambda: silent.met and silent.met[0][1] and silent.met[0], "the end of the first try", 90)
        assert 19 <= first[1] - first[0] <= 30
        home.line.target = home.lab.port
        home.wait_up()
        home.judge()
    finally:
        silent.close()


@pytest.mark.req("TEL-02")
@pytest.mark.fault(67)
@pytest.mark.fault(75)
def test_a_line_that_goes_dead_without_a_word(rig):
    """Half-open: neither end hears of it. What was under way is sent again on the next connection, once.

    The home's time runs four times as fast.
    """
    home = rig(job={"rate": 10})
    home.start()
    home.arrived("door.opened", 5)
    home.step("speed", x=4)
    home.line.stall()
    stalled = home.gateway.all("pulse")[-1]["t"]
    home.wait_down(60)
    assert home.gateway.all("pulse", up=False)[-1]["t"] - stalled <= 30_000 + 5000  # it tells once a second
    home.line.cut()
    home.line.flow()
    home.wait_up()
    assert home.judge() >= 100
