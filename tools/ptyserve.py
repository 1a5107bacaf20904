"""A simulated chip on a pseudo terminal, in real time, for other people's software.

Owns the pty, its link and the passing of real time into the chip's scheduler. Must never look inside the bytes.
"""

import contextlib
import os
import pathlib
import select
import signal
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from typing import Any

_LONGEST_WAIT_S = 0.1  # how late `stop` or a signal may be noticed
_CHUNK_BYTES = 4096
_OUT_LIMIT_BYTES = 1 << 18  # nobody reads the pty: what is older than this is kept, newer is dropped, as on a wire


def _refuse(text: str) -> None:
    print(text, file=sys.stderr)
    raise SystemExit(2)


@contextlib.contextmanager
def linked(link: str, target: str) -> Iterator[None]:
    """A symbolic link `link` -> `target` for the time of the block; an old link is replaced, a file never."""
    path = pathlib.Path(link)
    if path.exists() and not path.is_symlink():
        _refuse(f"{link} exists and is not a link: choose another name")
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        os.symlink(target, fresh)
        os.replace(fresh, path)  # at once: a client never meets half a link
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        _refuse(f"cannot make the link {link}: {error.strerror}")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if os.readlink(path) == target:
                path.unlink()


@contextlib.contextmanager
def signals(asked: list[int]) -> Iterator[None]:
    """SIGINT and SIGTERM are noted in `asked`; outside the main thread they are left alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(name, lambda number, _frame: asked.append(number)) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


def _pump(chip: Any, sched: Any, master: int, ended: Callable[[], bool]) -> None:
    """Pass bytes and time between the pty and the chip until ended()."""
    out = bytearray()

    def send(data: bytes) -> None:
        if len(out) + len(data) <= _OUT_LIMIT_BYTES:
            out.extend(data)

    chip.send = send
    start = time.monotonic() - sched.now_ms / 1000
    while not ended():
        now_ms = int((time.monotonic() - start) * 1000)
        sched.run_until(now_ms)
        due = sched.next_ms()
        wait = _LONGEST_WAIT_S if due is None else min(max(due - now_ms, 0) / 1000, _LONGEST_WAIT_S)
        readable, writable, _ = select.select([master], [master] if out else [], [], wait)
        if writable:
            with contextlib.suppress(BlockingIOError):
                del out[: os.write(master, out[:_CHUNK_BYTES])]
        if readable:
            with contextlib.suppress(BlockingIOError):
                data = os.read(master, _CHUNK_BYTES)
                sched.run_until(int((time.monotonic() - start) * 1000))
                chip.feed(data)


def serve(chip: Any, sched: Any, link: str, stop: Callable[[], bool] | None = None) -> None:
    """Serve a sans-I/O chip (`feed`, `send`) on a pty linked at `link`, until SIGINT, SIGTERM or stop() is true.

    `sched.now_ms` goes on from where it is, in real time. The link is there only while the pty is served:
    it is the sign of readiness. What cannot be done is one line on stderr and exit status 2.
    """
    master, slave = os.openpty()  # the slave stays open here: a client may come and go
    try:
        tty.setraw(slave)
        os.set_blocking(master, False)
        asked: list[int] = []
        with signals(asked), linked(link, os.ttyname(slave)):
            print(f"serving on {link}", file=sys.stderr, flush=True)
            _pump(chip, sched, master, lambda: bool(asked) or (stop is not None and stop()))
    finally:
        os.close(master)
        os.close(slave)
