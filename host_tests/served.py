"""A served board as a process under a test: started, talked to with the real mpremote, cut from power."""

import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
_READY_S = 15


class ServedBoard:
    """`make serve-board` on a pty in a folder of its own; `files` is what the board sees at "/"."""

    def __init__(self, folder: pathlib.Path, env: dict | None = None) -> None:
        self.link = folder / "port"
        self.files = folder / "board"
        self.state = folder / "board.state"
        self._env = env or {}
        self._process = None
        self.files.mkdir(parents=True, exist_ok=True)

    def start(self) -> "ServedBoard":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.serve_board", str(self.link), str(self.files)],
            cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, **self._env},
        )
        deadline = time.monotonic() + _READY_S
        while not self.link.exists():
            assert self._process.poll() is None, self._process.stderr.read()
            assert time.monotonic() < deadline, "the served board did not come up"
            time.sleep(0.01)
        return self

    def power_off(self) -> None:
        """Gone at once, as when the plug is pulled."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=10)
            self._process = None

    def mpremote(self, *arguments: str, timeout: float = 60, check: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", str(self.link), *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=timeout,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout[-3000:]} {done.stderr[-3000:]}"
        return done.stdout.replace("\r\n", "\n")

    def exec(self, program: str) -> str:
        """Run a program without resetting the board first."""
        return self.mpremote("resume", "exec", program)

    def wait_for(self, path: str, text: str = "", limit_s: float = 15) -> str:
        """The content of a file of the board, once it is there and holds the text."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                found = (self.files / path).read_text()
                if text in found:
                    return found
            except OSError:
                found = "(no file)"
            assert time.monotonic() < deadline, f"{path} never held {text!r}: {found}"
            time.sleep(0.02)
