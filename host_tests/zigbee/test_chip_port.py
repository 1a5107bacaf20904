"""The simulated coprocessor says the same under both Pythons, byte for byte: forming, joining, losing, leaving."""

import contextlib
import io

PROGRAM = """
import sys
sys.path.append(".")
from binascii import crc32
from hal_sim.sched import Scheduler
from hal_sim.zigbee.chip import NcpChip
from hal_sim.zigbee.mt import frame

CODE = "83FED3407A939723A5C639B26916D505C3B5"
sched = Scheduler()
chip = NcpChip(sched, lambda what, **fields: print(sched.now_ms, what, fields["sensor"]), 7)
said = [0, 0]


def take(data):
    said[0] += len(data)
    said[1] = crc32(data, said[1]) & 0xFFFFFFFF


def ask(command, payload=b""):
    chip.feed(frame(command, payload))
    sched.run_until(sched.now_ms + 100)


chip.send = take
chip.power_on()
sched.run_until(500)
ask(0x2F08, bytes((1, 0, 0x80, 0x10, 2)))
ask(0x2F05, b"\\x04")
sched.run_until(5000)
ask(0x2400, bytes((1, 4, 1, 0, 4, 0, 0, 0, 0)))
ask(0x253E, b"\\xff\\xff")
chip.radio(loss=20, noise={"15": 90})
ask(0x2F04, bytes((1,)) + bytes(range(8)) + bytes.fromhex(CODE))
ask(0x2536, bytes((2, 0, 0, 250, 0)))
for number, kind in enumerate(("smoke", "call_button", "door", "activity")):
    chip.pair(kind, kind, "room")
chip.pair("door", "coded", install_code=CODE, ieee="0706050403020100")
sched.run_until(60_000)
chip.intrude("door", "theirs")
chip.leave("door")
ask(0x2531, bytes(3))
ask(0x2537, bytes((0, 0, 2, 0, 0xF8, 0xFF, 7, 2, 2, 0, 0)))
sched.run_until(200_000)
chip.set_fault("garbage")
sched.run_until(300_000)
chip.set_fault("reset")
sched.run_until(400_000)
for key in sorted(chip.nv.items, key=str):
    print(key, "".join("%02x" % byte for byte in chip.nv.items[key]))
print(said, sorted(chip.air.devices))
"""


def test_both_pythons_live_through_the_same(micropython):
    ours = io.StringIO()
    with contextlib.redirect_stdout(ours):
        exec(compile(PROGRAM, "program", "exec"), {})
    text = micropython(["-c", PROGRAM])
    assert text == ours.getvalue()
    joined = {line.split()[2] for line in text.splitlines() if " joined " in line}
    assert joined == {"smoke", "call_button", "door", "activity", "coded", "theirs"}
    assert " left door" in text
