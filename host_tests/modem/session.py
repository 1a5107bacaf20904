"""One session with the simulated modem, printed; run by CPython and MicroPython, the bytes must be the same."""

import sys

sys.path[:0] = ["", "."] if sys.implementation.name == "micropython" else [".", "host_tests/shims"]

from hal_sim.modem.chip import ModemChip  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402

sched = Scheduler()
chip = ModemChip(sched, lambda what, **more: print(sched.now_ms, what, *sorted("%s=%s" % e for e in more.items())))
chip.send = lambda data: print(sched.now_ms, bytes(data))
chip.power_on()
chip.set_pwrkey(1)
sched.run_until(560)
chip.set_pwrkey(0)
sched.run_until(20000)
for text in (
    "AT", "ATQ0V1E0", "AT+CMEE=2", "AT+CSQ;+CREG?;+CEREG?;+CPIN?", "AT+COPS?", "ATI", "AT^DSCI=1", "ATD119;",
    "AT+CLCC", "AT+QECCNUM?", "ATH", "AT+CEER", "AT+NONE", 'AT+QFLST="x"', "AT+CFUN=0", "AT+CREG?", "AT+CFUN=1",
    "ATV0", "AT", "AT+CSQ", "ATV1", "AT+CLAC",
):
    chip.feed(text.encode() + b"\r")
    sched.run_until(sched.now_ms + 4000)
chip.feed(b"AT+CMGS=20\r")
sched.run_until(sched.now_ms + 100)
chip.feed(b"0001000B811010325476F80008045654BA85\x1a")
sched.run_until(sched.now_ms + 3000)
