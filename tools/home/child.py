"""`python -m tools.home.child PARENT ARGS`: the relay of a home, a process that ends with it (tools/owner.py).

It is told on stdin what time it is in the home (`{"at": ms since 1970}`): time may run fast there, and a relay that
told the gateway this computer's time would set its clock back. Must never change what the relay does.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time

from tools.owner import end_with

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


def main(args: list[str]) -> int:
    """The exit status."""
    end_with(int(args[0]))
    clock = HomeTime()
    time.time = clock.now  # tools.relay knows no other clock
    threading.Thread(target=clock.listen, args=(sys.stdin.fileno(),), daemon=True).start()
    from tools.relay.__main__ import main as relay

    return relay(args[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
