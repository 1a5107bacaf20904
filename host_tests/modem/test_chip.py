"""The simulated EG25-G on its own: power, modes, calls, files, and the same under both interpreters."""

import pathlib
import subprocess
import sys

import pytest

from hal_sim.modem.chip import ModemChip
from hal_sim.modem.commands import parse, split_line
from hal_sim.modem.files import Checksum, wav_ms
from hal_sim.sched import Scheduler

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes.fromhex("1000000001000100803e0000007d000002001000") + b"data"


def wav(ms):
    data = bytes(32 * ms)
    return WAV + len(data).to_bytes(4, "little") + data


class Bench:
    def __init__(self, boot=True):
        self.sched = Scheduler()
        self.events = []
        self.got = b""
        self.chip = ModemChip(self.sched, lambda what, **more: self.events.append((self.sched.now_ms, what, more)))
        self.chip.send = self._got
        self.chip.power_on()
        if boot:
            self.press(560)
            self.run(20000)
            self.ask("ATE0")

    def _got(self, data):
        self.got += data

    def run(self, ms):
        self.sched.run_until(self.sched.now_ms + ms)

    def press(self, ms):
        self.chip.set_pwrkey(1)
        self.run(ms)
        self.chip.set_pwrkey(0)

    def ask(self, text, wait_ms=200):
        self.got = b""
        self.chip.feed(text.encode() + b"\r")
        self.run(wait_ms)
        return [line.decode() for line in self.got.split(b"\r\n") if line]


def test_pwrkey_turns_on_and_off_by_its_length():
    bench = Bench(boot=False)
    bench.press(400)
    bench.run(20000)
    assert bench.got == b""
    bench.press(560)
    bench.run(11000)
    assert bench.got == b""
    bench.run(9000)
    assert bench.got.split() == b"RDY +CFUN: 1 +CPIN: READY +QUSIM: 1 +QIND: SMS DONE +QIND: PB DONE".split()
    bench.press(560)  # too short to turn a running module off
    assert bench.ask("ATE0")[-1] == "OK"
    bench.got = b""
    bench.press(700)
    assert b"POWERED DOWN" in bench.got
    assert bench.ask("AT") == []


@pytest.mark.fault(48)
def test_a_hang_ends_with_reset_or_supply_and_not_before():
    for heal in ("reset", "supply"):
        bench = Bench()
        bench.chip.set_fault("hang")
        assert bench.ask("AT", 60000) == []
        if heal == "reset":
            bench.chip.set_reset(1)
            bench.run(100)
            bench.chip.set_reset(0)
            assert bench.ask("AT") == []  # 150 ms are needed
            bench.chip.set_reset(1)
            bench.run(200)
            bench.chip.set_reset(0)
        else:
            bench.chip.set_vbat(0)
            bench.run(500)
            bench.chip.set_vbat(1)
            bench.press(560)
        bench.run(12500)
        assert b"RDY" in bench.got and bench.ask("AT")[-1] == "OK"


def test_a_reset_drops_the_call_and_takes_a_boot():
    bench = Bench()
    bench.ask("ATD119;", 4000)
    bench.chip.set_fault("reset")
    assert bench.events[-1][2] == {"state": "ended", "number": "119", "cause": "modem_reset"}
    assert bench.ask("AT", 11000) == []
    bench.run(2000)
    assert b"RDY" in bench.got and bench.ask("AT+CLCC") == ["AT+CLCC\r", "OK"]  # echo is on again


@pytest.mark.parametrize(("reply", "result", "states"), [
    ("answer", None, ["ringing", "answered"]), ("busy", "BUSY", ["ringing", "failed"]),
    ("no_answer", None, ["ringing"]), ("drop", "NO CARRIER", ["ringing", "answered", "ended"]),
])
def test_the_line(reply, result, states):
    bench = Bench()
    bench.chip.set_line(reply)
    lines = bench.ask("ATD0212345678;", 20000)
    assert lines[0] == "OK" and lines[1:] == ([result] if result else [])
    assert [more["state"] for _, what, more in bench.events if what == "call"] == states


def test_without_a_sim_only_emergency_numbers():
    bench = Bench()
    bench.chip.set_fault("no_sim")
    bench.ask("AT+CMEE=1")
    assert bench.ask("AT+CPIN?") == ["+CME ERROR: 10"]
    assert bench.ask("ATD01012345678;") == ["NO CARRIER"]
    assert bench.ask("ATD119;") == ["OK"]


def test_no_voice_network():
    bench = Bench()
    bench.chip.set_network(voice=False)
    assert bench.ask("AT+CREG?") == ["+CREG: 0,2", "OK"]
    assert bench.ask("ATD119;", 2000) == ["OK", "NO CARRIER"]


def test_waiting_call_and_its_refusal_by_index():
    bench = Bench()
    bench.ask("AT+CCWA=1")
    bench.ask("ATD119;", 4000)
    bench.got = b""
    bench.chip.call_in("0101")
    assert b'+CCWA: "0101"' in bench.got
    assert bench.ask("AT+CLCC")[:2] == ['+CLCC: 1,0,0,0,0,"119",129', '+CLCC: 2,1,5,0,0,"0101",129']
    bench.ask("AT+QHUP=21,2")
    assert bench.ask("AT+CLCC") == ['+CLCC: 1,0,0,0,0,"119",129', "OK"]
    assert bench.ask("AT+CCWA=0,0,1", 1000) == ["OK"]
    bench.chip.call_in("0102")
    assert bench.events[-1][2]["cause"] == "busy"


def test_multiplexer_and_data_mode_and_the_ways_out():
    bench = Bench()
    assert bench.ask("AT+CMUX=0") == ["OK"]
    assert bench.ask("AT") == []
    bench.chip.feed(b"\xf9\x03\xef\x05\xc3\x01\xf2\xf9")
    assert bench.ask("AT") == ["OK"]
    assert bench.ask("ATD*99#") == ["CONNECT 150000000"]
    bench.chip.feed(b"+++")  # no silence before: data
    bench.run(3000)
    assert bench.ask("AT") == []
    bench.run(1000)
    bench.chip.feed(b"+++")
    bench.run(500)
    bench.chip.feed(b"x")  # no silence behind: data
    bench.run(2000)
    assert bench.ask("AT") == []
    bench.run(1000)
    bench.chip.feed(b"+++")
    bench.run(1100)
    assert bench.ask("AT+CLCC") == ['+CLCC: 1,0,0,1,0,"",128', "OK"]
    assert bench.ask("ATO") == ["CONNECT 150000000"]


def test_the_network_tells_the_time_to_who_is_registered():
    bench = Bench()
    assert bench.ask("AT+QLTS=1") == ['+QLTS: ""', "OK"], "this one has no clock"
    bench.chip.epoch_s = 1_484_250_000 - bench.chip.sched.now_ms // 1000  # 2017-01-12 19:40:00
    assert bench.ask("AT+QLTS=1") == ['+QLTS: "2017/01/12,19:40:00+36,0"', "OK"]
    assert bench.ask("AT+QLTS=2")[0].startswith('+QLTS: "2017/01/13,04:40:0')
    bench.chip.set_network(time=False)
    assert bench.ask("AT+QLTS=1") == ['+QLTS: ""', "OK"]


def test_files_and_playing_into_the_call():
    bench = Bench()
    bench.chip.texts["a.wav"] = "hello"
    data = wav(1500)
    assert bench.ask('AT+QFUPL="a.wav",%d,5' % len(data)) == ["CONNECT"]
    bench.got = b""
    bench.chip.feed(data[:1000])
    bench.chip.feed(data[1000:])
    bench.run(50)
    expected = Checksum()
    expected.add(data)
    assert bench.got == b"\r\n+QFUPL: %d,%x\r\n\r\nOK\r\n" % (len(data), expected.value())
    bench.ask("AT+CMEE=1")
    assert bench.ask('AT+QFUPL="a.wav",10') == ["+CME ERROR: 407"]
    assert bench.ask('AT+QFLST="a.wav"') == ['+QFLST: "UFS:a.wav",%d' % len(data), "OK"]
    assert bench.ask('AT+QPSND=1,"b.wav",0,1,1') == ["+CME ERROR: 405"]
    bench.ask("ATD119;", 4000)
    for play in (1, 2):
        assert bench.ask('AT+QPSND=1,"a.wav",0,1,1', 1600)[:1] == ["OK"]
        assert b"+QPSND: 0" in bench.got
        start, end = bench.events[-2:]
        assert start[1:] == ("prompt", {"text": "hello", "play": play, "to": "line"}) and end[1] == "prompt_end"
        assert end[0] - start[0] == 1500
    assert bench.ask('AT+QFDEL="a.wav"') == ["OK"]
    assert bench.ask('AT+QFLST="a.wav"') == ["+CME ERROR: 405"]


def test_an_upload_that_stops_ends_by_its_timeout():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    bench.ask('AT+QFUPL="a.bin",100,1')
    bench.got = b""
    bench.chip.feed(b"12345")
    bench.run(900)
    assert bench.got == b""
    bench.run(200)
    assert b"+CME ERROR: 421" in bench.got
    assert bench.ask("AT") == ["OK"]


def test_only_what_the_module_can_play_has_a_length():
    def length(data):
        return wav_ms(data, len(data))

    good = wav(1500)
    assert length(good) == 1500
    assert length(good[:24] + (44100).to_bytes(4, "little") + good[28:]) is None
    assert length(good[:22] + b"\x02" + good[23:]) is None  # stereo
    assert length(b"RIFF") is None and length(b"") is None and length(bytes(100)) is None


def test_command_lines():
    assert split_line('+CSQ;+CPIN="1;2";E0V1+CREG?') == ["+CSQ", '+CPIN="1;2"', "E0", "V1", "+CREG?"]
    assert split_line("D119;") == ["D119;"]
    assert parse('+CPIN="a=?"') == ("+CPIN", "=", '"a=?"')
    assert parse("+CREG=?") == ("+CREG", "=?", "") and parse("S0?") == ("S0", "?", "")


@pytest.mark.parametrize("line", [
    b"\xff\xfeAT", b"at+csq", b"garbageAT", b"AT+", b"AT;", b"AT;;", b"AT=", b"AT?", b"AT+CFUN=x", b"AT+QFWRITE=",
    b"ATD;", b"AT+CMGS=", b"AT&", b"AT+QHUP=1,x", b"AT" + b"A" * 3000, b"AT+CHLD=", b"AT+CCWA=,,", b"AT+QPSND=1",
    b"ATS", b"AT^", b"ATE9",
])
def test_no_line_upsets_it(line):
    bench = Bench()
    bench.chip.feed(line + b"\r")
    bench.run(5000)
    assert bench.ask("AT")[-1] == "OK"


def test_micropython_gives_the_same_bytes(micropython):
    program = ROOT / "host_tests" / "modem" / "session.py"
    here = subprocess.run([sys.executable, program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert here.stdout == micropython([str(program)]) and len(here.stdout) > 1000
