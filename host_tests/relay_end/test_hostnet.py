"""The computer's own network in play mode: a real server, a real MicroPython process, in real time."""

import json
import os
import queue
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from conftest import HEAP, ROOT, micropython_path

from tools import simulator

LIMIT_S = 20


class Played:
    """The simulator in play mode with a firmware that only talks; `next()`: what that says."""

    def __init__(self, folder, port: int, host: str = "127.0.0.1", speed: int = 1) -> None:
        scenario = {"internet": "host", "settings": {"relay_host": host, "relay_port": port}}
        self.process = subprocess.Popen(
            [micropython_path(), "-X", f"heapsize={HEAP}", "-m", "hal_sim.play", "play",
             "host_tests.relay_end.port.hosted", str(folder)],
            cwd=ROOT, env={**os.environ, "MICROPYPATH": ":.frozen"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.step(scenario)
        self.step({"do": "speed", "x": speed})
        self.said: queue.Queue = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for text in self.process.stdout:
            line = json.loads(text)
            if line["what"] == "log":
                self.said.put(json.loads(line["text"]) if line["level"] == "info" else line["text"])

    def next(self):
        return self.said.get(timeout=LIMIT_S)

    def step(self, step: dict) -> None:
        self.process.stdin.write(json.dumps(step) + "\n")
        self.process.stdin.flush()

    def cpu_s(self) -> float:
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(LIMIT_S) == 0, self.process.stderr.read()
        self._reader.join(LIMIT_S)
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(LIMIT_S)
        yield listening


@pytest.fixture
def play(tmp_path):
    made = []
    simulator.furnish(tmp_path)

    def run(port: int, **options) -> Played:
        made.append(Played(tmp_path, port, **options))
        return made[-1]

    yield run
    for one in made:
        one.close()


def meet(server, played) -> socket.socket:
    end, _ = server.accept()
    end.settimeout(LIMIT_S)
    assert end.recv(6, socket.MSG_WAITALL) == b"hello\n"
    assert played.next() == {"up": True}
    return end


def test_the_gateway_talks_to_a_real_server_and_is_woken_by_it(server, play):
    """Woken: between two events of the simulated home seconds pass, and 40 answers do not take 40 of them."""
    played = play(server.getsockname()[1])
    with meet(server, played) as end:
        begun = time.monotonic()
        for number in range(40):
            end.sendall(b"%d" % number)
            assert end.recv(10) == b"%d" % number and played.next() == {"got": str(number)}
        assert time.monotonic() - begun < 15
        end.sendall(b"rest")
        assert end.recv(10) == b"rest" and played.next() == {"got": "rest"}
        before = played.cpu_s()
        end.sendall(b"more")
        time.sleep(1)
        assert played.cpu_s() - before < 0.5  # nobody waits for it: it wakes nobody again and again
        assert end.recv(10) == b"more" and played.next() == {"got": "more"}
        played.step({"do": "relay", "up": False})
        assert "the relay is outside" in played.next()
        played.step({"do": "net", "dns": "fails"})
        assert "the relay is outside" in played.next()
    assert played.next() == {"over": True, "up": 6 + 78, "down": 78}


def test_who_waits_is_told_to_the_pace_and_no_longer_when_the_socket_closes(server, micropython):
    """As the event loop asks: ioctl, which says what is there already and has the rest watched."""
    port = server.getsockname()[1]
    told = micropython(["-c", textwrap.dedent(f"""
        import sys
        sys.path.insert(0, ".")
        from hal_sim.bus.hostnet import HostNet
        net = HostNet(lambda real, events: print("watch", events), lambda real: print("forget"))
        addresses = []
        net.resolve("127.0.0.1", {port}, addresses.extend)
        one = net.open(addresses[0])
        while not one.ioctl(3, 4):
            pass
        print("open", one.ioctl(3, 5), one.ioctl(3, 1))
        one.ioctl(4, 0)
        print("shut", one.ioctl(3, 5))
    """)]).splitlines()
    assert [line for line in told if line != "watch 4"] == ["watch 1", "open 4 0", "forget", "shut 8"]


def test_without_a_data_network_a_connection_is_half_open_for_good(server, play):
    played = play(server.getsockname()[1])
    with meet(server, played) as end:
        played.step({"do": "modem", "data": False})
        played.step({"do": "relay"})
        played.next()  # by then the network is gone
        end.sendall(b"into the void")
        end.settimeout(0.5)
        with pytest.raises(TimeoutError):  # neither an answer nor an end
            end.recv(10)
        assert played.said.empty()


def test_nobody_is_there(play):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    played = play(port, speed=100)
    assert played.next() == {"error": 111}
    assert played.next()["over"]


@pytest.mark.fault(74)
def test_a_name_that_nobody_knows(play):
    assert play(7, host="nobody.invalid", speed=100).next() == {"nobody": True}


def test_in_virtual_time_it_is_refused_in_one_line(tmp_path):
    simulator.furnish(tmp_path)
    scenario = {"internet": "host", "until": 1000}
    command = [micropython_path(), "-m", "hal_sim.play", "run", "host_tests.relay_end.port.hosted", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "MICROPYPATH": ":.frozen"}, timeout=60,
                          input=json.dumps(scenario) + "\n", capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert '"internet": "host" is for the simulator\'s mode play only' in done.stderr
    (tmp_path / "x.json").write_text(json.dumps(scenario))
    done = subprocess.run([sys.executable, "-m", "tools.scenario", tmp_path / "x.json", "-"], cwd=ROOT, timeout=60,
                          capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "mode play only" in done.stderr
