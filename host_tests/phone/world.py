"""Runs the phone service against the simulated modem on MicroPython, in virtual time.

Started by the tests as `micropython host_tests/phone/world.py`, the story on stdin: JSON with `steps` (list of [at_ms,
what, arguments...]), `until` ms, and options. Prints the timeline, a JSON line each.
"""

import sys

sys.path.insert(0, "")
import json  # noqa: E402

import micropython  # noqa: E402

from hal_sim import vtime  # noqa: E402
from hal_sim.bus.pin import Pin  # noqa: E402
from hal_sim.bus.uart import UART  # noqa: E402
from hal_sim.modem.chip import ModemChip  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402

SCHED = Scheduler()
KERNEL = vtime.install(SCHED)

import asyncio  # noqa: E402

from drivers.eg25 import Eg25  # noqa: E402
from firmware.phone import events as ev  # noqa: E402
from firmware.phone.dialler import Dialler  # noqa: E402
from firmware.phone.phone import Phone  # noqa: E402
from hal_sim.ends import SimEnd  # noqa: E402

NAMES = {16: "placed", 17: "ringing", 18: "answered", 19: "ended", 20: "report_done"}


def out(what, **more):
    more["t"] = SCHED.now_ms
    more["what"] = what
    print(json.dumps(more))


class Clock:
    def __init__(self):
        self.told = []  # times of the network

    def ms(self):
        return SCHED.now_ms

    def wall_s(self):
        return len(self.told)

    def hear_network(self, at_ms):
        self.told.append(at_ms)
        return True


class Log:
    def __init__(self):
        self.info = lambda text: out("log", level="info", text=text)
        self.warning = lambda text: out("log", level="warning", text=text)
        self.error = lambda text: out("log", level="error", text=text)


class Mode:
    active = False


class Wire:
    """Between UART and chip: shows the ATD line, and may lose or spoil what the modem sends."""

    def __init__(self, uart, chip, story):
        self.uart = uart
        self.chip = chip
        self.lose = [text.encode() for text in story.get("lose", [])]
        self.noise = b""
        self.mute_until = 0
        self.sent = b""

    def feed(self, data):
        self.sent = (self.sent + data)[-400:]
        start = self.sent.rfind(b"ATD")
        if start >= 0 and b";\r" in self.sent[start:]:
            out("wire", text=self.sent[start:self.sent.find(b"\r", start)].decode())
            self.sent = b""
        self.chip.feed(data)

    def send(self, data):
        if SCHED.now_ms < self.mute_until:
            return
        for text in self.lose:
            if text in data:
                return
        if self.noise:
            data = self.noise + data + self.noise
        self.uart.deliver(data)


class Starved:
    """A coroutine whose k-th to (k+n-1)-th turn after `since_ms` runs with the heap locked: every allocation fails."""

    def __init__(self, coro, since_ms, first, turns):
        self._coro = coro
        self._since_ms = since_ms
        self._first = first
        self._turns = turns
        self._count = 0

    def _run(self, step, value):
        locked = False
        if SCHED.now_ms >= self._since_ms:
            self._count += 1
            locked = self._first <= self._count < self._first + self._turns
        if not locked:
            return step(value)
        micropython.heap_lock()
        try:
            return step(value)
        finally:
            micropython.heap_unlock()

    def send(self, value):
        return self._run(self._coro.send, value)

    def throw(self, error):
        return self._coro.throw(error)


class World:
    def __init__(self, story):
        self.story = story
        self.mode = Mode()
        self.mode.active = bool(story.get("test_mode"))
        self.uart = UART(SCHED)
        self.chip = ModemChip(SCHED, out)
        self.chip.texts = {"report_fire.wav": "FIRE", "report_call.wav": "CALL"}
        self.wire = Wire(self.uart, self.chip, story)
        self.uart.peer = self.wire
        self.chip.send = self.wire.send
        if story.get("no_urcs"):
            self.chip.urc = self.chip.at.unsolicited_result = lambda text: None
        self.modem_reset = Pin(0, self.chip.set_reset)
        self.modem_pwrkey = Pin(0, self.chip.set_pwrkey)
        self.modem_vbat = Pin(1, self.chip.set_vbat)
        self.chip.power_on()
        if story.get("boot", "up") == "up":  # the modem runs since long ago
            self.chip.set_pwrkey(True)
            SCHED.run_until(600)
            self.chip.set_pwrkey(False)
            SCHED.run_until(30000)
        for text in story.get("modem", []):
            self.chip.feed(text.encode())
            SCHED.run_until(SCHED.now_ms + 100)
        for name, seconds in story.get("stored", {}).items():
            self.chip.files.store(name, wav(seconds))
        self.start_ms = SCHED.now_ms
        SCHED.at(self.start_ms, KERNEL.boot)
        self.new_phone()

    def new_phone(self):
        self.modem = Eg25(self.uart)
        self.phone = Phone(self.modem, self, Dialler(self.mode), Clock(), Log())
        self.phone.sink = self.sink
        if "starve" in self.story:
            which, since, first, turns = self.story["starve"]
            owner = self.phone if which == "_work" else self.modem.at
            plain = getattr(owner, which)
            setattr(owner, which, lambda: Starved(plain(), self.start_ms + since, first, turns))
        self.phone.files = [tuple(entry) for entry in self.story.get("files", [])]
        self.redial = self.story.get("redial")

    def sink(self, event, arg):
        if event == ev.CALL_ENDED:
            out("ended", cause=ev.cause_text(arg))
            if self.redial and arg != ev.HUNG_UP:
                SCHED.after(2000, self.phone.call, self.redial)
        elif event == ev.REPORT_DONE:
            out("report_done", failed=arg)
        elif event in NAMES:
            out(NAMES[event])
        if self.story.get("deaf_sink"):
            raise RuntimeError("a sink that fails")
        if event == ev.CALL_ANSWERED and self.story.get("report"):
            SCHED.after(20, self.phone.report, self.story["report"])

    def step(self, what, *args):
        out("step", step=what)
        if what in ("call", "find", "hang_up", "report", "answer", "restart"):
            self.task = asyncio.create_task(self.ask(what, args))
        elif what == "chip":
            getattr(self.chip, args[0])(*args[1:])
        elif what == "net":
            self.chip.set_network(**args[0])
        elif what == "feed":  # bytes the modem says, as if it had sent them
            self.uart.deliver(args[0].encode())
        elif what == "noise":
            self.wire.noise = bytes(args[0])
        elif what == "mute":
            self.wire.mute_until = SCHED.now_ms + args[0]
        elif what == "break":
            self.broken(args[0], args[1])
        elif what == "status":
            status = self.phone.status
            out("status", ready=self.phone.ready, trouble=self.phone.trouble(), rssi=status.rssi_dbm, sim=status.sim,
                registration=status.registration, hard=self.phone.hard_resets, survived=self.phone.survived,
                pin_tries=self.chip.pin_tries, incoming=self.phone.incoming(), busy=self.phone.busy(),
                files=self.chip.files.listing("*"), open=self.chip.files.opened())
        elif what == "blank":  # the next +CLCC shows nothing
            lines = self.chip.calls.lines

            def blank():
                self.chip.calls.lines = lines
                return []

            self.chip.calls.lines = blank
        elif what == "latency":
            self.chip.latency_ms = args[0]

    async def ask(self, what, args):
        """As the firmware does: from a task."""
        getattr(self.phone, what)(*args)

    def broken(self, name, count):
        """The next `count` uses of a modem method raise MemoryError."""
        method = getattr(self.modem, name)
        left = [count]

        def broken(*args, **more):
            if left[0] > 0:
                left[0] -= 1
                raise MemoryError()
            return method(*args, **more)

        setattr(self.modem, name, broken)

    def end(self):
        raise SimEnd()


def wav(seconds, rate=16000):
    size = int(rate * 2 * seconds)
    return (b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little") + b"\x01\x00\x01\x00"
            + rate.to_bytes(4, "little") + (rate * 2).to_bytes(4, "little") + b"\x02\x00\x10\x00data"
            + size.to_bytes(4, "little") + bytes(size))


def main():
    story = json.loads(sys.stdin.read())
    world = World(story)
    start = world.start_ms
    for step in story["steps"]:
        SCHED.at(start + step[0], world.step, *step[1:])
    SCHED.at(start + story["until"], world.end)
    try:
        asyncio.run(world.phone.run())
    except SimEnd:
        pass


main()
