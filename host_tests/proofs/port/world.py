"""Many futures of one simulated home: it runs once, and is forked at the instants where futures begin.

Owns the job: JSON on the first line of stdin with `root`, `scenario`, `jobs` (futures at a time) and `cases`, each with
`name`, `at` (ms of the home's clock at which it is forked) and `steps` ([ms after that, operation, arguments...]).
Prints `name timeline-line`; the lines before the fork are those of the case "base". A future that does not end by
itself within `limit` ms of the home's clock ends there. MicroPython with failalloc in front of it.
"""

import io
import json
import os
import sys

from hal_sim.sched import Scheduler
from hal_sim.vtime import install

SCHED = Scheduler()
KERNEL = install(SCHED)

from hal_sim.ends import BoardReset, PowerCut, SimEnd  # noqa: E402
from hal_sim.home import Home  # noqa: E402
from hal_sim.run import run  # noqa: E402

KEPT = ("dial", "call", "prompt", "prompt_end", "boot", "armed", "confirm", "beacon", "log", "note")
PREPARE: list = []  # called with each new board before the firmware starts on it
_SETTLED_MS = 8000  # a redial comes 2 s after a call: whoever would double it has done so by then
_TALK_MS = 25000  # the regional centre hears the report twice, talks, and hangs up


class Witness(Home):
    """The home, of whose timeline only what is judged is written; the far end hangs up after a while."""

    name = "base"
    limit_ms = 120000
    _goodbye = None
    _answered_ms = 0
    _spoken = 0

    def emit(self, what: str, **fields) -> None:
        if what in KEPT and not (what == "log" and fields.get("level") == "info"):
            Home.emit(self, what, **fields)
        if what == "call":
            self._call(fields["state"])
        elif what == "prompt_end" and fields["to"] == "line":
            self._spoken += 1

    def _call(self, state: str) -> None:
        SCHED.cancel(self._goodbye)
        if state == "answered":
            self._answered_ms = SCHED.now_ms
            self._spoken = 0
            self._goodbye = SCHED.after(_TALK_MS, self.modem.hang_up)
        elif state in ("ended", "failed"):
            if self._spoken >= 2 and self._answered_ms and SCHED.now_ms - self._answered_ms >= _TALK_MS:
                self._goodbye = SCHED.after(_SETTLED_MS, self._end)
            self._answered_ms = 0

    def stop(self) -> None:
        os.getenv("proof:disarm")  # the controller is off: whoever kept its memory keeps nothing
        Home.stop(self)

    def power_off(self, for_ms: int) -> None:
        self.note(cut=for_ms)
        Home.power_off(self, for_ms)

    def note(self, **fields) -> None:
        self.emit("note", **fields)


class Forks:
    """At most `jobs` futures at a time; how each process ended is told."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._running: dict = {}

    def split(self, name: str) -> bool:
        """True in the new future."""
        while len(self._running) >= self._jobs:
            self._reap()
        pid = os.getenv("proof:fork")
        if pid == "0":
            return True
        self._running[pid] = name
        return False

    def finish(self) -> None:
        while self._running:
            self._reap()

    def _reap(self) -> None:
        pid, status = os.getenv("proof:reap").split(" ")
        if status != "0":
            say(self._running[pid], '{"t": 0, "what": "died", "status": %s}' % status)
        del self._running[pid]


def say(name: str, line: str) -> None:
    sys.stdout.write(name + " " + line + "\n")


def trace(error: Exception) -> str:
    text = io.StringIO()
    sys.print_exception(error, text)
    return text.getvalue()


def start(board) -> None:
    """As firmware.main does: whatever ends the firmware, the controller starts again."""
    import time

    from firmware.app import run as run_firmware

    for prepare in PREPARE:
        prepare(board)
    try:
        run_firmware(board)
    except Exception as error:  # noqa: BLE001
        os.getenv("proof:disarm")  # what firmware.main does here takes no memory on the board
        board._home.note(stopped=trace(error))  # noqa: SLF001
        time.sleep_ms(3000)
    board.reset()


def new_home(job: dict) -> Witness:
    home = Witness(SCHED, KERNEL, job["scenario"], job["root"], print)
    home.limit_ms = job.get("limit", 120000)
    home._write = lambda line: say(home.name, line)  # noqa: SLF001
    return home


class Steps:
    """What happens to a future; each operation is a method."""

    def __init__(self, home: Witness) -> None:
        self._home = home

    def cut(self, for_ms: int = 1000) -> None:
        raise PowerCut(for_ms)

    def reset(self, cause: str) -> None:
        if self._home.board is not None:  # off: nothing to reset
            self._home.note(reset=cause)
            raise BoardReset(cause)

    def flash_cut(self, operation: int) -> None:
        self._home.flash.cut_at = operation

    def do(self, step: dict) -> None:
        self._home.do(step)

    def arm(self, k: int, count: int) -> None:
        os.getenv("proof:arm %d %d" % (k, count))

    def count(self) -> None:
        self._home.note(count=int(os.getenv("proof:count")), failed=int(os.getenv("proof:failed")))

    def disarm(self) -> None:
        os.getenv("proof:disarm")

    def end(self) -> None:
        raise SimEnd


def become(home: Witness, case: dict) -> None:
    """This process is the future `case` from now on."""
    home.name = case["name"]
    steps = Steps(home)
    SCHED.after(home.limit_ms, steps.end)
    for step in case["steps"]:
        SCHED.after(step[0], getattr(steps, step[1]), *step[2:])
    SCHED.run_until(SCHED.now_ms)


def live(home: Witness) -> None:
    """Until the end; an error that the firmware lets through is told."""
    try:
        run(home, start)
    except Exception as error:  # noqa: BLE001
        os.getenv("proof:disarm")
        say(home.name, json.dumps({"t": SCHED.now_ms, "what": "died", "error": trace(error)}))


def main() -> None:
    job = json.loads(sys.stdin.readline())
    if job.get("shield"):
        from host_tests.proofs.port import shield

        shield.install()
    home = new_home(job)
    forks = Forks(job["jobs"])

    def part(case: dict) -> None:
        if home.name == "base" and forks.split(case["name"]):
            become(home, case)

    for case in job["cases"]:
        SCHED.at(case["at"], part, case)
    live(home)
    if home.name == "base":
        forks.finish()
    os.getenv("proof:exit 0")


if __name__ == "__main__":
    main()
