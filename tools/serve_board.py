"""`make serve-board LINK=path DIR=dir`: a board's REPL on a pty linked at LINK, its files in DIR.

Owns what surrounds the interpreter on a real board: start, soft reset, hard reset, and a terminal that outlives them.
The interpreter is MicroPython's unix port, started anew at every reset; hal_sim/esp32 makes it a board inside. Must
never look into what the REPL says, except for the raw REPL's banner: a soft reset keeps the mode, as on a board.
"""

import argparse
import contextlib
import fcntl
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable

from tools import ptyserve

ROOT = pathlib.Path(__file__).resolve().parent.parent
_CHUNK_BYTES = 4096
_LONGEST_WAIT_S = 0.1
_STOP_S = 3.0
_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_FRIENDLY_BANNER = b'\r\nType "help()" for more information.\r\n'
_UNIX_BANNER = b"Use Ctrl-D to exit, Ctrl-E for paste mode\r\n"
_SOFT_REBOOT = b"MPY: soft reboot\r\n"
_CTRL_A = b"\x01"
_READY = b"\x00"  # simboot's first byte: Ctrl-C is the board's own from here on
_CRASH_PAUSE_S = 0.5  # an interpreter that dies at once is not restarted in a tight loop
HEAP = "4M"  # the 64-bit twin of 2 MB; the real board has 8 MB of PSRAM


class ServeError(Exception):
    """One line that says why there is no board."""


def interpreter() -> str:
    """Path of the MicroPython unix port: $MICROPYTHON, or the one beside this Python."""
    named = os.environ.get("MICROPYTHON") or shutil.which(
        "micropython", path=os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
    )
    if not named or not os.access(named, os.X_OK):
        raise ServeError("no MicroPython unix port: make setup, or name one in MICROPYTHON")
    return named


class BoardProcess:
    """The interpreter on a terminal of its own, so that its terminal modes and Ctrl-C stay inside."""

    def __init__(self, command: list[str], folder: pathlib.Path, state: pathlib.Path) -> None:
        self._command = command
        self._state = state
        self._environment = {
            **os.environ, "HOME": str(state), "MICROPYPATH": f"{ROOT / 'hal_sim' / 'esp32'}:{ROOT}:.frozen",
            "BOARD_DIR": str(folder), "BOARD_STATE": str(state),
        }
        self._child: subprocess.Popen | None = None
        self.master = -1
        self.raw = False
        self.ready = False
        self.status = 0
        self._tail = b""

    def start(self, cause: str) -> None:
        """Boot. `cause` is power, reset, watchdog or soft; only a soft one may come up in the raw REPL."""
        self.raw = self.raw and cause == "soft"
        self.ready = False
        self._tail = b""
        self.master, slave = os.openpty()
        _board_terminal(slave)
        environment = {**self._environment, "BOARD_CAUSE": cause, "BOARD_RAW": "1" if self.raw else ""}
        self._child = subprocess.Popen(
            self._command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=ROOT, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        os.set_blocking(self.master, False)
        if self.raw:
            os.write(self.master, _CTRL_A)

    def watch(self, data: bytes) -> bytes:
        """Note from what the interpreter prints whether it is up and which REPL it is in; what the client may see."""
        if not self.ready:
            before, mark, data = data.partition(_READY)
            self.ready = bool(mark)
            sys.stderr.write(before.decode(errors="replace"))  # the simulated board itself is broken
        text = self._tail + data
        raw, friendly = text.rfind(_RAW_BANNER), text.rfind(_UNIX_BANNER)
        if raw != friendly:
            self.raw = raw > friendly
        self._tail = text[-64:]
        return data

    def ended(self) -> str | None:
        """None while it runs; afterwards why it ended: soft, reset, watchdog, broken or crash."""
        if self._child is None or self._child.poll() is None:
            return None
        with contextlib.suppress(OSError):
            cause = (self._state / "cause").read_text()
            (self._state / "cause").unlink()
            return cause
        self.status = self._child.returncode
        return "soft" if self.status == 0 else "crash"

    def close(self) -> None:
        """Power off."""
        if self._child is not None and self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(_STOP_S)
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


def _board_terminal(slave: int) -> None:
    """No echo, no translation, no lines; but Ctrl-C interrupts, without throwing away what is on its way."""
    tty.setraw(slave)
    modes = termios.tcgetattr(slave)
    modes[3] |= termios.ISIG | termios.NOFLSH
    modes[6][termios.VQUIT] = modes[6][termios.VSUSP] = b"\x00"
    termios.tcsetattr(slave, termios.TCSANOW, modes)


class Bridge:
    """Passes bytes between the client's pty and the board's, and restarts the board when it resets."""

    def __init__(self, board: BoardProcess, client: int) -> None:
        self._board = board
        self._client = client
        self._to_client = bytearray()
        self._to_board = bytearray()

    def run(self, ended: Callable[[], bool]) -> None:
        self._board.start("power")
        while not ended():
            self._pass()
            cause = self._board.ended()
            if cause is not None:
                self._drain()
                self._restart(cause)

    def _restart(self, cause: str) -> None:
        self._board.close()
        self._to_board.clear()
        if cause == "broken":
            raise ServeError("the simulated board does not start")
        if cause == "soft":
            self._to_client += _SOFT_REBOOT
        elif cause == "crash":
            print(f"the interpreter ended with {self._board.status}; the board restarts", file=sys.stderr, flush=True)
            time.sleep(_CRASH_PAUSE_S)
        self._board.start("reset" if cause == "crash" else cause)

    def _pass(self) -> None:
        """Move what can be moved; waits at most _LONGEST_WAIT_S."""
        board = self._board.master
        reading = [fd for fd, full in ((board, self._to_client), (self._client, self._to_board)) if len(full) < 65536]
        to_board = self._to_board if self._board.ready else b""
        writing = [fd for fd, data in ((board, to_board), (self._client, self._to_client)) if data]
        readable, writable, _ = select.select(reading, writing, [], _LONGEST_WAIT_S)
        if board in readable and not self._read_board():
            time.sleep(0.01)  # the far end is gone; ended() says so in a moment
        if self._client in readable:
            with contextlib.suppress(OSError):
                self._to_board += os.read(self._client, _CHUNK_BYTES)
        for fd, data in ((board, self._to_board), (self._client, self._to_client)):
            if fd in writable:
                with contextlib.suppress(OSError):
                    del data[: os.write(fd, data[:_CHUNK_BYTES])]

    def _read_board(self) -> bool:
        try:
            data = os.read(self._board.master, _CHUNK_BYTES)
        except OSError:
            return False
        self._to_client += self._board.watch(data)
        return bool(data)

    def _drain(self) -> None:
        while self._read_board():
            pass


def _fresh_state(state: pathlib.Path) -> None:
    """Power was off: the last reason to end and the last timeline go. The room knows the texts rendered by now."""
    for name in ("cause", "timeline.jsonl"):
        (state / name).unlink(missing_ok=True)
    sound, rendered = state / "sound", ROOT / "build" / "sound"
    if sound.is_symlink():
        sound.unlink()
    shutil.rmtree(sound, ignore_errors=True)
    if (rendered / "index.json").exists():
        sound.symlink_to(rendered)
    else:
        sound.mkdir(exist_ok=True)
        (sound / "index.json").write_text("{}")


def serve(link: str, folder: pathlib.Path, stop: Callable[[], bool] | None = None) -> None:
    """Serve the board until SIGINT, SIGTERM or stop(). Its flash and clock are kept beside its files, in DIR.state."""
    folder = folder.resolve()
    state = folder.with_name(folder.name + ".state")
    for path in (folder, state):
        path.mkdir(parents=True, exist_ok=True)
    _fresh_state(state)
    board = BoardProcess(
        [interpreter(), "-X", f"heapsize={HEAP}", "-i", "-c", "import simboot; simboot.start(globals())"], folder, state
    )
    client, slave = os.openpty()
    try:
        tty.setraw(slave)
        os.set_blocking(client, False)
        asked: list[int] = []
        with ptyserve.signals(asked), ptyserve.linked(link, os.ttyname(slave)):
            print(f"serving on {link}", file=sys.stderr, flush=True)
            Bridge(board, client).run(lambda: bool(asked) or (stop is not None and stop()))
    finally:
        board.close()
        os.close(client)
        os.close(slave)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make serve-board", description="A board's REPL on a pty, for mpremote.")
    parser.add_argument("link", nargs="?", default="", help="where to put the link to the pty")
    parser.add_argument("dir", nargs="?", default="", help="folder with the board's files; made when missing")
    options = parser.parse_args(argv)
    if not options.link or not options.dir:
        print("serve-board: make serve-board LINK=path-of-the-port DIR=folder-of-the-board's-files", file=sys.stderr)
        return 2
    try:
        serve(options.link, pathlib.Path(options.dir))
    except (ServeError, OSError) as error:
        print(f"serve-board: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
