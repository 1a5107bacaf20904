"""A gateway's process in real time on the computer's own network, for the benchmark of the link and its tests.

Owns the process of MicroPython (hal_sim.play, APP tools.bench_link_port) and what it told. Must never judge it.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from tools import simulator

APP = "tools.bench_link_port"
HEAP = "48M"  # the simulated flash of a long backlog is in it
SERVER = "relay.lab"
LIMIT_S = 60
_SENSORS = ({"name": "현관", "kind": "door", "place": "현관"},)


def settings(number: str, port: int, **more: Any) -> dict[str, Any]:
    """Of a gateway whose broker is behind this port."""
    return {"gateway": number, "relay_host": "127.0.0.1", "relay_port": port, "relay_name": SERVER, **more}


def furnish(folder: pathlib.Path, certs: pathlib.Path, job: dict[str, Any]) -> None:
    """What the process finds in its folder. certs: of the gateway, DER. LookupError: make sound was not run."""
    if not (simulator.SOUND / "index.json").is_file():
        raise LookupError("build/sound is missing: run `make sound`")
    (folder / "tls").mkdir(parents=True)
    (folder / "sound").symlink_to(simulator.SOUND, target_is_directory=True)
    for name in ("ca.der", "cert.der", "key.der"):
        (folder / "tls" / name).symlink_to((certs / name).resolve())
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


class Process:
    """The gateway in its folder. scenario: what hal_sim.play wants, beyond "internet": "host"."""

    def __init__(self, folder: pathlib.Path, scenario: dict[str, Any]) -> None:
        self.folder = folder.resolve()
        self.lines: list[dict[str, Any]] = []
        self._errors: list[str] = []
        command = [simulator.micropython(), "-X", f"heapsize={HEAP}", "-m", "hal_sim.play", "play", APP,
                   str(self.folder)]
        self._process = subprocess.Popen(command, **simulator.surroundings(), text=True,
                                         encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE)
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()
        self.step({"internet": "host", "sensors": list(_SENSORS), **scenario})

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            try:
                self.lines.append(json.loads(text))
            except ValueError:  # a traceback of MicroPython's
                self._errors.append(text)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)

    @property
    def pid(self) -> int:
        return self._process.pid

    def step(self, step: dict[str, Any]) -> None:
        """A line on its stdin: a step of docs/simulator.md."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(step) + "\n")
        self._process.stdin.flush()

    def all(self, what: str, since: int = 0, **fields: Any) -> list[dict[str, Any]]:
        """The timeline's lines that say this, from line number `since` on."""
        return [line for line in self.lines[since:]
                if line["what"] == what and all(line.get(name) == value for name, value in fields.items())]

    def until(self, ready: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> Any:
        """What ready() gives as soon as it is true. RuntimeError: the process ended, or it took too long."""
        until = time.monotonic() + limit_s
        while True:
            got = ready()
            if got:
                return got
            if self._process.poll() is not None:
                raise RuntimeError(f"the gateway ended: {''.join(self._errors)[-2000:]}")
            if time.monotonic() > until:
                said = [line for line in self.lines if line["what"] in ("log", "pulse", "boot")][-20:]
                raise RuntimeError(f"not within {limit_s} s: {what}; {said}")
            time.sleep(0.05)

    def told(self, what: str, since: int = 0, count: int = 1, limit_s: float = LIMIT_S, **fields: Any) -> list[Any]:
        """As `all`, once there are so many."""
        def enough() -> list[dict[str, Any]]:
            found = self.all(what, since, **fields)
            return found if len(found) >= count else []

        return self.until(enough, f"{count} times {what} {fields}", limit_s)

    def made(self) -> dict[tuple[int, int], dict[str, Any]]:
        """identity: record, of all that was accepted: in flash, or in the memory of a boot that still goes on."""
        begun = self.begun()
        boots = [identity[0] for identity in begun]
        return {(line["boot"], line["seq"]): begun[line["boot"], line["seq"]] for line in self.all("made")
                if not line["memory"] or line["boot"] == boots[-1]}

    def begun(self) -> dict[tuple[int, int], dict[str, Any]]:
        """identity: record, of all that was to be kept: the last one of a boot that lost its power may not be."""
        records = [json.loads(line["record"]) for line in self.all("begun")]
        return {(record["boot"], record["seq"]): record for record in records}

    def quiet(self) -> None:
        """No more records are made."""
        (self.folder / "quiet").touch()

    def close(self) -> None:
        """Let it end. RuntimeError: it did not do so in order."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            status = self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if status or self._errors:
            raise RuntimeError(f"the gateway ended with {status}: {''.join(self._errors)[-2000:]}")
