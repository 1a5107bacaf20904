"""Serve the simulated EG25-G on a pty, in real time: `serve_modem.py LINK`.

Owns the command line only. The timeline of the modem (dial, call, sms, prompt) goes to stdout, a JSON object a line.
Lines on stdin drive the network: `call_in NUMBER`, `hang_up`, `line REPLY [AFTER_MS]`, `fault NAME`, `voice 0|1`.
"""

import argparse
import json
import pathlib
import queue
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "host_tests" / "shims")]  # `micropython` is not on CPython

from hal_sim.modem.chip import ModemChip  # noqa: E402
from hal_sim.sched import Scheduler  # noqa: E402
from tools.ptyserve import serve  # noqa: E402

_STDIN_EVERY_MS = 50
_PWRKEY_MS = 600
_SETTLED_MS = 10_000  # what the module says of itself after RDY would fall between a client's first questions


def _order(chip: ModemChip, text: str) -> None:
    """Carry one line of stdin out; what it does not know is one line on stderr."""
    words = text.split()
    try:
        if words[0] == "call_in":
            chip.call_in(words[1])
        elif words[0] == "hang_up":
            chip.hang_up()
        elif words[0] == "line":
            chip.set_line(words[1], int(words[2]) if len(words) > 2 else None)
        elif words[0] == "fault":
            chip.set_fault(words[1])
        elif words[0] == "voice":
            chip.set_network(voice=words[1] == "1")
        else:
            raise ValueError("unknown order")
    except (IndexError, ValueError) as error:
        print(f"serve_modem: {text.strip()}: {error}", file=sys.stderr)


def _listen(chip: ModemChip, sched: Scheduler) -> None:
    """stdin is read in a thread and carried out in the modem's time."""
    orders: queue.SimpleQueue = queue.SimpleQueue()

    def read() -> None:
        for text in sys.stdin:
            orders.put(text)

    def poll() -> None:
        while not orders.empty():
            text = orders.get()
            if text.strip():
                _order(chip, text)
        sched.after(_STDIN_EVERY_MS, poll)

    threading.Thread(target=read, daemon=True).start()
    poll()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the simulated EG25-G modem on a pseudo terminal.")
    parser.add_argument("link", help="path of the symbolic link to the pty")
    parser.add_argument("--boot-ms", type=int, default=0, help="from power to RDY; the real module takes 12000")
    options = parser.parse_args()
    sched = Scheduler()

    def emit(what: str, **fields: object) -> None:
        print(json.dumps({"t": sched.now_ms, "what": what, **fields}, ensure_ascii=False), flush=True)

    chip = ModemChip(sched, emit, boot_ms=options.boot_ms)
    chip.power_on()
    chip.set_pwrkey(True)
    sched.run_until(_PWRKEY_MS)
    chip.set_pwrkey(False)
    sched.run_until(_PWRKEY_MS + options.boot_ms + _SETTLED_MS)
    _listen(chip, sched)
    serve(chip, sched, options.link)


if __name__ == "__main__":
    main()
