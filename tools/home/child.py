"""`python -m tools.home.child PARENT exec|broker|relay ARGS`: broker or relay of a home, a process that ends with it.

PARENT is the home's process number: when that is gone, however it ended, the kernel ends this one. `exec` becomes the
program in ARGS, `broker` is the embedded one of tools.relay. `relay` is told on stdin what time it is in the home
(`{"at": ms since 1970}`): time may run fast there, and a relay that told the gateway this computer's time would set its
clock back. Linux only. Must never change what the relay does.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import time

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2): kept over exec
_BLOCK = 4096


class HomeTime:
    """Seconds since 1970 in the home: as told last, and on from there in real time."""

    def __init__(self) -> None:
        self._at_s = time.time()
        self._since_s = time.monotonic()

    def tell(self, at_ms: float) -> None:
        self._at_s, self._since_s = at_ms / 1000, time.monotonic()

    def now(self) -> float:
        return self._at_s + time.monotonic() - self._since_s

    def listen(self, stream: int) -> None:
        """Until the file with this number ends: then the home is gone, and so is this process.

        No buffered reader: the end of the interpreter would wait for its lock, which this thread holds.
        """
        text = b""
        while data := os.read(stream, _BLOCK):
            *lines, text = (text + data).split(b"\n")
            for line in lines:
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    self.tell(float(json.loads(line)["at"]))
        os.kill(os.getpid(), signal.SIGTERM)


def end_with(parent: int) -> None:
    """Have the kernel end this process, and what it becomes, when its parent is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before that was asked for
        sys.exit(1)


def main(args: list[str]) -> int:
    """The exit status, unless it becomes another program."""
    parent, what, *rest = args
    end_with(int(parent))
    if what == "exec":
        os.execv(rest[0], rest)
    if what == "relay":
        clock = HomeTime()
        time.time = clock.now  # tools.relay knows no other clock
        threading.Thread(target=clock.listen, args=(sys.stdin.fileno(),), daemon=True).start()
    from tools.relay.__main__ import main as relay

    return relay(rest if what == "relay" else ["broker", *rest])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
