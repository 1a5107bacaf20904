"""Runs the AT channel against a scripted far end on MicroPython, in virtual time. Prints one JSON object."""

import sys

sys.path.insert(0, "")
import json  # noqa: E402

from hal_sim import vtime  # noqa: E402
from hal_sim.bus.uart import UART  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402

SCHED = Scheduler()
vtime.install(SCHED)

import asyncio  # noqa: E402

from drivers import at  # noqa: E402

OUT = {}


class Far:
    """Answers a command line by the table: list of (delay ms, bytes)."""

    def __init__(self, uart):
        self.uart = uart
        self.table = {}
        self.seen = []
        self.buf = b""

    def feed(self, data):
        self.buf += data
        while b"\r" in self.buf:
            cut = self.buf.find(b"\r")
            line, self.buf = self.buf[:cut], self.buf[cut + 1:]
            self.seen.append((SCHED.now_ms, line.decode()))
            for delay, answer in self.table.get(line, []):
                SCHED.after(delay, self.uart.deliver, answer)


UART_ = UART(SCHED)
FAR = Far(UART_)
UART_.peer = FAR
AT = at.At(UART_)
URCS = []
AT.urc = lambda line: URCS.append(line.decode())


def shown(result):
    return [result.status, result.code, [line.decode() for line in result.lines]]


async def answers():
    FAR.table = {
        b"AT+CLCC": [(5, b'AT+CLCC\r\r\n+CLCC: 1,0,3,0,0,"119",129\r\n'), (8, b"\r\nRING\r\n"), (12, b"\r\nOK\r\n")],
        b"AT+CGSN": [(5, b"\r\n866834040000019\r\n\r\nOK\r\n")],
        b"AT+X": [(5, b"\r\n+CME ERROR: 10\r\n")],
        b"AT+Y": [(5, b"\r\nERROR\r\n")],
        b"ATD119;": [(50, b"\r\nNO CARRIER\r\n")],
    }
    OUT["clcc"] = shown(await AT.command(b"AT+CLCC", 600, b"+CLCC:"))
    OUT["urcs"] = list(URCS)
    OUT["imei"] = shown(await AT.command(b"AT+CGSN", 600))
    OUT["cme"] = shown(await AT.command(b"AT+X", 600))
    OUT["error"] = shown(await AT.command(b"AT+Y", 600))
    OUT["refused"] = shown(await AT.command(b"ATD119;", 600))
    start = SCHED.now_ms
    OUT["silence"] = shown(await AT.command(b"AT+NOBODY", 600))
    OUT["silence_ms"] = SCHED.now_ms - start


async def late():
    """An answer that comes after its command was given up must not be taken for the next one's."""
    FAR.table = {
        b"AT+SLOW": [(800, b"\r\nOK\r\n")],
        b"AT+CMEE?": [(10, b"\r\n+CMEE: 1\r\n\r\nOK\r\n")],
        b"AT+CLCC": [(10, b'\r\n+CLCC: 1,0,0,0,0,"119",129\r\n\r\nOK\r\n')],
    }
    first = await AT.command(b"AT+SLOW", 790)
    OUT["dirty"] = AT.dirty
    settled = await AT.settle(600)
    second = await AT.command(b"AT+CLCC", 600, b"+CLCC:")
    OUT["late"] = [first.status, settled, AT.strays, len(second.lines)]


async def cancelled():
    """The same when the command's task was cancelled."""
    FAR.table[b"AT+SLOW"] = [(305, b"\r\nOK\r\n")]
    slow = asyncio.create_task(AT.command(b"AT+SLOW", 5000))
    await asyncio.sleep_ms(300)
    before = AT.dirty
    slow.cancel()
    await asyncio.sleep_ms(0)
    after = AT.dirty
    settled = await AT.settle(600)
    OUT["cancelled"] = [before, after, settled, len((await AT.command(b"AT+CLCC", 600, b"+CLCC:")).lines)]


async def preempt():
    FAR.table = {b"AT+COPS=?": [(20000, b"\r\nOK\r\n")], b"ATD119;": [(10, b"\r\nOK\r\n")],
                 b"AT+QUICK": [(100, b"\r\n+QUICK: 1\r\n\r\nOK\r\n")]}
    for name, text in (("preempt", b"AT+COPS=?"), ("grace", b"AT+QUICK")):
        slow = asyncio.create_task(AT.command(text, 30000))
        queued = asyncio.create_task(AT.command(b"AT+LATER", 200))
        await asyncio.sleep_ms(50)
        start = SCHED.now_ms
        urgent = await AT.command(b"ATD119;", 5000, urgent=True)
        sent = [when for when, line in FAR.seen if line == "ATD119;"][-1]
        OUT[name] = [urgent.status, sent - start, (await slow).status, (await queued).status]
    AT.hurry = True
    start = SCHED.now_ms
    OUT["hurry"] = [(await AT.command(b"AT+QUICK", 30000)).status, SCHED.now_ms - start]
    AT.hurry = False


async def garbage():
    """Huge and garbled answers: each command ends within its limit, and the channel is in step within 3 s."""
    rubbish = bytes([(i * 37 + 11) & 255 for i in range(2500)])
    FAR.table = {
        b"AT+CLCC": [(5, b"\r\n+CLCC: 1,0,\xff" + rubbish)],
        b"AT+CMEE?": [(10, b"\r\n+CMEE: 1\r\n\r\nOK\r\n")],
    }
    AT.urc = lambda line: 1 // 0  # whoever listens to URCs fails: the channel must not
    UART_.deliver(b"\r\nRING\r\n")
    start = SCHED.now_ms
    while not await AT.settle(600) or SCHED.now_ms == start:
        pass
    await AT.command(b"AT+CLCC", 600, b"+CLCC:")
    start = SCHED.now_ms
    while not await AT.settle(600):
        pass
    OUT["garbage"] = [SCHED.now_ms - start, AT.faults, UART_.overruns]
    AT.urc = None


async def files():
    got = bytearray()
    FAR.table = {
        b"AT+QFREAD=1,6": [(5, b"\r\nCONNECT 6\r\nOK\r\nab"), (9, b"\r\nOK\r\n")],
        b"AT+QFWRITE=1,5,1": [(5, b"\r\nCONNECT\r\n")],
        b"hello": [(5, b"\r\n+QFWRITE: 6,6\r\n\r\nOK\r\n")],
        b"AT+CMGS=1": [(5, b"\r\n> ")],
        b"pdu": [(5, b"\r\n+CMGS: 7\r\n\r\nOK\r\n")],
        b"AT+OPEN": [(5, b"\r\nCONNECT 150000000\r\n")],
    }
    OUT["read"] = shown(await AT.command(b"AT+QFREAD=1,6", 600, b"CONNECT", sink=got.extend)) + [bytes(got).decode()]
    OUT["write"] = shown(await AT.command(b"AT+QFWRITE=1,5,1", 600, b"+QFWRITE:", payload=b"hello\r"))
    OUT["prompt"] = shown(await AT.command(b"AT+CMGS=1", 600, b"+CMGS:", payload=b"pdu\r"))
    OUT["online"] = shown(await AT.command(b"AT+OPEN", 600))
    UART_.txdone = lambda: False  # the modem holds CTS
    start = SCHED.now_ms
    OUT["stuck"] = [(await AT.command(b"AT", 600)).status, SCHED.now_ms - start]


async def main():
    reader = asyncio.create_task(AT.run())
    await answers()
    await late()
    await cancelled()
    await preempt()
    await garbage()
    await files()
    reader.cancel()
    print(json.dumps(OUT))


asyncio.run(main())
